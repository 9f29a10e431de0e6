"""The package ``requests-oauthlib``: the whole code flow, and refreshing by itself."""

import json
import sys

from requests_oauthlib import OAuth2Session

place = json.loads(sys.argv[1])
base, client_id, secret = place["base"], place["client"], place["secret"]
scope = ["offline_access", "read:jira-work", "read:me"]
kept: list[dict[str, object]] = []
options = {"pkce": "S256"} if place["pkce"] else {}
session = OAuth2Session(client_id, redirect_uri=place["callback"], scope=scope, **options)
url, state = session.authorization_url(
    f"{base}/authorize", audience="api.atlassian.com", prompt="consent"
)
print(url, flush=True)  # noqa: T201  # the person opens it, and pastes where they were sent
redirect = input()
token = session.fetch_token(
    f"{base}/oauth/token",
    client_secret=secret,
    authorization_response=redirect,
    include_client_id=place["include"],
)
first = token["refresh_token"]
me = session.get(f"{base}/me").json()
(site,) = session.get(f"{base}/oauth/token/accessible-resources").json()
issue = session.get(f"{base}/ex/jira/{site['id']}/rest/api/3/issue/TEAM-1")
keys = {"client_id": client_id, "client_secret": secret}
token = session.refresh_token(f"{base}/oauth/token", **keys)
expired = {**token, "expires_in": -1, "expires_at": 1}
again = OAuth2Session(
    client_id,
    token=expired,
    auto_refresh_url=f"{base}/oauth/token",
    auto_refresh_kwargs=keys,
    token_updater=kept.append,
)
renewed = again.get(f"{base}/ex/jira/{site['id']}/rest/api/3/issue/TEAM-2")
said = {
    "state": f"state={state}" in redirect,
    "me": me["name"],
    "site": site["url"],
    "issue": issue.json()["key"],
    "rotated": len({first, token["refresh_token"], kept[0]["refresh_token"]}),
    "renewed": [renewed.status_code, renewed.json()["key"]],
    "refused": session.post(f"{base}/ex/jira/{site['id']}/rest/api/3/issue", json={}).status_code,
}
sys.stdout.write(json.dumps(said))
