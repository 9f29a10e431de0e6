import api, { route } from "@forge/api";
import Resolver from "@forge/resolver";

const resolver = new Resolver();

// The deputy is confused: the app may edit every issue, and never asks whether the person who
// sent it may. Anyone who can see the panel can rename anything.
resolver.define("vulnerable", async ({ payload }) => {
  const response = await rename(payload.issueKey, payload.summary);
  return { status: response.status };
});

// Mended: the same edit, after asking what the person may do.
resolver.define("mended", async ({ payload }) => {
  if (!(await mayEdit(payload.issueKey))) return { status: 403, reason: "You may not edit this issue." };
  const response = await rename(payload.issueKey, payload.summary);
  return { status: response.status };
});

async function mayEdit(issueKey) {
  const response = await api
    .asUser()
    .requestJira(route`/rest/api/3/mypermissions?issueKey=${issueKey}&permissions=EDIT_ISSUES`);
  if (!response.ok) return false;
  return (await response.json()).permissions.EDIT_ISSUES.havePermission;
}

function rename(issueKey, summary) {
  return api.asApp().requestJira(route`/rest/api/3/issue/${issueKey}`, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ fields: { summary } }),
  });
}

export const handler = resolver.getDefinitions();
