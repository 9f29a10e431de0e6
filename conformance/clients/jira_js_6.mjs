// jira.js from version 6 on, which checks each answer against its schema and fails where one differs.
import { createCloudClient } from "jira.js";

const { host, auth } = JSON.parse(process.argv[2]);
const client = createCloudClient({ host, auth });
const project = await client.projects.getProject({ projectIdOrKey: "TEAM" });
const { key } = await client.issues.createIssue({
  fields: { summary: "By jira.js", issuetype: { name: "Task" }, project: { key: project.key } },
});
await client.issueComments.addComment({ issueIdOrKey: key, body: "*hi*" });
const { transitions } = await client.issues.getTransitions({ issueIdOrKey: key });
const start = transitions.find((one) => one.name === "Start");
await client.issues.doTransition({ issueIdOrKey: key, transition: { id: start.id } });
const issue = await client.issues.getIssue({ issueIdOrKey: key });
const query = { jql: `key = ${key}`, fields: ["summary", "status"] };
const found = await client.issueSearch.searchAndReconsileIssuesUsingJql(query);
const hidden = await client.issues
  .getIssue({ issueIdOrKey: "VAULT-7" })
  .then(() => 200, (error) => error.status);
const comments = await client.issueComments.getComments({ issueIdOrKey: key });
const said = {
  me: (await client.myself.getCurrentUser()).displayName,
  issue: [issue.fields.summary, issue.fields.status.name],
  comments: comments.comments.map((one) => one.body),
  found: found.issues.map((one) => one.key === key),
  hidden,
};
console.log(JSON.stringify(said));
