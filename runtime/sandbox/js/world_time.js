// Timers and performance.
//
// Follows: HTML Standard, "Timers", with the objects and the delay rules of Node; High Resolution
// Time, "performance.now()" and "timeOrigin".
// Differs: the clock stands still while an app is loading and timers refuse there; timers still
// pending when a handler has returned are dropped; `ref` and `unref` are kept but change nothing.
(host) => {
  const { brand, coded, expose } = globalThis.__world__;
  const ids = new Map();

  function delayOf(value) {
    const delay = Number(value);
    return delay >= 1 && delay <= 0x7fffffff ? Math.trunc(delay) : 1;
  }

  function checked(callback) {
    if (typeof callback === "function") return callback;
    const received =
      callback === null || callback === undefined ? String(callback) : `type ${typeof callback}`;
    throw coded(
      TypeError,
      "ERR_INVALID_ARG_TYPE",
      `The "callback" argument must be of type function. Received ${received}`,
    );
  }

  class Timeout {
    #id;
    #run;
    #delay;
    #repeats;
    #isReferenced = true;

    constructor(callback, delay, repeats, args) {
      this.#run = () => callback(...args);
      this.#delay = delay;
      this.#repeats = repeats;
      this.#arm();
    }

    #arm() {
      const id = host.setTimer(() => {
        ids.delete(id);
        if (this.#repeats) this.#arm();
        this.#run();
      }, this.#delay);
      this.#id = id;
      ids.set(id, this);
    }

    close() {
      host.clearTimer(this.#id);
      ids.delete(this.#id);
      this.#repeats = false;
      return this;
    }

    refresh() {
      host.clearTimer(this.#id);
      ids.delete(this.#id);
      this.#arm();
      return this;
    }

    ref() {
      this.#isReferenced = true;
      return this;
    }

    unref() {
      this.#isReferenced = false;
      return this;
    }

    hasRef() {
      return this.#isReferenced;
    }

    [Symbol.toPrimitive]() {
      return this.#id;
    }

    [Symbol.dispose]() {
      this.close();
    }
  }

  // A timer is named by its object or by the number it converts to; anything else is ignored.
  function clear(timer) {
    if (timer instanceof Timeout) timer.close();
    else if (typeof timer === "number" || typeof timer === "string")
      ids.get(Number(timer))?.close();
  }

  expose("setTimeout", function setTimeout(callback, delay, ...args) {
    return new Timeout(checked(callback), delayOf(delay), false, args);
  });
  expose("setInterval", function setInterval(callback, delay, ...args) {
    return new Timeout(checked(callback), delayOf(delay), true, args);
  });
  expose("setImmediate", function setImmediate(callback, ...args) {
    return new Timeout(checked(callback), 0, false, args);
  });
  expose("clearTimeout", function clearTimeout(timer) {
    clear(timer);
  });
  expose("clearInterval", function clearInterval(timer) {
    clear(timer);
  });
  expose("clearImmediate", function clearImmediate(timer) {
    clear(timer);
  });

  let origin = 0;
  host.onStart((start) => {
    origin = host.now();
  });

  class Performance {
    get timeOrigin() {
      return origin;
    }

    now() {
      return origin === 0 ? 0 : host.now() - origin;
    }

    toJSON() {
      return { timeOrigin: origin };
    }
  }
  brand(Performance, "Performance");
  expose("performance", new Performance());
}
