import api, { route } from "@forge/api";
import Resolver from "@forge/resolver";
import { assess } from "./health";

const resolver = new Resolver();

// As the user: whoever may not see the issue gets no health of it either.
resolver.define("getHealth", async ({ payload }) => {
  const [issue, comments] = await Promise.all([
    read(route`/rest/api/3/issue/${payload.issueKey}?fields=summary,status,assignee,duedate`),
    read(route`/rest/api/3/issue/${payload.issueKey}/comment?maxResults=0`),
  ]);
  const health = assess(issue, comments.total, new Date());
  console.log(`${health.key} scores ${health.score}`);
  return health;
});

// As the app: the note is the app's own word, under the app's own name.
resolver.define("leaveNote", async ({ payload, context }) => {
  const text = `Looked at by issue-health for ${context.accountId}.`;
  const response = await api.asApp().requestJira(route`/rest/api/3/issue/${payload.issueKey}/comment`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      body: { type: "doc", version: 1, content: [{ type: "paragraph", content: [{ type: "text", text }] }] },
    }),
  });
  const comment = await response.json();
  return { status: response.status, author: comment.author?.displayName };
});

// Not covered by the manifest: needs manage:jira-project, which this app never asked for.
resolver.define("renameProject", async ({ payload }) => {
  const response = await api.asUser().requestJira(route`/rest/api/3/project/${payload.projectKey}`, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: payload.name }),
  });
  return { status: response.status, body: await response.json() };
});

async function read(path) {
  const response = await api.asUser().requestJira(path);
  if (!response.ok) throw new Error(`${path.value}: ${response.status} ${await response.text()}`);
  return response.json();
}

export const handler = resolver.getDefinitions();
