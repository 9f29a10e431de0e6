// Numbers in a Buffer: reading and writing, in both byte orders and every width.
//
// Follows: Node 20, "buf.readUInt8(offset)" and its kin: names, defaults, ranges and error codes.
// Differs: nothing known.
(host) => {
  const { argument, coded, outside } = globalThis.__world__;
  const { Buffer } = globalThis;

  const viewOf = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const grouped = (value) => `${value}`.replace(/\B(?=(\d{3})+(?!\d))/g, "_");
  const shown = (value) => {
    const isBig = typeof value === "bigint";
    const isLong = isBig || Math.abs(value) > 2 ** 32;
    return (isLong ? grouped(value) : `${value}`) + (isBig ? "n" : "");
  };

  function place(buffer, offset, width) {
    if (typeof offset !== "number") throw argument('"offset" argument', "of type number", offset);
    const last = buffer.length - width;
    if (!Number.isInteger(offset)) throw outside("offset", "an integer", offset);
    if (last < 0) {
      throw coded(
        RangeError,
        "ERR_BUFFER_OUT_OF_BOUNDS",
        "Attempt to access memory outside buffer bounds",
      );
    }
    if (offset < 0 || offset > last) throw outside("offset", `>= 0 and <= ${last}`, offset);
    return offset;
  }

  function rangeText(least, most, width, isBig) {
    if (width <= 4) return `>= ${least} and <= ${most}`;
    const unit = isBig ? "n" : "";
    const bits = width * 8;
    return least < 0
      ? `>= -(2${unit} ** ${bits - 1}${unit}) and < 2${unit} ** ${bits - 1}${unit}`
      : `>= 0${unit} and < 2${unit} ** ${bits}${unit}`;
  }

  function checked(value, least, most, width) {
    if (value >= least && value <= most) return;
    if (value !== value) return; // NaN is written as 0
    throw coded(
      RangeError,
      "ERR_OUT_OF_RANGE",
      'The value of "value" is out of range. It must be ' +
        `${rangeText(least, most, width, typeof value === "bigint")}. Received ${shown(value)}`,
    );
  }

  function define(names, { method }) {
    for (const name of names) {
      Object.defineProperty(Buffer.prototype, name, {
        value: method,
        writable: true,
        configurable: true,
        enumerable: true,
      });
    }
    Object.defineProperty(method, "name", { value: names[0], configurable: true });
  }

  const both = (name) => [name, name.replace("UInt", "Uint")];
  const spelt = (name) => (name.includes("UInt") ? both(name) : [name]);

  // One row per width and kind: Node's name, DataView's name, bytes, least, most.
  const rows = [
    ["UInt8", "Uint8", 1, 0, 255],
    ["Int8", "Int8", 1, -128, 127],
    ["UInt16", "Uint16", 2, 0, 65535],
    ["Int16", "Int16", 2, -32768, 32767],
    ["UInt32", "Uint32", 4, 0, 4294967295],
    ["Int32", "Int32", 4, -2147483648, 2147483647],
    ["BigUInt64", "BigUint64", 8, 0n, 2n ** 64n - 1n],
    ["BigInt64", "BigInt64", 8, -(2n ** 63n), 2n ** 63n - 1n],
    ["Float", "Float32", 4, -Infinity, Infinity],
    ["Double", "Float64", 8, -Infinity, Infinity],
  ];
  for (const [name, kind, width, least, most] of rows) {
    for (const order of width === 1 ? [""] : ["LE", "BE"]) {
      const isLittle = order === "LE";
      define(spelt(`read${name}${order}`), {
        method(offset = 0) {
          return viewOf(this)[`get${kind}`](place(this, offset, width), isLittle);
        },
      });
      define(spelt(`write${name}${order}`), {
        method(value, offset = 0) {
          const given = typeof least === "bigint" ? value : +value;
          checked(given, least, most, width);
          viewOf(this)[`set${kind}`](place(this, offset, width), given, isLittle);
          return offset + width;
        },
      });
    }
  }

  function wide(width) {
    if (typeof width !== "number") throw argument('"byteLength" argument', "of type number", width);
    if (!Number.isInteger(width)) throw outside("byteLength", "an integer", width);
    if (width < 1 || width > 6) throw outside("byteLength", ">= 1 and <= 6", width);
    return width;
  }

  for (const isSigned of [false, true]) {
    for (const order of ["LE", "BE"]) {
      const name = `${isSigned ? "Int" : "UInt"}${order}`;
      const index = (offset, width, at) => offset + (order === "LE" ? at : width - 1 - at);
      define(spelt(`read${name}`), {
        method(offset, width) {
          if (offset === undefined) throw argument('"offset" argument', "of type number", offset);
          const from = place(this, offset, wide(width));
          let value = 0;
          for (let at = width - 1; at >= 0; at -= 1)
            value = value * 256 + this[index(from, width, at)];
          return isSigned && value >= 2 ** (width * 8 - 1) ? value - 2 ** (width * 8) : value;
        },
      });
      define(spelt(`write${name}`), {
        method(value, offset, width) {
          const bits = wide(width) * 8;
          const [least, most] = isSigned
            ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
            : [0, 2 ** bits - 1];
          checked(+value, least, most, width);
          const from = place(this, offset, width);
          let rest = +value;
          for (let at = 0; at < width; at += 1) {
            this[index(from, width, at)] = rest;
            rest = Math.floor(rest / 256);
          }
          return offset + width;
        },
      });
    }
  }
}
