// `assert` for bundled apps.
//
// Follows: Node 20, "Assert": the functions, AssertionError with actual, expected and operator.
// Differs: messages show the two values, not a difference line by line.
const { isDeepEqual, isDeepStrictEqual } = require("./deepequal.js");
const { inspect } = require("./util.js");

class AssertionError extends Error {
  constructor({ message, actual, expected, operator }) {
    super(
      message === undefined ? `${inspect(actual)} ${operator} ${inspect(expected)}` : `${message}`,
    );
    Object.assign(this, { generatedMessage: message === undefined, actual, expected, operator });
    this.code = "ERR_ASSERTION";
  }

  get name() {
    return "AssertionError";
  }
}

function check(isTrue, details) {
  if (isTrue) return;
  if (details.message instanceof Error) throw details.message;
  throw new AssertionError(details);
}

function assert(value, message = undefined) {
  check(value, { actual: value, expected: true, message, operator: "==" });
}

// How what was thrown is compared: a class, a pattern, an object of properties, a function.
function fits(error, expected) {
  if (expected === undefined) return true;
  if (expected instanceof RegExp) return expected.test(`${error}`);
  if (typeof expected === "object" && expected !== null) {
    return Object.keys(expected).every((key) => {
      const wanted = expected[key];
      const isPattern = wanted instanceof RegExp && typeof error[key] === "string";
      return isPattern ? wanted.test(error[key]) : isDeepStrictEqual(error[key], wanted);
    });
  }
  if (expected.prototype !== undefined && error instanceof expected) return true;
  if (Error.isPrototypeOf(expected) || expected === Error) return false;
  return expected(error) === true;
}

function caught(error, expected, message, operator) {
  const [wanted, words] =
    typeof expected === "string" ? [undefined, expected] : [expected, message];
  if (fits(error, wanted)) return;
  throw new AssertionError({ actual: error, expected: wanted, operator, message: words });
}

function missing(expected, message, operator) {
  const words = typeof expected === "string" ? expected : message;
  const what = operator === "rejects" ? "rejection" : "exception";
  const shown = `Missing expected ${what}${words === undefined ? "." : `: ${words}`}`;
  throw new AssertionError({ actual: undefined, expected, operator, message: shown });
}

const functions = {
  ok: assert,
  fail(message = "Failed") {
    check(false, { message, operator: "fail" });
  },
  equal(actual, expected, message) {
    // eslint-disable-next-line eqeqeq
    const isEqual = actual == expected || (actual !== actual && expected !== expected);
    check(isEqual, { actual, expected, message, operator: "==" });
  },
  notEqual(actual, expected, message) {
    // eslint-disable-next-line eqeqeq
    check(actual != expected, { actual, expected, message, operator: "!=" });
  },
  strictEqual(actual, expected, message) {
    check(Object.is(actual, expected), { actual, expected, message, operator: "strictEqual" });
  },
  notStrictEqual(actual, expected, message) {
    check(!Object.is(actual, expected), { actual, expected, message, operator: "notStrictEqual" });
  },
  deepEqual(actual, expected, message) {
    check(isDeepEqual(actual, expected), { actual, expected, message, operator: "deepEqual" });
  },
  notDeepEqual(actual, expected, message) {
    check(!isDeepEqual(actual, expected), { actual, expected, message, operator: "notDeepEqual" });
  },
  deepStrictEqual(actual, expected, message) {
    const isEqual = isDeepStrictEqual(actual, expected);
    check(isEqual, { actual, expected, message, operator: "deepStrictEqual" });
  },
  notDeepStrictEqual(actual, expected, message) {
    const isEqual = isDeepStrictEqual(actual, expected);
    check(!isEqual, { actual, expected, message, operator: "notDeepStrictEqual" });
  },
  match(text, pattern, message) {
    check(pattern.test(text), { actual: text, expected: pattern, message, operator: "match" });
  },
  doesNotMatch(text, pattern, message) {
    const operator = "doesNotMatch";
    check(!pattern.test(text), { actual: text, expected: pattern, message, operator });
  },
  throws(act, expected, message) {
    try {
      act();
    } catch (error) {
      return caught(error, expected, message, "throws");
    }
    return missing(expected, message, "throws");
  },
  doesNotThrow(act) {
    act();
  },
  async rejects(act, expected, message) {
    try {
      await (typeof act === "function" ? act() : act);
    } catch (error) {
      return caught(error, expected, message, "rejects");
    }
    return missing(expected, message, "rejects");
  },
  async doesNotReject(act) {
    await (typeof act === "function" ? act() : act);
  },
  ifError(value) {
    if (value !== null && value !== undefined) throw value;
  },
};
function strict(value, message) {
  assert(value, message);
}
Object.assign(strict, functions, {
  AssertionError,
  equal: functions.strictEqual,
  notEqual: functions.notStrictEqual,
  deepEqual: functions.deepStrictEqual,
  notDeepEqual: functions.notDeepStrictEqual,
});
strict.strict = strict;

// One by one, so that they can be imported by name.
module.exports = assert;
module.exports.AssertionError = AssertionError;
module.exports.strict = strict;
module.exports.ok = functions.ok;
module.exports.fail = functions.fail;
module.exports.equal = functions.equal;
module.exports.notEqual = functions.notEqual;
module.exports.strictEqual = functions.strictEqual;
module.exports.notStrictEqual = functions.notStrictEqual;
module.exports.deepEqual = functions.deepEqual;
module.exports.notDeepEqual = functions.notDeepEqual;
module.exports.deepStrictEqual = functions.deepStrictEqual;
module.exports.notDeepStrictEqual = functions.notDeepStrictEqual;
module.exports.match = functions.match;
module.exports.doesNotMatch = functions.doesNotMatch;
module.exports.throws = functions.throws;
module.exports.doesNotThrow = functions.doesNotThrow;
module.exports.rejects = functions.rejects;
module.exports.doesNotReject = functions.doesNotReject;
module.exports.ifError = functions.ifError;
