"""Scripts of other origins on the gateway: they may ask, and read what a token of theirs opens.

Nothing there answers without an ``Authorization`` that the script itself sets; no browser adds one,
nor a cookie, for credentials are never allowed. The site and the server's own pages, where that
would be different, allow no other origin anything.

Source:
    "OAuth 2.0 (3LO) apps", frequently asked questions: CORS is supported for the gateway's host;
    the Fetch standard, "HTTP-CORS protocol".

Differs:
    Which origins the platform lists, and its headers, are not documented: here it is every origin.
"""

from dataclasses import replace

from runtime.server.hosts import GATEWAY_PREFIX, OWN_PATHS
from runtime.wire import JiraResponse

ANY_ORIGIN = ("access-control-allow-origin", "*")
MAX_AGE_S = 600
PREFLIGHT = (
    ("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    (
        "access-control-allow-headers",
        "authorization, content-type, accept, accept-language, x-atlassian-token, "
        "x-requested-with, x-force-accept-language",
    ),
    ("access-control-max-age", str(MAX_AGE_S)),
)
READABLE = (
    "access-control-expose-headers",
    "retry-after, warning, atl-traceid, x-arequestid, x-failure-category, x-firebrick-scopes",
)
SHARED_PATHS = frozenset(OWN_PATHS["gateway"].exact - {"/graphql"})


def is_shared(path: str) -> bool:
    """Whether scripts of every origin may ask a path."""
    return path.startswith(GATEWAY_PREFIX) or path in SHARED_PATHS


def preflight(path: str, method: str, headers: dict[str, str]) -> JiraResponse | None:
    """Answer a browser that asks whether a script may ask; None if this is no such question."""
    asks = "origin" in headers and "access-control-request-method" in headers
    if method != "OPTIONS" or not asks or not is_shared(path):
        return None
    return JiraResponse(204, PREFLIGHT, rule="edge")


def readable(answer: JiraResponse, path: str, headers: dict[str, str]) -> JiraResponse:
    """Let a script of another origin read an answer of the gateway; others stay as they are."""
    if "origin" not in headers or not is_shared(path):
        return answer
    return replace(answer, headers=(*answer.headers, ANY_ORIGIN, READABLE))
