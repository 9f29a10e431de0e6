// Numbers as people in the United States write them: toLocaleString and Intl.NumberFormat.
//
// Follows: ECMA-402, "NumberFormat Objects", with the data of en-US as Node 20 has it: decimal,
// percent and currency styles, compact notation (short), grouping, digits, signs; half away from
// zero on the shortest decimal form of a number.
// Differs: every locale is en-US, and resolvedOptions says so; units, scientific notation, currency
// names and other roundings are refused with a RangeError; there is no formatToParts.
(host) => {
  const { coded, expose } = globalThis.__world__;
  const symbols = new Map(
    Object.entries({
      AUD: "A$",
      BRL: "R$",
      CAD: "CA$",
      CNY: "CN¥",
      EUR: "€",
      GBP: "£",
      HKD: "HK$",
      ILS: "₪",
      INR: "₹",
      JPY: "¥",
      KRW: "₩",
      MXN: "MX$",
      NZD: "NZ$",
      PHP: "₱",
      TWD: "NT$",
      USD: "$",
      VND: "₫",
    }),
  );
  const narrow = new Map(
    [..."AUD BRL CAD HKD MXN NZD TWD USD".split(" ")].map((code) => [code, "$"]),
  );
  narrow.set("BRL", "R$").set("CNY", "¥");
  const currencyDigits = (code) =>
    /^(CLP|ISK|JPY|KRW|PYG|UGX|VND|XAF|XOF|XPF)$/.test(code)
      ? 0
      : /^(BHD|IQD|JOD|KWD|LYD|OMR|TND)$/.test(code)
        ? 3
        : 2;

  const refuse = (what) =>
    coded(RangeError, "NOT_EMULATED", `${what} is not available in a sandbox.`);

  function checkLocales(locales) {
    const list = locales === undefined ? [] : Array.isArray(locales) ? locales : [locales];
    for (const one of list) {
      if (!/^[a-z]{2,8}(?:[-_][a-z0-9]{1,8})*$/i.test(`${one}`) || `${one}`.includes("_"))
        throw new RangeError(`Incorrect locale information provided`);
    }
  }

  function oneOf(options, name, allowed, standard) {
    const value = options[name];
    if (value === undefined) return standard;
    if (!allowed.includes(value))
      throw new RangeError(`Value ${String(value)} out of range for Intl options property ${name}`);
    return value;
  }

  function digits(options, name, least, most, standard) {
    if (options[name] === undefined) return standard;
    const value = Number(options[name]);
    if (!(value >= least && value <= most)) throw new RangeError(`${name} value is out of range.`);
    return Math.floor(value);
  }

  function fractionDigits(options, resolved) {
    const standard = { decimal: [0, 3], percent: [0, 0] }[resolved.style] ?? [
      currencyDigits(resolved.currency),
      currencyDigits(resolved.currency),
    ];
    const given = digits(options, "minimumFractionDigits", 0, 20, undefined);
    const most = digits(options, "maximumFractionDigits", 0, 20, undefined);
    if (given !== undefined && most !== undefined && given > most)
      throw new RangeError("maximumFractionDigits value is out of range.");
    resolved.minimumFractionDigits = given ?? Math.min(standard[0], most ?? standard[0]);
    resolved.maximumFractionDigits = most ?? Math.max(standard[1], resolved.minimumFractionDigits);
  }

  function resolve(options) {
    const style = oneOf(options, "style", ["decimal", "percent", "currency", "unit"], "decimal");
    if (style === "unit") throw refuse("Formatting units");
    const notations = ["standard", "scientific", "engineering", "compact"];
    const notation = oneOf(options, "notation", notations, "standard");
    if (notation === "scientific" || notation === "engineering")
      throw refuse(`${notation} notation`);
    const compactDisplay = oneOf(options, "compactDisplay", ["short", "long"], "short");
    if (notation === "compact" && compactDisplay === "long") throw refuse("Long compact notation");
    const resolved = { locale: "en-US", numberingSystem: "latn", style, notation };
    if (style === "currency") {
      if (options.currency === undefined)
        throw new TypeError("Currency code is required with currency style.");
      const code = `${options.currency}`.toUpperCase();
      if (!/^[A-Z]{3}$/.test(code))
        throw new RangeError(`Invalid currency code : ${options.currency}`);
      const displays = ["symbol", "narrowSymbol", "code", "name"];
      resolved.currency = code;
      resolved.currencyDisplay = oneOf(options, "currencyDisplay", displays, "symbol");
      if (resolved.currencyDisplay === "name") throw refuse("Names of currencies");
      resolved.currencySign = oneOf(
        options,
        "currencySign",
        ["standard", "accounting"],
        "standard",
      );
    }
    const signs = ["auto", "never", "always", "exceptZero", "negative"];
    resolved.signDisplay = oneOf(options, "signDisplay", signs, "auto");
    resolved.minimumIntegerDigits = digits(options, "minimumIntegerDigits", 1, 21, 1);
    for (const name of [
      "roundingMode",
      "roundingIncrement",
      "roundingPriority",
      "trailingZeroDisplay",
    ])
      if (options[name] !== undefined) throw refuse(`The option ${name}`);
    resolved.useGrouping = grouping(options.useGrouping, notation);
    const least = digits(options, "minimumSignificantDigits", 1, 21, undefined);
    const most = digits(options, "maximumSignificantDigits", 1, 21, undefined);
    if (least !== undefined || most !== undefined) {
      resolved.minimumSignificantDigits = least ?? 1;
      resolved.maximumSignificantDigits = most ?? 21;
      if (resolved.minimumSignificantDigits > resolved.maximumSignificantDigits)
        throw new RangeError("maximumSignificantDigits value is out of range.");
    } else {
      const isOpen =
        options.minimumFractionDigits === undefined && options.maximumFractionDigits === undefined;
      if (notation === "compact" && isOpen) resolved.isCompactRounding = true;
      fractionDigits(options, resolved);
    }
    return resolved;
  }

  function grouping(value, notation) {
    if (value === undefined) return notation === "compact" ? "min2" : "auto";
    if (value === true || value === "true" || value === "always") return "always";
    if (value === false || value === "false") return value === false ? false : "auto";
    if (value === "auto" || value === "min2") return value;
    throw new RangeError(
      `Value ${String(value)} out of range for Intl options property useGrouping`,
    );
  }

  // ------------------------------------------------------------------------------------- decimals
  // A number as decimal digits and the place of the point: 12.5 is "125" and 2.
  function decimalOf(value) {
    if (typeof value === "bigint") {
      const text = `${value}`.replace("-", "");
      return { digits: text, point: text.length };
    }
    const [, head, tail = "", exponent] = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(
      Math.abs(value).toExponential(),
    );
    return { digits: head + tail, point: Number(exponent) + 1 };
  }

  // Keeps that many digits after the start (they may be none or less), half away from zero.
  function rounded({ digits: all, point }, kept) {
    if (kept >= all.length) return { digits: all, point };
    if (kept < 0) return { digits: "0", point: 1 };
    const isUp = all[kept] >= "5";
    const head = all.slice(0, kept);
    if (!isUp) return head === "" ? { digits: "0", point: 1 } : { digits: head, point };
    const more = `${BigInt(`0${head}`) + 1n}`.padStart(kept, "0");
    return { digits: more, point: point + more.length - kept };
  }

  function split({ digits: all, point }) {
    if (point <= 0) return ["0", "0".repeat(-point) + all];
    return [all.slice(0, point).padEnd(point, "0"), all.slice(point)];
  }

  function shape(decimal, options) {
    const { maximumSignificantDigits: most, minimumSignificantDigits: least } = options;
    if (most !== undefined) {
      const isZero = /^0*$/.test(decimal.digits);
      const [whole, fraction] = split(rounded(decimal, most));
      const bare = fraction.replace(/0+$/, "");
      const have = isZero ? 1 : (whole === "0" ? "" : whole).length;
      const lead = whole === "0" ? /^0*/.exec(bare)[0].length : 0;
      return [whole, bare.padEnd(Math.max(0, least - have) + lead, "0")];
    }
    if (options.isCompactRounding) {
      const kept = decimal.point > 1 ? decimal.point : 2;
      const [whole, fraction] = split(rounded(decimal, kept));
      return [whole, fraction.replace(/0+$/, "")];
    }
    const [whole, fraction] = split(
      rounded(decimal, decimal.point + options.maximumFractionDigits),
    );
    return [whole, fraction.replace(/0+$/, "").padEnd(options.minimumFractionDigits, "0")];
  }

  function grouped(whole, kind) {
    const least = kind === "min2" ? 5 : 4;
    if (kind === false || whole.length < least) return whole;
    return whole.replace(/\B(?=(\d{3})+$)/g, ",");
  }

  const scales = ["", "K", "M", "B", "T"];

  function compacted(decimal, options) {
    let step = Math.min(Math.max(Math.floor((decimal.point - 1) / 3), 0), 4);
    let parts = shape({ ...decimal, point: decimal.point - step * 3 }, options);
    if (parts[0].length > 3 && step < 4) {
      step += 1;
      parts = shape({ ...decimal, point: decimal.point - step * 3 }, options);
    }
    return [...parts, scales[step]];
  }

  function magnitude(value, options) {
    if (typeof value === "number" && Number.isNaN(value)) return ["NaN", false];
    if (value === Infinity || value === -Infinity) return ["∞", false];
    const decimal = decimalOf(value);
    if (/^0*$/.test(decimal.digits)) Object.assign(decimal, { digits: "0", point: 1 });
    else if (options.style === "percent") decimal.point += 2;
    const [whole, fraction, scale = ""] =
      options.notation === "compact" ? compacted(decimal, options) : shape(decimal, options);
    const plain = whole.padStart(options.minimumIntegerDigits, "0");
    const text =
      grouped(plain, options.useGrouping) + (fraction === "" ? "" : `.${fraction}`) + scale;
    return [text, !/[1-9]/.test(whole + fraction)];
  }

  function signOf(value, isZero, display) {
    const isNegative = value < 0 || Object.is(value, -0);
    if (display === "never") return "";
    if (display === "negative") return isNegative && !isZero ? "-" : "";
    if (display === "exceptZero" && isZero) return "";
    if (isNegative) return "-";
    return display === "auto" ? "" : "+";
  }

  function withCurrency(text, options) {
    const { currency, currencyDisplay } = options;
    const table = currencyDisplay === "narrowSymbol" ? narrow : symbols;
    const symbol =
      currencyDisplay === "code"
        ? currency
        : (table.get(currency) ?? symbols.get(currency) ?? currency);
    return /[A-Z]$/i.test(symbol) ? `${symbol}\u00a0${text}` : symbol + text;
  }

  function format(value, options) {
    const [text, isZero] = magnitude(value, options);
    const sign = Number.isNaN(value) ? "" : signOf(value, isZero, options.signDisplay);
    if (options.style === "percent") return `${sign}${text}%`;
    if (options.style !== "currency") return sign + text;
    const money = withCurrency(text, options);
    return sign === "-" && options.currencySign === "accounting" ? `(${money})` : sign + money;
  }

  const numeric = (value) => {
    const primitive = typeof value === "object" && value !== null ? value.valueOf() : value;
    return typeof primitive === "bigint" ? primitive : Number(primitive);
  };

  class NumberFormat {
    #options;
    #format;

    constructor(locales = undefined, options = {}) {
      checkLocales(locales);
      this.#options = resolve(options ?? {});
    }

    get format() {
      this.#format ??= (value) => format(numeric(value), this.#options);
      return this.#format;
    }

    resolvedOptions() {
      const { isCompactRounding, ...shown } = this.#options;
      return shown;
    }

    static supportedLocalesOf(locales) {
      checkLocales(locales);
      return [locales ?? []].flat().filter((one) => /^en(-US)?$/i.test(one));
    }
  }
  Object.defineProperty(NumberFormat.prototype, Symbol.toStringTag, {
    value: "Intl.NumberFormat",
    configurable: true,
  });

  const method = (prototype, name, value) =>
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  const { toLocaleString } = {
    toLocaleString(locales = undefined, options = undefined) {
      return new NumberFormat(locales, options).format(this.valueOf());
    },
  };
  method(Number.prototype, "toLocaleString", toLocaleString);
  method(BigInt.prototype, "toLocaleString", toLocaleString);

  const Intl = {};
  Object.defineProperty(Intl, Symbol.toStringTag, { value: "Intl", configurable: true });
  method(Intl, "NumberFormat", NumberFormat);
  method(Intl, "getCanonicalLocales", (locales) => {
    checkLocales(locales);
    return [locales ?? []].flat().map(String);
  });
  expose("Intl", Intl);
  Object.assign(globalThis.__world__, { checkLocales, oneOf, refuse, method });
}
