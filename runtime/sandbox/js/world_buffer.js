// Buffer: bytes with the encodings of Node.
//
// Follows: Node 20, "Buffer": from, alloc, concat, compare and their kin, all encodings, searching
// and filling; error codes as Node has them. Reading and writing of numbers: world_numbers.js.
// Differs: there is no pool, so every buffer has an ArrayBuffer of its own; `transcode`, `blob`
// URLs and `kMaxLength` are missing.
(host) => {
  const { argument, coded, expose, inspect, joinBytes } = globalThis.__world__;
  const { TextDecoder, TextEncoder } = globalThis;
  const inspected = Symbol.for("nodejs.util.inspect.custom");
  const MOST = 0x7fffffff; // bytes; more than a guest's memory

  // ----------------------------------------------------------------------------------- encodings
  const codeUnits = (bytes) => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 4096)
      text += String.fromCharCode.apply(null, bytes.subarray(at, at + 4096));
    return text;
  };
  const fromUnits = (text) => Uint8Array.from(text, (one) => one.charCodeAt(0));
  const oneByte = (text) => {
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
    return bytes;
  };

  function fromHex(text) {
    const good = /^(?:[0-9a-f]{2})*/i.exec(text)[0];
    return Uint8Array.fromHex(good);
  }

  // Lenient as Node is: both alphabets, anything else left out, the first `=` ends it.
  function fromBase64(text) {
    const plain = text
      .replace(/=[^]*$/, "")
      .replace(/-/g, "+")
      .replace(/_/g, "/")
      .replace(/[^A-Za-z0-9+/]/g, "");
    return Uint8Array.fromBase64(plain.length % 4 === 1 ? plain.slice(0, -1) : plain);
  }

  function fromUtf16(text) {
    const bytes = new Uint8Array(text.length * 2);
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      bytes[at * 2] = unit & 255;
      bytes[at * 2 + 1] = unit >> 8;
    }
    return bytes;
  }

  function toUtf16(bytes) {
    let text = "";
    for (let at = 0; at + 1 < bytes.length; at += 2)
      text += String.fromCharCode(bytes[at] | (bytes[at + 1] << 8));
    return text;
  }

  const utf8 = {
    read: (text) => new TextEncoder().encode(text),
    show: (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
  };
  const utf16 = { read: fromUtf16, show: toUtf16 };
  const latin1 = { read: oneByte, show: codeUnits };
  const encodings = new Map([
    ["utf8", utf8],
    ["utf-8", utf8],
    ["hex", { read: fromHex, show: (bytes) => bytes.toHex() }],
    ["base64", { read: fromBase64, show: (bytes) => bytes.toBase64() }],
    [
      "base64url",
      {
        read: fromBase64,
        show: (bytes) => bytes.toBase64({ alphabet: "base64url", omitPadding: true }),
      },
    ],
    ["latin1", latin1],
    ["binary", latin1],
    ["ascii", { read: oneByte, show: (bytes) => codeUnits(bytes.map((byte) => byte & 127)) }],
    ["utf16le", utf16],
    ["utf-16le", utf16],
    ["ucs2", utf16],
    ["ucs-2", utf16],
  ]);

  function encodingOf(name) {
    if (name === undefined || name === null || name === "") return utf8;
    const found = encodings.get(`${name}`.toLowerCase());
    if (found === undefined)
      throw coded(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${name}`);
    return found;
  }

  // --------------------------------------------------------------------------------------- making
  const asBuffer = (bytes) =>
    Object.setPrototypeOf(
      new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      Buffer.prototype,
    );

  function sized(size) {
    if (typeof size !== "number") throw argument('"size" argument', "of type number", size);
    if (!(size >= 0 && size <= MOST)) {
      throw coded(
        RangeError,
        "ERR_OUT_OF_RANGE",
        `The value of "size" is out of range. It must be >= 0 && <= ${MOST}. Received ${size}`,
      );
    }
    return asBuffer(new Uint8Array(size));
  }

  function Buffer(value, encodingOrOffset = undefined, length = undefined) {
    if (typeof value !== "number") return from(value, encodingOrOffset, length);
    if (typeof encodingOrOffset === "string")
      throw argument('"string" argument', "of type string", value);
    return sized(value);
  }
  Object.setPrototypeOf(Buffer, Uint8Array);
  Buffer.prototype = Object.create(Uint8Array.prototype, {
    constructor: { value: Buffer, writable: true, configurable: true },
  });

  function fromObject(value, encodingOrOffset, length) {
    const primitive = value.valueOf?.();
    if (primitive !== undefined && primitive !== null && primitive !== value)
      return from(primitive, encodingOrOffset, length);
    if (value.type === "Buffer" && Array.isArray(value.data))
      return asBuffer(Uint8Array.from(value.data));
    if (typeof value.length === "number") return asBuffer(Uint8Array.from(Array.from(value)));
    const convert = value[Symbol.toPrimitive];
    if (typeof convert === "function")
      return from(Reflect.apply(convert, value, ["string"]), encodingOrOffset);
    throw unusable(value);
  }

  const unusable = (value) =>
    argument(
      "first argument",
      "of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object",
      value,
    );

  const from = (value, encodingOrOffset = undefined, length = undefined) => {
    if (typeof value === "string") return asBuffer(encodingOf(encodingOrOffset).read(value));
    if (typeof value !== "object" || value === null) throw unusable(value);
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
      return asBuffer(new Uint8Array(value, encodingOrOffset, length));
    if (value instanceof Uint8Array) return asBuffer(new Uint8Array(value));
    if (ArrayBuffer.isView(value) && !(value instanceof DataView))
      return asBuffer(Uint8Array.from(value));
    return fromObject(value, encodingOrOffset, length);
  };

  const bytesOf = (value, name = "argument") => {
    if (value instanceof Uint8Array) return value;
    throw argument(`"${name}" argument`, "an instance of Buffer or Uint8Array", value);
  };

  function compare(one, other) {
    const shared = Math.min(one.length, other.length);
    for (let at = 0; at < shared; at += 1)
      if (one[at] !== other[at]) return one[at] < other[at] ? -1 : 1;
    return Math.sign(one.length - other.length);
  }

  function filled(size, fill, encoding) {
    const buffer = sized(size);
    return fill === undefined || fill === 0 || size === 0 ? buffer : buffer.fill(fill, encoding);
  }

  const makers = {
    from,
    of: (...items) => asBuffer(Uint8Array.from(items)),
    alloc: (size, fill = undefined, encoding = undefined) => filled(size, fill, encoding),
    allocUnsafe: (size) => sized(size),
    allocUnsafeSlow: (size) => sized(size),
    isBuffer: (value) => value instanceof Buffer,
    isEncoding: (name) => typeof name === "string" && encodings.has(name.toLowerCase()),
    byteLength(value, encoding = undefined) {
      if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
      if (typeof value === "string")
        return (encodings.get(`${encoding}`.toLowerCase()) ?? utf8).read(value).length;
      throw argument(
        '"string" argument',
        "of type string or an instance of Buffer or ArrayBuffer",
        value,
      );
    },
    compare: (one, other) => compare(bytesOf(one, "buf1"), bytesOf(other, "buf2")),
    concat(list, length = undefined) {
      if (!Array.isArray(list)) throw argument('"list" argument', "an instance of Array", list);
      const whole = joinBytes(list.map((one, at) => bytesOf(one, `list[${at}]`)));
      if (length === undefined || length === whole.length) return asBuffer(whole);
      const buffer = sized(length);
      buffer.set(whole.subarray(0, length));
      return buffer;
    },
  };
  // Old code writes `new Buffer.alloc(1)`, so those that make buffers can be constructed with.
  for (const name of ["from", "alloc", "allocUnsafe", "concat"]) {
    const make = makers[name];
    makers[name] = function (...args) {
      return make(...args);
    };
    Object.defineProperty(makers[name], "name", { value: name, configurable: true });
  }
  for (const [name, value] of Object.entries(makers))
    Object.defineProperty(Buffer, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: true,
    });
  Buffer.poolSize = 8192;

  // -------------------------------------------------------------------------------------- methods
  const within = (value, fallback, most) => {
    const number = value === undefined ? fallback : Math.trunc(Number(value)) || 0;
    return Math.min(Math.max(number < 0 ? most + number : number, 0), most);
  };
  const clamped = (value, fallback, most) =>
    Math.min(Math.max(value === undefined ? fallback : Math.trunc(Number(value)) || 0, 0), most);

  function needle(value, encoding) {
    if (typeof value === "string") return encodingOf(encoding).read(value);
    if (typeof value === "number") return Uint8Array.of(value & 255);
    if (value instanceof Uint8Array) return value;
    throw argument(
      '"value" argument',
      "one of type number or string or an instance of Buffer or Uint8Array",
      value,
    );
  }

  function find(buffer, value, start, encoding, isBackward) {
    const [from, code] = typeof start === "string" ? [undefined, start] : [start, encoding];
    const wanted = needle(value, code);
    const last = buffer.length - wanted.length;
    const isEmpty = wanted.length === 0 && !isBackward;
    if (isEmpty) return within(from, 0, buffer.length);
    const step = isBackward ? -1 : 1;
    const number = Number(from);
    let at = Number.isNaN(number) ? (isBackward ? last : 0) : Math.trunc(number);
    if (at < 0) at += buffer.length;
    if (!isBackward) at = Math.max(at, 0);
    for (at = Math.min(at, isBackward ? last : at); at >= 0 && at <= last; at += step) {
      let same = 0;
      while (same < wanted.length && buffer[at + same] === wanted[same]) same += 1;
      if (same === wanted.length) return at;
    }
    return -1;
  }

  const swap = (width, name) => (buffer) => {
    if (buffer.length % width !== 0) {
      throw coded(
        RangeError,
        "ERR_INVALID_BUFFER_SIZE",
        `Buffer size must be a multiple of ${width * 8}-bits`,
      );
    }
    for (let at = 0; at < buffer.length; at += width) buffer.subarray(at, at + width).reverse();
    return buffer;
  };

  const methods = {
    toString(encoding = undefined, start = undefined, end = undefined) {
      const from = clamped(start, 0, this.length);
      const to = clamped(end, this.length, this.length);
      if (to <= from) return "";
      return encodingOf(encoding).show(Uint8Array.prototype.subarray.call(plain(this), from, to));
    },
    toLocaleString(...args) {
      return this.toString(...args);
    },
    toJSON() {
      return { type: "Buffer", data: Array.from(this) };
    },
    equals(other) {
      return compare(this, bytesOf(other, "otherBuffer")) === 0;
    },
    compare(target, targetStart = 0, targetEnd = target?.length, start = 0, end = this.length) {
      return compare(
        plain(this).subarray(start, end),
        bytesOf(target, "target").subarray(targetStart, targetEnd),
      );
    },
    subarray(start = 0, end = this.length) {
      return asBuffer(plain(this).subarray(start, end));
    },
    slice(start = 0, end = this.length) {
      return asBuffer(plain(this).subarray(start, end));
    },
    write(text, offset = undefined, length = undefined, encoding = undefined) {
      if (typeof text !== "string")
        throw coded(TypeError, "ERR_INVALID_ARG_TYPE", "argument must be a string");
      const [from, most, code] =
        typeof offset === "string"
          ? [0, undefined, offset]
          : typeof length === "string"
            ? [offset, undefined, length]
            : [offset, length, encoding];
      const start = from ?? 0;
      if (start < 0 || start > this.length)
        throw outside("offset", `>= 0 && <= ${this.length}`, start);
      const left = Math.min(this.length - start, most ?? this.length);
      const kind = encodingOf(code);
      let bytes = kind.read(text);
      if (bytes.length > left)
        bytes =
          kind === utf8
            ? wholeCharacters(bytes, left)
            : bytes.subarray(0, kind === utf16 ? left & ~1 : left);
      this.set(bytes, start);
      return bytes.length;
    },
    fill(value, offset = undefined, end = undefined, encoding = undefined) {
      const [from, to, code] =
        typeof offset === "string"
          ? [0, this.length, offset]
          : typeof end === "string"
            ? [offset, this.length, end]
            : [offset ?? 0, end ?? this.length, encoding];
      if (from < 0) throw outside("offset", `>= 0 && <= ${this.length}`, from);
      if (to < 0 || to > this.length) throw outside("end", `>= 0 && <= ${this.length}`, to);
      const pattern =
        typeof value === "boolean" ? Uint8Array.of(Number(value)) : needle(value, code);
      if (pattern.length === 0) {
        if (typeof value !== "string" || value !== "") {
          throw coded(
            TypeError,
            "ERR_INVALID_ARG_VALUE",
            `The argument 'value' is invalid. Received ${inspect(value)}`,
          );
        }
        plain(this).fill(0, from, to);
      } else for (let at = from; at < to; at += 1) this[at] = pattern[(at - from) % pattern.length];
      return this;
    },
    copy(target, targetStart = 0, start = 0, end = this.length) {
      const room = Math.max(0, bytesOf(target, "target").length - targetStart);
      if (start < 0 || start > this.length)
        throw outside("sourceStart", `>= 0 && <= ${this.length}`, start);
      const part = plain(this).subarray(start, Math.min(end, start + room));
      if (part.length > 0) target.set(part, targetStart);
      return part.length;
    },
    indexOf(value, start = undefined, encoding = undefined) {
      return find(this, value, start, encoding, false);
    },
    lastIndexOf(value, start = undefined, encoding = undefined) {
      return find(this, value, start, encoding, true);
    },
    includes(value, start = undefined, encoding = undefined) {
      return find(this, value, start, encoding, false) >= 0;
    },
    swap16() {
      return swap(2)(this);
    },
    swap32() {
      return swap(4)(this);
    },
    swap64() {
      return swap(8)(this);
    },
    [inspected](depth, options) {
      const shown = Array.from(plain(this).subarray(0, 50), (byte) =>
        byte.toString(16).padStart(2, "0"),
      );
      const more = this.length - 50;
      if (more > 0) shown.push(`... ${more} more byte${more > 1 ? "s" : ""}`);
      return `<Buffer ${shown.join(" ")}>`;
    },
  };
  for (const name of Reflect.ownKeys(methods))
    Object.defineProperty(Buffer.prototype, name, {
      value: methods[name],
      writable: true,
      configurable: true,
      enumerable: typeof name === "string",
    });
  Object.defineProperties(Buffer.prototype, {
    parent: {
      get() {
        return this.buffer;
      },
      enumerable: true,
      configurable: true,
    },
    offset: {
      get() {
        return this.byteOffset;
      },
      enumerable: true,
      configurable: true,
    },
  });

  // The same bytes without Buffer's methods, whose `subarray` would make Buffers of all parts.
  const plain = (buffer) => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

  function outside(name, range, value) {
    return coded(
      RangeError,
      "ERR_OUT_OF_RANGE",
      `The value of "${name}" is out of range. It must be ${range}. Received ${value}`,
    );
  }

  // What fits of some UTF-8 without cutting a character in two.
  function wholeCharacters(bytes, most) {
    let end = most;
    while (end > 0 && (bytes[end] & 0xc0) === 0x80) end -= 1;
    return bytes.subarray(0, end);
  }

  Object.assign(globalThis.__world__, { asBuffer, encodingOf, outside });
  expose("Buffer", Buffer);
}
