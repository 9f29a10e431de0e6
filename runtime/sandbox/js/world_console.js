// The console: formatted text to the host's log, one line per call.
//
// Follows: WHATWG Console Standard for the methods and the level each logs at; Node 20 for how
// arguments become text (util.format, console.table) and for group indentation.
// Differs: no colours; what is logged while an app is loading is logged again at the start of every
// invocation, as if each had loaded the app itself; at most 100 such lines are kept.
(host) => {
  const { expose, inspect, showNumber } = globalThis.__world__;
  const loadLines = [];
  let isLoading = true;
  let indent = "";

  host.onStart(() => {
    isLoading = false;
    for (const { level, text } of loadLines) host.log(level, text);
    loadLines.length = 0;
  });

  function write(level, text) {
    const line = indent === "" ? text : indent + text.replaceAll("\n", "\n" + indent);
    if (!isLoading) host.log(level, line);
    else if (loadLines.length < 100) loadLines.push({ level, text: line });
  }

  // Whether an object's text comes from app code rather than from a class of the language.
  const hasOwnText = (value) => {
    let at = value;
    while (at !== null && !Object.hasOwn(at, "toString")) at = Object.getPrototypeOf(at);
    if (at === null) return false;
    return (
      at === value ||
      !/\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(at.constructor))
    );
  };

  function asString(value) {
    if (typeof value === "number") return showNumber(value);
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value !== "object" || value === null || hasOwnText(value)) return String(value);
    return inspect(value, { depth: 0 });
  }

  function asJson(value) {
    try {
      return JSON.stringify(value);
    } catch (error) {
      if (/circular/i.test(error?.message)) return "[Circular]";
      throw error;
    }
  }

  const asNumber = (convert) => (value) => {
    if (typeof value === "bigint") return `${value}n`;
    return typeof value === "symbol" || typeof value === "object"
      ? "NaN"
      : showNumber(convert(value));
  };

  const directives = {
    s: asString,
    d: (value) =>
      typeof value === "object" && value !== null && hasOwnText(value)
        ? showNumber(Number(value))
        : asNumber(Number)(value),
    i: asNumber((value) => parseInt(value)),
    f: (value) => (typeof value === "symbol" ? "NaN" : showNumber(parseFloat(value))),
    j: asJson,
    o: (value) => inspect(value, { showHidden: true, depth: 4 }),
    O: (value) => inspect(value),
    c: () => "",
  };

  function format(args) {
    const [first, ...rest] = args;
    const parts = [];
    if (typeof first === "string" && rest.length > 0) {
      parts.push(
        first.replace(/%([sdifjoOc%])/g, (whole, letter) => {
          if (letter === "%") return "%";
          return rest.length > 0 ? directives[letter](rest.shift()) : whole;
        }),
      );
    } else if (args.length > 0) parts.push(typeof first === "string" ? first : inspect(first));
    for (const one of rest) parts.push(typeof one === "string" ? one : inspect(one));
    return parts.join(" ");
  }

  // Formatting runs app code (getters, toString): whatever that throws must not leave the console.
  function safely(args) {
    try {
      return format(args);
    } catch {
      return "<could not be shown>";
    }
  }

  function table(rows, columns) {
    const width = (text) => [...text].length;
    const widths = columns.map(
      (name, at) => Math.max(width(name), ...rows.map((row) => width(row[at]))) + 2,
    );
    const cell = (text, at) => ` ${text}${" ".repeat(widths[at] - width(text) - 1)}`;
    const rule = (left, middle, right) =>
      left + widths.map((one) => "─".repeat(one)).join(middle) + right;
    const line = (cells) => "│" + cells.map(cell).join("│") + "│";
    return [
      rule("┌", "┬", "┐"),
      line(columns),
      rule("├", "┼", "┤"),
      ...rows.map(line),
      rule("└", "┴", "┘"),
    ].join("\n");
  }

  const isObject = (value) => typeof value === "object" && value !== null;

  // An object with more than two keys is only named in a cell.
  const inCell = (value) =>
    inspect(value, {
      depth: isObject(value) && !Array.isArray(value) && Object.keys(value).length > 2 ? -1 : 0,
    });

  function tabulate(data, only) {
    const columns = [];
    let hasValues = false;
    const rows = Object.entries(data).map(([index, row]) => {
      const cells = new Map();
      if (isObject(row)) {
        for (const key of only ?? Object.keys(row)) {
          if (!columns.includes(key)) columns.push(key);
          if (Object.hasOwn(row, key)) cells.set(key, inCell(row[key]));
        }
      } else hasValues = true;
      return { index, cells, value: isObject(row) ? "" : inCell(row) };
    });
    return table(
      rows.map(({ index, cells, value }) => [
        index,
        ...columns.map((key) => cells.get(key) ?? ""),
        ...(hasValues ? [value] : []),
      ]),
      ["(index)", ...columns, ...(hasValues ? ["Values"] : [])],
    );
  }

  function tabulateCollection(data) {
    const rows =
      data instanceof Map
        ? [...data].map(([key, value], at) => [String(at), inCell(key), inCell(value)])
        : [...data].map((value, at) => [String(at), inCell(value)]);
    return table(rows, ["(iteration index)", ...(data instanceof Map ? ["Key"] : []), "Values"]);
  }

  const counts = new Map();
  const timers = new Map();
  const elapsed = (label) =>
    `${label}: ${Math.round((host.now() - timers.get(label)) * 1000) / 1000}ms`;

  const console = {
    log(...args) {
      write("info", safely(args));
    },
    info(...args) {
      write("info", safely(args));
    },
    debug(...args) {
      write("debug", safely(args));
    },
    warn(...args) {
      write("warn", safely(args));
    },
    error(...args) {
      write("error", safely(args));
    },
    trace(...args) {
      const text = safely(args);
      const [, ...frames] = `${new Error().stack}`.split("\n").slice(1);
      write("info", [`Trace${text === "" ? "" : `: ${text}`}`, ...frames].join("\n"));
    },
    dir(value, options = {}) {
      write("info", inspect(value, { customInspect: false, ...options }));
    },
    dirxml(...args) {
      console.log(...args);
    },
    assert(condition, ...args) {
      if (condition) return;
      const [first, ...rest] = args;
      console.warn(args.length > 0 ? `Assertion failed: ${first}` : "Assertion failed", ...rest);
    },
    table(data, columns = undefined) {
      if (!isObject(data)) console.log(data);
      else if (data instanceof Map || data instanceof Set) write("info", tabulateCollection(data));
      else write("info", tabulate(data, columns?.map(String)));
    },
    group(...args) {
      if (args.length > 0) console.log(...args);
      indent += "  ";
    },
    groupCollapsed(...args) {
      console.group(...args);
    },
    groupEnd() {
      indent = indent.slice(2);
    },
    count(label = "default") {
      const count = (counts.get(`${label}`) ?? 0) + 1;
      counts.set(`${label}`, count);
      console.log(`${label}: ${count}`);
    },
    countReset(label = "default") {
      counts.delete(`${label}`);
    },
    time(label = "default") {
      timers.set(`${label}`, host.now());
    },
    timeLog(label = "default", ...args) {
      if (timers.has(`${label}`)) console.log(elapsed(`${label}`), ...args);
    },
    timeEnd(label = "default") {
      if (timers.has(`${label}`)) console.log(elapsed(`${label}`));
      timers.delete(`${label}`);
    },
  };
  Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });
  globalThis.__world__.formatText = format;
  expose("console", console);
}
