// `perf_hooks` for bundled apps: the guest's own clock.
module.exports = { performance: globalThis.performance };
