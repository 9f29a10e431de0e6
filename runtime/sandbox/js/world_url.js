// URL and URLSearchParams.
//
// Follows: WHATWG URL Standard, "URL class", "URLSearchParams class" and
// "application/x-www-form-urlencoded"; error codes and texts as Node 20 has them.
// Differs: no URL.createObjectURL.
(host) => {
  const {
    brand,
    coded,
    expose,
    isSpecialUrl,
    parseUrl,
    pathText,
    percentSets,
    serializeUrl,
    encode,
  } = globalThis.__world__;
  const { TextDecoder } = globalThis;
  const inspected = Symbol.for("nodejs.util.inspect.custom");
  const text = (value) => `${value}`.toWellFormed();

  // Bytes as a string of code units below 0x100, read as UTF-8 with replacement characters.
  function fromUtf8(bytes) {
    if (/^[\0-\x7f]*$/.test(bytes)) return bytes;
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      Uint8Array.from(bytes, (one) => one.charCodeAt(0)),
    );
  }

  const toUtf8 = (value) =>
    /^[\0-\x7f]*$/.test(value)
      ? value
      : encode(value, percentSets.control).replace(/%([0-9A-F]{2})/g, (whole, digits) =>
          parseInt(digits, 16) > 0x7f ? String.fromCharCode(parseInt(digits, 16)) : whole,
        );

  const formDecode = (part) =>
    fromUtf8(
      toUtf8(part.replaceAll("+", " ")).replace(/%([0-9a-f]{2})/gi, (whole, digits) =>
        String.fromCharCode(parseInt(digits, 16)),
      ),
    );

  function parseForm(query) {
    const pairs = [];
    for (const part of query.split("&")) {
      if (part === "") continue;
      const equals = part.indexOf("=");
      pairs.push([
        formDecode(equals < 0 ? part : part.slice(0, equals)),
        formDecode(equals < 0 ? "" : part.slice(equals + 1)),
      ]);
    }
    return pairs;
  }

  const formEncode = (value) =>
    encodeURIComponent(value)
      .replaceAll("%20", "+")
      .replace(/[!'()~]/g, (one) => "%" + one.charCodeAt(0).toString(16).toUpperCase());
  const serializeForm = (pairs) =>
    pairs.map(([name, value]) => formEncode(name) + "=" + formEncode(value)).join("&");

  function pairsOf(init) {
    if (init === undefined || init === null) return [];
    if (typeof init !== "object" && typeof init !== "function")
      return parseForm(text(init).replace(/^\?/, ""));
    const iterate = init[Symbol.iterator];
    if (iterate === undefined || iterate === null) {
      const record = new Map();
      for (const key of Reflect.ownKeys(init)) {
        if (Object.getOwnPropertyDescriptor(init, key)?.enumerable)
          record.set(text(key), text(init[key]));
      }
      return [...record];
    }
    if (typeof iterate !== "function") {
      throw coded(TypeError, "ERR_ARG_NOT_ITERABLE", "Query pairs must be iterable");
    }
    return Array.from(init, pairOf);
  }

  function pairOf(entry) {
    const isPair =
      entry !== null &&
      (typeof entry === "object" || typeof entry === "function") &&
      typeof entry[Symbol.iterator] === "function";
    const pair = isPair ? [...entry] : [];
    if (pair.length !== 2) {
      throw coded(
        TypeError,
        "ERR_INVALID_TUPLE",
        "Each query pair must be an iterable [name, value] tuple",
      );
    }
    return [text(pair[0]), text(pair[1])];
  }

  function need(count, names, given) {
    if (given >= count) return;
    const quoted = names
      .slice(0, count)
      .map((name) => `"${name}"`)
      .join(" and ");
    throw coded(
      TypeError,
      "ERR_MISSING_ARGS",
      `The ${quoted} argument${count > 1 ? "s" : ""} must be specified`,
    );
  }

  // Set by the URL class, the only one that may tie parameters to a URL.
  let bind;
  let refill;

  class URLSearchParams {
    #pairs;
    #changed = () => {};

    constructor(init = undefined) {
      this.#pairs = pairsOf(init);
    }

    static {
      bind = (params, changed) => {
        params.#changed = changed;
      };
      refill = (params, query) => {
        params.#pairs = parseForm(query);
      };
    }

    get size() {
      return this.#pairs.length;
    }

    append(name, value) {
      need(2, ["name", "value"], arguments.length);
      this.#pairs.push([text(name), text(value)]);
      this.#changed();
    }

    delete(name, value = undefined) {
      need(1, ["name"], arguments.length);
      const [key, only] = [text(name), value === undefined ? undefined : text(value)];
      this.#pairs = this.#pairs.filter(
        (pair) => pair[0] !== key || (only !== undefined && pair[1] !== only),
      );
      this.#changed();
    }

    get(name) {
      need(1, ["name"], arguments.length);
      const key = text(name);
      return this.#pairs.find((pair) => pair[0] === key)?.[1] ?? null;
    }

    getAll(name) {
      need(1, ["name"], arguments.length);
      const key = text(name);
      return this.#pairs.filter((pair) => pair[0] === key).map((pair) => pair[1]);
    }

    has(name, value = undefined) {
      need(1, ["name"], arguments.length);
      const [key, only] = [text(name), value === undefined ? undefined : text(value)];
      return this.#pairs.some(
        (pair) => pair[0] === key && (only === undefined || pair[1] === only),
      );
    }

    set(name, value) {
      need(2, ["name", "value"], arguments.length);
      const [key, single] = [text(name), text(value)];
      const at = this.#pairs.findIndex((pair) => pair[0] === key);
      if (at < 0) this.#pairs.push([key, single]);
      else {
        this.#pairs[at] = [key, single];
        this.#pairs = this.#pairs.filter((pair, index) => index <= at || pair[0] !== key);
      }
      this.#changed();
    }

    sort() {
      this.#pairs.sort(([one], [other]) => (one < other ? -1 : Number(one > other)));
      this.#changed();
    }

    *entries() {
      for (let at = 0; at < this.#pairs.length; at += 1) yield [...this.#pairs[at]];
    }

    *keys() {
      for (const [name] of this.entries()) yield name;
    }

    *values() {
      for (const [, value] of this.entries()) yield value;
    }

    forEach(callback, self = undefined) {
      if (typeof callback !== "function") {
        throw coded(
          TypeError,
          "ERR_INVALID_ARG_TYPE",
          'The "callback" argument must be of type function.',
        );
      }
      for (const [name, value] of this.entries())
        Reflect.apply(callback, self, [value, name, this]);
    }

    toString() {
      return serializeForm(this.#pairs);
    }
  }
  brand(URLSearchParams, "URLSearchParams");
  Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
    value: URLSearchParams.prototype.entries,
    writable: true,
    configurable: true,
  });
  Object.defineProperty(URLSearchParams.prototype, inspected, {
    configurable: true,
    writable: true,
    value(depth, options, inspect) {
      const pairs = [...this].map(([name, value]) => `${inspect(name)} => ${inspect(value)}`);
      return pairs.length ? `URLSearchParams { ${pairs.join(", ")} }` : "URLSearchParams {}";
    },
  });

  function parseOrThrow(input, base) {
    const from = base === undefined ? null : parseUrl(text(base));
    const record = base !== undefined && from === null ? null : parseUrl(text(input), from);
    if (record !== null) return record;
    const error = coded(TypeError, "ERR_INVALID_URL", "Invalid URL");
    error.input = text(input);
    if (base !== undefined) error.base = text(base);
    throw error;
  }

  const canHoldPort = (url) => url.host !== null && url.host !== "" && url.scheme !== "file";
  const shown = [
    "href",
    "origin",
    "protocol",
    "username",
    "password",
    "host",
    "hostname",
    "port",
    "pathname",
    "search",
    "searchParams",
    "hash",
  ];

  class URL {
    #url;
    #params = new URLSearchParams();

    constructor(input, base = undefined) {
      need(1, ["url"], arguments.length);
      this.#take(parseOrThrow(input, base));
      bind(this.#params, () => {
        const query = this.#params.toString();
        this.#url.query = query === "" ? null : query;
      });
    }

    #take(record) {
      this.#url = record;
      refill(this.#params, record.query ?? "");
    }

    // Runs one setter's parse; what a failing parse had changed by then stays, as the standard
    // says.
    #change(value, state, change = {}) {
      Object.assign(this.#url, change);
      parseUrl(text(value), null, this.#url, state);
    }

    static canParse(input, base = undefined) {
      need(1, ["url"], arguments.length);
      try {
        return parseOrThrow(input, base) !== null;
      } catch (error) {
        if (error?.code === "ERR_INVALID_URL") return false;
        throw error;
      }
    }

    get href() {
      return serializeUrl(this.#url);
    }

    set href(value) {
      this.#take(parseOrThrow(value));
    }

    get origin() {
      if (this.#url.scheme === "blob") {
        const inner = parseUrl(pathText(this.#url));
        return /^https?$/.test(inner?.scheme) ? new URL(serializeUrl(inner)).origin : "null";
      }
      if (!isSpecialUrl(this.#url) || this.#url.scheme === "file") return "null";
      return this.protocol + "//" + this.host;
    }

    get protocol() {
      return this.#url.scheme + ":";
    }

    set protocol(value) {
      this.#change(text(value) + ":", "schemeStart");
    }

    get username() {
      return this.#url.username;
    }

    set username(value) {
      if (canHoldPort(this.#url)) this.#url.username = encode(text(value), percentSets.userinfo);
    }

    get password() {
      return this.#url.password;
    }

    set password(value) {
      if (canHoldPort(this.#url)) this.#url.password = encode(text(value), percentSets.userinfo);
    }

    get host() {
      return (this.#url.host ?? "") + (this.#url.port === null ? "" : ":" + this.#url.port);
    }

    set host(value) {
      if (typeof this.#url.path !== "string") this.#change(value, "host");
    }

    get hostname() {
      return this.#url.host ?? "";
    }

    set hostname(value) {
      if (typeof this.#url.path !== "string") this.#change(value, "hostname");
    }

    get port() {
      return this.#url.port === null ? "" : String(this.#url.port);
    }

    set port(value) {
      if (!canHoldPort(this.#url)) return;
      if (text(value) === "") this.#url.port = null;
      else this.#change(value, "port");
    }

    get pathname() {
      return pathText(this.#url);
    }

    set pathname(value) {
      if (typeof this.#url.path === "string") return;
      this.#change(value, "pathStart", { path: [] });
    }

    get search() {
      return this.#url.query ? "?" + this.#url.query : "";
    }

    set search(value) {
      const query = text(value).replace(/^\?/, "");
      if (text(value) === "") this.#url.query = null;
      else this.#change(query, "query", { query: "" });
      refill(this.#params, this.#url.query ?? "");
    }

    get searchParams() {
      return this.#params;
    }

    get hash() {
      return this.#url.fragment ? "#" + this.#url.fragment : "";
    }

    set hash(value) {
      if (text(value) === "") this.#url.fragment = null;
      else this.#change(text(value).replace(/^#/, ""), "fragment", { fragment: "" });
    }

    toString() {
      return this.href;
    }

    toJSON() {
      return this.href;
    }
  }
  brand(URL, "URL");
  Object.defineProperty(URL.prototype, inspected, {
    configurable: true,
    writable: true,
    value(depth, options, inspect) {
      if (depth < 0) return "[URL]";
      const lines = shown.map((name) => `  ${name}: ${inspect(this[name])}`);
      return `URL {\n${lines.join(",\n")}\n}`;
    },
  });

  expose("URL", URL);
  expose("URLSearchParams", URLSearchParams);
}
