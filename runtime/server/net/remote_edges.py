"""Forge Remote's part of the HTTP server: the public keys of invocation tokens."""

import json
from typing import TYPE_CHECKING

from runtime.server.net.http import Edge
from runtime.wire import JiraRequest, JiraResponse

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

KEYS_PATH = "/forge/.well-known/jwks.json"
KEYS_MAX_AGE_S = 300  # a new key is known within that time


def remote_edges(firebrick: "Firebrick") -> tuple[Edge, ...]:
    """Return what answers for Forge Remote: the public keys of invocation tokens."""

    def keys(request: JiraRequest) -> JiraResponse | None:
        if request.path != KEYS_PATH or request.method not in ("GET", "HEAD"):
            return None
        body = json.dumps({"keys": firebrick.remotes.keys.published()}).encode()
        headers = (
            ("content-type", "application/json"),
            ("cache-control", f"public, max-age={KEYS_MAX_AGE_S}"),
            ("access-control-allow-origin", "*"),
        )
        return JiraResponse(200, headers, body, rule="edge")

    return (keys,)
