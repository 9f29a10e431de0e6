// Event, EventTarget, AbortController and AbortSignal.
//
// Follows: DOM Standard, "Events" and "Aborting ongoing activities".
// Differs: there is no tree, so an event has one target and no capture or bubble phase; an
// exception in a listener is reported on the console as an error and the rest run.
(host) => {
  const { brand, coded, expose, inspectAs, picked } = globalThis.__world__;
  const { DOMException, performance, setTimeout } = globalThis;
  const inner = Symbol("event");

  class Event {
    constructor(type, options = {}) {
      if (arguments.length === 0) {
        throw coded(TypeError, "ERR_MISSING_ARGS", 'The "type" argument must be specified');
      }
      Object.defineProperty(this, inner, {
        value: {
          type: `${type}`,
          cancelable: Boolean(options?.cancelable),
          bubbles: Boolean(options?.bubbles),
          composed: Boolean(options?.composed),
          target: null,
          current: null,
          prevented: false,
          stopped: false,
          at: performance.now(),
        },
      });
    }

    get type() {
      return this[inner].type;
    }

    get target() {
      return this[inner].target;
    }

    get currentTarget() {
      return this[inner].current;
    }

    get bubbles() {
      return this[inner].bubbles;
    }

    get cancelable() {
      return this[inner].cancelable;
    }

    get composed() {
      return this[inner].composed;
    }

    get defaultPrevented() {
      return this[inner].prevented;
    }

    get isTrusted() {
      return false;
    }

    get timeStamp() {
      return this[inner].at;
    }

    preventDefault() {
      if (this.cancelable) this[inner].prevented = true;
    }

    stopPropagation() {}

    stopImmediatePropagation() {
      this[inner].stopped = true;
    }
  }
  brand(Event, "Event");
  inspectAs(Event, picked(["type", "defaultPrevented", "cancelable", "timeStamp"]));

  class EventTarget {
    #listeners = [];

    addEventListener(type, listener, options = {}) {
      if (listener === null || listener === undefined) return;
      const { once = false, signal } =
        typeof options === "object" && options !== null ? options : {};
      if (signal?.aborted) return;
      const known = this.#listeners.some(
        (one) => one.type === `${type}` && one.listener === listener,
      );
      if (known) return;
      this.#listeners.push({ type: `${type}`, listener, once: Boolean(once) });
      signal?.addEventListener("abort", () => this.removeEventListener(type, listener), {
        once: true,
      });
    }

    removeEventListener(type, listener) {
      this.#listeners = this.#listeners.filter(
        (one) => one.type !== `${type}` || one.listener !== listener,
      );
    }

    dispatchEvent(event) {
      if (!(event instanceof Event)) {
        throw coded(
          TypeError,
          "ERR_INVALID_ARG_TYPE",
          'The "event" argument must be an instance of Event.',
        );
      }
      const details = event[inner];
      Object.assign(details, { target: this, current: this });
      for (const one of this.#listeners.filter((each) => each.type === details.type)) {
        if (details.stopped) break;
        if (!this.#listeners.includes(one)) continue;
        if (one.once) this.removeEventListener(one.type, one.listener);
        this.#call(one.listener, event);
      }
      details.current = null;
      return !details.prevented;
    }

    #call(listener, event) {
      try {
        if (typeof listener === "function") Reflect.apply(listener, this, [event]);
        else listener.handleEvent(event);
      } catch (error) {
        globalThis.console.error(error);
      }
    }
  }
  brand(EventTarget, "EventTarget");

  class CustomEvent extends Event {
    #detail;

    constructor(type, options = {}) {
      if (arguments.length === 0)
        throw coded(TypeError, "ERR_MISSING_ARGS", 'The "type" argument must be specified');
      super(type, options);
      this.#detail = options?.detail ?? null;
    }

    get detail() {
      return this.#detail;
    }
  }
  brand(CustomEvent, "CustomEvent");

  const mint = Symbol("mint");
  let abort;

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    onabort = null;

    constructor(key) {
      if (key !== mint) throw coded(TypeError, "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor");
      super();
    }

    static {
      abort = (signal, reason) => {
        if (signal.#aborted) return;
        signal.#aborted = true;
        signal.#reason =
          reason === undefined
            ? new DOMException("This operation was aborted", "AbortError")
            : reason;
        const event = new Event("abort");
        if (typeof signal.onabort === "function") signal.onabort(event);
        signal.dispatchEvent(event);
      };
    }

    get aborted() {
      return this.#aborted;
    }

    get reason() {
      return this.#reason;
    }

    throwIfAborted() {
      if (this.#aborted) throw this.#reason;
    }

    static abort(reason = undefined) {
      const signal = new AbortSignal(mint);
      abort(signal, reason);
      return signal;
    }

    static timeout(delay) {
      const signal = new AbortSignal(mint);
      setTimeout(
        () =>
          abort(
            signal,
            new DOMException("The operation was aborted due to timeout", "TimeoutError"),
          ),
        delay,
      );
      return signal;
    }

    static any(signals) {
      const joined = new AbortSignal(mint);
      for (const signal of [...signals]) {
        if (signal.aborted) {
          abort(joined, signal.reason);
          break;
        }
        signal.addEventListener("abort", () => abort(joined, signal.reason), { once: true });
      }
      return joined;
    }
  }
  brand(AbortSignal, "AbortSignal");
  inspectAs(AbortSignal, picked(["aborted"]));

  class AbortController {
    #signal = new AbortSignal(mint);

    get signal() {
      return this.#signal;
    }

    abort(reason = undefined) {
      abort(this.#signal, reason);
    }
  }
  brand(AbortController, "AbortController");
  inspectAs(AbortController, picked(["signal"]));

  expose("Event", Event);
  expose("CustomEvent", CustomEvent);
  expose("EventTarget", EventTarget);
  expose("AbortController", AbortController);
  expose("AbortSignal", AbortSignal);
}
