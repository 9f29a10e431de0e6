// `async_hooks` for bundled apps: one guest runs one invocation, so the store is simply there.
export class AsyncLocalStorage {
  #store;
  static bind(fn) { return fn; }
  static snapshot() { return (fn, ...args) => fn(...args); }
  run(store, fn, ...args) {
    const before = this.#store;
    this.#store = store;
    try { return fn(...args); } finally { this.#store = before; }
  }
  enterWith(store) { this.#store = store; }
  exit(fn, ...args) { return this.run(undefined, fn, ...args); }
  getStore() { return this.#store; }
  disable() { this.#store = undefined; }
}
export class AsyncResource {
  static bind(fn) { return fn; }
  runInAsyncScope(fn, self, ...args) { return fn.apply(self, args); }
}
export default { AsyncLocalStorage, AsyncResource };
