// `util` for bundled apps.
//
// Follows: Node 20, "Util"; `inspect` and `format` are the guest's own, as its console uses them.
// Differs: no colours; `debuglog` is silent; a promise's state and a proxy cannot be told.
const { format, inspect: show } = process.getBuiltinModule("util");
const { isDeepStrictEqual } = require("./deepequal.js");

function inspect(value, options = {}, depth = undefined) {
  const given = typeof options === "boolean" ? { showHidden: options, depth } : options;
  return show(
    value,
    Object.fromEntries(Object.entries(given ?? {}).filter(([, one]) => one !== undefined)),
  );
}
inspect.custom = Symbol.for("nodejs.util.inspect.custom");
inspect.defaultOptions = {};

function inherits(constructor, parent) {
  if (typeof constructor !== "function" || typeof parent !== "function") {
    const error = new TypeError('The "ctor" and "superCtor" arguments must be of type function.');
    error.code = "ERR_INVALID_ARG_TYPE";
    throw error;
  }
  Object.defineProperty(constructor, "super_", {
    value: parent,
    writable: true,
    configurable: true,
  });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

const custom = Symbol.for("nodejs.util.promisify.custom");

function promisify(original) {
  if (typeof original !== "function") {
    const error = new TypeError('The "original" argument must be of type function.');
    error.code = "ERR_INVALID_ARG_TYPE";
    throw error;
  }
  if (typeof original[custom] === "function") return original[custom];
  function promised(...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [
        ...args,
        (error, value) => (error ? reject(error) : resolve(value)),
      ]);
    });
  }
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = custom;

function callbackify(original) {
  return function called(...args) {
    const callback = args.pop();
    Reflect.apply(original, this, args).then(
      (value) => process.nextTick(callback, null, value),
      (reason) =>
        process.nextTick(callback, reason || new Error("Promise was rejected with a falsy value")),
    );
  };
}

function deprecate(fn, message) {
  let isSaid = false;
  return function deprecated(...args) {
    if (!isSaid) process.emitWarning(message);
    isSaid = true;
    return new.target ? Reflect.construct(fn, args, new.target) : Reflect.apply(fn, this, args);
  };
}

const tag = (value) => Object.prototype.toString.call(value).slice(8, -1);
const ofTag =
  (...names) =>
  (value) =>
    names.includes(tag(value));
const isView = (name) => (value) => ArrayBuffer.isView(value) && value[Symbol.toStringTag] === name;
const views = [
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "BigInt64Array",
  "BigUint64Array",
  "Float32Array",
  "Float64Array",
];
const boxes = [Number, String, Boolean, BigInt, Symbol];
const types = {
  isAnyArrayBuffer: ofTag("ArrayBuffer", "SharedArrayBuffer"),
  isArgumentsObject: ofTag("Arguments"),
  isArrayBuffer: ofTag("ArrayBuffer"),
  isArrayBufferView: (value) => ArrayBuffer.isView(value),
  isAsyncFunction: ofTag("AsyncFunction", "AsyncGeneratorFunction"),
  isBoxedPrimitive: (value) => boxes.some((Type) => value instanceof Type),
  isDataView: (value) => value instanceof DataView,
  isDate: (value) => value instanceof Date,
  isGeneratorFunction: ofTag("GeneratorFunction", "AsyncGeneratorFunction"),
  isGeneratorObject: ofTag("Generator", "AsyncGenerator"),
  isMap: (value) => value instanceof Map,
  isNativeError: (value) => value instanceof Error,
  isPromise: (value) => value instanceof Promise,
  isProxy: () => false,
  isRegExp: (value) => value instanceof RegExp,
  isSet: (value) => value instanceof Set,
  isSharedArrayBuffer: ofTag("SharedArrayBuffer"),
  isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
  isWeakMap: (value) => value instanceof WeakMap,
  isWeakSet: (value) => value instanceof WeakSet,
  isBigIntObject: (value) => value instanceof BigInt,
  isBooleanObject: (value) => value instanceof Boolean,
  isNumberObject: (value) => value instanceof Number,
  isStringObject: (value) => value instanceof String,
  isSymbolObject: (value) => value instanceof Symbol,
  ...Object.fromEntries(views.map((name) => [`is${name}`, isView(name)])),
};

const silent = Object.assign(() => {}, { enabled: false });

module.exports = {
  callbackify,
  debug: () => silent,
  debuglog: () => silent,
  deprecate,
  format,
  formatWithOptions: (options, ...args) => format(...args),
  inherits,
  inspect,
  isArray: Array.isArray,
  isBoolean: (value) => typeof value === "boolean",
  isBuffer: Buffer.isBuffer,
  isDate: types.isDate,
  isDeepStrictEqual,
  isError: types.isNativeError,
  isFunction: (value) => typeof value === "function",
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNumber: (value) => typeof value === "number",
  isObject: (value) => typeof value === "object" && value !== null,
  isPrimitive: (value) =>
    (typeof value !== "object" && typeof value !== "function") || value === null,
  isRegExp: types.isRegExp,
  isString: (value) => typeof value === "string",
  isSymbol: (value) => typeof value === "symbol",
  isUndefined: (value) => value === undefined,
  promisify,
  stripVTControlCharacters: (text) => text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, ""),
  toUSVString: (text) => `${text}`.toWellFormed(),
  types,
  TextDecoder: globalThis.TextDecoder,
  TextEncoder: globalThis.TextEncoder,
  _extend: (target, source) => Object.assign(target, source),
};
