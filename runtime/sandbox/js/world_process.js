// `process` and `global`, as far as they say something true inside a sandbox.
//
// Follows: Node "process": env, version, versions, platform, arch, argv, nextTick, hrtime, uptime,
// cwd. `env` holds the app's variables and nothing of the machine; the object stays the same for
// good. `version`, `platform` and `arch` name the emulated runtime, not the machine that emulates
// it.
// Differs: nextTick is a microtask like any other; assigned values are not turned into text; there
// are no streams, signals, memory figures or exit; event methods exist and never fire;
// getBuiltinModule knows buffer, crypto, and of util inspect and format.
(host) => {
  const { coded, expose, formatText, inspect, nodeCrypto } = globalThis.__world__;
  const { Buffer, queueMicrotask } = globalThis;
  const builtins = {
    __proto__: null,
    buffer: { Buffer },
    crypto: nodeCrypto,
    util: { format: (...args) => formatText(args), inspect },
  };
  const env = {};
  let origin = 0;

  host.onStart((start) => {
    origin = host.now();
    for (const name of Object.keys(env)) delete env[name];
    for (const name of Object.keys(start.env)) {
      Object.defineProperty(env, name, {
        value: start.env[name],
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
  });

  const elapsedMs = () => (origin === 0 ? 0 : host.now() - origin);

  function hrtime(before = [0, 0]) {
    const nanoseconds = Math.round(elapsedMs() * 1e6) - (before[0] * 1e9 + before[1]);
    return [Math.floor(nanoseconds / 1e9), nanoseconds % 1e9];
  }
  hrtime.bigint = () => BigInt(Math.round(elapsedMs() * 1e6));

  function nextTick(callback, ...args) {
    if (typeof callback !== "function") {
      throw coded(
        TypeError,
        "ERR_INVALID_ARG_TYPE",
        'The "callback" argument must be of type function.',
      );
    }
    queueMicrotask(() => callback(...args));
  }

  const process = {
    title: "node",
    version: "v20.0.0",
    versions: { node: "20.0.0" },
    arch: "x64",
    platform: "linux",
    argv: [],
    execArgv: [],
    env,
    nextTick,
    hrtime,
    uptime: () => elapsedMs() / 1000,
    cwd: () => "/",
    getBuiltinModule: (name) => builtins[`${name}`.replace(/^node:/, "")],
  };
  for (const name of ["on", "once", "off", "addListener", "removeListener", "removeAllListeners"]) {
    process[name] = {
      [name]() {
        return process;
      },
    }[name];
  }
  process.emitWarning = (warning) => globalThis.console.warn(`(node) ${warning}`);
  Object.defineProperty(process, Symbol.toStringTag, { value: "process", configurable: true });

  expose("process", process);
  expose("global", globalThis);
}
