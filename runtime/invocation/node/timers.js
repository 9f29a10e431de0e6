// `timers` for bundled apps: the guest's own.
const { clearImmediate, clearInterval, clearTimeout } = globalThis;
const { setImmediate, setInterval, setTimeout } = globalThis;

module.exports = {
  clearImmediate,
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
};
