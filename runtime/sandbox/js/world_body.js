// What Request and Response have in common: a body that is read once.
//
// Follows: Fetch Standard, "Body mixin" and "Extract a body", for text, bytes, URLSearchParams,
// Blob, FormData and ReadableStream; error texts as Node 20 has them where short.
// Differs: a body that is there already is read without a stream, unless `body` was looked at.
(host) => {
  const world = globalThis.__world__;
  const { blobBytes, brand, drain, encodeForm, isDisturbed, parseForm, streamOf } = world;
  const { Blob, FormData, ReadableStream, TextDecoder, TextEncoder, URLSearchParams } = globalThis;

  const content = (text, bytes, stream, type) => ({ text, bytes, stream, type });
  const nothing = Object.freeze(content(null, null, null, null));

  function extractObject(body) {
    if (body instanceof URLSearchParams) {
      const type = "application/x-www-form-urlencoded;charset=UTF-8";
      return content(body.toString(), null, null, type);
    }
    if (body instanceof Blob) return content(null, blobBytes(body), null, body.type || null);
    if (body instanceof FormData) {
      const { bytes, type } = encodeForm(body);
      return content(null, bytes, null, type);
    }
    if (body instanceof ReadableStream) {
      if (body.locked || isDisturbed(body))
        throw new TypeError("Response body object should not be disturbed or locked");
      return content(null, null, body, null);
    }
    if (body instanceof ArrayBuffer)
      return content(null, new Uint8Array(body.slice(0)), null, null);
    if (ArrayBuffer.isView(body)) {
      const view = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
      return content(null, view.slice(), null, null);
    }
    return body[Symbol.asyncIterator] === undefined
      ? null
      : content(null, null, ReadableStream.from(body), null);
  }

  // A body as fetch extracts it: text, bytes or a stream, and the content type it implies.
  function extract(body) {
    if (body === null || body === undefined) return nothing;
    const found = typeof body === "object" ? extractObject(body) : null;
    return found ?? content(`${body}`.toWellFormed(), null, null, "text/plain;charset=UTF-8");
  }

  const isEmpty = ({ text, bytes, stream }) => text === null && bytes === null && stream === null;
  const bytesOf = ({ text, bytes }) => bytes ?? new TextEncoder().encode(text ?? "");
  // Not by an expression with ^: this engine would try it at every place of the text.
  const withoutMark = (text) => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  const textOf = ({ text, bytes }) =>
    bytes === null ? withoutMark(text ?? "") : new TextDecoder().decode(bytes);

  const drained = async ({ stream }) => content(null, await drain(stream), null, null);

  let contentOf;
  let setContent;

  class Body {
    #content;
    #used = false;

    constructor(whole) {
      this.#content = whole;
    }

    static {
      setContent = (message, whole) => {
        message.#content = whole;
      };
      // Looks at a body that is still whole; `how` is "clone" to share it, "move" to take it away.
      contentOf = (message, how) => {
        message.#check();
        const whole = message.#content;
        if (how === "move") message.#used = !isEmpty(whole);
        if (how === "move" || whole.stream === null) return whole;
        const [mine, other] = whole.stream.tee();
        message.#content = content(null, null, mine, whole.type);
        return content(null, null, other, whole.type);
      };
    }

    get bodyUsed() {
      return this.#used || (this.#content.stream !== null && isDisturbed(this.#content.stream));
    }

    get body() {
      if (isEmpty(this.#content)) return null;
      if (this.#content.stream === null) {
        const { text, bytes } = this.#content;
        const stream = streamOf(() => bytesOf({ text, bytes }).slice());
        this.#content = content(null, null, stream, null);
      }
      return this.#content.stream;
    }

    async text() {
      const whole = this.#take();
      return textOf(whole.stream === null ? whole : await drained(whole));
    }

    async json() {
      const whole = this.#take();
      return JSON.parse(textOf(whole.stream === null ? whole : await drained(whole)));
    }

    async arrayBuffer() {
      return (await this.bytes()).buffer;
    }

    async bytes() {
      const whole = this.#take();
      return bytesOf(whole.stream === null ? whole : await drained(whole)).slice();
    }

    async blob() {
      const type = this.headers.get("content-type") ?? "";
      return new Blob([await this.bytes()], { type });
    }

    async formData() {
      const type = this.headers.get("content-type");
      return parseForm(await this.bytes(), type);
    }

    #check() {
      if (this.bodyUsed || this.#content.stream?.locked)
        throw new TypeError("Body is unusable: Body has already been read");
    }

    #take() {
      this.#check();
      this.#used = !isEmpty(this.#content);
      return this.#content;
    }
  }
  brand(Body, "Body");

  Object.assign(world, { Body, extractBody: extract, contentOf, setContent });
}
