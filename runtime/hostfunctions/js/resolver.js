// The emulator's stand-in for `@forge/resolver`.
//
// Follows: @forge/resolver 2.0.1 as measured, quirks included: definitions are looked up with `in`,
// so the names of Object.prototype count as defined; the context's account, installation, licence
// and job come from the platform and overwrite what the browser sent; object results pass through
// JSON.

class Resolver {
  constructor() {
    this.functions = {};
  }

  define(functionKey, cb) {
    if (typeof cb !== "function") {
      throw new Error(
        `Resolver definition '${functionKey}' callback must be a 'function'. Received '${typeof cb}'.`,
      );
    }
    if (functionKey in this.functions)
      throw new Error(`Resolver definition '${functionKey}' already exists.`);
    this.functions[functionKey] = cb;
    return this;
  }

  getFunction(functionKey) {
    if (functionKey in this.functions) return this.functions[functionKey];
    throw new Error(`Resolver has no definition for '${functionKey}'.`);
  }

  sanitizeObject(value) {
    return JSON.parse(JSON.stringify(value));
  }

  getDefinitions() {
    return async ({ call, context }, backend) => {
      const cb = this.getFunction(call.functionKey);
      const result = await cb({
        payload: call.payload || {},
        context: {
          ...context,
          installContext: backend?.installContext,
          accountId: backend?.principal?.accountId,
          license: backend?.license,
          jobId: call.jobId,
          installation: backend?.installation,
        },
      });
      return typeof result === "object" ? this.sanitizeObject(result) : result;
    };
  }
}

export function makeResolver(functions) {
  const resolver = new Resolver();
  for (const [functionKey, cb] of Object.entries(functions)) resolver.define(functionKey, cb);
  return resolver.getDefinitions();
}

export default Resolver;
