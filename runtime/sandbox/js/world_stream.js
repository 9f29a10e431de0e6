// ReadableStream, as far as bodies need it.
//
// Follows: WHATWG Streams Standard: ReadableStream with its default controller and default reader,
// queuing strategies, tee, from and async iteration; errors as Node 20 has them.
// Differs: no writable and no transform streams, so no pipeTo and pipeThrough; a source of type
// "bytes" gives an ordinary stream, without BYOB readers; a stream is cloned by no structuredClone.
(host) => {
  const { brand, coded, expose, inspectAs } = globalThis.__world__;
  const mint = Symbol("mint");
  const asyncIteratorPrototype = Object.getPrototypeOf(
    Object.getPrototypeOf(async function* () {}.prototype),
  );
  let internals; // stream -> its state, for this file alone

  const invalidState = (message) =>
    coded(TypeError, "ERR_INVALID_STATE", `Invalid state: ${message}`);

  // Everything a stream does, apart from the objects that show it.
  class Core {
    state = "readable";
    queue = []; // { chunk, size }
    total = 0;
    waiting = []; // reads that wait for a chunk: { resolve, reject }
    closing = false;
    started = false;
    pulling = false;
    again = false;
    disturbed = false;
    reader = null;
    error = undefined;

    constructor(source, strategy) {
      this.source = source;
      this.size = strategy?.size ?? (() => 1);
      this.most = strategy?.highWaterMark === undefined ? 1 : Number(strategy.highWaterMark);
      if (Number.isNaN(this.most) || this.most < 0) {
        throw coded(
          RangeError,
          "ERR_INVALID_ARG_VALUE",
          `The property 'strategy.highWaterMark' is invalid. Received ${strategy.highWaterMark}`,
        );
      }
    }

    begin(controller) {
      this.controller = controller;
      const begun = this.source.start?.(controller);
      Promise.resolve(begun).then(
        () => {
          this.started = true;
          this.pull();
        },
        (error) => this.fail(error),
      );
    }

    get desired() {
      if (this.state === "errored") return null;
      return this.state === "closed" ? 0 : this.most - this.total;
    }

    get isOpen() {
      return this.state === "readable" && !this.closing;
    }

    pull() {
      if (!this.started || !this.isOpen) return;
      if (this.waiting.length === 0 && this.desired <= 0) return;
      if (this.pulling) {
        this.again = true;
        return;
      }
      this.pulling = true;
      let pulled;
      try {
        pulled = this.source.pull?.(this.controller);
      } catch (error) {
        this.fail(error);
        return;
      }
      Promise.resolve(pulled).then(
        () => {
          this.pulling = false;
          if (!this.again) return;
          this.again = false;
          this.pull();
        },
        (error) => this.fail(error),
      );
    }

    enqueue(chunk) {
      if (!this.isOpen) throw invalidState("Controller is already closed");
      if (this.waiting.length > 0) this.waiting.shift().resolve({ value: chunk, done: false });
      else {
        let size;
        try {
          size = Number(this.size(chunk));
          if (!(size >= 0 && size < Infinity)) throw new RangeError("Invalid chunk size");
        } catch (error) {
          this.fail(error);
          throw error;
        }
        this.queue.push({ chunk, size });
        this.total += size;
      }
      this.pull();
    }

    close() {
      if (!this.isOpen) throw invalidState("Controller is already closed");
      this.closing = true;
      if (this.queue.length === 0) this.finish();
    }

    finish() {
      this.state = "closed";
      for (const one of this.waiting.splice(0)) one.resolve({ value: undefined, done: true });
      this.reader?.settle();
    }

    fail(error) {
      if (this.state !== "readable") return;
      this.state = "errored";
      this.error = error;
      this.queue.length = 0;
      for (const one of this.waiting.splice(0)) one.reject(error);
      this.reader?.settle();
    }

    async read() {
      this.disturbed = true;
      if (this.state === "errored") throw this.error;
      if (this.queue.length > 0) {
        const { chunk, size } = this.queue.shift();
        this.total -= size;
        if (this.closing && this.queue.length === 0) this.finish();
        else this.pull();
        return { value: chunk, done: false };
      }
      if (this.state === "closed") return { value: undefined, done: true };
      const promise = new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
      this.pull();
      return promise;
    }

    async cancel(reason) {
      this.disturbed = true;
      if (this.state === "closed") return;
      if (this.state === "errored") throw this.error;
      this.queue.length = 0;
      this.finish();
      await this.source.cancel?.(reason);
    }
  }

  class ReadableStreamDefaultController {
    #core;

    constructor(key, core) {
      if (key !== mint) throw coded(TypeError, "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor");
      this.#core = core;
    }

    get desiredSize() {
      return this.#core.desired;
    }

    enqueue(chunk = undefined) {
      this.#core.enqueue(chunk);
    }

    close() {
      this.#core.close();
    }

    error(error = undefined) {
      this.#core.fail(error);
    }
  }
  brand(ReadableStreamDefaultController, "ReadableStreamDefaultController");

  class ReadableStreamDefaultReader {
    #core;
    #closed;

    constructor(stream) {
      const core = internals(stream);
      if (core.reader !== null) throw invalidState("ReadableStream is locked");
      this.#core = core;
      const closed = Promise.withResolvers();
      closed.promise.catch(() => {});
      const settle = () => {
        if (core.state === "closed") closed.resolve(undefined);
        else if (core.state === "errored") closed.reject(core.error);
      };
      core.reader = { settle, reject: closed.reject };
      this.#closed = closed.promise;
      settle();
    }

    #attached() {
      if (this.#core === null) throw invalidState("The reader is not attached to a stream");
      return this.#core;
    }

    get closed() {
      return this.#closed;
    }

    async read() {
      return this.#attached().read();
    }

    async cancel(reason = undefined) {
      return this.#attached().cancel(reason);
    }

    releaseLock() {
      if (this.#core === null) return;
      const error = invalidState("Releasing reader");
      for (const one of this.#core.waiting.splice(0)) one.reject(error);
      if (this.#core.state === "readable") this.#core.reader.reject(error);
      else {
        this.#closed = Promise.reject(error);
        this.#closed.catch(() => {});
      }
      this.#core.reader = null;
      this.#core = null;
    }
  }
  brand(ReadableStreamDefaultReader, "ReadableStreamDefaultReader");

  class ReadableStream {
    #core;

    constructor(source = {}, strategy = {}) {
      if (source === null || typeof source !== "object") {
        throw coded(
          TypeError,
          "ERR_INVALID_ARG_TYPE",
          'The "source" argument must be of type object.',
        );
      }
      this.#core = new Core(source, strategy);
      this.#core.begin(new ReadableStreamDefaultController(mint, this.#core));
    }

    static {
      internals = (stream) => {
        if (typeof stream !== "object" || stream === null || !(#core in stream)) {
          throw coded(
            TypeError,
            "ERR_INVALID_ARG_TYPE",
            'The "stream" argument must be an instance of ReadableStream.',
          );
        }
        return stream.#core;
      };
    }

    static from(iterable) {
      const iterator =
        iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.() ?? undefined;
      if (iterator === undefined) {
        throw coded(TypeError, "ERR_ARG_NOT_ITERABLE", `${iterable} must be iterable`);
      }
      return new ReadableStream(
        {
          async pull(controller) {
            const { value, done } = await iterator.next();
            if (done) controller.close();
            else controller.enqueue(await value);
          },
          async cancel(reason) {
            await iterator.return?.(reason);
          },
        },
        { highWaterMark: 0 },
      );
    }

    get locked() {
      return this.#core.reader !== null;
    }

    async cancel(reason = undefined) {
      if (this.locked) throw invalidState("ReadableStream is locked");
      return this.#core.cancel(reason);
    }

    getReader(options = {}) {
      if (options?.mode !== undefined) {
        throw coded(
          TypeError,
          "ERR_INVALID_ARG_VALUE",
          "BYOB readers are not available in a sandbox",
        );
      }
      return new ReadableStreamDefaultReader(this);
    }

    // Both branches see the same chunks; the source is read as fast as the faster branch reads, and
    // cancelled once both are.
    tee() {
      const reader = this.getReader();
      const branches = [];
      const reasons = [];
      let isReading = false;
      const step = async () => {
        if (isReading) return;
        isReading = true;
        try {
          const { value, done } = await reader.read();
          for (const branch of branches) {
            if (branch.isCancelled) continue;
            if (done) branch.controller.close();
            else branch.controller.enqueue(value);
          }
        } catch (error) {
          for (const { controller } of branches) controller.error(error);
        }
        isReading = false;
      };
      const both = Promise.withResolvers();
      const fork = () => {
        const branch = { isCancelled: false };
        branches.push(branch);
        return new ReadableStream(
          {
            start(controller) {
              branch.controller = controller;
            },
            pull: step,
            cancel(reason) {
              branch.isCancelled = true;
              reasons[branches.indexOf(branch)] = reason;
              if (branches.every((one) => one.isCancelled)) both.resolve(reader.cancel(reasons));
              return both.promise;
            },
          },
          { highWaterMark: 0 },
        );
      };
      return [fork(), fork()];
    }

    // Written out, and no generator: this engine leaves a `for await` without waiting for what the
    // iterator's `return` does, so it must have done it when it is called.
    values({ preventCancel = false } = {}) {
      const reader = this.getReader();
      let isDone = false;
      const finish = () => {
        isDone = true;
        reader.releaseLock();
      };
      return Object.setPrototypeOf(
        {
          async next() {
            if (isDone) return { value: undefined, done: true };
            try {
              const step = await reader.read();
              if (step.done) finish();
              return step;
            } catch (error) {
              finish();
              throw error;
            }
          },
          async return(value = undefined) {
            const cancelled = isDone || preventCancel ? undefined : reader.cancel(value);
            if (!isDone) finish();
            await cancelled;
            return { value, done: true };
          },
        },
        asyncIteratorPrototype,
      );
    }
  }
  brand(ReadableStream, "ReadableStream");
  inspectAs(ReadableStream, (stream) => ({
    locked: stream.locked,
    state: internals(stream).state,
    supportsBYOB: false,
  }));
  Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, {
    value: ReadableStream.prototype.values,
    writable: true,
    configurable: true,
  });

  Object.assign(globalThis.__world__, { isDisturbed: (stream) => internals(stream).disturbed });
  expose("ReadableStream", ReadableStream);
  expose("ReadableStreamDefaultReader", ReadableStreamDefaultReader);
  expose("ReadableStreamDefaultController", ReadableStreamDefaultController);
}
