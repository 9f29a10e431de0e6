// The URL parser.
//
// Follows: WHATWG URL Standard, "Basic URL parser" (with state override, for the setters). One
// method per state; a method returns nothing to go on, STOP to end with the record as it is, FAIL
// for an invalid URL.
// Differs: nothing known beyond the host parser's ASCII-only domains (see world_urlhost.js).
(host) => {
  const { encode, percentSets: sets, parseHost } = globalThis.__world__;
  const special = new Map([
    ["ftp", 21],
    ["file", null],
    ["http", 80],
    ["https", 443],
    ["ws", 80],
    ["wss", 443],
  ]);
  const STOP = Symbol("stop");
  const FAIL = Symbol("fail");
  const END = "";

  const isSpecial = (url) => special.has(url.scheme);
  const isLetter = (one) => /^[a-z]$/i.test(one);
  const isWindowsLetter = (text) => /^[a-z][:|]$/i.test(text);
  const isNormalLetter = (text) => /^[a-z]:$/i.test(text);
  const startsWithWindowsLetter = (points, at) =>
    isWindowsLetter((points[at] ?? "") + (points[at + 1] ?? "")) &&
    (at + 2 >= points.length || /^[/\\?#]$/.test(points[at + 2]));
  const isSingleDot = (text) => text === "." || /^%2e$/i.test(text);
  const isDoubleDot = (text) => /^(\.|%2e){2}$/i.test(text);

  const blank = () => ({
    scheme: "",
    username: "",
    password: "",
    host: null,
    port: null,
    path: [],
    query: null,
    fragment: null,
  });

  // Drops the last path segment, but never a file URL's drive letter.
  function shorten(url) {
    if (url.scheme === "file" && url.path.length === 1 && isNormalLetter(url.path[0])) return;
    url.path.pop();
  }

  class Parser {
    constructor(points, base, url, override) {
      Object.assign(this, {
        points,
        base,
        url,
        override,
        at: 0,
        buffer: "",
        atSeen: false,
        inBrackets: false,
        passwordSeen: false,
      });
      this.state = override ?? "schemeStart";
    }

    run() {
      for (; this.at <= this.points.length; this.at += 1) {
        const verdict = this[this.state](this.points[this.at] ?? END);
        if (verdict !== undefined) return verdict;
      }
      return STOP;
    }

    rest(offset) {
      return this.points[this.at + offset] ?? END;
    }

    // Takes the code points from here up to the next that `stops` names, encoded in one go.
    take(stops, codes) {
      const from = this.at;
      while (this.at + 1 < this.points.length && !stops.includes(this.points[this.at + 1]))
        this.at += 1;
      return encode(this.points.slice(from, this.at + 1).join(""), codes);
    }

    // Goes to a state and looks at the same code point again.
    again(state) {
      this.state = state;
      this.at -= 1;
    }

    schemeStart(c) {
      if (isLetter(c)) {
        this.buffer += c.toLowerCase();
        this.state = "scheme";
      } else if (this.override === undefined) this.again("noScheme");
      else return FAIL;
      return undefined;
    }

    scheme(c) {
      if (/^[a-z0-9+.-]$/i.test(c)) this.buffer += c.toLowerCase();
      else if (c === ":") return this.schemeEnd();
      else if (this.override === undefined) {
        this.buffer = "";
        this.at = -1;
        this.state = "noScheme";
      } else return FAIL;
      return undefined;
    }

    schemeEnd() {
      const { url } = this;
      if (this.override !== undefined) {
        const mayNotHold = url.username !== "" || url.password !== "" || url.port !== null;
        if (isSpecial(url) !== special.has(this.buffer)) return STOP;
        if (mayNotHold && this.buffer === "file") return STOP;
        if (url.scheme === "file" && url.host === "") return STOP;
      }
      url.scheme = this.buffer;
      if (this.override !== undefined) {
        if (url.port === special.get(url.scheme)) url.port = null;
        return STOP;
      }
      this.buffer = "";
      if (url.scheme === "file") this.state = "file";
      else if (isSpecial(url)) {
        this.state = this.base?.scheme === url.scheme ? "relativeOrAuthority" : "authoritySlashes";
      } else if (this.rest(1) === "/") {
        this.state = "pathOrAuthority";
        this.at += 1;
      } else {
        url.path = "";
        this.state = "opaquePath";
      }
      return undefined;
    }

    noScheme(c) {
      const { base, url } = this;
      if (base === null) return FAIL;
      if (typeof base.path === "string") {
        if (c !== "#") return FAIL;
        Object.assign(url, base, { fragment: "" });
        this.state = "fragment";
      } else this.again(base.scheme === "file" ? "file" : "relative");
      return undefined;
    }

    relativeOrAuthority(c) {
      if (c === "/" && this.rest(1) === "/") {
        this.state = "ignoreSlashes";
        this.at += 1;
      } else this.again("relative");
    }

    pathOrAuthority(c) {
      if (c === "/") this.state = "authority";
      else this.again("path");
    }

    relative(c) {
      const { base, url } = this;
      url.scheme = base.scheme;
      if (c === "/" || (isSpecial(url) && c === "\\")) {
        this.state = "relativeSlash";
        return;
      }
      const { username, password, host: name, port, query } = base;
      Object.assign(url, { username, password, host: name, port, path: [...base.path], query });
      this.afterBasePath(c);
    }

    // What follows when the URL starts as its base does.
    afterBasePath(c) {
      const { url } = this;
      if (c === "?") {
        url.query = "";
        this.state = "query";
      } else if (c === "#") {
        url.fragment = "";
        this.state = "fragment";
      } else if (c !== END) {
        url.query = null;
        if (url.scheme !== "file" || !startsWithWindowsLetter(this.points, this.at)) shorten(url);
        else url.path = [];
        this.again("path");
      }
    }

    relativeSlash(c) {
      const { base, url } = this;
      if (isSpecial(url) && (c === "/" || c === "\\")) this.state = "ignoreSlashes";
      else if (c === "/") this.state = "authority";
      else {
        const { username, password, host: name, port } = base;
        Object.assign(url, { username, password, host: name, port });
        this.again("path");
      }
    }

    authoritySlashes(c) {
      if (c === "/" && this.rest(1) === "/") {
        this.state = "ignoreSlashes";
        this.at += 1;
      } else this.again("ignoreSlashes");
    }

    ignoreSlashes(c) {
      if (c !== "/" && c !== "\\") this.again("authority");
    }

    endsAuthority(c) {
      return (
        c === END || c === "/" || c === "?" || c === "#" || (isSpecial(this.url) && c === "\\")
      );
    }

    authority(c) {
      const { url } = this;
      if (c === "@") this.takeCredentials();
      else if (this.endsAuthority(c)) {
        if (this.atSeen && this.buffer === "") return FAIL;
        this.at -= Array.from(this.buffer).length + 1;
        this.buffer = "";
        this.state = "host";
      } else this.buffer += c;
      return undefined;
    }

    // Everything before the last `@` is user information; an earlier `@` becomes part of it.
    takeCredentials() {
      const { url } = this;
      let text = this.atSeen ? "%40" + this.buffer : this.buffer;
      this.atSeen = true;
      if (!this.passwordSeen) {
        const colon = text.indexOf(":");
        url.username += encode(colon < 0 ? text : text.slice(0, colon), sets.userinfo);
        this.passwordSeen = colon >= 0;
        text = colon < 0 ? "" : text.slice(colon + 1);
      }
      url.password += encode(text, sets.userinfo);
      this.buffer = "";
    }

    hostname(c) {
      return this.host(c);
    }

    host(c) {
      const { url } = this;
      if (this.override !== undefined && url.scheme === "file") this.again("fileHost");
      else if (c === ":" && !this.inBrackets) {
        if (this.buffer === "" || this.override === "hostname") return FAIL;
        return this.takeHost("port");
      } else if (this.endsAuthority(c)) {
        this.at -= 1;
        if (this.buffer === "" && isSpecial(url)) return FAIL;
        const holds = url.username !== "" || url.password !== "" || url.port !== null;
        if (this.override !== undefined && this.buffer === "" && holds) return FAIL;
        return this.takeHost("pathStart") ?? (this.override === undefined ? undefined : STOP);
      } else {
        if (c === "[") this.inBrackets = true;
        if (c === "]") this.inBrackets = false;
        this.buffer += c;
      }
      return undefined;
    }

    takeHost(next) {
      const name = this.buffer === "" ? "" : parseHost(this.buffer, !isSpecial(this.url));
      if (name === null) return FAIL;
      this.url.host = name;
      this.buffer = "";
      this.state = next;
      return undefined;
    }

    port(c) {
      const { url } = this;
      if (/^[0-9]$/.test(c)) this.buffer += c;
      else if (this.endsAuthority(c) || this.override !== undefined) {
        if (this.buffer !== "") {
          const port = Number(this.buffer);
          if (port > 65535) return FAIL;
          url.port = port === special.get(url.scheme) ? null : port;
          this.buffer = "";
          if (this.override !== undefined) return STOP;
        }
        if (this.override !== undefined) return FAIL;
        this.again("pathStart");
      } else return FAIL;
      return undefined;
    }

    file(c) {
      const { base, url } = this;
      url.scheme = "file";
      url.host = "";
      if (c === "/" || c === "\\") this.state = "fileSlash";
      else if (base?.scheme === "file") {
        Object.assign(url, { host: base.host, path: [...base.path], query: base.query });
        this.afterBasePath(c);
      } else this.again("path");
    }

    fileSlash(c) {
      const { base, url } = this;
      if (c === "/" || c === "\\") {
        this.state = "fileHost";
        return;
      }
      if (base?.scheme === "file") {
        url.host = base.host;
        const [first] = base.path;
        if (
          !startsWithWindowsLetter(this.points, this.at) &&
          first !== undefined &&
          isNormalLetter(first)
        )
          url.path.push(first);
      }
      this.again("path");
    }

    fileHost(c) {
      const { url } = this;
      if (c !== END && !/^[/\\?#]$/.test(c)) {
        this.buffer += c;
        return undefined;
      }
      this.at -= 1;
      if (this.override === undefined && isWindowsLetter(this.buffer)) this.state = "path";
      else if (this.buffer === "") {
        url.host = "";
        if (this.override !== undefined) return STOP;
        this.state = "pathStart";
      } else {
        if (this.takeHost("pathStart") === FAIL) return FAIL;
        if (url.host === "localhost") url.host = "";
        if (this.override !== undefined) return STOP;
      }
      return undefined;
    }

    pathStart(c) {
      const { url } = this;
      if (isSpecial(url)) {
        this.state = "path";
        if (c !== "/" && c !== "\\") this.at -= 1;
      } else if (this.override === undefined && c === "?") {
        url.query = "";
        this.state = "query";
      } else if (this.override === undefined && c === "#") {
        url.fragment = "";
        this.state = "fragment";
      } else if (c !== END) {
        this.state = "path";
        if (c !== "/") this.at -= 1;
      } else if (this.override !== undefined && url.host === null) url.path.push("");
    }

    path(c) {
      const slash = c === "/" || (isSpecial(this.url) && c === "\\");
      const ends = this.override === undefined && (c === "?" || c === "#");
      if (c !== END && !slash && !ends) {
        this.buffer += this.take("/\\?#", sets.path);
        return;
      }
      this.takeSegment(slash);
      this.afterPath(c);
    }

    takeSegment(slash) {
      const { url } = this;
      if (isDoubleDot(this.buffer)) {
        shorten(url);
        if (!slash) url.path.push("");
      } else if (isSingleDot(this.buffer)) {
        if (!slash) url.path.push("");
      } else {
        const drive =
          url.scheme === "file" && url.path.length === 0 && isWindowsLetter(this.buffer);
        url.path.push(drive ? this.buffer[0] + ":" : this.buffer);
      }
      this.buffer = "";
    }

    afterPath(c) {
      if (this.override !== undefined) return;
      if (c === "?") {
        this.url.query = "";
        this.state = "query";
      } else if (c === "#") {
        this.url.fragment = "";
        this.state = "fragment";
      }
    }

    opaquePath(c) {
      if (c === "?" || c === "#") this.afterPath(c);
      else if (c !== END) this.url.path += this.take("?#", sets.control);
    }

    query(c) {
      const { url } = this;
      if (this.override === undefined && c === "#") {
        url.fragment = "";
        this.state = "fragment";
      } else if (c !== END)
        url.query += this.take("#", isSpecial(url) ? sets.specialQuery : sets.query);
    }

    fragment(c) {
      if (c !== END) this.url.fragment += this.take("", sets.fragment);
    }
  }

  // The record that a text stands for, or null. With an override, changes `url` and tells success.
  function parseUrl(text, base = null, url = null, override = undefined) {
    let input = text.toWellFormed();
    if (url === null) input = input.replace(/^[\0-\x20]+/, "").replace(/[\0-\x20]+$/, "");
    const record = url ?? blank();
    const parser = new Parser(Array.from(input.replace(/[\t\n\r]/g, "")), base, record, override);
    return parser.run() === FAIL ? null : record;
  }

  Object.assign(globalThis.__world__, { parseUrl, isSpecialUrl: isSpecial });
}
