// `url` for bundled apps: the guest's own URL, and Node's older functions on it.
//
// Follows: Node 20, "URL": parse, format and resolve of the legacy API for http, https and other
// addresses that are written with slashes, paths and mailto-like ones; fileURLToPath.
// Differs: the legacy parser is an approximation: it neither lower-cases international names nor
// escapes what the WHATWG parser would.
const { URL, URLSearchParams } = globalThis;
const querystring = require("./querystring.js");

const slashed = ["ftp:", "file:", "http:", "https:", "gopher:", "ws:", "wss:"];

class Url {
  protocol = null;
  slashes = null;
  auth = null;
  host = null;
  port = null;
  hostname = null;
  hash = null;
  search = null;
  query = null;
  pathname = null;
  path = null;
  href = null;

  format() {
    return format(this);
  }
}

function takeHost(url, text) {
  const at = text.search(/[/?#]/);
  const authority = at < 0 ? text : text.slice(0, at);
  const user = authority.lastIndexOf("@");
  if (user >= 0) url.auth = decodeURIComponent(authority.slice(0, user));
  const host = authority.slice(user + 1).toLowerCase();
  const port = /:(\d*)$/.exec(host);
  url.port = port?.[1] ? port[1] : null;
  url.hostname = (port ? host.slice(0, port.index) : host).replace(/^\[(.*)\]$/, "$1");
  url.host = url.port === null ? host.replace(/:$/, "") : host;
  return at < 0 ? "" : text.slice(at);
}

function parse(input, parseQuery = false, slashesDenoteHost = false) {
  if (input instanceof Url) return input;
  if (typeof input !== "string") {
    const error = new TypeError(
      `The "url" argument must be of type string. Received ${typeof input}`,
    );
    error.code = "ERR_INVALID_ARG_TYPE";
    throw error;
  }
  const url = new Url();
  const mark = input.search(/[?#]/);
  const head = (mark < 0 ? input : input.slice(0, mark)).replaceAll("\\", "/");
  let rest = (head + (mark < 0 ? "" : input.slice(mark))).trim();
  const scheme = /^([a-z0-9.+-]+:)/i.exec(rest)?.[1].toLowerCase();
  if (scheme !== undefined) {
    url.protocol = scheme;
    rest = rest.slice(scheme.length);
  }
  const hasSlashes =
    rest.startsWith("//") &&
    (scheme !== undefined || slashesDenoteHost || /^\/\/[^@/]+@/.test(rest));
  if (hasSlashes && scheme !== "javascript:") {
    url.slashes = true;
    rest = takeHost(url, rest.slice(2));
  }
  const hash = rest.indexOf("#");
  if (hash >= 0) [url.hash, rest] = [rest.slice(hash), rest.slice(0, hash)];
  const query = rest.indexOf("?");
  if (query >= 0) {
    url.search = rest.slice(query);
    url.query = parseQuery ? querystring.parse(url.search.slice(1)) : url.search.slice(1);
    rest = rest.slice(0, query);
  } else if (parseQuery) [url.search, url.query] = [null, Object.create(null)];
  url.pathname = rest || (slashed.includes(url.protocol) && url.hostname ? "/" : null);
  const path = (url.pathname ?? "") + (url.search ?? "");
  url.path = path === "" ? null : path;
  url.href = format(url);
  return url;
}

function format(input, options = {}) {
  if (typeof input === "string") return format(parse(input));
  if (input instanceof URL) return formatUrl(input, options);
  const { auth, hash = "", pathname = "", query } = input;
  let protocol = input.protocol ?? "";
  if (protocol !== "" && !protocol.endsWith(":")) protocol += ":";
  const name = input.hostname
    ? input.hostname.includes(":")
      ? `[${input.hostname}]`
      : input.hostname
    : "";
  let host = input.host ?? (name && name + (input.port ? `:${input.port}` : ""));
  if (host && auth) host = `${encodeURIComponent(auth).replace(/%3A/i, ":")}@${host}`;
  let search = input.search ?? "";
  if (search === "" && typeof query === "object" && query !== null)
    search = querystring.stringify(query);
  if (search !== "" && !search.startsWith("?")) search = `?${search}`;
  const needsSlashes = input.slashes || slashed.includes(protocol);
  let path = pathname ?? "";
  if (needsSlashes && host !== "" && host !== undefined && path !== "" && !path.startsWith("/"))
    path = `/${path}`;
  const start = host
    ? `//${host}`
    : needsSlashes && (input.slashes || protocol === "file:")
      ? "//"
      : "";
  const end = hash && !hash.startsWith("#") ? `#${hash}` : (hash ?? "");
  return (
    protocol + start + path.replace(/[?#]/g, encodeURIComponent) + search.replace("#", "%23") + end
  );
}

function formatUrl(url, { auth = true, fragment = true, search = true } = {}) {
  const copy = new URL(url);
  if (!auth) [copy.username, copy.password] = ["", ""];
  if (!fragment) copy.hash = "";
  if (!search) copy.search = "";
  return copy.href;
}

// Resolved by the WHATWG rules, against a stand-in where the base is a path alone.
function resolve(from, to) {
  const none = "resolve://u";
  const url = new URL(to, new URL(from, none));
  return url.protocol === "resolve:" ? url.pathname + url.search + url.hash : url.href;
}

const fileURLToPath = (url) => decodeURIComponent(new URL(url).pathname);
const pathToFileURL = (path) =>
  new URL(encodeURI(path).replace(/[?#]/g, encodeURIComponent), "file:///");
const asAscii = (domain) => {
  try {
    return new URL(`ws://${domain}`).hostname;
  } catch {
    return "";
  }
};

module.exports = {
  URL,
  URLSearchParams,
  Url,
  parse,
  format,
  resolve,
  resolveObject: (from, to) => parse(resolve(from, to)),
  fileURLToPath,
  pathToFileURL,
  domainToASCII: asAscii,
  domainToUnicode: asAscii,
  urlToHttpOptions: ({ protocol, hostname, pathname, search, hash, href, port }) => ({
    protocol,
    hostname,
    hash,
    search,
    pathname,
    path: pathname + search,
    href,
    ...(port === "" ? {} : { port: Number(port) }),
  }),
};
