// Stands before a bundle: what `require` answers for a module of Node that has no stand-in. It can
// be imported, its parts can be looked at, inherited from and kept; calling any of them says that
// the sandbox does not have it.
var require = (name) => {
  const refuse = (what) => {
    throw new Error(`The Node module ${name} is not available in a sandbox: ${what} was called.`);
  };
  const absent = (what) =>
    new Proxy(function () {}, {
      get(target, key) {
        if (key === "__esModule" || key === "then") return undefined;
        return typeof key === "symbol" || key === "prototype" || key === "name"
          ? target[key]
          : absent(`${what}.${key}`);
      },
      apply: () => refuse(what),
      construct: () => refuse(what),
    });
  return absent(name);
};
