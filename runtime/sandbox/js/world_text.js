// TextEncoder and TextDecoder.
//
// Follows: WHATWG Encoding Standard: the utf-8 encoder and decoder (fatal, ignoreBOM, streaming),
// the utf-16le and windows-1252 decoders; error codes as Node has them. `atob` and `btoa` are the
// engine's.
// Differs: of the legacy encodings only utf-16le and windows-1252 (with its labels latin1 and
// ascii).
(host) => {
  const { brand, coded, expose } = globalThis.__world__;

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }

    encode(input = "") {
      const text = `${input}`;
      const bytes = new Uint8Array(text.length * 3);
      return bytes.slice(0, this.encodeInto(text, bytes).written);
    }

    encodeInto(source, bytes) {
      const text = `${source}`.toWellFormed();
      const { length } = text;
      const room = bytes.length;
      let read = 0;
      let written = 0;
      while (read < length) {
        const unit = text.charCodeAt(read);
        if (unit < 0x80 && written < room) {
          bytes[written] = unit; // most text is ASCII
          written += 1;
          read += 1;
          continue;
        }
        const code = text.codePointAt(read);
        const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        if (written + size > room) break;
        if (size === 1) bytes[written] = code;
        else {
          for (let at = size - 1, left = code; at >= 0; at -= 1, left >>= 6) {
            bytes[written + at] = at > 0 ? 0x80 | (left & 63) : ((0xf00 >> size) & 0xff) | left;
          }
        }
        written += size;
        read += size === 4 ? 2 : 1;
      }
      return { read, written };
    }
  }
  brand(TextEncoder, "TextEncoder");

  const labels = new Map([
    ...[
      "unicode-1-1-utf-8",
      "unicode11utf8",
      "unicode20utf8",
      "utf-8",
      "utf8",
      "x-unicode20utf8",
    ].map((label) => [label, "utf-8"]),
    ...[
      "csunicode",
      "iso-10646-ucs-2",
      "ucs-2",
      "unicode",
      "unicodefeff",
      "utf-16",
      "utf-16le",
    ].map((label) => [label, "utf-16le"]),
    ...[
      "ansi_x3.4-1968",
      "ascii",
      "cp1252",
      "cp819",
      "csisolatin1",
      "ibm819",
      "iso-8859-1",
      "iso-ir-100",
      "iso8859-1",
      "iso88591",
      "iso_8859-1",
      "iso_8859-1:1987",
      "l1",
      "latin1",
      "us-ascii",
      "windows-1252",
      "x-cp1252",
    ].map((label) => [label, "windows-1252"]),
  ]);

  // What windows-1252 has at 0x80 to 0x9f.
  const windows1252 =
    "\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f" +
    "\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178";

  // Each decoder is made anew for a stream: `push(byte)` answers code points, REPLACE for a
  // malformed sequence; `flush()` answers what is left at the end.
  const REPLACE = -1;

  function utf8Decoder() {
    let [needed, seen, code, lower, upper] = [0, 0, 0, 0x80, 0xbf];
    const reset = () => {
      [needed, seen, code, lower, upper] = [0, 0, 0, 0x80, 0xbf];
    };
    function lead(byte) {
      if (byte < 0x80) return [byte];
      if (byte >= 0xc2 && byte <= 0xdf) [needed, code] = [1, byte & 31];
      else if (byte >= 0xe0 && byte <= 0xef) {
        if (byte === 0xe0) lower = 0xa0;
        if (byte === 0xed) upper = 0x9f;
        [needed, code] = [2, byte & 15];
      } else if (byte >= 0xf0 && byte <= 0xf4) {
        if (byte === 0xf0) lower = 0x90;
        if (byte === 0xf4) upper = 0x8f;
        [needed, code] = [3, byte & 7];
      } else return [REPLACE];
      return [];
    }
    return {
      rests: () => needed === 0,
      push(byte) {
        if (needed === 0) return lead(byte);
        if (byte < lower || byte > upper) {
          reset();
          return [REPLACE, ...lead(byte)];
        }
        [lower, upper, code, seen] = [0x80, 0xbf, (code << 6) | (byte & 63), seen + 1];
        if (seen < needed) return [];
        const whole = code;
        reset();
        return [whole];
      },
      flush() {
        const cut = needed !== 0;
        reset();
        return cut ? [REPLACE] : [];
      },
    };
  }

  const isTail = (byte) => (byte & 0xc0) === 0x80; // undefined is none

  // The code point of a well-formed sequence of two to four bytes at a place; 0 if there is none.
  function sequenceAt(bytes, at) {
    const lead = bytes[at];
    const second = bytes[at + 1];
    if (lead < 0xc2 || !isTail(second)) return 0;
    if (lead < 0xe0) return ((lead & 31) << 6) | (second & 63);
    const third = bytes[at + 2];
    if (!isTail(third)) return 0;
    if (lead < 0xf0) {
      const code = ((lead & 15) << 12) | ((second & 63) << 6) | (third & 63);
      return code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 0 : code;
    }
    if (lead > 0xf4 || !isTail(bytes[at + 3])) return 0;
    const code =
      ((lead & 7) << 18) | ((second & 63) << 12) | ((third & 63) << 6) | (bytes[at + 3] & 63);
    return code < 0x10000 || code > 0x10ffff ? 0 : code;
  }

  // Reads well-formed UTF-8 up to the first byte that needs a second look: the text, and where.
  function readWhole(bytes, from) {
    const { length } = bytes;
    let at = from;
    let text = "";
    while (at < length) {
      let end = at;
      const stop = Math.min(length, at + 4096);
      while (end < stop && bytes[end] < 0x80) end += 1;
      if (end > at) {
        text += String.fromCharCode.apply(null, bytes.subarray(at, end));
        at = end;
        continue;
      }
      const code = sequenceAt(bytes, at);
      if (code === 0) break;
      text += String.fromCodePoint(code);
      at += code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    }
    return { text, at };
  }

  function utf16Decoder() {
    let [low, high] = [null, null];
    return {
      push(byte) {
        if (low === null) {
          low = byte;
          return [];
        }
        const unit = low | (byte << 8);
        low = null;
        const [isHigh, isLow] = [(unit & 0xfc00) === 0xd800, (unit & 0xfc00) === 0xdc00];
        const before = high;
        high = isHigh ? unit : null;
        if (before !== null && isLow) return [0x10000 + ((before & 0x3ff) << 10) + (unit & 0x3ff)];
        const out = before === null ? [] : [REPLACE];
        if (!isHigh) out.push(isLow ? REPLACE : unit);
        return out;
      },
      flush() {
        const cut = low !== null || high !== null;
        [low, high] = [null, null];
        return cut ? [REPLACE] : [];
      },
    };
  }

  const windows1252Decoder = () => ({
    push: (byte) => [byte >= 0x80 && byte <= 0x9f ? windows1252.charCodeAt(byte - 0x80) : byte],
    flush: () => [],
  });

  const decoders = {
    "utf-8": utf8Decoder,
    "utf-16le": utf16Decoder,
    "windows-1252": windows1252Decoder,
  };

  function bytesOf(input) {
    if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer)
      return new Uint8Array(input);
    if (ArrayBuffer.isView(input))
      return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    throw coded(
      TypeError,
      "ERR_INVALID_ARG_TYPE",
      'The "list" argument must be an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView.',
    );
  }

  class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    #decoder = null;
    #atStart = true;

    constructor(label = "utf-8", options = {}) {
      this.#encoding = labels.get(`${label}`.trim().toLowerCase());
      if (this.#encoding === undefined) {
        throw coded(
          RangeError,
          "ERR_ENCODING_NOT_SUPPORTED",
          `The "${label}" encoding is not supported`,
        );
      }
      this.#fatal = Boolean(options?.fatal);
      this.#ignoreBOM = Boolean(options?.ignoreBOM);
    }

    get encoding() {
      return this.#encoding;
    }

    get fatal() {
      return this.#fatal;
    }

    get ignoreBOM() {
      return this.#ignoreBOM;
    }

    decode(input = new Uint8Array(0), options = {}) {
      this.#decoder ??= decoders[this.#encoding]();
      const bytes = bytesOf(input);
      const codes = [];
      let out = "";
      let at = 0;
      while (at < bytes.length) {
        if (!this.#atStart && this.#decoder.rests?.()) {
          const whole = readWhole(bytes, at);
          out += String.fromCodePoint(...codes.splice(0)) + whole.text;
          at = whole.at;
          if (at === bytes.length) break;
        }
        for (const code of this.#decoder.push(bytes[at])) this.#take(code, codes);
        at += 1;
        if (codes.length >= 4096) out += String.fromCodePoint(...codes.splice(0));
      }
      if (!options?.stream) {
        for (const code of this.#decoder.flush()) this.#take(code, codes);
        [this.#decoder, this.#atStart] = [null, true];
      }
      return out + String.fromCodePoint(...codes);
    }

    #take(code, codes) {
      if (code === REPLACE && this.#fatal) {
        [this.#decoder, this.#atStart] = [null, true];
        throw coded(
          TypeError,
          "ERR_ENCODING_INVALID_ENCODED_DATA",
          `The encoded data was not valid for encoding ${this.#encoding}`,
        );
      }
      const isMark = this.#atStart && code === 0xfeff && this.#encoding !== "windows-1252";
      this.#atStart = false;
      if (!isMark || this.#ignoreBOM) codes.push(code === REPLACE ? 0xfffd : code);
    }
  }
  brand(TextDecoder, "TextDecoder");

  expose("TextEncoder", TextEncoder);
  expose("TextDecoder", TextDecoder);
}
