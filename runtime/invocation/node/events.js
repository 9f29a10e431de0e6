// `events` for bundled apps.
//
// Follows: Node 20, "Events": EventEmitter with its order, `newListener` and `removeListener`,
// unhandled `error` events, `once` and `on` of the module.
// Differs: no rejections are captured, and no warning counts listeners.
function checkListener(listener) {
  if (typeof listener === "function") return;
  const error = new TypeError('The "listener" argument must be of type function.');
  error.code = "ERR_INVALID_ARG_TYPE";
  throw error;
}

// Old libraries call it as a function on their own objects, so it is no class.
function EventEmitter() {
  EventEmitter.init.call(this);
}

EventEmitter.init = function init() {
  if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events)
    this._events = Object.create(null);
};
EventEmitter.prototype._events = undefined;
EventEmitter.prototype._maxListeners = undefined;
EventEmitter.defaultMaxListeners = 10;
EventEmitter.errorMonitor = Symbol("events.errorMonitor");
EventEmitter.captureRejectionSymbol = Symbol.for("nodejs.rejection");

function listenersOf(emitter, type) {
  EventEmitter.init.call(emitter);
  return emitter._events[type] ?? [];
}

function add(emitter, type, listener, isFirst) {
  checkListener(listener);
  EventEmitter.init.call(emitter);
  if (emitter._events.newListener !== undefined)
    emitter.emit("newListener", type, listener.listener ?? listener);
  const now = listenersOf(emitter, type);
  emitter._events[type] = isFirst ? [listener, ...now] : [...now, listener];
  return emitter;
}

function onceOf(emitter, type, listener) {
  checkListener(listener);
  const wrapper = function wrapper(...args) {
    emitter.removeListener(type, wrapper);
    return Reflect.apply(listener, emitter, args);
  };
  wrapper.listener = listener;
  return wrapper;
}

function unhandled(args) {
  const [error] = args;
  if (error instanceof Error) return error;
  const wrapped = new Error(
    `Unhandled error. (${typeof error === "string" ? `'${error}'` : error})`,
  );
  wrapped.code = "ERR_UNHANDLED_ERROR";
  wrapped.context = error;
  return wrapped;
}

const methods = {
  emit(type, ...args) {
    const listeners = listenersOf(this, type);
    if (type === "error") {
      for (const one of listenersOf(this, EventEmitter.errorMonitor))
        Reflect.apply(one, this, args);
      if (listeners.length === 0) throw unhandled(args);
    }
    for (const one of listeners) Reflect.apply(one, this, args);
    return listeners.length > 0;
  },
  on(type, listener) {
    return add(this, type, listener, false);
  },
  addListener(type, listener) {
    return add(this, type, listener, false);
  },
  prependListener(type, listener) {
    return add(this, type, listener, true);
  },
  once(type, listener) {
    return add(this, type, onceOf(this, type, listener), false);
  },
  prependOnceListener(type, listener) {
    return add(this, type, onceOf(this, type, listener), true);
  },
  removeListener(type, listener) {
    checkListener(listener);
    const listeners = listenersOf(this, type);
    const at = listeners.findLastIndex((one) => one === listener || one.listener === listener);
    if (at < 0) return this;
    const left = listeners.filter((one, index) => index !== at);
    if (left.length > 0) this._events[type] = left;
    else delete this._events[type];
    if (this._events.removeListener !== undefined) this.emit("removeListener", type, listener);
    return this;
  },
  removeAllListeners(type = undefined) {
    EventEmitter.init.call(this);
    const types = type === undefined ? Reflect.ownKeys(this._events) : [type];
    for (const one of types) {
      if (this._events.removeListener === undefined) delete this._events[one];
      else if (one !== "removeListener")
        for (const listener of [...listenersOf(this, one)].reverse())
          this.removeListener(one, listener);
    }
    if (type === undefined) this._events = Object.create(null);
    return this;
  },
  setMaxListeners(count) {
    this._maxListeners = count;
    return this;
  },
  getMaxListeners() {
    return this._maxListeners ?? EventEmitter.defaultMaxListeners;
  },
  listeners(type) {
    return listenersOf(this, type).map((one) => one.listener ?? one);
  },
  rawListeners(type) {
    return [...listenersOf(this, type)];
  },
  listenerCount(type, listener = undefined) {
    const listeners = listenersOf(this, type);
    if (listener === undefined) return listeners.length;
    return listeners.filter((one) => one === listener || one.listener === listener).length;
  },
  eventNames() {
    EventEmitter.init.call(this);
    return Reflect.ownKeys(this._events);
  },
};
Object.assign(EventEmitter.prototype, methods);
EventEmitter.prototype.off = EventEmitter.prototype.removeListener;

// Both kinds of emitters, Node's and the web's.
const listen = (emitter, type, listener) => {
  if (typeof emitter.on === "function") emitter.on(type, listener);
  else emitter.addEventListener(type, listener);
};
const unlisten = (emitter, type, listener) => {
  if (typeof emitter.removeListener === "function") emitter.removeListener(type, listener);
  else emitter.removeEventListener(type, listener);
};

EventEmitter.once = (emitter, type, { signal } = {}) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const settle = (act) => (value) => {
      unlisten(emitter, type, done);
      if (type !== "error") unlisten(emitter, "error", failed);
      act(value);
    };
    const finish = settle(resolve);
    const done = (...args) => finish(args);
    const failed = settle(reject);
    listen(emitter, type, done);
    if (type !== "error" && typeof emitter.on === "function") listen(emitter, "error", failed);
    signal?.addEventListener("abort", () => failed(signal.reason));
  });

EventEmitter.on = async function* on(emitter, type) {
  const waiting = [];
  let wake = () => {};
  const push = (...args) => {
    waiting.push({ args });
    wake();
  };
  const fail = (error) => {
    waiting.push({ error });
    wake();
  };
  listen(emitter, type, push);
  listen(emitter, "error", fail);
  try {
    while (true) {
      while (waiting.length > 0) {
        const { args, error } = waiting.shift();
        if (args === undefined) throw error;
        yield args;
      }
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    unlisten(emitter, type, push);
    unlisten(emitter, "error", fail);
  }
};
EventEmitter.listenerCount = (emitter, type) => emitter.listenerCount(type);
EventEmitter.getEventListeners = (emitter, type) => emitter.listeners(type);
EventEmitter.setMaxListeners = (count, ...emitters) => {
  for (const one of emitters) one.setMaxListeners?.(count);
};

// One by one, so that they can be imported by name.
module.exports = EventEmitter;
module.exports.EventEmitter = EventEmitter;
module.exports.captureRejectionSymbol = EventEmitter.captureRejectionSymbol;
module.exports.defaultMaxListeners = EventEmitter.defaultMaxListeners;
module.exports.errorMonitor = EventEmitter.errorMonitor;
module.exports.getEventListeners = EventEmitter.getEventListeners;
module.exports.listenerCount = EventEmitter.listenerCount;
module.exports.on = EventEmitter.on;
module.exports.once = EventEmitter.once;
module.exports.setMaxListeners = EventEmitter.setMaxListeners;
