// Replaces every method of the language's and the world's objects by one that keeps what it is handed,
// and lays getters on Object.prototype for names that careless code might look up. Leaves `kept`, and
// `busy` to switch the traps off.
const kept = new Set();
const { apply, ownKeys } = Reflect;
const { getOwnPropertyDescriptor, defineProperty } = Object;
const add = Set.prototype.add;
let busy = false;
const keep = (value) => {
  if ((typeof value === "object" && value) || typeof value === "function")
    apply(add, kept, [value]);
};
const prototypes = [
  Array,
  Map,
  Set,
  WeakMap,
  Promise,
  String,
  RegExp,
  Function,
  Object,
  Number,
  Error,
  Uint8Array,
  Headers,
  Request,
  Response,
  URL,
  URLSearchParams,
  TextEncoder,
  EventTarget,
]
  .map((Type) => Type.prototype)
  .concat([
    Object.getPrototypeOf([][Symbol.iterator]()),
    Object.getPrototypeOf(new Map().keys()),
    Object.getPrototypeOf(Uint8Array.prototype),
    JSON,
    Reflect,
    Object,
    Promise,
    Array,
    Math,
    console,
  ]);
for (const prototype of prototypes) {
  for (const key of ownKeys(prototype)) {
    const property = getOwnPropertyDescriptor(prototype, key);
    if (typeof property.value !== "function" || !property.configurable || key === "constructor")
      continue;
    const original = property.value;
    if (original === apply || prototypes.includes(original.prototype)) continue;
    defineProperty(prototype, key, {
      ...property,
      value: function (...args) {
        if (!busy) {
          busy = true;
          keep(this);
          for (let at = 0; at < args.length; at += 1) keep(args[at]);
          busy = false;
        }
        return new.target ? new original(...args) : apply(original, this, args);
      },
    });
  }
}
for (const name of [
  "door",
  "log",
  "callback",
  "then",
  "toJSON",
  "get",
  "set",
  "value",
  "signal",
  "method",
  "headers",
  "body",
  "env",
  "extra",
  "id",
  "next",
  "kernel",
  "resolve",
  "message",
]) {
  defineProperty(Object.prototype, name, {
    __proto__: null,
    configurable: true,
    get() {
      if (!busy) {
        busy = true;
        keep(this);
        busy = false;
      }
      return undefined;
    },
  });
}
