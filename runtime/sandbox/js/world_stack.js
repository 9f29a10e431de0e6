// Error.prepareStackTrace without its way into the host's functions.
//
// The engine hands a formatter call sites whose `getFunction` returns the very function of each
// frame, the kernel's among them. Here a formatter that app code installs gets copies that hold
// text only, as V8 does for strict code. Without a formatter `stack` reads as V8 writes it: a
// header line, then the app's frames; those of the kernel and of these files are left out, and
// native ones below the last of the app's, unless nothing would be left.
// Differs from V8: `getThis`, `getFunction`, `getTypeName` and `getEvalOrigin` never know anything;
// frames name "<anonymous>" where V8 leaves the name out.
(host) => {
  const { apply } = Reflect;
  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const errorText = Error.prototype.toString;
  const install = getOwnPropertyDescriptor(Error, "prepareStackTrace").set;
  // What the engine calls scripts that are no modules: kernel and preludes, and an app's bundle,
  // which begins below that line.
  const OURS = "eval_script";
  const OUR_LINES = 1000;
  const BUNDLE = "bundle.js";
  const fields = ["getFileName", "getFunctionName", "getLineNumber", "getColumnNumber", "isNative"];
  const read = {};
  let formatter;

  // The engine's own methods of a call site, taken once, before app code could replace them.
  apply(install, Error, [
    (error, sites) => {
      const prototype = getPrototypeOf(sites[0]);
      for (const name of fields) read[name] = prototype[name];
    },
  ]);
  void new Error("once").stack;

  function frameOf(site) {
    const name = apply(read.getFunctionName, site, []);
    let file = apply(read.getFileName, site, []);
    let line = apply(read.getLineNumber, site, []);
    if (file === OURS && line > OUR_LINES) {
      file = BUNDLE;
      line -= OUR_LINES;
    }
    const column = apply(read.getColumnNumber, site, []);
    const native = apply(read.isNative, site, []);
    const place = native ? "native" : `${file}:${line}:${column}`;
    return { name, file, line, column, native, text: name ? `${name} (${place})` : place };
  }

  const copyOf = ({ name, file, line, column, native, text }) => ({
    getFileName: () => file,
    getScriptNameOrSourceURL: () => file,
    getFunctionName: () => name,
    getMethodName: () => null,
    getTypeName: () => null,
    getLineNumber: () => line,
    getColumnNumber: () => column,
    getFunction: () => undefined,
    getThis: () => undefined,
    getEvalOrigin: () => undefined,
    isNative: () => native,
    isToplevel: () => true,
    isEval: () => false,
    isConstructor: () => false,
    isAsync: () => false,
    isPromiseAll: () => false,
    getPromiseIndex: () => null,
    toString: () => text,
  });

  // Own elements and index loops only: a patched array method must never be handed the engine's
  // sites.
  function copies(sites) {
    const out = [];
    for (let at = 0; at < sites.length; at += 1) {
      const value = copyOf(frameOf(sites[at]));
      defineProperty(out, at, { value, writable: true, enumerable: true, configurable: true });
    }
    return out;
  }

  function header(error) {
    try {
      return apply(errorText, error, []);
    } catch {
      return "<error>";
    }
  }

  function trace(sites, ours) {
    let text = "";
    let natives = "";
    for (let at = 0; at < sites.length; at += 1) {
      const frame = frameOf(sites[at]);
      if (frame.native) natives += "\n    at " + frame.text;
      else if (ours || frame.file !== OURS) {
        text += natives + "\n    at " + frame.text;
        natives = "";
      }
    }
    return text;
  }

  apply(install, Error, [
    (error, sites) =>
      typeof formatter === "function"
        ? formatter(error, copies(sites))
        : header(error) + (trace(sites, false) || trace(sites, true)),
  ]);

  defineProperty(Error, "prepareStackTrace", {
    get: () => formatter,
    set(value) {
      formatter = value;
    },
    enumerable: false,
    configurable: false,
  });
}
