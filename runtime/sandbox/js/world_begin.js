// Opens the workbench that the world files share while they set up the guest's globals.
//
// Each world file is a function expression `(host) => void`; together they give the guest the web
// and Node globals that its language does not have. What one file needs from another lies on
// `__world__`, which world_end.js deletes before any app code is evaluated. `host` stays in
// closures: nothing here puts it, or an object that holds it, where app code could find it.
(host) => {
  globalThis.__world__ = {
    // Defines a global as the standards do: writable, configurable, not enumerable.
    expose(name, value) {
      Object.defineProperty(globalThis, name, {
        value,
        writable: true,
        configurable: true,
        enumerable: false,
      });
    },
    // Makes a class's accessors and methods enumerable and names its instances, as WebIDL asks.
    brand(constructor, tag) {
      const prototype = constructor.prototype;
      for (const key of Object.getOwnPropertyNames(prototype)) {
        if (key !== "constructor") Object.defineProperty(prototype, key, { enumerable: true });
      }
      Object.defineProperty(prototype, Symbol.toStringTag, { value: tag, configurable: true });
    },
    // An error with a `code`, in the way Node marks its own errors.
    coded(Type, code, message) {
      const error = new Type(message);
      error.code = code;
      return error;
    },
  };
}
