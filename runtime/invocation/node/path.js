// `path` for bundled apps: the parts of POSIX path handling that packages use.
export const sep = "/";
export const normalize = (path) => {
  const parts = [];
  for (const part of path.split("/")) {
    if (part === "..") { if (parts.length && parts.at(-1) !== "..") parts.pop(); else if (!path.startsWith("/")) parts.push(part); }
    else if (part && part !== ".") parts.push(part);
  }
  return (path.startsWith("/") ? "/" : "") + parts.join("/") || ".";
};
export const join = (...parts) => normalize(parts.filter(Boolean).join("/") || ".");
export const resolve = (...parts) => normalize(`/${parts.slice(parts.findLastIndex((part) => part.startsWith("/"))).join("/")}`);
export const dirname = (path) => path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
export const basename = (path, ending = "") => {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return ending && name !== ending && name.endsWith(ending) ? name.slice(0, -ending.length) : name;
};
export const extname = (path) => { const at = basename(path).lastIndexOf("."); return at > 0 ? basename(path).slice(at) : ""; };
export default { sep, normalize, join, resolve, dirname, basename, extname };
