// Deep equality, for `util` and `assert` of bundled apps.
//
// Follows: Node 20, "assert.deepStrictEqual()": types, prototypes, own enumerable properties and
// symbols, elements of collections whatever their order; `loose` compares primitives with ==.
const tag = (value) => Object.prototype.toString.call(value);
const keysOf = (value) =>
  Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));

function equalPrimitives(one, other, isLoose) {
  // eslint-disable-next-line eqeqeq
  if (isLoose) return one == other || (one !== one && other !== other);
  return Object.is(one, other);
}

function equalMembers(one, other, compare) {
  const left = [...other];
  for (const member of one) {
    const at = left.findIndex((candidate) => compare(member, candidate));
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return left.length === 0;
}

function equalInside(one, other, compare) {
  if (one instanceof Date) return one.getTime() === other.getTime();
  if (one instanceof RegExp) return `${one}` === `${other}` && one.lastIndex === other.lastIndex;
  if (one instanceof Error) return one.name === other.name && one.message === other.message;
  if (one instanceof Map || one instanceof Set)
    return one.size === other.size && equalMembers(one, other, compare);
  const boxes = [Number, String, Boolean, BigInt, Symbol];
  if (boxes.some((Type) => one instanceof Type)) return Object.is(one.valueOf(), other.valueOf());
  if (one instanceof ArrayBuffer) return compare(new Uint8Array(one), new Uint8Array(other));
  return Array.isArray(one) ? one.length === other.length : true;
}

function equal(one, other, isLoose, seen) {
  const isObject = (value) => typeof value === "object" && value !== null;
  if (!isObject(one) || !isObject(other)) {
    if (isLoose && isObject(one) !== isObject(other)) return false;
    return equalPrimitives(one, other, isLoose);
  }
  if (one === other) return true;
  if (seen.get(one) === other) return true;
  if (tag(one) !== tag(other)) return false;
  if (!isLoose && Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  seen.set(one, other);
  const compare = (left, right) => equal(left, right, isLoose, seen);
  const [keys, others] = [keysOf(one), keysOf(other)];
  return (
    equalInside(one, other, compare) &&
    keys.length === others.length &&
    keys.every((key) => Object.hasOwn(other, key) && compare(one[key], other[key]))
  );
}

module.exports = {
  isDeepStrictEqual: (one, other) => equal(one, other, false, new Map()),
  isDeepEqual: (one, other) => equal(one, other, true, new Map()),
};
