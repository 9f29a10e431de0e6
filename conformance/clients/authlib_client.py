"""The package ``Authlib``: its clients on requests and on httpx, each way to show the secret."""

import json
import sys
from typing import Any

from authlib.integrations.httpx_client import OAuth2Client
from authlib.integrations.requests_client import OAuth2Session

place = json.loads(sys.argv[1])
base = place["base"]


def talk(kind: Any, method: str, verifier: str | None) -> dict[str, object]:
    """Take one client through the whole flow."""
    more = {} if verifier is None else {"code_challenge_method": "S256"}
    client = kind(
        place["client"],
        place["secret"],
        scope="offline_access read:jira-work read:me",
        redirect_uri=place["callback"],
        token_endpoint_auth_method=method,
        **more,
    )
    verified = {} if verifier is None else {"code_verifier": verifier}
    url, state = client.create_authorization_url(
        f"{base}/authorize", audience="api.atlassian.com", prompt="consent", **verified
    )
    print(url, flush=True)  # noqa: T201  # the person opens it, and pastes where they were sent
    token = client.fetch_token(
        f"{base}/oauth/token", authorization_response=input(), state=state, **verified
    )
    first = token["refresh_token"]
    me = client.get(f"{base}/me").json()
    (site,) = client.get(f"{base}/oauth/token/accessible-resources").json()
    token = client.refresh_token(f"{base}/oauth/token", refresh_token=first)
    issue = client.get(f"{base}/ex/jira/{site['id']}/rest/api/3/issue/TEAM-1")
    return {
        "me": me["name"],
        "site": site["url"],
        "scope": sorted(token["scope"].split()),
        "rotated": token["refresh_token"] != first,
        "issue": [issue.status_code, issue.json()["key"]],
    }


said = {
    f"{kind.__module__.split('.')[2]} {method}": talk(kind, method, verifier)
    for kind, method, verifier in (
        (OAuth2Session, "client_secret_basic", None),
        (OAuth2Session, "client_secret_post", "v" * 48),
        (OAuth2Client, "client_secret_basic", "w" * 48),
        (OAuth2Client, "client_secret_post", None),
    )
}
sys.stdout.write(json.dumps(said))
