"""The package ``jira``: by basic auth, by an OAuth token at the gateway, or as a Connect app."""

import json
import sys

from jira import JIRA, JIRAError

place = json.loads(sys.argv[1])
if "email" in place:
    client = JIRA(place["site"], basic_auth=(place["email"], place["token"]))
elif "bearer" in place:
    client = JIRA(server=place["gateway"], token_auth=place["bearer"])
else:
    claims = {"iss": place["key"]}
    client = JIRA(place["site"], jwt={"secret": place["secret"], "payload": claims})

created = client.create_issue(
    project="TEAM", summary="By jira", issuetype={"name": "Task"}, description="*bold*"
)
client.add_comment(created, "hello")
client.transition_issue(created, "Start")
created.update(summary="Changed by jira")
issue = client.issue(created.key)
said = {
    "me": client.myself()["displayName"],
    "issue": [issue.fields.summary, issue.fields.status.name, issue.fields.description],
    "comments": [comment.body for comment in client.comments(issue)],
    "found": [one.key for one in client.search_issues(f"key = {issue.key}")] == [issue.key],
    "projects": sorted(project.key for project in client.projects()),
    "hidden": 200,
}
try:
    client.issue("VAULT-7")
except JIRAError as error:
    said["hidden"] = error.status_code
sys.stdout.write(json.dumps(said))
