"""The package ``atlassian-python-api``: basic auth, a token at the gateway, an OAuth session."""

import json
import sys

from atlassian import Jira
from requests import HTTPError

place = json.loads(sys.argv[1])
if "email" in place:
    client = Jira(place["site"], username=place["email"], password=place["token"], cloud=True)
elif "oauth2" in place:
    client = Jira(place["gateway"], oauth2=place["oauth2"], cloud=True)
else:
    client = Jira(place["gateway"], token=place["bearer"], cloud=True)

fields = {"project": {"key": "TEAM"}, "summary": "By atlassian", "issuetype": {"name": "Task"}}
key = client.create_issue(fields=fields)["key"]
client.issue_add_comment(key, "hello")
client.set_issue_status(key, "In Progress")
issue = client.issue(key)
said = {
    "me": client.myself()["displayName"],
    "issue": [issue["fields"]["summary"], issue["fields"]["status"]["name"]],
    "comments": [one["body"] for one in issue["fields"]["comment"]["comments"]],
    "found": [one["key"] for one in client.jql(f"key = {key}")["issues"]] == [key],
    "enhanced": len(client.enhanced_jql("project = TEAM", limit=2)["issues"]),
    "hidden": 200,
}
try:
    client.issue("VAULT-7")
except HTTPError as error:
    said["hidden"] = error.response.status_code
sys.stdout.write(json.dumps(said))
