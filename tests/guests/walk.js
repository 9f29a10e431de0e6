// Every object that can be reached from some roots, by property, accessor or prototype; evaluates to
// an array of [path, object, keys]. Nothing is called: accessors are looked at, not read.
(roots) => {
  const seen = new Set();
  const found = [];
  let front = Object.entries(roots);
  const isObject = (value) =>
    (typeof value === "object" && value !== null) || typeof value === "function";
  const name = (key) => (typeof key === "symbol" ? `[${String(key).slice(7, -1)}]` : key);
  while (front.length > 0) {
    const next = [];
    for (const [path, value] of front) {
      if (!isObject(value) || seen.has(value)) continue;
      seen.add(value);
      const keys = [];
      next.push([`${path}.__proto__`, Object.getPrototypeOf(value)]);
      for (const key of Reflect.ownKeys(value)) {
        const property = Object.getOwnPropertyDescriptor(value, key);
        keys.push("value" in property ? name(key) : `${name(key)}()`);
        next.push(
          [`${path}.${name(key)}`, property.value],
          [`${path}.${name(key)} get`, property.get],
          [`${path}.${name(key)} set`, property.set],
        );
      }
      found.push([path, value, keys]);
    }
    front = next;
  }
  return found;
}
