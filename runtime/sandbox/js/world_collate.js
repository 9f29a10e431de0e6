// Strings in the order of a dictionary: localeCompare, Intl.Collator, and plurals.
//
// Follows: the order of the Unicode Collation Algorithm for Latin text, as Node 20 has it for
// English: blanks and punctuation before digits before letters; letters before accents before case,
// lower case first; `numeric` and `sensitivity` as in ECMA-402.
// Differs: scripts other than Latin are ordered by code point; symbols among themselves too, apart
// from the common ASCII ones; the option `ignorePunctuation` is refused.
(host) => {
  const { checkLocales, method, oneOf, refuse } = globalThis.__world__;
  const { Intl } = globalThis;
  const order = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
  const ranks = new Map(Array.from(order, (one, at) => [one, 0x100 + at]));
  const marks = /\p{M}/u;

  // Where a character stands before accents and case count; null for a mark, which has no place.
  function primary(one) {
    if (marks.test(one)) return null;
    if (/\s/.test(one)) return 0x10;
    if (ranks.has(one)) return ranks.get(one);
    const code = one.toLowerCase().codePointAt(0);
    if (code >= 0x30 && code <= 0x39) return 0x200 + code;
    return 0x400 + code;
  }

  const compareNumbers = (one, other) => (one < other ? -1 : one > other ? 1 : 0);

  function compareLists(one, other) {
    const shared = Math.min(one.length, other.length);
    for (let at = 0; at < shared; at += 1)
      if (one[at] !== other[at]) return compareNumbers(one[at], other[at]);
    return compareNumbers(one.length, other.length);
  }

  function keysOf(text, isNumeric) {
    const first = [];
    const accents = [];
    const cases = [];
    const pieces = isNumeric ? text.split(/(\d+)/) : [text];
    pieces.forEach((piece, index) => {
      if (isNumeric && index % 2 === 1) {
        const digits = piece.replace(/^0+(?=\d)/, "");
        first.push(0x230, digits.length, ...Array.from(digits, Number));
        return;
      }
      for (const one of piece.normalize("NFD")) {
        const place = primary(one);
        if (place === null) accents[Math.max(first.length - 1, 0)] = one.codePointAt(0);
        else {
          first.push(place);
          cases.push(one === one.toLowerCase() ? 0 : 1);
        }
      }
    });
    return { first, accents: Array.from(accents, (one) => one ?? 0), cases };
  }

  const weights = { base: [], accent: ["accents"], case: ["cases"], variant: ["accents", "cases"] };

  function compare(one, other, { numeric, sensitivity, caseFirst }) {
    const [left, right] = [keysOf(one, numeric), keysOf(other, numeric)];
    const verdict = compareLists(left.first, right.first);
    if (verdict !== 0) return verdict;
    for (const level of weights[sensitivity]) {
      const isTurned = level === "cases" && caseFirst === "upper";
      const found = compareLists(left[level], right[level]);
      if (found !== 0) return isTurned ? -found : found;
    }
    return 0;
  }

  class Collator {
    #options;
    #compare;

    constructor(locales = undefined, options = {}) {
      checkLocales(locales);
      const given = options ?? {};
      if (given.ignorePunctuation) throw refuse("The option ignorePunctuation");
      this.#options = {
        numeric: Boolean(given.numeric),
        caseFirst: oneOf(given, "caseFirst", ["upper", "lower", "false"], "false"),
        sensitivity: oneOf(given, "sensitivity", ["base", "accent", "case", "variant"], "variant"),
      };
    }

    get compare() {
      this.#compare ??= (one, other) => compare(`${one}`, `${other}`, this.#options);
      return this.#compare;
    }

    resolvedOptions() {
      return {
        locale: "en-US",
        usage: "sort",
        ignorePunctuation: false,
        collation: "default",
        ...this.#options,
      };
    }

    static supportedLocalesOf(locales) {
      return Intl.NumberFormat.supportedLocalesOf(locales);
    }
  }
  Object.defineProperty(Collator.prototype, Symbol.toStringTag, {
    value: "Intl.Collator",
    configurable: true,
  });
  method(Intl, "Collator", Collator);

  const standard = { numeric: false, caseFirst: "false", sensitivity: "variant" };
  const { toString } = String.prototype;
  const { localeCompare } = {
    localeCompare(that, locales = undefined, options = undefined) {
      const text = typeof this === "string" ? this : Reflect.apply(toString, this, []);
      if (locales === undefined && options === undefined) return compare(text, `${that}`, standard);
      return new Collator(locales, options).compare(text, that);
    },
  };
  method(String.prototype, "localeCompare", localeCompare);

  class PluralRules {
    #type;

    constructor(locales = undefined, options = {}) {
      checkLocales(locales);
      this.#type = oneOf(options ?? {}, "type", ["cardinal", "ordinal"], "cardinal");
    }

    select(value) {
      const number = Number(value);
      if (this.#type === "cardinal") return number === 1 ? "one" : "other";
      const [ten, hundred] = [number % 10, number % 100];
      const names = { 1: "one", 2: "two", 3: "few" };
      return hundred >= 11 && hundred <= 13 ? "other" : (names[ten] ?? "other");
    }

    resolvedOptions() {
      return { locale: "en-US", type: this.#type };
    }
  }
  Object.defineProperty(PluralRules.prototype, Symbol.toStringTag, {
    value: "Intl.PluralRules",
    configurable: true,
  });
  method(Intl, "PluralRules", PluralRules);
}
