// Unmodified @forge/api in plain Node: what an app does with it, and what comes back.
const place = JSON.parse(process.argv[2]);
const forge = require(place.package);
const { route, assumeTrustedRoute } = forge;
const api = forge.default;

const told = (error) => ({
  name: error.name,
  message: error.message,
  status: error.status ?? null,
  code: error.code ?? null,
  cause: error.cause?.message ?? null,
});
const status = async (call) => {
  try {
    return { status: (await call()).status };
  } catch (error) {
    return told(error);
  }
};
const paragraph = { type: "paragraph", content: [{ type: "text", text: "from plain Node" }] };
const comment = (as, key) =>
  as.requestJira(route`/rest/api/3/issue/${key}/comment`, {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    body: JSON.stringify({ body: { type: "doc", version: 1, content: [paragraph] } }),
  });
const read = (as) => as.requestJira(route`/rest/api/3/issue/${"TEAM-1"}?fields=${"summary"}`);
const outside = async (url, init) => {
  try {
    const answer = await forge.fetch(url, init);
    return [answer.status, await answer.text(), answer.url, answer.redirected];
  } catch (error) {
    return told(error);
  }
};

const steps = {
  read: async () => {
    const answer = await read(api.asUser());
    const { key } = await answer.json();
    return [answer.status, answer.ok, answer.headers.get("content-type"), key];
  },
  readAsUser: () => status(() => read(api.asUser())),
  readAsApp: () => status(() => read(api.asApp())),
  readAsNobody: () => status(() => forge.requestJira(route`/rest/api/3/issue/TEAM-1`)),
  comment: async () => {
    const made = await comment(api.asUser(), "TEAM-1");
    return [made.status, (await made.json()).author?.displayName ?? null];
  },
  hidden: () => status(() => comment(api.asUser(), "NOPE-1")),
  unscoped: () => status(() => api.asUser().requestJira(route`/rest/api/3/myself`)),
  traversal: () =>
    status(() => api.asUser().requestJira(assumeTrustedRoute("/rest/api/3/issue/%2e%2e/myself"))),
  lines: () => status(() => api.asUser().requestJira(assumeTrustedRoute("/rest/a\r\nX: y"))),
  host: () => status(() => api.asUser().requestJira(assumeTrustedRoute("//evil.test/x"))),
  forged: () =>
    status(() =>
      api.asUser().requestJira(route`/rest/api/3/issue/TEAM-1`, {
        headers: { Authorization: "Basic x", Host: "evil.test", "forge-proxy-target": "/x" },
      }),
    ),
  inContext: () => status(() => read(api.asUser().withContext(place.context))),
  elsewhere: () => status(() => read(api.asApp().withContext(place.context.replace(/.$/, "x")))),
  beside: () => {
    const contextAri = place.context.replace(/.$/, "x");
    const meta = { type: "fpp", provider: "user", remote: "jira", contextAri };
    return status(() => __forge_fetch__(meta, "/rest/api/3/issue/TEAM-1"));
  },
  asPaul: () => status(() => read(api.asUser(place.paul))),
  commentAsPaul: () => status(() => comment(api.asUser(place.paul), "TEAM-1")),
  items: () => outside("https://api.test.example/items"),
  moved: () => outside("https://api.test.example/moved"),
  movedByHand: () => outside("https://api.test.example/moved", { redirect: "manual" }),
  down: () => outside("https://api.test.example/down"),
  undeclared: () => outside("https://evil.test/"),
  storage: () => status(() => __forge_fetch__({ type: "kvs" }, "/api/v1/get")),
  graph: () => status(() => api.asApp().requestGraph("{ me { user { name } } }")),
  context: () => {
    const { appAri, installationAri, moduleKey, invocationId } = forge.getAppContext();
    return [`${appAri}`, `${installationAri}`.length > 40, moduleKey, invocationId];
  },
};

(async () => {
  const said = {};
  for (const [name, step] of Object.entries(steps)) {
    if (!place.only || place.only.includes(name)) said[name] = await step();
  }
  console.log(JSON.stringify(said));
})();
