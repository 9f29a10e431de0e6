// `fs` for bundled apps: there is no file system, so there is no file.
const missing = (path) => Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
const refuse = (path) => { throw missing(path); };
export const promises = { readFile: async (path) => refuse(path), access: async (path) => refuse(path), stat: async (path) => refuse(path) };
export const readFileSync = refuse;
export const existsSync = () => false;
export default { promises, readFileSync, existsSync };
