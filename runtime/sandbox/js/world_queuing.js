// Queuing strategies, and streams of bytes that are there already.
//
// Follows: WHATWG Streams Standard, "Queuing strategies".
// Differs: nothing known.
(host) => {
  const { brand, expose } = globalThis.__world__;
  const { ReadableStream } = globalThis;

  class CountQueuingStrategy {
    #most;

    constructor({ highWaterMark }) {
      this.#most = Number(highWaterMark);
    }

    get highWaterMark() {
      return this.#most;
    }

    get size() {
      return () => 1;
    }
  }
  brand(CountQueuingStrategy, "CountQueuingStrategy");

  class ByteLengthQueuingStrategy {
    #most;

    constructor({ highWaterMark }) {
      this.#most = Number(highWaterMark);
    }

    get highWaterMark() {
      return this.#most;
    }

    get size() {
      return (chunk) => chunk.byteLength;
    }
  }
  brand(ByteLengthQueuingStrategy, "ByteLengthQueuingStrategy");

  // Bytes that are there already, as a stream of one piece.
  const streamOf = (bytes) =>
    new ReadableStream(
      {
        pull(controller) {
          if (bytes().length > 0) controller.enqueue(bytes());
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );

  async function drain(stream) {
    const chunks = [];
    let length = 0;
    for await (const chunk of stream) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("Received non-Uint8Array chunk");
      chunks.push(chunk);
      length += chunk.length;
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  Object.assign(globalThis.__world__, { streamOf, drain });
  expose("CountQueuingStrategy", CountQueuingStrategy);
  expose("ByteLengthQueuingStrategy", ByteLengthQueuingStrategy);
}
