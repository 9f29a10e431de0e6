// Dates as people in the United States write them: toLocaleString and Intl.DateTimeFormat.
//
// Follows: ECMA-402, "DateTimeFormat Objects", with the patterns of en-US as Node 20 has them; the
// machine's zone is UTC, as on the emulated platform.
// Differs: every locale is en-US, and resolvedOptions says so; time zones are UTC under its names
// and fixed offsets such as +05:30, any other is refused with a RangeError, and so are eras, day
// periods, and combinations of fields that people do not use.
(host) => {
  const { checkLocales, method, oneOf, refuse } = globalThis.__world__;
  const { Intl } = globalThis;
  const months = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
  ];
  const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
  const numbers = ["numeric", "2-digit"];
  const texts = ["long", "short", "narrow"];
  const choices = {
    weekday: texts,
    year: numbers,
    month: [...numbers, ...texts],
    day: numbers,
    hour: numbers,
    minute: numbers,
    second: numbers,
    timeZoneName: ["short", "long"],
  };
  const styles = {
    date: {
      full: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
      long: { year: "numeric", month: "long", day: "numeric" },
      medium: { year: "numeric", month: "short", day: "numeric" },
      short: { year: "2-digit", month: "numeric", day: "numeric" },
    },
    time: {
      full: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "long" },
      long: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short" },
      medium: { hour: "numeric", minute: "2-digit", second: "2-digit" },
      short: { hour: "numeric", minute: "2-digit" },
    },
  };
  const ofDate = ["weekday", "year", "month", "day"];
  const ofTime = ["hour", "minute", "second", "fractionalSecondDigits"];
  const utc =
    /^(utc|gmt|etc\/(utc|gmt|uct|zulu|universal|greenwich)|uct|zulu|universal|greenwich)$/i;

  function zoneOf(value) {
    if (value === undefined || utc.test(`${value}`)) return { name: "UTC", minutes: 0 };
    const offset = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/.exec(`${value}`);
    if (offset === null) {
      if (/^[a-z_]+(\/[a-z0-9_+-]+)*$/i.test(`${value}`)) throw refuse(`The time zone ${value}`);
      throw new RangeError(`Invalid time zone specified: ${value}`);
    }
    const [, sign, hours, minutes = "00"] = offset;
    const total = Number(hours) * 60 + Number(minutes);
    return { name: `${sign}${hours}:${minutes}`, minutes: sign === "-" ? -total : total };
  }

  function hourCycleOf(options) {
    if (options.hour12 !== undefined) return options.hour12 ? "h12" : "h24";
    return oneOf(options, "hourCycle", ["h11", "h12", "h23", "h24"], "h12");
  }

  // Which fields are shown: those asked for, or the usual ones where none of them is.
  function fieldsOf(options, required, usual) {
    const fields = {};
    for (const [name, allowed] of Object.entries(choices)) {
      const value = oneOf(options, name, allowed, undefined);
      if (value !== undefined) fields[name] = value;
    }
    for (const name of ["era", "dayPeriod"])
      if (options[name] !== undefined) throw refuse(`The option ${name}`);
    if (options.fractionalSecondDigits !== undefined)
      fields.fractionalSecondDigits = oneOf(options, "fractionalSecondDigits", [1, 2, 3]);
    const { dateStyle, timeStyle } = options;
    const kinds = ["full", "long", "medium", "short"];
    oneOf(options, "dateStyle", kinds);
    oneOf(options, "timeStyle", kinds);
    if (dateStyle !== undefined || timeStyle !== undefined) {
      if (
        Object.keys(fields).length > 0 ||
        (dateStyle && required === "time") ||
        (timeStyle && required === "date")
      )
        throw new TypeError(
          `Can't set option ${Object.keys(fields)[0] ?? required} when ${dateStyle ? "dateStyle" : "timeStyle"} is used`,
        );
      return { ...styles.date[dateStyle], ...styles.time[timeStyle] };
    }
    const groups = { date: ofDate, time: ofTime, any: [...ofDate, ...ofTime] }[required];
    if (groups.some((name) => fields[name] !== undefined)) return fields;
    const date = { year: "numeric", month: "numeric", day: "numeric" };
    const time = { hour: "numeric", minute: "numeric", second: "numeric" };
    return { ...{ date, time, all: { ...date, ...time } }[usual], ...fields };
  }

  // ------------------------------------------------------------------------------------ the parts
  const part = (type, value) => ({ type, value: `${value}` });
  const literal = (value) => part("literal", value);
  const two = (value) => String(value).padStart(2, "0");
  const number = (value, style) => (style === "2-digit" ? two(value % 100) : String(value));
  const name = (list, index, style) =>
    style === "long" ? list[index] : list[index].slice(0, style === "short" ? 3 : 1);

  function datePart(field, at, fields) {
    if (field === "weekday") return part("weekday", name(days, at.getUTCDay(), fields.weekday));
    if (field === "year") return part("year", number(at.getUTCFullYear(), fields.year));
    if (field === "day") return part("day", number(at.getUTCDate(), fields.day));
    const month = at.getUTCMonth();
    const isText = texts.includes(fields.month);
    return part(
      "month",
      isText ? name(months, month, fields.month) : number(month + 1, fields.month),
    );
  }

  // What stands between which fields, by the fields that are asked for.
  function dateShape(fields) {
    const has = ofDate.filter((field) => fields[field] !== undefined).join(" ");
    const isText = texts.includes(fields.month);
    const shapes = isText
      ? {
          "weekday year month day": ["weekday", ", ", "month", " ", "day", ", ", "year"],
          "weekday month day": ["weekday", ", ", "month", " ", "day"],
          "year month day": ["month", " ", "day", ", ", "year"],
          "year month": ["month", " ", "year"],
          "month day": ["month", " ", "day"],
        }
      : {
          "weekday year month day": ["weekday", ", ", "month", "/", "day", "/", "year"],
          "weekday month day": ["weekday", ", ", "month", "/", "day"],
          "year month day": ["month", "/", "day", "/", "year"],
          "year month": ["month", "/", "year"],
          "month day": ["month", "/", "day"],
          "weekday day": ["day", " ", "weekday"],
          "weekday year": ["year", " ", "weekday"],
        };
    if (has === "" || ofDate.includes(has)) return has === "" ? [] : [has];
    if (shapes[has] === undefined) throw refuse(`A date of ${has.replaceAll(" ", ", ")}`);
    return shapes[has];
  }

  const dateParts = (at, fields) =>
    dateShape(fields).map((one) =>
      ofDate.includes(one) ? datePart(one, at, fields) : literal(one),
    );

  function hourText(at, { hour }, cycle) {
    const value = at.getUTCHours();
    if (cycle === "h23" || cycle === "h24") return two(cycle === "h24" && value === 0 ? 24 : value);
    const shown = cycle === "h11" ? value % 12 : value % 12 || 12;
    return hour === "2-digit" ? two(shown) : String(shown);
  }

  function timeParts(at, fields, cycle) {
    const { hour, minute, second, fractionalSecondDigits: digits } = fields;
    const out = [];
    const isLone = [hour, minute, second].filter((one) => one !== undefined).length === 1;
    const add = (type, value) => {
      if (out.length > 0) out.push(literal(":"));
      out.push(part(type, value));
    };
    if (hour !== undefined) add("hour", hourText(at, fields, cycle));
    const padded = (value) => (isLone ? String(value) : two(value));
    if (hour !== undefined && minute === undefined && second !== undefined)
      throw refuse("A time of hour and second");
    if (minute !== undefined) add("minute", padded(at.getUTCMinutes()));
    if (second !== undefined) add("second", padded(at.getUTCSeconds()));
    if (digits !== undefined) {
      if (out.length > 0 && second === undefined) throw refuse("Fractions without seconds");
      if (out.length > 0) out.push(literal("."));
      const fraction = String(at.getUTCMilliseconds()).padStart(3, "0").slice(0, digits);
      out.push(part("fractionalSecond", fraction));
    }
    if (hour !== undefined && (cycle === "h12" || cycle === "h11"))
      out.push(literal(SPACE), part("dayPeriod", at.getUTCHours() < 12 ? "AM" : "PM"));
    return out;
  }
  const SPACE = "\u202f"; // before AM and PM; the whole text has a plain blank instead

  function zoneText(zone, style) {
    if (zone.minutes === 0 && zone.name === "UTC")
      return style === "long" ? "Coordinated Universal Time" : "UTC";
    const [hours, minutes] = zone.name.slice(1).split(":");
    const sign = zone.name[0];
    if (style === "long") return `GMT${sign}${hours}:${minutes}`;
    return `GMT${sign}${Number(hours)}${minutes === "00" ? "" : `:${minutes}`}`;
  }

  function partsOf(time, { fields, zone, hourCycle }) {
    const value = Math.trunc(time);
    if (!(Math.abs(value) <= 8.64e15)) throw new RangeError("Invalid time value");
    const at = new Date(value + zone.minutes * 60000);
    const date = dateParts(at, fields);
    const clock = timeParts(at, fields, hourCycle);
    const out = [...date];
    if (date.length > 0 && clock.length > 0) {
      const isLone = date.length === 1;
      out.push(literal(fields.month === "long" ? " at " : isLone && fields.weekday ? " " : ", "));
    }
    out.push(...clock);
    if (fields.timeZoneName !== undefined) {
      out.push(
        literal(clock.length > 0 ? " " : ", "),
        part("timeZoneName", zoneText(zone, fields.timeZoneName)),
      );
    }
    return out;
  }

  const toTime = (value) => (value === undefined ? host.now() : Number(value));

  function resolve(options, required, usual) {
    if (options.calendar !== undefined && options.calendar !== "gregory")
      throw refuse(`The calendar ${options.calendar}`);
    return {
      fields: fieldsOf(options, required, usual),
      zone: zoneOf(options.timeZone),
      hourCycle: hourCycleOf(options),
    };
  }

  const joined = (parts) =>
    parts
      .map(({ value }) => value)
      .join("")
      .replace(SPACE, " ");

  class DateTimeFormat {
    #resolved;
    #format;

    constructor(locales = undefined, options = {}) {
      checkLocales(locales);
      this.#resolved = resolve(options ?? {}, "any", "date");
    }

    get format() {
      this.#format ??= (date) => joined(partsOf(toTime(date), this.#resolved));
      return this.#format;
    }

    formatToParts(date = undefined) {
      return partsOf(toTime(date), this.#resolved);
    }

    resolvedOptions() {
      const { fields, zone, hourCycle } = this.#resolved;
      const clock = fields.hour === undefined ? {} : { hourCycle, hour12: /^h1/.test(hourCycle) };
      return {
        locale: "en-US",
        calendar: "gregory",
        numberingSystem: "latn",
        timeZone: zone.name,
        ...clock,
        ...fields,
      };
    }

    static supportedLocalesOf(locales) {
      return Intl.NumberFormat.supportedLocalesOf(locales);
    }
  }
  Object.defineProperty(DateTimeFormat.prototype, Symbol.toStringTag, {
    value: "Intl.DateTimeFormat",
    configurable: true,
  });
  method(Intl, "DateTimeFormat", DateTimeFormat);

  const { getTime } = Date.prototype;
  const shows = [
    ["toLocaleString", "any", "all"],
    ["toLocaleDateString", "date", "date"],
    ["toLocaleTimeString", "time", "time"],
  ];
  for (const [key, required, usual] of shows) {
    const named = {
      [key](locales = undefined, options = undefined) {
        const time = Reflect.apply(getTime, this, []);
        checkLocales(locales);
        const resolved = resolve(options ?? {}, required, usual);
        return Number.isNaN(time) ? "Invalid Date" : joined(partsOf(time, resolved));
      },
    };
    method(Date.prototype, key, named[key]);
  }
}
