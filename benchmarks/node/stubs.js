// What the bundle needs around it in an engine that has nothing: canned answers, no network.
globalThis.global = globalThis;
globalThis.process ??= { env: {}, versions: { node: "20.0.0" }, nextTick: (fn) => Promise.resolve().then(fn) };
globalThis.console ??= { log() {}, error() {}, warn() {}, info() {}, debug() {} };
globalThis.URLSearchParams ??= class { constructor() { this.pairs = []; } toString() { return ""; } };
globalThis.setTimeout ??= () => 0;
globalThis.fetch ??= () => Promise.reject(new Error("no network"));
globalThis.Buffer ??= { byteLength: (text) => text.length };
globalThis.__forge_runtime__ = {
  appContext: {}, proxy: { token: "", url: "" }, contextAri: "", lambdaContext: {}, tracing: {},
  metrics: {
    counter: () => ({ incr() {}, incrBy() {}, decr() {}, decrBy() {} }),
    timing: () => ({ measure: () => ({ stop() {} }) }), gauge: () => ({ set() {} }),
  },
};
globalThis.__forge_fetch__ = async () => ({
  status: 200, ok: true, statusText: "OK", headers: { get: () => null, has: () => false },
  text: async () => '{"key":"TEAM-1"}', json: async () => ({ key: "TEAM-1" }),
});
globalThis.__register__ = (modules) => { globalThis.__modules__ = modules; };
globalThis.__call__ = () =>
  globalThis.__modules__.index.handler(
    { call: { functionKey: "get", payload: { issueKey: "TEAM-1" } }, context: {} }, { principal: { accountId: "x" } },
  ).then((value) => JSON.stringify(value));
