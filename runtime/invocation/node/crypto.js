// `crypto` for bundled apps: randomness from the invocation; hashing is not emulated yet.
const refuse = (name) => () => { throw new Error(`crypto.${name} is not emulated: only randomUUID, randomBytes and getRandomValues are.`); };
export const webcrypto = globalThis.crypto;
export const randomUUID = () => globalThis.crypto.randomUUID();
export const getRandomValues = (array) => globalThis.crypto.getRandomValues(array);
export const randomBytes = (size) => globalThis.crypto.getRandomValues(new Uint8Array(size));
export const createHash = refuse("createHash");
export const createHmac = refuse("createHmac");
export default { webcrypto, randomUUID, getRandomValues, randomBytes, createHash, createHmac };
