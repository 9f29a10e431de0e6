// The innermost layer of a guest: between the host's few native functions and everything else.
//
// It is evaluated first, takes what it needs from the language's own objects at once, and never
// looks at them again, so that nothing an app does to a prototype changes what it does. What leaves
// it as text for the host is put together from strings; what comes in is parsed by the captured
// JSON.parse. The host trusts none of it: every count and size is checked again outside.
//
// No template literals here: this engine compiles them to calls of String.prototype.concat.
(native) => {
  "use strict";

  const { apply, ownKeys } = Reflect;
  const uncurry = Function.prototype.bind.bind(Function.prototype.call);
  const { parse, stringify } = JSON;
  const { freeze, defineProperty } = Object;
  const PromiseOf = Promise;
  const ErrorOf = Error;
  const TypeErrorOf = TypeError;
  const RangeErrorOf = RangeError;
  const asString = String;
  const asNumber = Number;
  const clock = Date.now;
  const hasOwn = uncurry(Object.prototype.hasOwnProperty);
  const BytesOf = Uint8Array;
  const MapOf = Map;
  const mapGet = uncurry(Map.prototype.get);
  const mapSet = uncurry(Map.prototype.set);
  const mapDelete = uncurry(Map.prototype.delete);
  const mapForEach = uncurry(Map.prototype.forEach);
  const indexOf = uncurry(String.prototype.indexOf);
  const lastIndexOf = uncurry(String.prototype.lastIndexOf);
  const slice = uncurry(String.prototype.slice);
  const wellFormed = uncurry(String.prototype.toWellFormed);

  const MOST_MESSAGE = 8192;
  const MOST_STACK = 16384;
  const LOADING = "not available while the app is loading";
  const LEVELS = { __proto__: null, debug: "0", info: "1", warn: "2", error: "3" };
  const GLOBALS = globalThis;
  const REGISTER = "__register__";

  // A list that no property of Array.prototype can reach.
  const list = () => ({ __proto__: null, length: 0 });
  const push = (items, item) => {
    items[items.length] = item;
    items.length += 1;
  };

  let running = false;
  let sealed = false;
  let limits = null;

  const modules = new MapOf();
  const startHooks = list();
  const sealHooks = list();
  const messageHooks = list();

  // ------------------------------------------------------------------ what waits for the host
  const pending = new MapOf(); // call id -> { resolve, reject }
  let waitingCalls = 0;
  let lastCall = 0;
  let callCount = 0; // of this budget period
  let outbox = "";
  let outboxSize = 0;
  let mail = "";
  let logFull = false;

  // -------------------------------------------------------------------------- how it all ends
  let settled = false;
  let reported = false;
  let result; // JSON text; undefined stays undefined
  let failed = false;
  let failureCode = "";
  let failure;

  const fail = (code, error) => {
    if (failed) return;
    failed = true;
    failureCode = code;
    failure = error;
  };

  // ----------------------------------------------------------------- rejections nobody listens to
  // The engine tells of each at once; most are listened to before the turn is over.
  let unheard = new MapOf(); // promise -> what it was rejected with
  let unheardCount = 0;

  const rejected = (promise, reason) => {
    mapSet(unheard, promise, reason);
    unheardCount += 1;
  };

  const handled = (promise) => {
    if (mapDelete(unheard, promise)) unheardCount -= 1;
  };

  const tell = () => {
    const told = unheard;
    unheard = new MapOf();
    unheardCount = 0;
    mapForEach(told, (reason) => log("error", "Unhandled promise rejection: " + summary(reason)));
  };

  // ---------------------------------------------------------------------------------- timers
  // One list in order of due time; a timer that is due later than all others, as most are, is
  // found its place at once.
  const timers = new MapOf();
  const head = { __proto__: null, id: 0, due: -1, callback: null, previous: null, next: null };
  let tail = head;
  let lastTimer = 0;

  const setTimer = (callback, delay) => {
    if (!running) throw new ErrorOf("setTimer is " + LOADING);
    if (typeof callback !== "function") throw new TypeErrorOf("a timer needs a function");
    const wait = asNumber(delay);
    const due = clock() + (wait > 0 ? wait : 0);
    const id = ++lastTimer;
    let after = tail;
    while (after.due > due) after = after.previous;
    const timer = { __proto__: null, id, due, callback, previous: after, next: after.next };
    if (after.next === null) tail = timer;
    else after.next.previous = timer;
    after.next = timer;
    mapSet(timers, id, timer);
    return id;
  };

  const clearTimer = (id) => {
    const timer = mapGet(timers, id);
    if (timer === undefined) return;
    mapDelete(timers, id);
    timer.previous.next = timer.next;
    if (timer.next === null) tail = timer.previous;
    else timer.next.previous = timer.previous;
  };

  const nextTimer = () => {
    if (head.next === null) return -1;
    const left = head.next.due - clock();
    return left > 0 ? left : 0;
  };

  const fireTimer = () => {
    const timer = head.next;
    if (timer === null || timer.due > clock()) return;
    clearTimer(timer.id);
    try {
      apply(timer.callback, undefined, []);
    } catch (error) {
      fail("APP_ERROR", error);
    }
  };

  // ------------------------------------------------------------------------------------ door
  const call = (name, body) => {
    if (!running) throw new ErrorOf("door is " + LOADING);
    if (typeof name !== "string" || typeof body !== "string") {
      throw new TypeErrorOf("a call needs a name and a body, both strings");
    }
    const id = ++lastCall;
    outboxSize += body.length;
    callCount += 1;
    if (callCount > limits.doorCalls) {
      fail("DOOR_CALLS", "The app made more than " + limits.doorCalls + " host calls.");
    } else if (outboxSize > limits.doorRequestBytes) {
      const most = limits.doorRequestBytes;
      fail("DOOR_BYTES", "The app sent more than " + most + " bytes in host calls.");
    } else {
      const texts = stringify(wellFormed(name)) + "," + stringify(wellFormed(body));
      const text = "[" + id + "," + texts + "]";
      outbox = outbox === "" ? text : outbox + "," + text;
    }
    waitingCalls += 1;
    return new PromiseOf((resolve, reject) => {
      mapSet(pending, id, { __proto__: null, resolve, reject });
    });
  };

  const settle = (text, kept) => {
    const end = indexOf(text, "\n");
    const id = asNumber(slice(text, 1, end));
    const waiting = mapGet(pending, id);
    if (waiting === undefined) return;
    mapDelete(pending, id);
    waitingCalls -= 1;
    const body = slice(text, end + 1);
    if (kept) waiting.resolve(body);
    else waiting.reject(new ErrorOf(body));
  };

  // ------------------------------------------------------------------------------------- log
  const log = (level, text) => {
    if (logFull) return;
    const digit = LEVELS[level];
    if (digit === undefined || typeof text !== "string") {
      throw new TypeErrorOf("a log line needs a level and a text");
    }
    const most = limits === null ? 65536 : limits.logBytes + 1;
    logFull = native.log(digit + wellFormed(slice(text, 0, most))) !== true;
  };

  // -------------------------------------------------------------------------------- handlers
  const register = (named) => {
    if (sealed) throw new ErrorOf("register is only available while the app is loading");
    const keys = ownKeys(named);
    for (let index = 0; index < keys.length; index += 1) {
      if (typeof keys[index] === "string") mapSet(modules, keys[index], named[keys[index]]);
    }
  };

  const find = (handler) => {
    const dot = lastIndexOf(handler, ".");
    const module = dot < 0 ? undefined : mapGet(modules, slice(handler, 0, dot));
    const name = slice(handler, dot + 1);
    if (module === undefined || module === null || !hasOwn(module, name)) return undefined;
    return typeof module[name] === "function" ? module[name] : undefined;
  };

  const unawaited = (count) =>
    "The function returned while " + count + " of its host calls had no answer yet: " +
    "their promises were not awaited.";

  const invoke = async (handler, args) => {
    let value;
    try {
      value = await apply(handler, undefined, args);
    } catch (error) {
      fail("APP_ERROR", error);
      return;
    }
    try {
      result = stringify(value);
    } catch (error) {
      fail("RESULT_NOT_JSON", error);
      return;
    }
    if (result !== undefined && result.length > limits.resultBytes) {
      result = undefined;
      fail("RESULT_TOO_LARGE", "The result has more than " + limits.resultBytes + " bytes.");
      return;
    }
    settled = true;
    if (waitingCalls > 0) log("warn", unawaited(waitingCalls));
  };

  const start = (text) => {
    const given = parse(text);
    limits = given.limits;
    delete given.limits;
    running = true;
    for (let index = 0; index < startHooks.length; index += 1) startHooks[index](given);
    const handler = find(given.handler);
    if (handler === undefined) {
      fail("NO_HANDLER", "The app exports no function " + given.handler + ".");
    } else {
      invoke(handler, given.args);
    }
  };

  const deliver = (message) => {
    callCount = 0; // each message has budgets of its own
    outboxSize = 0;
    logFull = false;
    for (let index = 0; index < messageHooks.length; index += 1) {
      try {
        messageHooks[index](message);
      } catch (error) {
        fail("APP_ERROR", error);
      }
    }
  };

  // ---------------------------------------------------------------------------------- errors
  const limited = (value, most) => {
    const text = typeof value === "string" ? value : asString(value);
    return wellFormed(text.length > most ? slice(text, 0, most) : text);
  };

  const property = (error, name, most) => {
    try {
      const value = error[name];
      return value === undefined || value === null ? "" : limited(value, most);
    } catch {
      return "";
    }
  };

  const printed = (value) => {
    try {
      const text = limited(value, MOST_MESSAGE);
      return text === "[object Object]" ? limited(stringify(value), MOST_MESSAGE) : text;
    } catch {
      return "a value that cannot be shown";
    }
  };

  // What was thrown, where it is no error; the word of a fault that the kernel names itself is none.
  const kindOf = (code, error) => {
    try {
      if (code !== "APP_ERROR" || error instanceof ErrorOf) return "";
    } catch {
      return "object";
    }
    return error === null ? "null" : typeof error;
  };

  // What was thrown, for a log line; a stack may begin with its error's name and message.
  const summary = (error) => {
    const kind = kindOf("APP_ERROR", error);
    if (kind !== "") return printed(error) + " (" + kind + ", not an Error)";
    const head = property(error, "name", 256) + ": " + property(error, "message", MOST_MESSAGE);
    const stack = property(error, "stack", MOST_STACK);
    return indexOf(stack, head) === 0 || stack === "" ? stack || head : head + "\n" + stack;
  };

  const describe = (code, error) => {
    const isObject = typeof error === "object" && error !== null;
    const name = isObject ? property(error, "name", 256) : "";
    const message = isObject ? property(error, "message", MOST_MESSAGE) : "";
    const stack = isObject ? property(error, "stack", MOST_STACK) : "";
    const shown = message === "" && name === "" ? printed(error) : message;
    return (
      '{"code":' + stringify(code) + ',"name":' + stringify(name) + "," +
      '"message":' + stringify(shown) + ',"stack":' + stringify(stack) + "," +
      '"thrown":' + stringify(kindOf(code, error)) + "}"
    );
  };

  // ------------------------------------------------------------------ what the preludes are given
  const host = freeze({
    __proto__: null,
    door: call,
    log,
    setTimer,
    clearTimer,
    randomBytes(count) {
      if (!running) throw new ErrorOf("randomBytes is " + LOADING);
      const wanted = asNumber(count);
      if (!(wanted >= 0 && wanted <= 1048576) || wanted % 1 !== 0) {
        throw new RangeErrorOf("randomBytes gives 0 to 1048576 bytes");
      }
      return wanted === 0 ? new BytesOf(0) : native.random(wanted);
    },
    now: () => clock(),
    onStart(hook) {
      push(startHooks, hook);
    },
    onSeal(hook) {
      push(sealHooks, hook);
    },
    onMessage(hook) {
      push(messageHooks, hook);
    },
    emit(message) {
      if (!running) throw new ErrorOf("emit is " + LOADING);
      const text = stringify(limited(message, limits.resultBytes));
      mail = mail === "" ? text : mail + "," + text;
    },
    register,
  });

  // ------------------------------------------------------------------------ what the host calls
  return freeze({
    __proto__: null,

    prelude(script) {
      script(host);
    },

    // Between the preludes and the seal, an entry module can hand its handlers over.
    open() {
      defineProperty(GLOBALS, REGISTER, { __proto__: null, value: register, configurable: true });
    },

    bundle(value) {
      const named = typeof value === "function" ? value(host) : value;
      if (typeof named === "object" && named !== null) register(named);
    },

    seal() {
      for (let index = 0; index < sealHooks.length; index += 1) sealHooks[index]();
      delete GLOBALS[REGISTER];
      sealed = true;
      logFull = false;
    },

    describe: (error) => describe("APP_ERROR", error),

    rejected,
    handled,

    // Takes what happened, first character first: S start, D reply, F failed call, T timer,
    // M message. Replies of one batch come together.
    step(...events) {
      for (let index = 0; index < events.length; index += 1) {
        const event = events[index];
        const kind = event[0];
        if (kind === "D") settle(event, true);
        else if (kind === "F") settle(event, false);
        else if (kind === "T") fireTimer();
        else if (kind === "M") deliver(slice(event, 1));
        else start(slice(event, 1));
      }
    },

    // Says what the guest wants now, first character first: E error, R result, U undefined
    // result, B busy: calls to make, messages to hand out, and what it waits for.
    flush() {
      if (unheardCount > 0) tell();
      if (failed) return "E" + describe(failureCode, failure);
      if (settled && !reported && outbox === "" && mail === "") {
        reported = true;
        return result === undefined ? "U" : "R" + result;
      }
      const text =
        'B{"calls":[' + outbox + '],"mail":[' + mail + '],"timer":' + nextTimer() + "," +
        '"settled":' + (settled && !reported) + "}";
      outbox = "";
      mail = "";
      return text;
    },
  });
};
