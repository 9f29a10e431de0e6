// jira.js from version 6 on with nothing but a refresh token: it finds its hosts and its site by itself.
import { createCloudClient } from "jira.js";

const { site, login, ...credentials } = JSON.parse(process.argv[2]);
let told = 0;
const onTokenRefresh = () => void (told += 1);
const app = createCloudClient({ auth: { type: "oauth2", ...credentials, onTokenRefresh } });
const first = await app.myself.getCurrentUser();
const issue = await app.issues.getIssue({ issueIdOrKey: "TEAM-1" });
const script = createCloudClient({ host: site, auth: { type: "basic", email: login[0], apiToken: login[1] } });
const mine = await script.myself.getCurrentUser();
const both = [first.self, mine.self].map((self) => new URL(self).origin);
console.log(JSON.stringify({ me: [first.displayName, mine.displayName], key: issue.key, both, told }));
