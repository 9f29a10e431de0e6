// One function of a real app: the packages themselves, one product request.
import api, { route } from "@forge/api";
import { kvs } from "@forge/kvs";
import Resolver from "@forge/resolver";

const resolver = new Resolver();

resolver.define("get", async ({ payload }) => {
  const response = await api.asUser().requestJira(route`/rest/api/3/issue/${payload.issueKey}`);
  const issue = await response.json();
  return { key: issue.key, kvs: typeof kvs.get };
});

export const handler = resolver.getDefinitions();
