// Three npm packages sign requests as a Connect app; what the site answered goes to the output.
"use strict";

const { site, key, secret } = JSON.parse(process.argv[2]);
const { Version3Client } = require("jira.js");

const PATHS = [
  ["GET", "/rest/api/3/myself"],
  ["GET", "/rest/api/3/search/jql?jql=project%20%3D%20TEAM&fields=summary&fields=status&maxResults=1"],
  ["GET", "/rest/api/3/issue/TEAM-1?fields=summary%2Cstatus&expand=names"],
  ["GET", "/rest/api/3/user/search?query=dana%2B%20*~!()'&maxResults=1"],
];

const signed = async (library) => {
  const statuses = [];
  for (const [method, path] of PATHS) {
    const now = Math.floor(Date.now() / 1000);
    const request = library.fromMethodAndUrl(method, path);
    const claims = { iss: key, iat: now, exp: now + 180, qsh: library.createQueryStringHash(request) };
    const token = (library.encodeSymmetric ?? library.encode)(claims, secret);
    const answer = await fetch(site + path, { method, headers: { authorization: `JWT ${token}` } });
    statuses.push(answer.status);
  }
  return statuses;
};

(async () => {
  const client = new Version3Client({
    host: site,
    authentication: { jwt: { issuer: key, secret, expiryTimeSeconds: 180 } },
  });
  const me = await client.myself.getCurrentUser();
  const issue = await client.issues.getIssue({ issueIdOrKey: "TEAM-1", fields: ["summary"] });
  const page = await client.issueSearch.searchForIssuesUsingJqlEnhancedSearch({
    jql: "project = TEAM",
    fields: ["summary", "status"],
    maxResults: 2,
  });
  const output = {
    "jira.js": { me: me.displayName, issue: issue.key, found: page.issues.length },
    "atlassian-jwt": await signed(require("atlassian-jwt")),
    "@atlassian/atlassian-jwt": await signed(require("@atlassian/atlassian-jwt")),
  };
  console.log(JSON.stringify(output));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
