// Values as text, the way Node's console shows them.
//
// Follows: Node 20, "util.inspect" with the console's options: depth 2, 100 array items, 10,000
// characters a string, lines of 80, up to three levels on one line, aligned number columns,
// references for cycles, and the custom inspection symbol.
// Differs: a proxy is shown by what its traps answer; a promise's state cannot be seen; a list
// longer than 10,000 does not show its named properties; a value that throws while it is looked at
// is shown as `<threw …>`.
(host) => {
  const { coded } = globalThis.__world__;
  const LONG = 10000; // items; listing the keys of a longer list takes too long
  const custom = Symbol.for("nodejs.util.inspect.custom");
  const defaults = {
    depth: 2,
    showHidden: false,
    customInspect: true,
    breakLength: 80,
    compact: 3,
    maxArrayLength: 100,
    maxStringLength: 10000,
    colors: false,
  };
  const typedTag = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Int8Array.prototype),
    Symbol.toStringTag,
  ).get;
  const isIdentifier = (key) => /^[a-zA-Z_][a-zA-Z_0-9]*$/.test(key);
  const plural = (count, word) => `... ${count} more ${word}${count > 1 ? "s" : ""}`;
  const spaces = (count) => " ".repeat(count);

  function quote(text) {
    let mark = "'";
    if (text.includes("'")) {
      if (!text.includes('"')) mark = '"';
      else if (!text.includes("`") && !text.includes("${")) mark = "`";
    }
    const named = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\" };
    const escaped = text.replace(
      /[\0-\x1f\x7f-\x9f\\'"`]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      (one) => {
        if ("'\"`".includes(one)) return one === mark ? "\\" + one : one;
        const code = one.charCodeAt(0);
        if (code > 0xff) return "\\u" + code.toString(16);
        return named[one] ?? "\\x" + code.toString(16).toUpperCase().padStart(2, "0");
      },
    );
    return mark + escaped + mark;
  }

  function showString(context, text) {
    const { maxStringLength: most, breakLength, indent } = context;
    const cut = text.length > most ? text.slice(0, most) : text;
    const tail = text.length > most ? plural(text.length - most, "character") : "";
    if (cut.length <= 16 || cut.length <= breakLength - indent - 4) return quote(cut) + tail;
    return (
      cut
        .split(/(?<=\n)/)
        .map(quote)
        .join(` +\n${spaces(indent + 2)}`) + tail
    );
  }

  const showNumber = (value) => (Object.is(value, -0) ? "-0" : `${value}`);

  function showPrimitive(context, value) {
    if (typeof value === "string") return showString(context, value);
    if (typeof value === "number") return showNumber(value);
    if (typeof value === "bigint") return `${value}n`;
    return String(value);
  }

  // The name of the nearest constructor up the chain; null without one.
  function constructorName(value) {
    for (let at = value; at !== null; at = Object.getPrototypeOf(at)) {
      const found = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
      if (typeof found === "function" && found.name !== "" && value instanceof found)
        return found.name;
    }
    return null;
  }

  function tagOf(value, name) {
    if (Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag)) return "";
    const tag = value[Symbol.toStringTag];
    return typeof tag === "string" && tag !== name ? tag : "";
  }

  function prefix(name, tag, fallback, size = "") {
    const shown = name === null ? `[${fallback}${size}: null prototype]` : `${name}${size}`;
    return tag === "" || tag === name ? `${shown} ` : `${shown} [${tag}] `;
  }

  function keysOf(context, value) {
    const isIndexed = Array.isArray(value) || ArrayBuffer.isView(value) || value instanceof String;
    if (isIndexed && value.length > LONG) return [];
    return Reflect.ownKeys(value).filter((key) => {
      if (isIndexed && typeof key === "string" && /^(0|[1-9][0-9]*)$/.test(key)) return false;
      return context.showHidden || Object.prototype.propertyIsEnumerable.call(value, key);
    });
  }

  function showKey(key, isHidden) {
    if (typeof key === "symbol") return `[${String(key)}]`;
    if (key === "__proto__") return "['__proto__']";
    if (isHidden) return `[${key}]`;
    return isIdentifier(key) ? key : quote(key);
  }

  const nested = (context, value, level) => {
    context.indent += 2;
    const text = show(context, value, level);
    context.indent -= 2;
    return text;
  };

  function showProperty(context, value, key, level, isHidden = false) {
    const property = Object.getOwnPropertyDescriptor(value, key) ?? {
      value: value[key],
      enumerable: true,
    };
    let text;
    if (property.get !== undefined)
      text = property.set === undefined ? "[Getter]" : "[Getter/Setter]";
    else if (property.set !== undefined) text = "[Setter]";
    else text = nested(context, property.value, level);
    return `${showKey(key, isHidden || !property.enumerable)}: ${text}`;
  }

  // Where the next element of a list with holes stands; its length if there is none.
  function nextElement(list, from) {
    const indices = Object.keys(list).map(Number);
    return indices.find((index) => Number.isInteger(index) && index >= from) ?? list.length;
  }

  function showItems(context, list, level) {
    const out = [];
    const most = Math.min(context.maxArrayLength, list.length);
    let at = 0;
    while (at < list.length && out.length < most) {
      const next = Object.hasOwn(list, at) ? at : nextElement(list, at);
      if (next > at) out.push(`<${next - at} empty item${next - at > 1 ? "s" : ""}>`);
      else out.push(nested(context, list[at], level));
      at = Math.max(next, at + (next > at ? 0 : 1));
    }
    if (at < list.length) out.push(plural(list.length - at, "item"));
    return out;
  }

  function showMembers(context, collection, level, one) {
    const out = [];
    for (const entry of collection) {
      if (out.length >= context.maxArrayLength) {
        out.push(plural(collection.size - out.length, "item"));
        break;
      }
      out.push(one(entry));
    }
    return out;
  }

  const showMap = (context, map, level) =>
    showMembers(
      context,
      map,
      level,
      ([key, value]) => `${nested(context, key, level)} => ${nested(context, value, level)}`,
    );
  const showSet = (context, set, level) =>
    showMembers(context, set, level, (value) => nested(context, value, level));

  function showBytes(context, buffer) {
    const bytes = new Uint8Array(buffer);
    const shown = Array.from(bytes.slice(0, 50), (byte) => byte.toString(16).padStart(2, "0")).join(
      " ",
    );
    const more = bytes.length > 50 ? ` ${plural(bytes.length - 50, "byte")}` : "";
    return [`[Uint8Contents]: <${shown}${more}>`, `byteLength: ${buffer.byteLength}`];
  }

  const showView = (context, view, level) =>
    ["byteLength", "byteOffset", "buffer"].map(
      (key) => `${key}: ${nested(context, view[key], level)}`,
    );

  function functionBase(value, name, tag) {
    const source = Function.prototype.toString.call(value);
    if (/^class\b/.test(source)) {
      const parent = Object.getPrototypeOf(value)?.name;
      const own = Object.hasOwn(value, "name") && value.name ? value.name : "(anonymous)";
      return `[class ${own}${parent ? ` extends ${parent}` : ""}]`;
    }
    const kind = /^(Async|Generator|AsyncGenerator)Function$/.test(name) ? name : "Function";
    const shown = value.name === "" ? " (anonymous)" : `: ${value.name}`;
    return `[${kind}${name === null ? " (null prototype)" : ""}${shown}]${tag && tag !== kind ? ` [${tag}]` : ""}`;
  }

  function errorBase(context, error, keys) {
    const stack =
      typeof error.stack === "string" && error.stack !== ""
        ? error.stack
        : Error.prototype.toString.call(error);
    for (const name of ["name", "message", "stack"]) {
      const at = keys.indexOf(name);
      if (at >= 0 && stack.includes(String(error[name]))) keys.splice(at, 1);
    }
    for (const name of ["cause", "errors"]) {
      if (Object.hasOwn(error, name) && !keys.includes(name)) keys.push(name);
    }
    const text = /\n {4}at /.test(stack) ? stack : `[${stack}]`;
    return context.indent === 0 ? text : text.replaceAll("\n", "\n" + spaces(context.indent));
  }

  const unknown = () => ["<items unknown>"];

  function boxBase(value) {
    const primitive = value.valueOf();
    const shown =
      typeof primitive === "string" ? quote(primitive) : showPrimitive(defaults, primitive);
    return `[${typeof primitive === "bigint" ? "BigInt" : Object(primitive).constructor.name}: ${shown}]`;
  }

  // How one kind of object is shown: `base` alone if it has no own keys, or braces around `items`.
  function planOf(context, value, name, tag, keys) {
    const braces = (fallback, count, items, isArray = false) => ({
      base: "",
      open: prefix(name, tag, fallback, count < 0 ? "" : `(${count})`) + (isArray ? "[" : "{"),
      close: isArray ? "]" : "}",
      items,
      isArray,
      isEmpty: count === 0,
    });
    const based = (base) => ({ base, open: "{", close: "}", items: () => [], isBased: true });
    if (Array.isArray(value)) {
      const plan = braces("Array", value.length, showItems, true);
      return name === "Array" && tag === "" ? { ...plan, open: "[" } : plan;
    }
    if (typeof value === "function") return based(functionBase(value, name, tag));
    if (value instanceof Error) return based(errorBase(context, value, keys));
    if (value instanceof Map) return braces("Map", value.size, showMap);
    if (value instanceof Set) return braces("Set", value.size, showSet);
    if (value instanceof RegExp) return based(RegExp.prototype.toString.call(value));
    if (value instanceof Date)
      return based(Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString());
    const typed = typedTag.call(value);
    if (typed !== undefined) return braces(typed, value.length, showItems, true);
    return planOfRest(value, name, tag, braces, based);
  }

  function planOfRest(value, name, tag, braces, based) {
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
      return braces("ArrayBuffer", -1, showBytes);
    if (value instanceof DataView) return braces("DataView", -1, showView);
    if (value instanceof Promise) return braces("Promise", -1, () => ["<state unknown>"]);
    if (value instanceof WeakMap) return braces("WeakMap", -1, unknown);
    if (value instanceof WeakSet) return braces("WeakSet", -1, unknown);
    const boxes = [Number, String, Boolean, BigInt, Symbol];
    if (boxes.some((Type) => value instanceof Type)) return based(boxBase(value));
    if (Object.prototype.toString.call(value) === "[object Arguments]") {
      return { base: "", open: "[Arguments] {", close: "}", items: () => [], isEmpty: true };
    }
    const plan = { ...braces("Object", -1, () => []), isEmpty: true };
    return name === "Object" && tag === "" ? { ...plan, open: "{" } : plan;
  }

  // Long lists become columns of equal width, numbers aligned to the right.
  function columnsOf(context, output, list) {
    const count = context.maxArrayLength < output.length ? output.length - 1 : output.length;
    const lengths = output.slice(0, count).map((text) => text.length);
    const widest = Math.max(...lengths) + 2;
    const total = lengths.reduce((sum, length) => sum + length + 2, 0);
    const fits = widest * 3 + context.indent < context.breakLength;
    if (!fits || !(total / widest > 5 || widest <= 8)) return output;
    const bias = Math.max(widest - Math.sqrt(widest - total / output.length) - 3, 1);
    const columns = Math.min(
      Math.round(Math.sqrt(2.5 * bias * count) / bias),
      Math.floor((context.breakLength - context.indent) / widest),
      context.compact * 4,
      15,
    );
    if (columns <= 1) return output;
    const widths = Array.from(
      { length: columns },
      (nothing, column) => 2 + Math.max(...lengths.filter((length, at) => at % columns === column)),
    );
    const isNumeric =
      list !== undefined &&
      output.every((text, at) => ["number", "bigint"].includes(typeof list[at]));
    const pad = isNumeric ? "padStart" : "padEnd";
    const rows = [];
    for (let from = 0; from < count; from += columns) {
      const to = Math.min(from + columns, count);
      let row = "";
      for (let at = from; at < to; at += 1) {
        const isLast = at === to - 1;
        const cell = isLast ? output[at] : `${output[at]}, `;
        if (isLast) row += isNumeric ? cell.padStart(widths[at - from] - 2) : cell;
        else row += cell[pad](widths[at - from]);
      }
      rows.push(row);
    }
    return count < output.length ? [...rows, output[count]] : rows;
  }

  function assemble(context, plan, items, base, level, value) {
    const output = plan.isArray && items.length > 6 ? columnsOf(context, items, value) : items;
    const lead = base === "" ? "" : `${base} `;
    if (context.deepest - level < context.compact && output.length === items.length) {
      const start = output.length + context.indent + plan.open.length + base.length + 10;
      const total = output.reduce((sum, text) => sum + text.length, output.length + start);
      const joined = output.join(", ");
      if (total <= context.breakLength && !base.includes("\n") && !joined.includes("\n")) {
        return `${lead}${plan.open} ${joined} ${plan.close}`;
      }
    }
    const line = "\n" + spaces(context.indent);
    return `${lead}${plan.open}${line}  ${output.join(`,${line}  `)}${line}${plan.close}`;
  }

  function showObject(context, value, level) {
    const name = constructorName(value);
    const tag = tagOf(value, name);
    const keys = keysOf(context, value);
    const plan = planOf(context, value, name, tag, keys);
    if (keys.length === 0 && plan.isBased) return plan.base;
    if (keys.length === 0 && plan.isEmpty) return plan.open + plan.close;
    if (level > context.depth)
      return `[${prefix(name, tag, Array.isArray(value) ? "Array" : "Object").slice(0, -1)}]`;
    context.seen.push(value);
    context.deepest = level;
    const inner = level + 1;
    const items = plan.items(context, value, inner);
    const hiddenCause = value instanceof Error;
    for (const key of keys) {
      const isHidden =
        hiddenCause &&
        (key === "cause" || key === "errors") &&
        !Object.prototype.propertyIsEnumerable.call(value, key);
      items.push(showProperty(context, value, key, inner, isHidden));
    }
    context.seen.pop();
    const mark = context.cycles.get(value);
    const base =
      mark === undefined ? plan.base : `<ref *${mark}>${plan.base ? ` ${plan.base}` : ""}`;
    return assemble(context, plan, items, base, level, value);
  }

  function showCustom(context, value, level) {
    const method = value[custom];
    if (typeof method !== "function") return undefined;
    const options = { ...context.options, depth: context.depth - level };
    const shown = Reflect.apply(method, value, [options.depth, options, inspect]);
    if (shown === value) return undefined;
    if (typeof shown !== "string") return show(context, shown, level);
    return shown.replaceAll("\n", "\n" + spaces(context.indent));
  }

  function show(context, value, level) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) {
      return showPrimitive(context, value);
    }
    const [indent, depth] = [context.indent, context.seen.length];
    try {
      const shown = context.customInspect ? showCustom(context, value, level) : undefined;
      if (shown !== undefined) return shown;
      if (!context.seen.includes(value)) return showObject(context, value, level);
      if (!context.cycles.has(value)) context.cycles.set(value, context.cycles.size + 1);
      return `[Circular *${context.cycles.get(value)}]`;
    } catch (error) {
      context.indent = indent;
      context.seen.length = depth;
      return `<threw ${typeof error === "object" ? "an object" : typeof error}>`;
    }
  }

  function inspect(value, options = {}) {
    const merged = { ...defaults, ...options };
    merged.depth = merged.depth === null ? Infinity : merged.depth;
    return show(
      { ...merged, options: merged, indent: 0, deepest: 0, seen: [], cycles: new Map() },
      value,
      0,
    );
  }

  // What a wrong argument was, in the words of Node's errors.
  function received(value) {
    if (value === null || value === undefined) return String(value);
    if (typeof value === "function") return `function ${value.name}`;
    if (typeof value === "object") {
      const name = constructorName(value);
      return name === null ? inspect(value, { depth: -1 }) : `an instance of ${name}`;
    }
    const shown = inspect(value);
    return `type ${typeof value} (${shown.length > 28 ? `${shown.slice(0, 25)}...` : shown})`;
  }

  const argument = (name, wanted, value) =>
    coded(
      TypeError,
      "ERR_INVALID_ARG_TYPE",
      `The ${name} must be ${wanted}. Received ${received(value)}`,
    );

  // Makes instances of a class be shown as its name and what `view` tells of one.
  const inspectAs = (Type, view) =>
    Object.defineProperty(Type.prototype, custom, {
      configurable: true,
      writable: true,
      value(depth, options) {
        const name = constructorName(this) ?? Type.name;
        return depth < 0 ? `[${name}]` : `${name} ${inspect(view(this), options)}`;
      },
    });

  // The view that shows some of an object's properties.
  const picked = (names) => (value) => Object.fromEntries(names.map((name) => [name, value[name]]));

  Object.assign(globalThis.__world__, { inspect, inspectAs, picked, showNumber, argument });
}
