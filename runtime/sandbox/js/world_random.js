// Math.random and crypto, drawn from each invocation's own seed.
//
// Follows: Web Cryptography API, "Crypto interface" (getRandomValues, randomUUID); `Math.random` is
// the generator sfc32, seeded by 128 bits of the invocation's random bytes at its first use.
// Differs: `crypto.subtle` digests and no more, see world_digest.js. While an app is loading
// `Math.random` gives a fixed sequence, the same for every app, and `crypto` refuses: what load time
// draws is part of the app's snapshot, and two invocations must share no random value.
(host) => {
  const { brand, expose } = globalThis.__world__;
  const { Uint8Array, DOMException } = globalThis;
  let state = [1, 2, 3, 4];
  let isLoading = true;

  host.onStart(() => {
    isLoading = false;
    state = null;
  });

  function word(words) {
    const sum = (words[0] + words[1] + words[3]) | 0;
    words[3] = (words[3] + 1) | 0;
    words[0] = words[1] ^ (words[1] >>> 9);
    words[1] = (words[2] + (words[2] << 3)) | 0;
    words[2] = (((words[2] << 21) | (words[2] >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  function seed() {
    const drawn = host.randomBytes(16);
    const words = [0, 4, 8, 12].map(
      (at) => drawn[at] | (drawn[at + 1] << 8) | (drawn[at + 2] << 16) | (drawn[at + 3] << 24),
    );
    for (let round = 0; round < 12; round += 1) word(words);
    return words;
  }

  const { random } = {
    random() {
      state ??= seed();
      return ((word(state) >>> 5) * 0x4000000 + (word(state) >>> 6)) / 0x20000000000000;
    },
  };
  Object.defineProperty(Math, "random", { value: random, writable: true, configurable: true });

  const integers = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    BigInt64Array,
    BigUint64Array,
  ];

  function bytes(count) {
    if (isLoading) throw new Error("crypto gives no random values while the app is loading");
    return host.randomBytes(count);
  }

  let mayConstruct = true;

  class Crypto {
    constructor() {
      if (!mayConstruct) throw new TypeError("Illegal constructor");
    }

    getRandomValues(array) {
      if (!integers.some((Type) => array instanceof Type)) {
        throw new DOMException(
          "The data argument must be an integer-type TypedArray",
          "TypeMismatchError",
        );
      }
      if (array.byteLength > 65536) {
        throw new DOMException(
          `The requested length exceeds 65,536 bytes: ${array.byteLength}`,
          "QuotaExceededError",
        );
      }
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytes(array.byteLength));
      return array;
    }

    randomUUID() {
      const drawn = bytes(16);
      drawn[6] = (drawn[6] & 0x0f) | 0x40;
      drawn[8] = (drawn[8] & 0x3f) | 0x80;
      const digits = Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    }
  }
  brand(Crypto, "Crypto");

  const crypto = new Crypto();
  mayConstruct = false;
  expose("Crypto", Crypto);
  expose("crypto", crypto);
}
