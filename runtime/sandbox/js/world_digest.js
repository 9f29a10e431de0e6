// Digests: SHA-1, SHA-2 and MD5 over bytes, HMAC, and crypto.subtle.digest.
//
// Follows: FIPS 180-4 (SHA), RFC 1321 (MD5), RFC 2104 (HMAC); Web Cryptography API, "SubtleCrypto
// interface", for `digest`.
// Differs: every other method of `crypto.subtle` rejects with a NotSupportedError. The functions
// are plain JavaScript: about a megabyte a second.
(host) => {
  const { brand, coded, expose } = globalThis.__world__;
  const { DOMException, crypto } = globalThis;

  // The first 64 bits of the fractional parts of a root of each prime, as pairs of words.
  function primes(count) {
    const found = [];
    for (let number = 2; found.length < count; number += 1)
      if (found.every((prime) => number % prime !== 0)) found.push(number);
    return found;
  }

  // floor(root(prime) * 2^64) mod 2^64, exact: the largest integer whose power does not exceed.
  function fraction(prime, degree) {
    const target = BigInt(prime) << BigInt(64 * degree);
    let root = BigInt(Math.floor(prime ** (1 / degree) * 2 ** 40)) << 24n;
    const power = (value) => value ** BigInt(degree);
    for (let step = 1n << 40n; step > 0n; step >>= 1n) {
      while (power(root + step) <= target) root += step;
      while (power(root) > target) root -= step;
    }
    return root & 0xffffffffffffffffn;
  }
  const words = (value) => [Number(value >> 32n) | 0, Number(value & 0xffffffffn) | 0];
  const cube = primes(80).map((prime) => words(fraction(prime, 3)));
  const square = primes(16).map((prime) => words(fraction(prime, 2)));
  const K256 = Int32Array.from(cube.slice(0, 64), ([high]) => high);
  const K512 = Int32Array.from(cube.flat());

  // A message with the bit 1, zeros and its length in bits, as the functions want it.
  function padded(bytes, block, isLittle = false) {
    const lengthBytes = block === 128 ? 16 : 8;
    const total = Math.ceil((bytes.length + 1 + lengthBytes) / block) * block;
    const message = new Uint8Array(total);
    message.set(bytes);
    message[bytes.length] = 0x80;
    const view = new DataView(message.buffer);
    const bits = bytes.length * 8;
    view.setUint32(isLittle ? total - 8 : total - 4, bits >>> 0, isLittle);
    view.setUint32(isLittle ? total - 4 : total - 8, Math.floor(bits / 2 ** 32), isLittle);
    return view;
  }

  function wordsToBytes(list, isLittle = false) {
    const bytes = new Uint8Array(list.length * 4);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < list.length; at += 1) view.setInt32(at * 4, list[at], isLittle);
    return bytes;
  }

  function sha1(bytes) {
    const view = padded(bytes, 64);
    const w = new Int32Array(80);
    let [h0, h1, h2, h3, h4] = [
      0x67452301,
      0xefcdab89 | 0,
      0x98badcfe | 0,
      0x10325476,
      0xc3d2e1f0 | 0,
    ];
    for (let from = 0; from < view.byteLength; from += 64) {
      for (let t = 0; t < 16; t += 1) w[t] = view.getInt32(from + t * 4);
      for (let t = 16; t < 80; t += 1) {
        const x = w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16];
        w[t] = (x << 1) | (x >>> 31);
      }
      let [a, b, c, d, e] = [h0, h1, h2, h3, h4];
      for (let t = 0; t < 80; t += 1) {
        let f;
        if (t < 20) f = ((b & c) | (~b & d)) + 0x5a827999;
        else if (t < 40) f = (b ^ c ^ d) + 0x6ed9eba1;
        else if (t < 60) f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
        else f = (b ^ c ^ d) + 0xca62c1d6;
        const next = (((a << 5) | (a >>> 27)) + f + e + w[t]) | 0;
        e = d;
        d = c;
        c = (b << 30) | (b >>> 2);
        b = a;
        a = next;
      }
      h0 = (h0 + a) | 0;
      h1 = (h1 + b) | 0;
      h2 = (h2 + c) | 0;
      h3 = (h3 + d) | 0;
      h4 = (h4 + e) | 0;
    }
    return wordsToBytes([h0, h1, h2, h3, h4]);
  }

  function sha256With(start, size) {
    return (bytes) => {
      const view = padded(bytes, 64);
      const w = new Int32Array(64);
      const h = Int32Array.from(start);
      for (let from = 0; from < view.byteLength; from += 64) {
        for (let t = 0; t < 16; t += 1) w[t] = view.getInt32(from + t * 4);
        for (let t = 16; t < 64; t += 1) {
          const x = w[t - 15];
          const y = w[t - 2];
          const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
          const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
          w[t] = (w[t - 16] + s0 + w[t - 7] + s1) | 0;
        }
        let a = h[0];
        let b = h[1];
        let c = h[2];
        let d = h[3];
        let e = h[4];
        let f = h[5];
        let g = h[6];
        let k = h[7];
        for (let t = 0; t < 64; t += 1) {
          const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
          const one = (k + s1 + ((e & f) ^ (~e & g)) + K256[t] + w[t]) | 0;
          const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
          const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
          k = g;
          g = f;
          f = e;
          e = (d + one) | 0;
          d = c;
          c = b;
          b = a;
          a = (one + two) | 0;
        }
        const after = [a, b, c, d, e, f, g, k];
        for (let at = 0; at < 8; at += 1) h[at] += after[at];
      }
      return wordsToBytes(h).slice(0, size);
    };
  }

  // 64-bit words as pairs: high word first.
  function sha512With(start, size) {
    return (bytes) => {
      const view = padded(bytes, 128);
      const w = new Int32Array(160);
      const h = Int32Array.from(start);
      const v = new Int32Array(16);
      for (let from = 0; from < view.byteLength; from += 128) {
        for (let t = 0; t < 32; t += 1) w[t] = view.getInt32(from + t * 4);
        for (let t = 32; t < 160; t += 2) {
          const xh = w[t - 30];
          const xl = w[t - 29];
          const yh = w[t - 4];
          const yl = w[t - 3];
          const s0h = ((xh >>> 1) | (xl << 31)) ^ ((xh >>> 8) | (xl << 24)) ^ (xh >>> 7);
          const s0l =
            ((xl >>> 1) | (xh << 31)) ^ ((xl >>> 8) | (xh << 24)) ^ ((xl >>> 7) | (xh << 25));
          const s1h = ((yh >>> 19) | (yl << 13)) ^ ((yl >>> 29) | (yh << 3)) ^ (yh >>> 6);
          const s1l =
            ((yl >>> 19) | (yh << 13)) ^ ((yh >>> 29) | (yl << 3)) ^ ((yl >>> 6) | (yh << 26));
          const low = (w[t - 31] >>> 0) + (s0l >>> 0) + (w[t - 13] >>> 0) + (s1l >>> 0);
          w[t] = (w[t - 32] + s0h + w[t - 14] + s1h + Math.floor(low / 4294967296)) | 0;
          w[t + 1] = low | 0;
        }
        v.set(h);
        for (let t = 0; t < 160; t += 2) round(v, w[t], w[t + 1], K512[t], K512[t + 1]);
        for (let at = 0; at < 16; at += 2) {
          const low = (h[at + 1] >>> 0) + (v[at + 1] >>> 0);
          h[at] = (h[at] + v[at] + Math.floor(low / 4294967296)) | 0;
          h[at + 1] = low | 0;
        }
      }
      return wordsToBytes(h).slice(0, size);
    };
  }

  function round(v, wh, wl, kh, kl) {
    const eh = v[8];
    const el = v[9];
    const s1h = ((eh >>> 14) | (el << 18)) ^ ((eh >>> 18) | (el << 14)) ^ ((el >>> 9) | (eh << 23));
    const s1l = ((el >>> 14) | (eh << 18)) ^ ((el >>> 18) | (eh << 14)) ^ ((eh >>> 9) | (el << 23));
    const chh = (eh & v[10]) ^ (~eh & v[12]);
    const chl = (el & v[11]) ^ (~el & v[13]);
    const oneLow = (v[15] >>> 0) + (s1l >>> 0) + (chl >>> 0) + (kl >>> 0) + (wl >>> 0);
    const oneHigh = (v[14] + s1h + chh + kh + wh + Math.floor(oneLow / 4294967296)) | 0;
    const ah = v[0];
    const al = v[1];
    const s0h = ((ah >>> 28) | (al << 4)) ^ ((al >>> 2) | (ah << 30)) ^ ((al >>> 7) | (ah << 25));
    const s0l = ((al >>> 28) | (ah << 4)) ^ ((ah >>> 2) | (al << 30)) ^ ((ah >>> 7) | (al << 25));
    const majh = (ah & v[2]) ^ (ah & v[4]) ^ (v[2] & v[4]);
    const majl = (al & v[3]) ^ (al & v[5]) ^ (v[3] & v[5]);
    const twoLow = (s0l >>> 0) + (majl >>> 0);
    const twoHigh = (s0h + majh + Math.floor(twoLow / 4294967296)) | 0;
    v.copyWithin(2, 0, 14);
    const dLow = (v[9] >>> 0) + (oneLow | 0 ? (oneLow | 0) >>> 0 : 0);
    v[8] = (v[8] + oneHigh + Math.floor(dLow / 4294967296)) | 0;
    v[9] = dLow | 0;
    const aLow = ((oneLow | 0) >>> 0) + ((twoLow | 0) >>> 0);
    v[0] = (oneHigh + twoHigh + Math.floor(aLow / 4294967296)) | 0;
    v[1] = aLow | 0;
  }

  const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
  const SINES = Int32Array.from({ length: 64 }, (nothing, at) =>
    Math.floor(Math.abs(Math.sin(at + 1)) * 2 ** 32),
  );

  function md5(bytes) {
    const view = padded(bytes, 64, true);
    let [a0, b0, c0, d0] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
    for (let from = 0; from < view.byteLength; from += 64) {
      let [a, b, c, d] = [a0, b0, c0, d0];
      for (let t = 0; t < 64; t += 1) {
        const quarter = t >> 4;
        let f;
        let word;
        if (quarter === 0) [f, word] = [(b & c) | (~b & d), t];
        else if (quarter === 1) [f, word] = [(d & b) | (~d & c), (5 * t + 1) % 16];
        else if (quarter === 2) [f, word] = [b ^ c ^ d, (3 * t + 5) % 16];
        else [f, word] = [c ^ (b | ~d), (7 * t) % 16];
        const sum = (a + f + SINES[t] + view.getInt32(from + word * 4, true)) | 0;
        const shift = SHIFTS[quarter * 4 + (t % 4)];
        [a, d, c] = [d, c, b];
        b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
      }
      a0 = (a0 + a) | 0;
      b0 = (b0 + b) | 0;
      c0 = (c0 + c) | 0;
      d0 = (d0 + d) | 0;
    }
    return wordsToBytes([a0, b0, c0, d0], true);
  }

  const roots = square.slice(0, 8);
  const roots384 = square.slice(8);
  const hashes = new Map([
    ["md5", { of: md5, block: 64 }],
    ["sha1", { of: sha1, block: 64 }],
    [
      "sha224",
      {
        of: sha256With(
          roots384.map(([, low]) => low),
          28,
        ),
        block: 64,
      },
    ],
    [
      "sha256",
      {
        of: sha256With(
          roots.map(([high]) => high),
          32,
        ),
        block: 64,
      },
    ],
    ["sha384", { of: sha512With(roots384.flat(), 48), block: 128 }],
    ["sha512", { of: sha512With(roots.flat(), 64), block: 128 }],
  ]);

  function hmac({ of, block }, key, bytes) {
    const short = key.length > block ? of(key) : key;
    const mixed = (mask, rest) => {
      const message = new Uint8Array(block + rest.length).fill(mask, 0, block);
      for (let at = 0; at < short.length; at += 1) message[at] ^= short[at];
      message.set(rest, block);
      return of(message);
    };
    return mixed(0x5c, mixed(0x36, bytes));
  }

  // -------------------------------------------------------------------------------- crypto.subtle
  const named = new Map([
    ["SHA-1", "sha1"],
    ["SHA-256", "sha256"],
    ["SHA-384", "sha384"],
    ["SHA-512", "sha512"],
  ]);
  let mayConstruct = true;

  class SubtleCrypto {
    constructor() {
      if (!mayConstruct) throw coded(TypeError, "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor");
    }

    async digest(algorithm, data) {
      const name = `${typeof algorithm === "object" ? algorithm?.name : algorithm}`.toUpperCase();
      if (!(data instanceof ArrayBuffer) && !ArrayBuffer.isView(data)) {
        throw coded(
          TypeError,
          "ERR_INVALID_ARG_TYPE",
          "Failed to execute 'digest' on 'SubtleCrypto': 2nd argument is not instance of " +
            "ArrayBuffer, Buffer, TypedArray, or DataView.",
        );
      }
      if (!named.has(name))
        throw new DOMException("Unrecognized algorithm name", "NotSupportedError");
      const bytes = ArrayBuffer.isView(data)
        ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : new Uint8Array(data);
      return hashes.get(named.get(name)).of(bytes).buffer;
    }
  }
  const absent = [
    "decrypt",
    "deriveBits",
    "deriveKey",
    "encrypt",
    "exportKey",
    "generateKey",
    "importKey",
    "sign",
    "unwrapKey",
    "verify",
    "wrapKey",
  ];
  for (const name of absent) {
    const method = {
      async [name]() {
        const message = `crypto.subtle.${name} is not available in a sandbox`;
        throw new DOMException(message, "NotSupportedError");
      },
    }[name];
    Object.defineProperty(SubtleCrypto.prototype, name, {
      value: method,
      writable: true,
      configurable: true,
    });
  }
  brand(SubtleCrypto, "SubtleCrypto");
  const subtle = new SubtleCrypto();
  mayConstruct = false;
  Object.defineProperty(Object.getPrototypeOf(crypto), "subtle", {
    get: () => subtle,
    configurable: true,
    enumerable: true,
  });
  expose("SubtleCrypto", SubtleCrypto);

  Object.assign(globalThis.__world__, { hashes, hmac });
}
