// Headers, Request and Response.
//
// Follows: Fetch Standard, "Headers class", "Body mixin", "Request class", "Response class", for
// bodies that are text, bytes or URLSearchParams; error texts as Node 20 has them where short.
// Differs: no Blob, FormData or ReadableStream: `blob()` and `formData()` are missing, and `body`
// is a minimal stream with getReader(), cancel() and async iteration that yields the body as one
// piece. A Request keeps method, headers, body, redirect and signal and forgets cache, mode and the
// rest.
(host) => {
  const { brand, expose } = globalThis.__world__;
  const { AbortSignal, TextDecoder, TextEncoder, URL, URLSearchParams } = globalThis;
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const badValue = /[\0\n\r]|[^\0-\xff]/;

  function headerName(name) {
    const text = `${name}`;
    if (!token.test(text)) throw new TypeError(`Headers: ${text} is an invalid header name.`);
    return text.toLowerCase();
  }

  function headerValue(value) {
    const text = `${value}`.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
    if (badValue.test(text)) throw new TypeError("Headers: the value is an invalid header value.");
    return text;
  }

  function pairsOf(init) {
    if (init === undefined) return [];
    if (init === null || (typeof init !== "object" && typeof init !== "function")) {
      throw new TypeError("Headers constructor: init is neither a sequence nor a record.");
    }
    if (typeof init[Symbol.iterator] !== "function") {
      return Reflect.ownKeys(init)
        .filter((key) => Object.getOwnPropertyDescriptor(init, key)?.enumerable)
        .map((key) => [key, init[key]]);
    }
    return Array.from(init, (entry) => {
      const pair = [...entry];
      if (pair.length !== 2) throw new TypeError("Headers constructor: expected name/value pair.");
      return pair;
    });
  }

  class Headers {
    #values = new Map();

    constructor(init = undefined) {
      for (const [name, value] of pairsOf(init)) this.append(name, value);
    }

    append(name, value) {
      const [key, text] = [headerName(name), headerValue(value)];
      this.#values.set(key, [...(this.#values.get(key) ?? []), text]);
    }

    set(name, value) {
      this.#values.set(headerName(name), [headerValue(value)]);
    }

    delete(name) {
      this.#values.delete(headerName(name));
    }

    get(name) {
      const key = headerName(name);
      return this.#values.get(key)?.join(key === "cookie" ? "; " : ", ") ?? null;
    }

    has(name) {
      return this.#values.has(headerName(name));
    }

    getSetCookie() {
      return [...(this.#values.get("set-cookie") ?? [])];
    }

    *entries() {
      for (const name of [...this.#values.keys()].sort()) {
        if (name === "set-cookie") for (const one of this.getSetCookie()) yield [name, one];
        else yield [name, this.get(name)];
      }
    }

    *keys() {
      for (const [name] of this.entries()) yield name;
    }

    *values() {
      for (const [, value] of this.entries()) yield value;
    }

    forEach(callback, self = undefined) {
      if (typeof callback !== "function")
        throw new TypeError("Headers.forEach: callback is not a function");
      for (const [name, value] of this.entries())
        Reflect.apply(callback, self, [value, name, this]);
    }
  }
  brand(Headers, "Headers");
  Object.defineProperty(Headers.prototype, Symbol.iterator, {
    value: Headers.prototype.entries,
    writable: true,
    configurable: true,
  });

  // A body as fetch extracts it: text or bytes, and the content type it implies.
  function extract(body) {
    if (body === null || body === undefined) return { text: null, bytes: null, type: null };
    if (body instanceof URLSearchParams) {
      return {
        text: body.toString(),
        bytes: null,
        type: "application/x-www-form-urlencoded;charset=UTF-8",
      };
    }
    if (body instanceof ArrayBuffer)
      return { text: null, bytes: new Uint8Array(body.slice(0)), type: null };
    if (ArrayBuffer.isView(body)) {
      const view = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
      return { text: null, bytes: view.slice(), type: null };
    }
    return { text: `${body}`.toWellFormed(), bytes: null, type: "text/plain;charset=UTF-8" };
  }

  const bytesOf = ({ text, bytes }) => bytes ?? new TextEncoder().encode(text ?? "");
  const textOf = ({ text, bytes }) =>
    bytes === null ? (text ?? "").replace(/^\ufeff/, "") : new TextDecoder().decode(bytes);

  let contentOf;

  class Body {
    #content;
    #used = false;
    #stream;

    constructor(content) {
      this.#content = content;
    }

    static {
      contentOf = (message) => {
        message.#check();
        return message.#content;
      };
    }

    get bodyUsed() {
      return this.#used;
    }

    get body() {
      if (this.#content.text === null && this.#content.bytes === null) return null;
      this.#stream ??= this.#open();
      return this.#stream;
    }

    async text() {
      return textOf(this.#take());
    }

    async json() {
      return JSON.parse(textOf(this.#take()));
    }

    async arrayBuffer() {
      return bytesOf(this.#take()).slice().buffer;
    }

    #check() {
      if (this.#used) throw new TypeError("Body is unusable: Body has already been read");
    }

    #take() {
      this.#check();
      this.#used = this.#content.text !== null || this.#content.bytes !== null;
      return this.#content;
    }

    // The whole body as a stream of one piece.
    #open() {
      let done = false;
      const read = async () => {
        if (done) return { value: undefined, done: true };
        done = true;
        return { value: bytesOf(this.#take()), done: false };
      };
      const cancel = async () => {
        done = true;
      };
      return {
        locked: false,
        cancel,
        getReader() {
          if (this.locked) throw new TypeError("Invalid state: ReadableStream is locked");
          this.locked = true;
          return {
            read,
            cancel,
            releaseLock: () => {
              this.locked = false;
            },
          };
        },
        async *[Symbol.asyncIterator]() {
          for (let next = await read(); !next.done; next = await read()) yield next.value;
        },
      };
    }
  }
  brand(Body, "Body");

  function urlOf(input) {
    try {
      return new URL(input).href;
    } catch (cause) {
      throw new TypeError(`Failed to parse URL from ${input}`, { cause });
    }
  }

  const upper = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

  function methodOf(value) {
    const method = `${value}`;
    const standard = method.toUpperCase();
    if (!token.test(method)) throw new TypeError(`'${method}' is not a valid HTTP method.`);
    if (["CONNECT", "TRACE", "TRACK"].includes(standard)) {
      throw new TypeError(`'${method}' HTTP method is unsupported.`);
    }
    return upper.includes(standard) ? standard : method;
  }

  class Request extends Body {
    #parts;

    constructor(input, init = {}) {
      const options = init ?? {};
      const from = input instanceof Request ? input : null;
      const method = methodOf(options.method ?? from?.method ?? "GET");
      const given = options.body ?? null;
      if (given !== null && (method === "GET" || method === "HEAD")) {
        throw new TypeError("Request with GET/HEAD method cannot have body.");
      }
      const content = given === null && from !== null ? contentOf(from) : extract(given);
      super(content);
      const headers = new Headers(options.headers ?? from?.headers);
      if (given !== null && content.type !== null && !headers.has("content-type")) {
        headers.set("content-type", content.type);
      }
      this.#parts = {
        url: from === null ? urlOf(`${input}`) : from.url,
        method,
        headers,
        redirect: options.redirect ?? from?.redirect ?? "follow",
        signal: options.signal ?? null,
      };
      if (from !== null) this.#parts.signal ??= from.#parts.signal;
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

    get redirect() {
      return this.#parts.redirect;
    }

    get signal() {
      this.#parts.signal ??= AbortSignal.any([]);
      return this.#parts.signal;
    }

    clone() {
      return new Request(this);
    }
  }
  brand(Request, "Request");

  const bodyless = [101, 103, 204, 205, 304];

  class Response extends Body {
    #parts;

    constructor(body = null, init = {}) {
      const options = init ?? {};
      const status = Math.trunc(Number(options.status ?? 200)) || 0;
      const statusText = `${options.statusText ?? ""}`;
      if (status < 200 || status > 599) {
        throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
      }
      if (/[^\t\x20-\x7e\x80-\xff]/.test(statusText)) throw new TypeError("Invalid statusText");
      if (body !== null && body !== undefined && bodyless.includes(status)) {
        throw new TypeError(`Response constructor: Invalid response status code ${status}`);
      }
      const content = extract(body);
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
      const { text, bytes } = contentOf(this);
      return Response.#of(text ?? bytes, { ...this.#parts, headers: new Headers(this.headers) });
    }

    // A response that the constructor's rules need not allow.
    static #of(body, parts) {
      const response = new Response(body);
      response.#parts = parts;
      return response;
    }

    static error() {
      return Response.#of(null, {
        status: 0,
        statusText: "",
        headers: new Headers(),
        type: "error",
      });
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
      return Response.#of(null, { status, statusText: "", headers, type: "default" });
    }
  }
  brand(Response, "Response");

  expose("Headers", Headers);
  expose("Request", Request);
  expose("Response", Response);
}
