// `async_hooks` for bundled apps: one guest runs one invocation, so the store is simply there.
class AsyncLocalStorage {
  #store;

  static bind(fn) {
    return fn;
  }

  static snapshot() {
    return (fn, ...args) => fn(...args);
  }

  run(store, fn, ...args) {
    const before = this.#store;
    this.#store = store;
    let result;
    try {
      result = fn(...args);
    } catch (error) {
      this.#store = before;
      throw error;
    }
    if (typeof result?.then !== "function") {
      this.#store = before;
      return result;
    }
    return (
      result.finally?.(() => {
        if (this.#store === store) this.#store = before;
      }) ?? result
    );
  }

  enterWith(store) {
    this.#store = store;
  }

  exit(fn, ...args) {
    return this.run(undefined, fn, ...args);
  }

  getStore() {
    return this.#store;
  }

  disable() {
    this.#store = undefined;
  }
}

class AsyncResource {
  static bind(fn) {
    return fn;
  }

  bind(fn) {
    return fn;
  }

  runInAsyncScope(fn, self, ...args) {
    return Reflect.apply(fn, self, args);
  }
}

module.exports = {
  AsyncLocalStorage,
  AsyncResource,
  createHook: () => ({ enable() {}, disable() {} }),
  executionAsyncId: () => 1,
  triggerAsyncId: () => 0,
};
