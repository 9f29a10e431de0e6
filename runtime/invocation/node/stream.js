// `stream` for bundled apps, as far as libraries need it to load and to pass bytes along.
//
// Follows: Node 20, "Stream": Readable, Writable, Duplex, Transform, PassThrough, pipeline and
// finished; flowing and paused reading, object mode, `end`, `finish`, `close` and `error`.
// Differs: what is written is taken at once, so `write` always answers true and nothing waits for
// `drain`; `highWaterMark` changes nothing.
const EventEmitter = require("./events.js");
const { StringDecoder } = require("./string_decoder.js");

const later = (act) => process.nextTick(act);
const asChunk = (chunk, encoding, isObjects) =>
  isObjects || typeof chunk !== "string" ? chunk : Buffer.from(chunk, encoding);

function Stream(options) {
  EventEmitter.call(this, options);
}
Object.setPrototypeOf(Stream.prototype, EventEmitter.prototype);
Object.setPrototypeOf(Stream, EventEmitter);

Stream.prototype.pipe = function pipe(target, { end = true } = {}) {
  this.on("data", (chunk) => target.write(chunk));
  if (end) this.on("end", () => target.end?.());
  target.emit("pipe", this);
  return target;
};

// ----------------------------------------------------------------------------------------- destroy
function destroy(error = null) {
  if (this.destroyed) return this;
  this.destroyed = true;
  const finish = (failure) => {
    if (failure) this.errored = failure;
    later(() => {
      if (failure) this.emit("error", failure);
      this.closed = true;
      this.emit("close");
    });
  };
  this._destroy(error, (failure) => finish(failure ?? error));
  return this;
}

const base = {
  destroy,
  _destroy(error, done) {
    done(error);
  },
};

function setUp(stream) {
  if (Object.hasOwn(stream, "destroyed")) return;
  Object.assign(stream, { destroyed: false, closed: false, errored: null });
}

// ---------------------------------------------------------------------------------------- readable
function Readable(options = {}) {
  if (!(this instanceof Readable)) return new Readable(options);
  Stream.call(this);
  setUpReadable(this, options ?? {});
}
Object.setPrototypeOf(Readable.prototype, Stream.prototype);
Object.setPrototypeOf(Readable, Stream);

function setUpReadable(stream, options) {
  setUp(stream);
  stream.readable = true;
  stream.readableEnded = false;
  stream.readableFlowing = null;
  stream.readableObjectMode = Boolean(options.objectMode ?? options.readableObjectMode);
  stream._readableState = { queue: [], ended: false, asked: false, decoder: null };
  if (options.read) stream._read = options.read;
  if (options.destroy) stream._destroy = options.destroy;
  if (options.encoding) stream.setEncoding(options.encoding);
}

function advance(stream) {
  const state = stream._readableState;
  if (stream.destroyed) return;
  while (stream.readableFlowing && state.queue.length > 0) stream.emit("data", state.queue.shift());
  if (state.queue.length > 0) return;
  if (state.ended) {
    if (stream.readableEnded || stream.readableFlowing === null) return;
    stream.readableEnded = true;
    stream.readable = false;
    stream.emit("end");
    if (stream.writable !== true) stream.destroy();
    return;
  }
  if (state.asked || !stream.readableFlowing) return;
  state.asked = true;
  later(() => {
    if (!stream.destroyed && !state.ended) stream._read();
    state.asked = false;
  });
}

