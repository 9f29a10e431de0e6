// `buffer` for bundled apps: the guest's own Buffer, Blob and File.
const { Blob, Buffer, File, atob, btoa } = globalThis;

module.exports = {
  Buffer,
  SlowBuffer: Buffer,
  Blob,
  File,
  atob,
  btoa,
  constants: { MAX_LENGTH: 2 ** 31 - 1, MAX_STRING_LENGTH: 2 ** 29 - 24 },
  kMaxLength: 2 ** 31 - 1,
  kStringMaxLength: 2 ** 29 - 24,
  INSPECT_MAX_BYTES: 50,
};
