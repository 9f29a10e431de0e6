// `querystring` for bundled apps.
//
// Follows: Node 20, "Query string": parse, stringify, escape, unescape with their options.
function escape(value) {
  return encodeURIComponent(`${value}`.toWellFormed());
}

function unescape(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return Buffer.from(
      text.replace(/%([0-9a-f]{2})/gi, (all, pair) => String.fromCharCode(parseInt(pair, 16))),
      "latin1",
    ).toString();
  }
}

function plain(value) {
  if (typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? `${value}` : "";
  return typeof value === "bigint" || typeof value === "boolean" ? `${value}` : "";
}

function stringify(object, separator = "&", equals = "=", { encodeURIComponent: encode } = {}) {
  if (typeof object !== "object" || object === null) return "";
  const write = encode ?? module.exports.escape;
  return Object.keys(object)
    .flatMap((key) => {
      const values = Array.isArray(object[key]) ? object[key] : [object[key]];
      return values.map((value) => write(plain(key)) + (equals || "=") + write(plain(value)));
    })
    .join(separator || "&");
}

function parse(
  text,
  separator = "&",
  equals = "=",
  { maxKeys = 1000, decodeURIComponent: decode } = {},
) {
  const found = Object.create(null);
  if (typeof text !== "string" || text === "") return found;
  const read = (part) => (decode ?? module.exports.unescape)(part.replaceAll("+", " "));
  const pairs = text.split(separator || "&").filter((pair) => pair !== "");
  for (const pair of maxKeys > 0 ? pairs.slice(0, maxKeys) : pairs) {
    const at = pair.indexOf(equals || "=");
    const key = read(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? "" : read(pair.slice(at + (equals || "=").length));
    if (!(key in found)) found[key] = value;
    else if (Array.isArray(found[key])) found[key].push(value);
    else found[key] = [found[key], value];
  }
  return found;
}

module.exports = { escape, unescape, stringify, encode: stringify, parse, decode: parse };
