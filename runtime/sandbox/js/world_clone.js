// structuredClone.
//
// Follows: HTML Standard, "Safe passing of structured data": primitives and their objects, Date,
// RegExp, ArrayBuffer and views, Map, Set, errors, arrays, plain objects, cycles; `transfer` moves
// ArrayBuffers.
// Differs: class instances and other host objects become plain objects of their own enumerable
// properties, as for any JavaScript object; functions, symbols, promises, weak collections and
// proxies of them are refused with a DataCloneError.
(host) => {
  const { coded, expose } = globalThis.__world__;
  const { DOMException } = globalThis;
  const errors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const views = [
    DataView,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    BigInt64Array,
    BigUint64Array,
    Float16Array,
    Float32Array,
    Float64Array,
  ];
  const refused = [Promise, WeakMap, WeakSet, WeakRef, FinalizationRegistry];

  function refuse(value) {
    let shown = "#<Object>";
    try {
      shown = typeof value === "object" ? Object.prototype.toString.call(value) : String(value);
    } catch {
      /* what cannot be shown is refused all the same */
    }
    throw new DOMException(`${shown} could not be cloned.`, "DataCloneError");
  }

  function cloneError(error, copy) {
    const Type = errors[error.name] ?? Error;
    const clone = copy.keep(error, new Type());
    const hidden = (key, value) =>
      Object.defineProperty(clone, key, {
        value,
        writable: true,
        configurable: true,
        enumerable: false,
      });
    if (Object.hasOwn(error, "message")) hidden("message", `${error.message}`);
    hidden("stack", typeof error.stack === "string" ? error.stack : "");
    if (Object.hasOwn(error, "cause")) hidden("cause", copy(error.cause));
    return clone;
  }

  function cloneView(view, copy) {
    const buffer = copy(view.buffer);
    const Type = views.find((one) => view instanceof one);
    return copy.keep(view, new Type(buffer, view.byteOffset, view.length ?? view.byteLength));
  }

  function cloneBuffer(buffer, copy) {
    if (!(buffer instanceof ArrayBuffer)) refuse(buffer);
    return copy.keep(buffer, copy.transfer.has(buffer) ? buffer.transfer() : buffer.slice(0));
  }

  function cloneMap(map, copy) {
    const clone = copy.keep(map, new Map());
    for (const [key, value] of [...map]) clone.set(copy(key), copy(value));
    return clone;
  }

  function cloneSet(set, copy) {
    const clone = copy.keep(set, new Set());
    for (const value of [...set]) clone.add(copy(value));
    return clone;
  }

  function cloneProperties(value, copy) {
    const clone = copy.keep(value, Array.isArray(value) ? new Array(value.length) : {});
    for (const key of Object.keys(value)) {
      Object.defineProperty(clone, key, {
        value: copy(value[key]),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    return clone;
  }

  // One row per kind of object: what it is, and how it is cloned.
  const kinds = [
    [Date, (date, copy) => copy.keep(date, new Date(date.getTime()))],
    [RegExp, (pattern, copy) => copy.keep(pattern, new RegExp(pattern.source, pattern.flags))],
    [Boolean, (box, copy) => copy.keep(box, Object(box.valueOf()))],
    [Number, (box, copy) => copy.keep(box, Object(box.valueOf()))],
    [String, (box, copy) => copy.keep(box, Object(box.valueOf()))],
    [BigInt, (box, copy) => copy.keep(box, Object(box.valueOf()))],
    [Map, cloneMap],
    [Set, cloneSet],
    [Error, cloneError],
  ];

  function cloneObject(value, copy) {
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
      return cloneBuffer(value, copy);
    if (ArrayBuffer.isView(value)) return cloneView(value, copy);
    if (refused.some((Type) => value instanceof Type)) return refuse(value);
    const kind = kinds.find(([Type]) => value instanceof Type);
    return kind ? kind[1](value, copy) : cloneProperties(value, copy);
  }

  expose("structuredClone", function structuredClone(value, options = {}) {
    if (arguments.length === 0) {
      throw coded(TypeError, "ERR_MISSING_ARGS", "The value argument must be specified");
    }
    const seen = new Map();
    const copy = (one) => {
      if (typeof one === "function" || typeof one === "symbol") return refuse(one);
      if (typeof one !== "object" || one === null) return one;
      return seen.has(one) ? seen.get(one) : cloneObject(one, copy);
    };
    copy.keep = (original, clone) => {
      seen.set(original, clone);
      return clone;
    };
    copy.transfer = new Set(options?.transfer ?? []);
    for (const one of copy.transfer) if (!(one instanceof ArrayBuffer)) refuse(one);
    return copy(value);
  });
}
