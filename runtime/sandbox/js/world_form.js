// FormData, and the two encodings of forms.
//
// Follows: XMLHttpRequest Standard, "Interface FormData"; RFC 7578 with the escapes of the HTML
// Standard ("Multipart form data") for multipart bodies.
// Differs: the multipart reader takes what this writer and common servers write: CRLF line ends, a
// `name` in quotes, no nested parts.
(host) => {
  const { blobBytes, brand, coded, expose, inspectAs, joinBytes } = globalThis.__world__;
  const { Blob, File, TextDecoder, TextEncoder, URLSearchParams } = globalThis;

  function entryOf(name, value, filename, count) {
    const key = `${name}`.toWellFormed();
    if (!(value instanceof Blob)) {
      if (count > 2) {
        throw coded(
          TypeError,
          "ERR_INVALID_ARG_TYPE",
          "FormData.append: the value is not a Blob, so it has no file name.",
        );
      }
      return [key, `${value}`.toWellFormed()];
    }
    if (value instanceof File && count < 3) return [key, value];
    const { type, lastModified } = value;
    return [key, new File([value], count > 2 ? filename : "blob", { type, lastModified })];
  }

  class FormData {
    #entries = [];

    constructor(form = undefined) {
      if (form === undefined) return;
      throw new TypeError("FormData constructor: Argument 1 could not be converted to: undefined.");
    }

    append(name, value, filename = undefined) {
      this.#entries.push(entryOf(name, value, filename, arguments.length));
    }

    set(name, value, filename = undefined) {
      const entry = entryOf(name, value, filename, arguments.length);
      const at = this.#entries.findIndex(([key]) => key === entry[0]);
      this.#entries = this.#entries.filter(([key], index) => key !== entry[0] || index === at);
      if (at < 0) this.#entries.push(entry);
      else this.#entries[at] = entry;
    }

    delete(name) {
      this.#entries = this.#entries.filter(([key]) => key !== `${name}`);
    }

    get(name) {
      return this.#entries.find(([key]) => key === `${name}`)?.[1] ?? null;
    }

    getAll(name) {
      return this.#entries.filter(([key]) => key === `${name}`).map(([, value]) => value);
    }

    has(name) {
      return this.#entries.some(([key]) => key === `${name}`);
    }

    *entries() {
      for (const [name, value] of this.#entries) yield [name, value];
    }

    *keys() {
      for (const [name] of this.#entries) yield name;
    }

    *values() {
      for (const [, value] of this.#entries) yield value;
    }

    forEach(callback, self = undefined) {
      for (const [name, value] of this.#entries) Reflect.apply(callback, self, [value, name, this]);
    }
  }
  brand(FormData, "FormData");
  inspectAs(FormData, (form) => {
    const shown = {};
    for (const [name, value] of form)
      shown[name] = Object.hasOwn(shown, name) ? [shown[name], value].flat() : value;
    return shown;
  });
  Object.defineProperty(FormData.prototype, Symbol.iterator, {
    value: FormData.prototype.entries,
    writable: true,
    configurable: true,
  });

  const escaped = (text) => text.replace(/\n/g, "%0A").replace(/\r/g, "%0D").replace(/"/g, "%22");
  const lines = (text) => text.replace(/\r\n?|\n/g, "\r\n");

  // A form as the bytes of a multipart body, and the content type that names its boundary.
  function encodeForm(form) {
    const digits = Math.floor(Math.random() * 1e11);
    const boundary = `----formdata-undici-0${String(digits).padStart(11, "0")}`;
    const encoder = new TextEncoder();
    const pieces = [];
    for (const [name, value] of form) {
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(lines(name))}"`;
      if (typeof value === "string") {
        pieces.push(encoder.encode(`${head}\r\n\r\n${lines(value)}\r\n`));
      } else {
        const kind = value.type || "application/octet-stream";
        const more = `; filename="${escaped(value.name)}"\r\nContent-Type: ${kind}\r\n\r\n`;
        pieces.push(encoder.encode(head + more), blobBytes(value), encoder.encode("\r\n"));
      }
    }
    pieces.push(encoder.encode(`--${boundary}--\r\n`));
    return { bytes: joinBytes(pieces), type: `multipart/form-data; boundary=${boundary}` };
  }

  // ------------------------------------------------------------------------------------- reading
  const latin = (bytes) => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192)
      text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return text;
  };
  const utf8 = (text) =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      Uint8Array.from(text, (one) => one.charCodeAt(0)),
    );
  const unescaped = (text) =>
    utf8(text).replace(/%0A/gi, "\n").replace(/%0D/gi, "\r").replace(/%22/g, '"');

  function partOf(text) {
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return null;
    const headers = text.slice(0, end).split("\r\n");
    const header = (name) =>
      headers.find((line) => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1);
    const disposition = header("content-disposition") ?? "";
    const name = /^\s*form-data\b.*?;\s*name="([^"]*)"/i.exec(disposition)?.[1];
    if (name === undefined) return null;
    const filename = /;\s*filename="([^"]*)"/i.exec(disposition)?.[1];
    const content = text.slice(end + 4);
    if (filename === undefined) return [unescaped(name), utf8(content)];
    const bytes = Uint8Array.from(content, (one) => one.charCodeAt(0));
    const type = (header("content-type") ?? "text/plain").trim();
    return [unescaped(name), new File([bytes], unescaped(filename), { type })];
  }

  function parseMultipart(bytes, boundary) {
    const sections = `\r\n${latin(bytes)}`.split(`\r\n--${boundary}`);
    const last = sections.pop();
    const form = new FormData();
    const isWhole = sections.length > 0 && last.startsWith("--");
    for (const section of isWhole ? sections.slice(1) : [""]) {
      const part = section.startsWith("\r\n") ? partOf(section.slice(2)) : null;
      if (part === null) throw new TypeError("Failed to parse body as FormData.");
      form.append(...part);
    }
    return form;
  }

  // The form in a body, by the content type it came with.
  function parseForm(bytes, contentType) {
    const [kind, ...parameters] = (contentType ?? "").split(";").map((part) => part.trim());
    if (/^application\/x-www-form-urlencoded$/i.test(kind)) {
      const form = new FormData();
      for (const [name, value] of new URLSearchParams(utf8(latin(bytes)))) form.append(name, value);
      return form;
    }
    const boundary = parameters
      .map((one) => /^boundary="?([^"]+?)"?$/i.exec(one)?.[1])
      .find((one) => one !== undefined);
    if (/^multipart\/form-data$/i.test(kind) && boundary !== undefined)
      return parseMultipart(bytes, boundary);
    throw new TypeError(
      'Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".',
    );
  }

  Object.assign(globalThis.__world__, { encodeForm, parseForm });
  expose("FormData", FormData);
}
