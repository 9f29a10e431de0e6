// `fs` for bundled apps: there is no file system, so there is no file, and nothing can be written.
function missing(path) {
  const error = new Error(`ENOENT: no such file or directory, open '${path}'`);
  return Object.assign(error, { code: "ENOENT", errno: -2, syscall: "open", path });
}

function readOnly(path) {
  const error = new Error(`EROFS: read-only file system, open '${path}'`);
  return Object.assign(error, { code: "EROFS", errno: -30, syscall: "open", path });
}

const readers = ["access", "lstat", "open", "readFile", "readdir", "readlink", "realpath", "stat"];
const writers = ["appendFile", "chmod", "copyFile", "mkdir", "mkdtemp", "rename", "rm", "rmdir"];
writers.push("symlink", "unlink", "utimes", "writeFile");

const promises = {};
const fs = { promises, constants: { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 } };
for (const [names, refusal] of [
  [readers, missing],
  [writers, readOnly],
]) {
  for (const name of names) {
    promises[name] = async (path) => {
      throw refusal(path);
    };
    fs[`${name}Sync`] = (path) => {
      throw refusal(path);
    };
    fs[name] = (path, ...rest) => {
      process.nextTick(rest.at(-1), refusal(path));
    };
  }
}
fs.existsSync = () => false;

module.exports = fs;
