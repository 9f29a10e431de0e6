import api, { assumeTrustedRoute, getAppContext, route, routeFromAbsolute } from "@forge/api";
import { kvs } from "@forge/kvs";
import Resolver from "@forge/resolver";

const resolver = new Resolver();
const describe = (error) => ({ name: error?.name, message: error?.message, status: error?.status });

resolver.define("read", async ({ payload }) => {
  const response = await api.asUser().requestJira(route`/rest/api/3/issue/${payload.issueKey}?fields=summary`);
  return { ok: response.ok, status: response.status, type: response.headers.get("content-type"), key: (await response.json()).key };
});
resolver.define("asNobody", async () => {
  try { return { status: (await api.asUser().requestJira(route`/rest/api/3/myself`)).status }; } catch (error) { return describe(error); }
});
resolver.define("asAmy", async ({ payload }) => {
  try { return { status: (await api.asUser(payload.accountId).requestJira(route`/rest/api/3/issue/TEAM-1`)).status }; } catch (error) { return describe(error); }
});
resolver.define("plainText", async () => {
  try { await api.asApp().requestJira("/rest/api/3/myself"); return { passed: true }; } catch (error) { return describe(error); }
});
resolver.define("outside", async () => {
  try { return { status: (await api.fetch(["https://evil", "example/"].join("."))).status }; } catch (error) { return describe(error); }
});
resolver.define("store", async () => {
  try { await kvs.set("a", 1); return { passed: true }; } catch (error) { return describe(error); }
});
resolver.define("context", async ({ context }) => ({ accountId: context.accountId, cloudId: context.cloudId, app: getAppContext() }));

// The measured cases of `route` and its relatives, run by the package itself.
const STAND_FOR = () => ({ "{$route}": route`/inner/route`, "{$usp}": new URLSearchParams({ a: "b c" }), "{$undefined}": undefined, "{$nan}": NaN });
resolver.define("routes", ({ payload }) => payload.cases.map((one) => {
  const stand = STAND_FOR();
  const params = (one.params ?? []).map((param) => (typeof param === "string" && param in stand ? stand[param] : param));
  try {
    if (one.fn === "route") return { value: route(one.template, ...params).value };
    const fn = { assumeTrustedRoute, routeFromAbsolute }[one.fn];
    return fn ? { value: fn(one.input).value } : { skipped: one.fn };
  } catch (error) {
    return { error: error.message };
  }
}));

export const handler = resolver.getDefinitions();
