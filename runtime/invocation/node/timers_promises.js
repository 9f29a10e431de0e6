// `timers/promises` for bundled apps.
const wait = (delay, value = undefined, { signal } = {}) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = globalThis.setTimeout(() => resolve(value), delay);
    signal?.addEventListener("abort", () => {
      globalThis.clearTimeout(timer);
      reject(signal.reason);
    });
  });

module.exports = {
  setTimeout: wait,
  setImmediate: (value = undefined) => wait(0, value),
  scheduler: { wait: (delay) => wait(delay), yield: () => wait(0) },
  async *setInterval(delay, value = undefined) {
    while (true) yield await wait(delay, value);
  },
};