const readable = {
  ...base,
  _read() {},
  push(chunk, encoding = undefined) {
    const state = this._readableState;
    if (chunk === null) {
      const rest = state.decoder?.end();
      if (rest) state.queue.push(rest);
      state.ended = true;
    } else {
      const bytes = asChunk(chunk, encoding, this.readableObjectMode);
      const shown = state.decoder === null ? bytes : state.decoder.write(bytes);
      if (this.readableObjectMode || shown.length > 0) state.queue.push(shown);
    }
    if (this.readableFlowing === null || !this.readableFlowing) later(() => this.emit("readable"));
    state.asked = false;
    later(() => advance(this));
    return true;
  },
  unshift(chunk) {
    this._readableState.queue.unshift(asChunk(chunk, undefined, this.readableObjectMode));
  },
  read() {
    const { queue, ended } = this._readableState;
    if (queue.length === 0) {
      if (!ended) this._read();
      else {
        this.readableFlowing ??= false;
        later(() => advance(this));
      }
    }
    return queue.shift() ?? null;
  },
  setEncoding(encoding) {
    this._readableState.decoder = new StringDecoder(encoding);
    return this;
  },
  resume() {
    this.readableFlowing = true;
    later(() => advance(this));
    return this;
  },
  pause() {
    this.readableFlowing = false;
    return this;
  },
  isPaused() {
    return this.readableFlowing === false;
  },
  unpipe() {
    this.removeAllListeners("data");
    return this.pause();
  },
  on(type, listener) {
    EventEmitter.prototype.on.call(this, type, listener);
    if (type === "data" && this.readableFlowing !== false) this.resume();
    if (type === "readable") later(() => this._readableState.queue.length === 0 && this._read());
    return this;
  },
  // Written out, and no generator: this engine leaves a `for await` without waiting for what the
  // iterator's `return` does.
  [Symbol.asyncIterator]() {
    const state = this._readableState;
    let wake = () => {};
    const poke = () => wake();
    for (const type of ["readable", "end", "error", "close"])
      EventEmitter.prototype.on.call(this, type, poke);
    const over = { value: undefined, done: true };
    return {
      next: async () => {
        while (true) {
          if (state.queue.length > 0) return { value: state.queue.shift(), done: false };
          if (this.errored) throw this.errored;
          if (state.ended || this.destroyed) {
            this.destroy();
            return over;
          }
          const woken = new Promise((resolve) => {
            wake = resolve;
          });
          this._read();
          if (state.queue.length === 0 && !state.ended) await woken;
        }
      },
      return: async () => {
        this.destroy();
        return over;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  },
};
Object.assign(Readable.prototype, readable);
Readable.prototype.addListener = Readable.prototype.on;

Readable.from = (items, options = {}) => {
  const isWhole = typeof items === "string" || Buffer.isBuffer(items);
  const source = isWhole ? [items] : items;
  const iterator = (source[Symbol.asyncIterator] ?? source[Symbol.iterator]).call(source);
  return new Readable({
    objectMode: true,
    ...options,
    async read() {
      try {
        const { value, done } = await iterator.next();
        this.push(done ? null : await value);
      } catch (error) {
        this.destroy(error);
      }
    },
  });
};

// ---------------------------------------------------------------------------------------- writable
function Writable(options = {}) {
  if (!(this instanceof Writable) && !(this instanceof Duplex)) return new Writable(options);
  Stream.call(this);
  setUpWritable(this, options ?? {});
}
Object.setPrototypeOf(Writable.prototype, Stream.prototype);
Object.setPrototypeOf(Writable, Stream);

function setUpWritable(stream, options) {
  setUp(stream);
  stream.writable = true;
  stream.writableEnded = false;
  stream.writableFinished = false;
  stream.writableObjectMode = Boolean(options.objectMode ?? options.writableObjectMode);
  stream._writableState = { queue: [], isBusy: false };
  for (const [name, method] of [
    ["write", "_write"],
    ["writev", "_writev"],
    ["final", "_final"],
    ["destroy", "_destroy"],
  ])
    if (options[name]) stream[method] = options[name];
  if (options.decodeStrings === false) stream._writableState.keepsStrings = true;
}

function work(stream) {
  const state = stream._writableState;
  if (state.isBusy || stream.destroyed) return;
  const next = state.queue.shift();
  if (next === undefined) {
    if (stream.writableEnded && !stream.writableFinished) finish(stream);
    return;
  }
  state.isBusy = true;
  stream._write(next.chunk, next.encoding, (error) => {
    state.isBusy = false;
    later(() => next.done?.(error ?? null));
    if (error) stream.destroy(error);
    else work(stream);
  });
}

function finish(stream) {
  stream._writableState.isBusy = true;
  stream._final((error) => {
    if (error) {
      stream.destroy(error);
      return;
    }
    stream.writableFinished = true;
    later(() => {
      stream.emit("finish");
      if (stream.readable !== true) stream.destroy();
    });
  });
}

const writable = {
  ...base,
  _write(chunk, encoding, done) {
    if (this._writev) this._writev([{ chunk, encoding }], done);
    else done(new Error("The _write() method is not implemented"));
  },
  _final(done) {
    done();
  },
  write(chunk, encoding = undefined, callback = undefined) {
    const done = typeof encoding === "function" ? encoding : callback;
    const code = typeof encoding === "string" ? encoding : undefined;
    if (this.writableEnded) {
      const error = Object.assign(new Error("write after end"), {
        code: "ERR_STREAM_WRITE_AFTER_END",
      });
      later(() => done?.(error));
      this.destroy(error);
      return false;
    }
    const isKept = this.writableObjectMode || this._writableState.keepsStrings;
    const bytes = asChunk(chunk, code, isKept);
    this._writableState.queue.push({ chunk: bytes, encoding: code ?? "buffer", done });
    work(this);
    return true;
  },
  end(chunk = undefined, encoding = undefined, callback = undefined) {
    const done = [chunk, encoding, callback].find((one) => typeof one === "function");
    if (chunk !== undefined && chunk !== null && typeof chunk !== "function")
      this.write(chunk, encoding);
    if (done) this.once("finish", done);
    this.writableEnded = true;
    this.writable = false;
    work(this);
    return this;
  },
  cork() {},
  uncork() {},
  setDefaultEncoding() {
    return this;
  },
};
Object.assign(Writable.prototype, writable);

// ------------------------------------------------------------------------------------------ both
function Duplex(options = {}) {
  if (!(this instanceof Duplex)) return new Duplex(options);
  Readable.call(this, options);
  setUpWritable(this, options ?? {});
  this.allowHalfOpen = options?.allowHalfOpen !== false;
}
Object.setPrototypeOf(Duplex.prototype, Readable.prototype);
Object.setPrototypeOf(Duplex, Readable);
for (const [name, method] of Object.entries(writable))
  if (!(name in base)) Duplex.prototype[name] = method;

function Transform(options = {}) {
  if (!(this instanceof Transform)) return new Transform(options);
  Duplex.call(this, options);
  if (options?.transform) this._transform = options.transform;
  if (options?.flush) this._flush = options.flush;
}
Object.setPrototypeOf(Transform.prototype, Duplex.prototype);
Object.setPrototypeOf(Transform, Duplex);
Object.assign(Transform.prototype, {
  _transform(chunk, encoding, done) {
    done(new Error("The _transform() method is not implemented"));
  },
  _flush(done) {
    done();
  },
  _write(chunk, encoding, done) {
    this._transform(chunk, encoding, (error, value) => {
      if (value !== undefined && value !== null) this.push(value);
      done(error);
    });
  },
  _final(done) {
    this._flush((error, value) => {
      if (value !== undefined && value !== null) this.push(value);
      if (!error) this.push(null);
      done(error);
    });
  },
});

function PassThrough(options = {}) {
  if (!(this instanceof PassThrough)) return new PassThrough(options);
  Transform.call(this, options);
}
Object.setPrototypeOf(PassThrough.prototype, Transform.prototype);
Object.setPrototypeOf(PassThrough, Transform);
PassThrough.prototype._transform = (chunk, encoding, done) => done(null, chunk);

function finished(stream, options, callback = options) {
  let isDone = false;
  const settle = (error) => {
    if (isDone) return;
    isDone = true;
    callback(error);
  };
  stream.on("error", settle);
  stream.on("close", () => settle(stream.errored ?? undefined));
  stream.on("finish", () => stream.readable !== true && settle());
  stream.on("end", () => stream.writable !== true && settle());
  return () => {
    isDone = true;
  };
}

function pipeline(...args) {
  const callback = typeof args.at(-1) === "function" ? args.pop() : () => {};
  const streams = args.flat().map((one) => (one.on ? one : Readable.from(one)));
  let isDone = false;
  const settle = (error) => {
    if (isDone) return;
    isDone = true;
    if (error) for (const one of streams) one.destroy?.(error);
    callback(error);
  };
  for (const one of streams) one.on("error", settle);
  finished(streams.at(-1), settle);
  return streams.reduce((from, to) => from.pipe(to));
}

// One by one, so that they can be imported by name.
module.exports = Stream;
module.exports.Stream = Stream;
module.exports.Readable = Readable;
module.exports.Writable = Writable;
module.exports.Duplex = Duplex;
module.exports.Transform = Transform;
module.exports.PassThrough = PassThrough;
module.exports.finished = finished;
module.exports.pipeline = pipeline;
