// What the URL parser stands on: percent-encoding, hosts, and the way back from a record to text.
//
// Follows: WHATWG URL Standard, "Host parsing", "Percent-encoded bytes", "IPv4/IPv6 parser and
// serializer", "URL serializing".
// Differs: domain-to-ASCII knows ASCII only. A domain with any other character is refused as
// invalid instead of being converted to Punycode; `xn--` labels pass through unchecked.
(host) => {
  const hex = "0123456789ABCDEF";
  const set = (characters) => new Set(Array.from(characters, (one) => one.charCodeAt(0)));
  const union = (...sets) => new Set(sets.flatMap((one) => [...one]));

  const fragment = set(' "<>`');
  const query = set(' "#<>');
  const specialQuery = union(query, set("'"));
  const path = union(query, set("?^`{}"));
  const userinfo = union(path, set("/:;=@[\\]|"));
  const sets = { control: new Set(), fragment, query, specialQuery, path, userinfo };

  const forbiddenHost = set("\0\t\n\r #/:<>?@[\\]^|");
  const forbiddenDomain = union(forbiddenHost, set("%\x7f"));
  for (let code = 0; code < 0x20; code += 1) forbiddenDomain.add(code);

  const percent = (byte) => "%" + hex[byte >> 4] + hex[byte & 15];

  // The UTF-8 bytes of one code point, percent-encoded.
  function percentPoint(code) {
    if (code < 0x80) return percent(code);
    if (code < 0x800) return percent(0xc0 | (code >> 6)) + percent(0x80 | (code & 63));
    if (code < 0x10000) {
      return (
        percent(0xe0 | (code >> 12)) +
        percent(0x80 | ((code >> 6) & 63)) +
        percent(0x80 | (code & 63))
      );
    }
    return (
      percent(0xf0 | (code >> 18)) +
      percent(0x80 | ((code >> 12) & 63)) +
      percent(0x80 | ((code >> 6) & 63)) +
      percent(0x80 | (code & 63))
    );
  }

  function encode(text, codes) {
    if (/^[\w.~!$&*+,()%-]*$/.test(text)) return text; // in none of the sets
    let out = "";
    for (const one of text) {
      const code = one.codePointAt(0);
      out += code < 0x20 || code > 0x7e || codes.has(code) ? percentPoint(code) : one;
    }
    return out;
  }

  // Percent-decodes to a string of bytes; every code unit of the input is below 0x100.
  const decodeBytes = (bytes) =>
    bytes.replace(/%([0-9a-f]{2})/gi, (whole, digits) => String.fromCharCode(parseInt(digits, 16)));

  // The number an IPv4 part stands for, or NaN.
  function ipv4Number(part) {
    if (part === "") return NaN;
    if (/^0x/i.test(part)) {
      const digits = part.slice(2);
      if (digits === "") return 0;
      return /^[0-9a-f]+$/i.test(digits) ? parseInt(digits, 16) : NaN;
    }
    if (part.length > 1 && part[0] === "0") return /^[0-7]+$/.test(part) ? parseInt(part, 8) : NaN;
    return /^[0-9]+$/.test(part) ? parseInt(part, 10) : NaN;
  }

  function endsInNumber(domain) {
    const parts = domain.split(".");
    if (parts[parts.length - 1] === "") {
      if (parts.length === 1) return false;
      parts.pop();
    }
    const last = parts[parts.length - 1];
    return /^[0-9]+$/.test(last) || /^0x[0-9a-f]*$/i.test(last);
  }

  function parseIpv4(domain) {
    const parts = domain.split(".");
    if (parts[parts.length - 1] === "" && parts.length > 1) parts.pop();
    if (parts.length > 4) return null;
    const numbers = parts.map(ipv4Number);
    const last = numbers.pop();
    if (Number.isNaN(last) || numbers.some((one) => !(one <= 255))) return null;
    if (last >= 256 ** (4 - numbers.length)) return null;
    const address = numbers.reduce((sum, one, index) => sum + one * 256 ** (3 - index), last);
    return [3, 2, 1, 0].map((power) => Math.floor(address / 256 ** power) % 256).join(".");
  }

  // The last 32 bits of an IPv6 address may be written as four decimal bytes.
  function ipv6Tail(text) {
    const bytes = text.split(".");
    const good =
      bytes.length === 4 &&
      bytes.every((one) => /^(0|[1-9][0-9]{0,2})$/.test(one) && Number(one) <= 255);
    return good ? [bytes[0] * 256 + +bytes[1], bytes[2] * 256 + +bytes[3]] : null;
  }

  // The 16-bit pieces of one side of `::`; null if a piece is malformed.
  function ipv6Pieces(text, mayEndInIpv4) {
    if (text === "") return [];
    const pieces = [];
    const words = text.split(":");
    for (const [index, word] of words.entries()) {
      if (mayEndInIpv4 && index === words.length - 1 && word.includes(".")) {
        const tail = ipv6Tail(word);
        if (tail === null) return null;
        pieces.push(...tail);
      } else if (/^[0-9a-f]{1,4}$/i.test(word)) pieces.push(parseInt(word, 16));
      else return null;
    }
    return pieces;
  }

  function parseIpv6(text) {
    const sides = text.split("::");
    if (sides.length > 2) return null;
    const head = ipv6Pieces(sides[0], sides.length === 1);
    if (head === null) return null;
    if (sides.length === 1) return head.length === 8 ? head : null;
    const tail = ipv6Pieces(sides[1], true);
    if (tail === null || head.length + tail.length > 7) return null;
    return [...head, ...new Array(8 - head.length - tail.length).fill(0), ...tail];
  }

  // The longest run of two or more zero pieces becomes `::`.
  function serializeIpv6(pieces) {
    let best = { start: -1, length: 1 };
    for (let start = 0; start < 8; start += 1) {
      let length = 0;
      while (start + length < 8 && pieces[start + length] === 0) length += 1;
      if (length > best.length) best = { start, length };
    }
    const text = (some) => some.map((piece) => piece.toString(16)).join(":");
    if (best.start < 0) return text(pieces);
    return text(pieces.slice(0, best.start)) + "::" + text(pieces.slice(best.start + best.length));
  }

  function opaqueHost(input) {
    for (const one of input) if (forbiddenHost.has(one.codePointAt(0))) return null;
    return encode(input, sets.control);
  }

  // Serialized host, or null when the input is none.
  function parseHost(input, isOpaque) {
    if (input[0] === "[") {
      if (input[input.length - 1] !== "]") return null;
      const pieces = parseIpv6(input.slice(1, -1));
      return pieces === null ? null : "[" + serializeIpv6(pieces) + "]";
    }
    if (isOpaque) return opaqueHost(input);
    const domain = decodeBytes(input).toLowerCase();
    if (domain === "") return null;
    for (const one of domain) {
      const code = one.codePointAt(0);
      if (code > 0x7e || forbiddenDomain.has(code)) return null;
    }
    return endsInNumber(domain) ? parseIpv4(domain) : domain;
  }

  const pathText = (url) =>
    typeof url.path === "string" ? url.path : url.path.map((segment) => "/" + segment).join("");

  function serializeUrl(url, withoutFragment = false) {
    let out = url.scheme + ":";
    if (url.host !== null) {
      out += "//";
      if (url.username !== "" || url.password !== "") {
        out += url.username + (url.password === "" ? "" : ":" + url.password) + "@";
      }
      out += url.host + (url.port === null ? "" : ":" + url.port);
    } else if (typeof url.path !== "string" && url.path.length > 1 && url.path[0] === "")
      out += "/.";
    out += pathText(url) + (url.query === null ? "" : "?" + url.query);
    return out + (withoutFragment || url.fragment === null ? "" : "#" + url.fragment);
  }

  Object.assign(globalThis.__world__, {
    encode,
    percentSets: sets,
    parseHost,
    pathText,
    serializeUrl,
  });
}
