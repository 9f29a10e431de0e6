// Node's `crypto` module, as far as a sandbox has it: `process.getBuiltinModule("crypto")`.
//
// Follows: Node 20, "Crypto": createHash, createHmac, hash, randomBytes, randomInt, randomUUID,
// timingSafeEqual, getHashes and webcrypto. It is an object and no global, because Node has none.
// Differs: Hash and Hmac are no streams; the message is kept until `digest` asks for it; ciphers,
// keys, signatures and key derivation are missing.
(host) => {
  const { argument, asBuffer, coded, encodingOf, hashes, hmac, joinBytes, outside } =
    globalThis.__world__;
  const { crypto } = globalThis;

  function algorithmOf(name) {
    const plain = `${name}`.toLowerCase().replace(/^(?:rsa-)?sha-?(?=\d)/, "sha");
    const found = hashes.get(plain);
    if (found === undefined) {
      throw coded(Error, "ERR_OSSL_EVP_UNSUPPORTED", `Digest method not supported: ${name}`);
    }
    return found;
  }

  const copyOf = (data, encoding, name = "data") => {
    if (typeof data === "string") return encodingOf(encoding).read(data);
    if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
    if (ArrayBuffer.isView(data))
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    throw argument(
      `"${name}" argument`,
      "of type string or an instance of Buffer, TypedArray, or DataView",
      data,
    );
  };
  const shown = (bytes, encoding) => {
    const buffer = asBuffer(bytes);
    return encoding === undefined || encoding === "buffer" ? buffer : buffer.toString(encoding);
  };

  class Digest {
    #finish;
    #parts = [];
    #isDone = false;

    constructor(finish) {
      this.#finish = finish;
    }

    update(data, encoding = undefined) {
      if (this.#isDone) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
      this.#parts.push(copyOf(data, encoding));
      return this;
    }

    digest(encoding = undefined) {
      if (this.#isDone) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
      this.#isDone = true;
      return shown(this.#finish(joinBytes(this.#parts)), encoding);
    }

    static fork(from, to) {
      if (from.#isDone) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
      to.#parts = [...from.#parts];
      return to;
    }
  }
  const { fork } = Digest;
  delete Digest.fork;

  class Hash extends Digest {
    #algorithm;

    constructor(algorithm) {
      const { of } = algorithmOf(algorithm);
      super(of);
      this.#algorithm = algorithm;
    }

    copy() {
      return fork(this, new Hash(this.#algorithm));
    }
  }

  class Hmac extends Digest {
    constructor(algorithm, key) {
      const hash = algorithmOf(algorithm);
      const secret = copyOf(key, undefined, "key");
      super((bytes) => hmac(hash, secret, bytes));
    }
  }

  function filled(size) {
    if (typeof size !== "number") throw argument('"size" argument', "of type number", size);
    if (!(size >= 0 && size <= 0x7fffffff)) throw outside("size", ">= 0 && <= 2147483647", size);
    const bytes = new Uint8Array(Math.trunc(size));
    for (let at = 0; at < bytes.length; at += 65536)
      crypto.getRandomValues(bytes.subarray(at, at + 65536));
    return asBuffer(bytes);
  }

  // A call with a callback answers later, as Node's do.
  function later(make, callback) {
    if (typeof callback !== "function") return make();
    const value = make();
    globalThis.setImmediate(() => callback(null, value));
    return undefined;
  }

  const SPAN = 2 ** 48;

  function drawn(least, most) {
    const range = most - least;
    if (!Number.isSafeInteger(least) || !Number.isSafeInteger(most))
      throw argument('"max" argument', "a safe integer", most);
    if (!(range > 0 && range < SPAN)) throw outside("max", `greater than ${least}`, most);
    const limit = SPAN - (SPAN % range);
    let value = filled(6).readUIntBE(0, 6);
    while (value >= limit) value = filled(6).readUIntBE(0, 6);
    return least + (value % range);
  }

  const builtin = {
    Hash,
    Hmac,
    createHash: (algorithm) => new Hash(algorithm),
    createHmac: (algorithm, key) => new Hmac(algorithm, key),
    hash: (algorithm, data, encoding = "hex") =>
      shown(algorithmOf(algorithm).of(copyOf(data)), encoding),
    getHashes: () => [...hashes.keys()],
    randomBytes: (size, callback = undefined) => later(() => filled(size), callback),
    randomInt(least, most = undefined, callback = undefined) {
      const isOne = most === undefined || typeof most === "function";
      const [from, to, then] = isOne ? [0, least, most] : [least, most, callback];
      return later(() => drawn(from, to), then);
    },
    randomFillSync(target, offset = 0, size = target.byteLength - offset) {
      const bytes = new Uint8Array(
        target.buffer ?? target,
        (target.byteOffset ?? 0) + offset,
        size,
      );
      bytes.set(filled(size));
      return target;
    },
    randomUUID: () => crypto.randomUUID(),
    getRandomValues: (array) => crypto.getRandomValues(array),
    timingSafeEqual(one, other) {
      const [first, second] = [copyOf(one, undefined, "buf1"), copyOf(other, undefined, "buf2")];
      if (first.length !== second.length) {
        throw coded(
          RangeError,
          "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH",
          "Input buffers must have the same byte length",
        );
      }
      let differs = 0;
      for (let at = 0; at < first.length; at += 1) differs |= first[at] ^ second[at];
      return differs === 0;
    },
    webcrypto: crypto,
    subtle: crypto.subtle,
  };

  globalThis.__world__.nodeCrypto = builtin;
}
