"""What the server answers for Connect before the product: the key host, the impersonation server.

Each answers on a path of its own, so that one loopback port serves all hosts.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.errors import OAuthError
from runtime.identity.connect.impersonation import TOKEN_PATH, ImpersonationServer
from runtime.identity.connect.sitekeys import SiteKeyStore
from runtime.server.hosts import KEYS_PREFIX
from runtime.wire import JiraRequest, JiraResponse

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FORM_FIELDS = 20
NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))
JSON_TYPE = ("content-type", "application/json;charset=UTF-8")


class KeyHost:
    """Serves public keys of sites.

    Apps do not look at the status, and paste a ``kid`` that nobody verified into the path: so what
    is no key's exact address gets an empty body.

    Args:
        site_keys: Knows the keys.
    """

    def __init__(self, site_keys: SiteKeyStore) -> None:
        self._site_keys = site_keys

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer ``GET /connect-keys/{kid}``; on a key host of the platform that is ``/{kid}``."""
        if not (request.path + "/").startswith(KEYS_PREFIX):
            return None
        pem = None
        if request.method in ("GET", "HEAD") and not request.query:
            pem = self._site_keys.find_public_key(request.path.removeprefix(KEYS_PREFIX))
        if pem is None:
            return JiraResponse(404, rule="edge")
        return JiraResponse(200, (("content-type", "text/plain"),), pem.encode(), rule="edge")


class ImpersonationEdge:
    """Serves ``POST /oauth2/token``.

    Args:
        server: Exchanges assertions.
        audit: Gets one record for each request.
    """

    def __init__(self, server: ImpersonationServer, audit: AuditTrail) -> None:
        self._server = server
        self._audit = audit

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a token request."""
        if request.path != TOKEN_PATH:
            return None
        try:
            granted = self._server.exchange(_form(request), request.base_url)
        except OAuthError as error:
            self._audit.append(_record(request, error.error, error.message))
            return _json(error.status, {"error": error.error, "error_description": error.message})
        record = _record(request, "", "")
        self._audit.append(
            replace(record, app_id=granted.app.app_key, account_id=granted.account_id)
        )
        return _json(
            200,
            {
                "access_token": granted.access_token.get_secret_value(),
                "expires_in": granted.expires_in_s,
                "token_type": "Bearer",
            },
        )


def _form(request: JiraRequest) -> Mapping[str, str]:
    if request.method != "POST":
        raise OAuthError("invalid_request", "Tokens are asked for by POST.", 405)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM_TYPE:
        raise OAuthError("invalid_request", f"The body must be {FORM_TYPE}.")
    try:
        pairs = parse_qsl(
            request.body.decode(), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError as error:
        raise OAuthError("invalid_request", "The body cannot be read.") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise OAuthError("invalid_request", "A parameter stands twice.")
    return fields


def _json(status: int, body: object) -> JiraResponse:
    return JiraResponse(status, (JSON_TYPE, *NO_STORE), json.dumps(body).encode(), rule="edge")


def _record(request: JiraRequest, error: str, message: str) -> AuditRecord:
    return AuditRecord(
        kind="token",
        allowed=not error,
        rule="credential.assertion" if error else "act.impersonated",
        message=f"{error}: {message}" if error else "",
        model="connect",
        cloud_id=request.cloud_id,
        act_as="user",
        method=request.method[:16],
        path=request.path,
    )
