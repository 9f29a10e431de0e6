// `string_decoder` for bundled apps.
//
// Follows: Node 20, "String decoder": characters cut in two by a chunk are kept for the next one.
class StringDecoder {
  #left = Buffer.alloc(0);
  #decoder = null;

  constructor(encoding = "utf8") {
    this.encoding = `${encoding}`
      .toLowerCase()
      .replace(/^utf-8$/, "utf8")
      .replace(/^(ucs-?2|utf-16le)$/, "utf16le");
    if (!Buffer.isEncoding(this.encoding)) {
      const error = new TypeError(`Unknown encoding: ${encoding}`);
      error.code = "ERR_UNKNOWN_ENCODING";
      throw error;
    }
    if (this.encoding === "utf8") this.#decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  }

  // How many bytes of the end of a chunk belong to a group that is not whole.
  #open(bytes) {
    if (this.encoding === "utf16le") {
      const odd = bytes.length % 2;
      const unit = bytes.length - odd >= 2 ? bytes.readUInt16LE(bytes.length - odd - 2) : 0;
      return odd + ((unit & 0xfc00) === 0xd800 ? 2 : 0);
    }
    return this.encoding.startsWith("base64") ? bytes.length % 3 : 0;
  }

  write(chunk) {
    if (typeof chunk === "string") return chunk;
    if (this.#decoder !== null) return this.#decoder.decode(chunk, { stream: true });
    const bytes = Buffer.concat([this.#left, Buffer.from(chunk)]);
    const whole = bytes.length - this.#open(bytes);
    this.#left = bytes.subarray(whole);
    return bytes.toString(this.encoding, 0, whole);
  }

  end(chunk = undefined) {
    const text = chunk === undefined ? "" : this.write(chunk);
    if (this.#decoder !== null) return text + this.#decoder.decode();
    const left = this.#left.toString(this.encoding);
    this.#left = Buffer.alloc(0);
    return text + left;
  }
}

module.exports = { StringDecoder };
