// Blob and File.
//
// Follows: File API, "The Blob Interface" and "The File Interface"; URLs of blobs do not exist.
// Differs: a blob's bytes are copied when it is made and when it is sliced.
(host) => {
  const { argument, brand, coded, expose, inspect, inspectAs, picked, streamOf } =
    globalThis.__world__;
  const { TextDecoder, TextEncoder } = globalThis;
  let bytesOf;

  function partBytes(part, endings) {
    if (part instanceof Blob) return bytesOf(part);
    if (part instanceof ArrayBuffer) return new Uint8Array(part);
    if (ArrayBuffer.isView(part))
      return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    const text = `${part}`;
    return new TextEncoder().encode(endings === "native" ? text.replace(/\r\n?/g, "\n") : text);
  }

  function joined(pieces) {
    const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  function typeOf(value) {
    const type = `${value ?? ""}`;
    return /[^\x20-\x7e]/.test(type) ? "" : type.toLowerCase();
  }

  class Blob {
    #bytes;
    #type;

    constructor(parts = [], options = {}) {
      if (parts === null || typeof parts !== "object" || !parts[Symbol.iterator]) {
        throw argument('"sources" argument', "a sequence", parts);
      }
      const endings = options?.endings ?? "transparent";
      if (endings !== "transparent" && endings !== "native") {
        throw coded(
          TypeError,
          "ERR_INVALID_ARG_VALUE",
          `The property 'options.endings' is invalid. Received ${inspect(endings)}`,
        );
      }
      this.#bytes = joined(Array.from(parts, (part) => partBytes(part, endings)));
      this.#type = typeOf(options?.type);
    }

    static {
      bytesOf = (blob) => blob.#bytes;
    }

    get size() {
      return this.#bytes.length;
    }

    get type() {
      return this.#type;
    }

    slice(start = 0, end = this.size, type = "") {
      return new Blob([this.#bytes.subarray(start, end)], { type });
    }

    async arrayBuffer() {
      return this.#bytes.slice().buffer;
    }

    async bytes() {
      return this.#bytes.slice();
    }

    async text() {
      return new TextDecoder().decode(this.#bytes);
    }

    stream() {
      return streamOf(() => this.#bytes.slice());
    }
  }
  brand(Blob, "Blob");

  class File extends Blob {
    #name;
    #lastModified;

    constructor(parts, name, options = {}) {
      if (arguments.length < 2) {
        throw coded(
          TypeError,
          "ERR_MISSING_ARGS",
          'The "fileBits" and "fileName" arguments must be specified',
        );
      }
      super(parts, options);
      this.#name = `${name}`.toWellFormed();
      this.#lastModified = Math.trunc(Number(options?.lastModified ?? host.now())) || 0;
    }

    get name() {
      return this.#name;
    }

    get lastModified() {
      return this.#lastModified;
    }
  }
  brand(File, "File");

  inspectAs(Blob, picked(["size", "type"]));
  inspectAs(File, picked(["size", "type", "name", "lastModified"]));

  Object.assign(globalThis.__world__, { blobBytes: bytesOf, joinBytes: joined });
  expose("Blob", Blob);
  expose("File", File);
}
