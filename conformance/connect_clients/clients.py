"""Two PyPI packages sign requests as a Connect app; what the site answered goes to the output."""

import json
import sys

import atlassian_jwt
import requests
from jira import JIRA

place = json.loads(sys.argv[1])
PATHS = [
    "/rest/api/3/myself",
    "/rest/api/3/search/jql?jql=project+%3D+TEAM&fields=summary,status&maxResults=1",
    "/rest/api/3/issue/TEAM-1?fields=summary&fields=status",
]
statuses = []
for path in PATHS:
    token = atlassian_jwt.encode_token(
        "GET",
        path,
        clientKey=place["clientKey"],
        sharedSecret=place["secret"],
        payload_kwargs={"iss": place["key"]},
    )
    headers = {"Authorization": f"JWT {token}"}
    statuses.append(requests.get(place["site"] + path, headers=headers, timeout=60).status_code)


class Verifier(atlassian_jwt.Authenticator):
    """The package's own verification of what the site sends to an app."""

    def get_shared_secret(self, client_key: str) -> str:
        """Return the secret of the one tenant there is."""
        assert client_key == place["clientKey"]
        return place["secret"]


frame = place["frame"]
who = Verifier().authenticate("GET", frame, {}).client_key
client = JIRA(
    place["site"], jwt={"secret": place["secret"], "payload": {"iss": place["key"]}}, max_retries=0
)
issue = client.issue("TEAM-1")
found = client.search_issues("project = TEAM", maxResults=2)
client.add_comment("TEAM-1", "from the app")
output = {"atlassian-jwt": statuses, "frame": who, "jira": [issue.key, len(found)]}
sys.stdout.write(json.dumps(output))
