const CREDENTIAL = /fbk_[a-z]+_[0-9a-f]{16,}|Bearer\s+\S{16,}|ATATT\S{16,}|eyJ[\w-]{10,}\.[\w-]+\./;

export const looksLikeACredential = (text) => CREDENTIAL.test(text);

/** Search everything reachable from a value for text that looks like a credential. */
export function search(root) {
  const found = [];
  const seen = new Set();
  const waiting = [[root, ""]];
  while (waiting.length) {
    const [value, path] = waiting.pop();
    if (typeof value === "string" && looksLikeACredential(value)) found.push(path || "text");
    if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value)) continue;
    seen.add(value);
    for (const key of Reflect.ownKeys(value)) {
      let inner;
      try { inner = value[key]; } catch { continue; }
      waiting.push([inner, `${path}.${String(key)}`]);
    }
    waiting.push([Object.getPrototypeOf(value), `${path}.__proto__`]);
  }
  return found;
}
