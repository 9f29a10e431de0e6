// `path` for bundled apps.
//
// Follows: Node 20, "Path", for POSIX; the working directory is "/".
function checked(path, name = "path") {
  if (typeof path === "string") return path;
  const error = new TypeError(
    `The "${name}" argument must be of type string. Received ${typeof path}`,
  );
  error.code = "ERR_INVALID_ARG_TYPE";
  throw error;
}

// The segments of a path without `.`, and without `..` where something stands before it.
function segments(path, isAbsolute) {
  const kept = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") kept.push(segment);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!isAbsolute) kept.push("..");
  }
  return kept.join("/");
}

const isAbsolute = (path) => checked(path).startsWith("/");

function normalize(path) {
  if (checked(path) === "") return ".";
  const root = path.startsWith("/") ? "/" : "";
  const inner = segments(path, root !== "");
  const end = inner !== "" && path.endsWith("/") ? "/" : "";
  return root + inner + end || (path.endsWith("/") && root === "" ? "./" : ".");
}

function join(...parts) {
  const joined = parts.filter((part) => checked(part) !== "").join("/");
  return joined === "" ? "." : normalize(joined);
}

function resolve(...parts) {
  let path = "";
  for (const part of parts.reverse()) {
    if (checked(part) === "") continue;
    path = path === "" ? part : `${part}/${path}`;
    if (part.startsWith("/")) break;
  }
  return `/${segments(path, true)}`;
}

function relative(from, to) {
  const [start, end] = [from, to].map((path) => resolve(path).split("/").filter(Boolean));
  let shared = 0;
  while (shared < start.length && start[shared] === end[shared]) shared += 1;
  return [...start.slice(shared).map(() => ".."), ...end.slice(shared)].join("/");
}

function dirname(path) {
  if (checked(path) === "") return ".";
  const bare = path.replace(/(?<=.)\/+$/, "");
  const at = bare.lastIndexOf("/");
  if (at < 0) return ".";
  const folder = bare.slice(0, at).replace(/\/+$/, "");
  return folder === "" ? (bare.startsWith("//") && at === 1 ? "//" : "/") : folder;
}

function basename(path, ending = "") {
  if (ending !== "" && ending === path) return "";
  const name = checked(path).replace(/\/+$/, "").split("/").at(-1);
  const isCut = ending !== "" && name !== ending && name.endsWith(ending);
  return isCut ? name.slice(0, -ending.length) : name;
}

function extname(path) {
  const name = basename(path);
  const at = name.lastIndexOf(".");
  return at <= 0 || /^\.+$/.test(name.slice(0, at + 1)) ? "" : name.slice(at);
}

function parse(path) {
  const [base, ext] = [basename(path), extname(path)];
  const root = isAbsolute(path) ? "/" : "";
  const folder = dirname(path);
  return {
    root,
    dir: folder === "." && !path.startsWith("./") ? root : folder,
    base,
    ext,
    name: ext === "" ? base : base.slice(0, -ext.length),
  };
}

function format({ dir = "", root = "", base = "", name = "", ext = "" }) {
  const file = base || name + (ext === "" || ext.startsWith(".") ? ext : `.${ext}`);
  const folder = dir || root;
  if (folder === "") return file;
  return folder === root ? folder + file : `${folder}/${file}`;
}

module.exports = {
  basename,
  delimiter: ":",
  dirname,
  extname,
  format,
  isAbsolute,
  join,
  normalize,
  parse,
  relative,
  resolve,
  sep: "/",
  toNamespacedPath: (given) => given,
};
module.exports.posix = module.exports;
