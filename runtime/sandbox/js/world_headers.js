// Headers.
//
// Follows: Fetch Standard, "Headers class"; error texts as Node 20 has them where short.
// Differs: no guards: an app may set any header here, and the host decides which ones go out.
(host) => {
  const { brand, expose, inspectAs } = globalThis.__world__;
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const badValue = /[\0\n\r]|[^\0-\xff]/;

  function headerName(name) {
    const text = `${name}`;
    if (!token.test(text)) throw new TypeError(`Headers: ${text} is an invalid header name.`);
    return text.toLowerCase();
  }

  const isBlank = (code) => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;

  // By hand: this engine would try an expression with ^ at every place of the text.
  function trimmed(text) {
    let begin = 0;
    let end = text.length;
    while (begin < end && isBlank(text.charCodeAt(begin))) begin += 1;
    while (end > begin && isBlank(text.charCodeAt(end - 1))) end -= 1;
    return text.slice(begin, end);
  }

  function headerValue(value) {
    const text = trimmed(`${value}`);
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
  inspectAs(Headers, (headers) => Object.fromEntries(headers));
  Object.defineProperty(Headers.prototype, Symbol.iterator, {
    value: Headers.prototype.entries,
    writable: true,
    configurable: true,
  });

  globalThis.__world__.headerToken = token;
  expose("Headers", Headers);
}
