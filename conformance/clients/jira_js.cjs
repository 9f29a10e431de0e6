// jira.js up to version 5: both clients, by basic auth, by a token at the gateway, as a Connect app.
"use strict";

const { host, package: name, authentication } = JSON.parse(process.argv[2]);
const { Version2Client, Version3Client } = require(name);

const talk = async (Client) => {
  const client = new Client({ host, authentication });
  const project = await client.projects.getProject({ projectIdOrKey: "TEAM" });
  const { key } = await client.issues.createIssue({
    fields: {
      summary: "By jira.js",
      description: "plain",
      issuetype: { name: "Task" },
      project: { key: project.key },
    },
  });
  await client.issueComments.addComment({ issueIdOrKey: key, comment: "hi" });
  const { transitions } = await client.issues.getTransitions({ issueIdOrKey: key });
  const start = transitions.find((one) => one.name === "Start");
  await client.issues.doTransition({ issueIdOrKey: key, transition: { id: start.id } });
  const issue = await client.issues.getIssue({ issueIdOrKey: key });
  const query = { jql: `key = ${key}`, fields: ["summary", "status"] };
  const found = await client.issueSearch.searchForIssuesUsingJqlEnhancedSearch(query);
  const posted = await client.issueSearch.searchForIssuesUsingJqlEnhancedSearchPost(query);
  const hidden = await client.issues
    .getIssue({ issueIdOrKey: "VAULT-7" })
    .then(() => 200, (error) => error.status ?? error.response?.status ?? error.cause?.response?.status);
  return {
    me: (await client.myself.getCurrentUser()).displayName,
    issue: [issue.fields.summary, issue.fields.status.name],
    description: issue.fields.description,
    comments: issue.fields.comment.comments.map((one) => one.body),
    found: [...found.issues, ...posted.issues].map((one) => one.key === key),
    hidden,
  };
};

(async () => {
  console.log(JSON.stringify({ v2: await talk(Version2Client), v3: await talk(Version3Client) }));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
