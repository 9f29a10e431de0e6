import api, { assumeTrustedRoute, getAppContext, route, routeFromAbsolute } from "@forge/api";
import { kvs } from "@forge/kvs";
import Resolver from "@forge/resolver";

const resolver = new Resolver();
const describe = (error) => ({ name: error?.name, message: error?.message, status: error?.status });

resolver.define("read", async ({ payload }) => {
  const response = await api.asUser().requestJira(route`/rest/api/3/issue/${payload.issueKey}?fields=summary`);
  return { ok: response.ok, status: response.status, type: response.headers.get("content-type"), key: (await response.json()).key };
});
resolver.define("unscoped", async () => ({ status: (await api.asUser().requestJira(assumeTrustedRoute(["/rest/api/3", "myself"].join("/")))).status }));
resolver.define("asNobody", async () => {
  try { return { status: (await api.asUser().requestJira(route`/rest/api/3/issue/TEAM-1`)).status }; } catch (error) { return describe(error); }
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
const revive = (value) => {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  if ("$nan" in value) return NaN;
  if ("$undefined" in value) return undefined;
  if ("$usp" in value) return new URLSearchParams(value.$usp);
  return "$route" in value ? assumeTrustedRoute(value.$route) : value;
};
resolver.define("routes", ({ payload }) => payload.cases.map(([name, args]) => {
  try {
    return { value: { route, assumeTrustedRoute, routeFromAbsolute }[name](...args.map(revive)).value };
  } catch (error) {
    return { error: error.message };
  }
}));

export const handler = resolver.getDefinitions();
