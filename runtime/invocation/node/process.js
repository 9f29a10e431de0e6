// `process` for bundled apps: the guest's own.
module.exports = globalThis.process;
