// Request and Response.
//
// Follows: Fetch Standard, "Request class", "Response class"; error texts as Node 20 has them where
// short.
// Differs: mode, credentials, cache, referrer, integrity and keepalive are kept and change nothing;
// a network answer's `url` is set by whoever fetched it.
(host) => {
  const world = globalThis.__world__;
  const {
    Body,
    brand,
    contentOf,
    expose,
    extractBody,
    headerToken,
    inspectAs,
    picked,
    setContent,
  } = world;
  const { AbortSignal, Headers, ReadableStream, URL } = globalThis;

  function urlOf(input) {
    try {
      return new URL(input).href;
    } catch (cause) {
      throw new TypeError(`Failed to parse URL from ${input}`, { cause });
    }
  }

  function requestUrl(input) {
    const url = new URL(urlOf(input));
    if (url.username !== "" || url.password !== "") {
      throw new TypeError(
        `Request cannot be constructed from a URL that includes credentials: ${input}`,
      );
    }
    return url.href;
  }

  const upper = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

  function methodOf(value) {
    const method = `${value}`;
    const standard = method.toUpperCase();
    if (!headerToken.test(method)) throw new TypeError(`'${method}' is not a valid HTTP method.`);
    if (["CONNECT", "TRACE", "TRACK"].includes(standard)) {
      throw new TypeError(`'${method}' HTTP method is unsupported.`);
    }
    return upper.includes(standard) ? standard : method;
  }

  const policies = [
    "",
    "no-referrer",
    "no-referrer-when-downgrade",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
  ];

  // What a request keeps beside method, headers and body: its default, and the values it may have.
  const caches = ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"];
  const choices = [
    ["referrerPolicy", policies],
    ["mode", ["navigate", "same-origin", "no-cors", "cors"]],
    ["credentials", ["omit", "same-origin", "include"]],
    ["cache", caches],
    ["redirect", ["follow", "error", "manual"]],
  ];
  const standard = Object.freeze({
    referrerPolicy: "",
    mode: "cors",
    credentials: "same-origin",
    cache: "default",
    redirect: "follow",
    referrer: "about:client",
    integrity: "",
    keepalive: false,
  });

  function chosen(name, given, allowed) {
    const value = `${given}`;
    if (!allowed.includes(value)) {
      throw new TypeError(
        `Request constructor: ${value} is not an accepted type. ` +
          `Expected one of ${allowed.join(", ")}.`,
      );
    }
    if (value === "navigate")
      throw new TypeError("Request constructor: invalid request mode navigate.");
    return value;
  }

  function referrerOf(given) {
    const text = `${given}`;
    return text === "" || text === "about:client" ? text : urlOf(text);
  }

  // The choices of `from`, with those of the options instead where there are any.
  function choose(options, from) {
    let changed = null;
    const change = (name, value) => {
      changed ??= { ...from };
      changed[name] = value;
    };
    for (let at = 0; at < choices.length; at += 1) {
      const [name, allowed] = choices[at];
      if (options[name] !== undefined) change(name, chosen(name, options[name], allowed));
    }
    const { referrer, integrity, keepalive } = options;
    if (referrer !== undefined) change("referrer", referrerOf(referrer));
    if (integrity !== undefined) change("integrity", `${integrity}`);
    if (keepalive !== undefined) change("keepalive", Boolean(keepalive));
    return changed ?? from;
  }

  function signalOf(options, from) {
    const { signal } = options;
    if (signal === undefined) return from;
    if (signal !== null && !(signal instanceof AbortSignal)) {
      throw new TypeError(
        "Failed to construct 'Request': member signal is not of type AbortSignal.",
      );
    }
    return signal;
  }

  class Request extends Body {
    #parts;

    constructor(input, init = {}) {
      if (arguments.length === 0)
        throw new TypeError("Request constructor: 1 argument required, but only 0 present.");
      const options = init ?? {};
      const from = input instanceof Request ? input : null;
      const url = from === null ? requestUrl(`${input}`) : from.url;
      const method = methodOf(options.method ?? from?.method ?? "GET");
      const given = options.body ?? null;
      const isBodyless = method === "GET" || method === "HEAD";
      if (isBodyless && (given !== null || from?.#parts.hasBody)) {
        throw new TypeError("Request with GET/HEAD method cannot have body.");
      }
      if (given instanceof ReadableStream && options.duplex === undefined) {
        throw new TypeError("RequestInit: duplex option is required when sending a body.");
      }
      const signal = signalOf(options, from?.#parts.signal ?? null);
      const more = choose(options, from?.#parts.more ?? standard);
      const isTaken = given === null && from !== null && from.#parts.hasBody;
      const content = isTaken ? contentOf(from, "move") : extractBody(given);
      super(content);
      const headers = new Headers(options.headers ?? from?.headers);
      if (given !== null && content.type !== null && !headers.has("content-type")) {
        headers.set("content-type", content.type);
      }
      const hasBody = given !== null || isTaken;
      this.#parts = { url, method, headers, signal, hasBody, more };
    }

    get url() {
      return this.#parts.url;
    }

    get method() {
      return this.#parts.method;
    }

    get headers() {
      return this.#parts.headers;
    }

    get destination() {
      return "";
    }

    get referrer() {
      return this.#parts.more.referrer;
    }

    get referrerPolicy() {
      return this.#parts.more.referrerPolicy;
    }

    get mode() {
      return this.#parts.more.mode;
    }

    get credentials() {
      return this.#parts.more.credentials;
    }

    get cache() {
      return this.#parts.more.cache;
    }

    get redirect() {
      return this.#parts.more.redirect;
    }

    get integrity() {
      return this.#parts.more.integrity;
    }

    get keepalive() {
      return this.#parts.more.keepalive;
    }

    get isReloadNavigation() {
      return false;
    }

    get isHistoryNavigation() {
      return false;
    }

    get signal() {
      this.#parts.signal ??= AbortSignal.any([]);
      return this.#parts.signal;
    }

    get duplex() {
      return "half";
    }

    clone() {
      const content = contentOf(this, "clone");
      const copy = new Request(this.url);
      setContent(copy, content);
      copy.#parts = { ...this.#parts, headers: new Headers(this.headers) };
      return copy;
    }
  }
  brand(Request, "Request");
  const shownOfRequest = ["method", "url", "headers", "destination", "referrer", "referrerPolicy"];
  shownOfRequest.push("mode", "credentials", "cache", "redirect", "integrity", "keepalive");
  shownOfRequest.push("isReloadNavigation", "isHistoryNavigation", "signal");
  inspectAs(Request, picked(shownOfRequest));

  const bodyless = [101, 103, 204, 205, 304];

  function checked(options) {
    const status = Math.trunc(Number(options.status ?? 200)) || 0;
    const statusText = `${options.statusText ?? ""}`;
    if (status < 200 || status > 599) {
      throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
    }
    if (/[^\t\x20-\x7e\x80-\xff]/.test(statusText)) throw new TypeError("Invalid statusText");
    return { status, statusText };
  }

  class Response extends Body {
    #parts;

    constructor(body = null, init = {}) {
      const options = init ?? {};
      const { status, statusText } = checked(options);
      if (body !== null && body !== undefined && bodyless.includes(status)) {
        throw new TypeError(`Response constructor: Invalid response status code ${status}`);
      }
      const content = extractBody(body);
      super(content);
      const headers = new Headers(options.headers);
      if (content.type !== null && !headers.has("content-type"))
        headers.set("content-type", content.type);
      this.#parts = { status, statusText, headers, type: "default" };
    }

    get type() {
      return this.#parts.type;
    }

    get url() {
      return "";
    }

    get redirected() {
      return false;
    }

    get status() {
      return this.#parts.status;
    }

    get ok() {
      return this.status >= 200 && this.status <= 299;
    }

    get statusText() {
      return this.#parts.statusText;
    }

    get headers() {
      return this.#parts.headers;
    }

    clone() {
      const content = contentOf(this, "clone");
      return Response.#of({ ...this.#parts, headers: new Headers(this.headers) }, content);
    }

    // A response that the constructor's rules need not allow.
    static #of(parts, content = null) {
      const response = new Response();
      response.#parts = parts;
      if (content !== null) setContent(response, content);
      return response;
    }

    static error() {
      return Response.#of({ status: 0, statusText: "", headers: new Headers(), type: "error" });
    }

    static json(data, init = {}) {
      const text = JSON.stringify(data);
      if (text === undefined) throw new TypeError("The data is not JSON serializable");
      const headers = new Headers(init?.headers);
      if (!headers.has("content-type")) headers.set("content-type", "application/json");
      return new Response(text, { ...init, headers });
    }

    static redirect(url, status = 302) {
      const headers = new Headers({ location: urlOf(`${url}`) });
      if (![301, 302, 303, 307, 308].includes(status))
        throw new RangeError(`Invalid status code ${status}`);
      return Response.#of({ status, statusText: "", headers, type: "default" });
    }
  }
  brand(Response, "Response");
  const shownOfResponse = ["status", "statusText", "headers", "body", "bodyUsed", "ok"];
  shownOfResponse.push("redirected", "type", "url");
  inspectAs(Response, picked(shownOfResponse));

  expose("Request", Request);
  expose("Response", Response);
}
