// jira-client: basic auth on the site, or a token below the gateway's path; its search is the old one.
"use strict";

const JiraApi = require("jira-client");
const { options } = JSON.parse(process.argv[2]);
const messages = (error) => JSON.parse(error.message).errorMessages; // it wraps the answer's text

(async () => {
  const jira = new JiraApi({ protocol: "http", apiVersion: "2", strictSSL: true, ...options });
  const { key } = await jira.addNewIssue({
    fields: { project: { key: "TEAM" }, summary: "By jira-client", issuetype: { name: "Task" } },
  });
  await jira.addComment(key, "hello");
  const { transitions } = await jira.listTransitions(key);
  const start = transitions.find((one) => one.name === "Start");
  await jira.transitionIssue(key, { transition: { id: start.id } });
  await jira.updateIssue(key, { fields: { labels: ["moved"] } });
  const { fields } = await jira.findIssue(key);
  const found = await jira
    .searchJira(`key = ${key}`, { maxResults: 5, fields: ["summary"] })
    .then((page) => [page.total, page.issues[0].key === key], messages);
  const hidden = await jira.findIssue("VAULT-7").then(() => [], messages);
  const said = {
    me: (await jira.getCurrentUser()).displayName,
    issue: [fields.summary, fields.status.name, fields.labels],
    comments: fields.comment.comments.map((one) => one.body),
    found,
    hidden,
  };
  console.log(JSON.stringify(said));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
