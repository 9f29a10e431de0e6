// jira.js up to version 5 with nothing but a refresh token: it finds its hosts and its site by itself.
"use strict";

const { package: name, site, login, ...credentials } = JSON.parse(process.argv[2]);
const { Version3Client } = require(name);

const told = [];
const onTokenRefresh = (tokens) => void told.push(Object.keys(tokens).sort());
const plain = { basic: { email: login[0], apiToken: login[1] } };

(async () => {
  const app = new Version3Client({ authentication: { oauth2: { ...credentials, onTokenRefresh } } });
  const first = await app.myself.getCurrentUser();
  const issue = await app.issues.getIssue({ issueIdOrKey: "TEAM-1" });
  const script = new Version3Client({ host: site, authentication: plain });
  const mine = await script.myself.getCurrentUser();
  const both = [first.self, mine.self].map((self) => new URL(self).origin);
  console.log(JSON.stringify({ me: [first.displayName, mine.displayName], key: issue.key, both, told: told.length }));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
