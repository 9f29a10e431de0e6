"""What the server answers for OAuth before the product: tokens, who and where, metadata.

The platform has two hosts for it; here each path stands on the one port.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from pydantic import SecretStr

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.errors import OAuthError
from runtime.identity.accounts import Account
from runtime.identity.oauth.authenticator import MAX_CARRIED_SCOPES, TOO_LARGE
from runtime.identity.oauth.flow import OAuthFlow
from runtime.identity.oauth.values import IDENTITY_SCOPES, OFFLINE, TokenAnswer, TokenHolder
from runtime.jira.responses import gateway_refusal, scope_mismatch
from runtime.server.net.http import Edge
from runtime.wire import JiraRequest, JiraResponse

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

TOKEN_PATH = "/oauth/token"  # noqa: S105  # a path
REVOKE_PATH = "/oauth/revoke"
RESOURCES_PATH = "/oauth/token/accessible-resources"
ME_PATH = "/me"
DISCOVERY_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/.well-known/jwks.json"

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 50  # a token request has seven
JSON_TYPE = ("content-type", "application/json;charset=UTF-8")
NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))
BASIC_CHALLENGE = ("www-authenticate", 'Basic realm="firebrick"')


def oauth_edges(firebrick: "Firebrick") -> tuple[Edge, ...]:
    """Return what answers for OAuth's clients, in the order it is asked."""
    return (
        TokenEdge(firebrick.oauth.flow, firebrick.audit),
        BearerEdge(firebrick),
        answer_metadata,
    )


class TokenEdge:
    """Serves ``POST /oauth/token`` and ``POST /oauth/revoke``.

    Args:
        flow: Decides.
        audit: Gets one record for each request.
    """

    def __init__(self, flow: OAuthFlow, audit: AuditTrail) -> None:
        self._flow = flow
        self._audit = audit

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a token request; whatever is sent, the answer is JSON and is not kept."""
        if request.path not in (TOKEN_PATH, REVOKE_PATH):
            return None
        try:
            return self._answer(request)
        except OAuthError as error:
            self._audit.append(_refused(request, error))
            extra = (BASIC_CHALLENGE,) if error.status == 401 else ()  # noqa: PLR2004  # HTTP
            if error.status == 405:  # noqa: PLR2004  # HTTP
                extra = (("allow", "POST"),)
            body = {"error": error.error, "error_description": error.message}
            return _json(error.status, body, *NO_STORE, *extra)

    def _answer(self, request: JiraRequest) -> JiraResponse:
        form = read_form(request)
        authorization = request.headers.get("authorization")
        if request.path == REVOKE_PATH:
            client = self._flow.revoke(form, authorization)
            self._audit.append(_allowed(request, "credential.token-revoked", client.client_id))
            return _json(200, {}, *NO_STORE)
        issued = self._flow.exchange(form, authorization)
        record = _allowed(request, "credential.token-issued", issued.client_id)
        detail = {"scopes": sorted(issued.scopes)}
        self._audit.append(replace(record, account_id=issued.account_id, detail=detail))
        return _json(200, token_body(issued), *NO_STORE)


class BearerEdge:
    """Serves ``/oauth/token/accessible-resources`` and ``/me`` to holders of an access token.

    Args:
        firebrick: Knows tokens, accounts and sites.

    Source:
        "OAuth 2.0 (3LO) apps", "Get the cloudid for your site"; "User identity API".
    """

    def __init__(self, firebrick: "Firebrick") -> None:
        self._firebrick = firebrick

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer about the token's sites, or its account."""
        if request.path not in (RESOURCES_PATH, ME_PATH):
            return None
        if request.method not in ("GET", "HEAD"):
            return _json(405, {"code": 405, "message": "Method Not Allowed"}, ("allow", "GET"))
        found = self._holder(request)
        if found is None:
            return gateway_refusal("credential.refused")
        return self._answer(request.path, *found)

    def _answer(self, path: str, holder: TokenHolder, account: Account) -> JiraResponse:
        if holder.carried > MAX_CARRIED_SCOPES:
            return gateway_refusal("credential.too-large", TOO_LARGE, 400)
        if path == RESOURCES_PATH:
            return _json(200, self._resources(holder), *NO_STORE)
        if "read:me" not in holder.scopes:
            return scope_mismatch("scope.ungranted", "", holder.scopes, [{"read:me"}])
        return _json(200, profile(account), *NO_STORE)

    def _holder(self, request: JiraRequest) -> tuple[TokenHolder, Account] | None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        holder = self._firebrick.oauth.tokens.verify(SecretStr(value.strip()))
        account = None if holder is None else self._firebrick.find_account(holder.account_id)
        if holder is None or account is None or not account.active:
            return None
        return holder, account

    def _resources(self, holder: TokenHolder) -> list[dict[str, object]]:
        scopes = sorted(holder.scopes - IDENTITY_SCOPES - {OFFLINE})
        if not scopes:
            return []
        return [
            {
                "id": cloud_id,
                "url": f"https://{host}",
                "name": host.partition(".")[0],
                "scopes": scopes,
                "avatarUrl": f"https://{host}/favicon.ico",
            }
            for host, cloud_id in self._firebrick.sites_by_host().items()
            if cloud_id in holder.cloud_ids
        ]


def answer_metadata(request: JiraRequest) -> JiraResponse | None:
    """Answer ``/.well-known/openid-configuration`` and ``/.well-known/jwks.json``.

    The set of keys is empty: tokens are opaque, and no client is to verify one.

    Source:
        OpenID Connect Discovery 1.0 section 3; RFC 8414 section 2.

    Differs:
        No ``id_token`` is issued, on the platform to these clients neither.
    """
    if request.method not in ("GET", "HEAD"):
        return None
    if request.path == KEYS_PATH:
        return _json(200, {"keys": []})
    return _json(200, metadata(request.base_url)) if request.path == DISCOVERY_PATH else None


def metadata(base_url: str) -> dict[str, object]:
    """Return what the server says of itself."""
    return {
        "issuer": base_url,
        "authorization_endpoint": f"{base_url}/authorize",
        "token_endpoint": base_url + TOKEN_PATH,
        "revocation_endpoint": base_url + REVOKE_PATH,
        "userinfo_endpoint": base_url.replace("//auth.", "//api.", 1) + ME_PATH,
        "jwks_uri": base_url + KEYS_PATH,
        "scopes_supported": [OFFLINE],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def profile(account: Account) -> dict[str, object]:
    """Return the fields of ``/me``."""
    first = account.display_name.partition(" ")[0]
    return {
        "account_type": account.account_type,
        "account_id": account.account_id,
        "email": account.email,
        "name": account.display_name,
        "picture": f"https://avatar-management.services.atlassian.com/initials/{first[:1]}-1.png",
        "account_status": "active" if account.active else "inactive",
        "nickname": first,
        "zoneinfo": account.time_zone,
        "locale": account.locale.replace("_", "-"),
        "extended_profile": {"job_title": "", "organization": "", "department": "", "location": ""},
    }


def token_body(issued: TokenAnswer) -> dict[str, object]:
    """Return the JSON of a token answer."""
    body: dict[str, object] = {
        "access_token": issued.access_token.get_secret_value(),
        "expires_in": issued.expires_in_s,
        "token_type": "Bearer",
        "scope": " ".join(sorted(issued.scopes)),
    }
    if issued.refresh_token is not None:
        body["refresh_token"] = issued.refresh_token.get_secret_value()
    return body


def read_form(request: JiraRequest) -> Mapping[str, str]:
    """Return the fields of a POST, from a form or a JSON object; those without a value left out.

    Raises:
        OAuthError: ``invalid_request``.

    Source:
        The documentation's examples (JSON) and RFC 6749 section 4.1.3 (form); clients of both
        habits, measured.
    """
    if request.method != "POST":
        raise OAuthError("invalid_request", "Tokens are asked for by POST.", 405)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    readers = {FORM_TYPE: _form_pairs, "application/json": _json_pairs}
    if kind not in readers:
        raise OAuthError("invalid_request", f"The body must be {' or '.join(readers)}.")
    try:
        pairs = readers[kind](request.body.decode())
    except (ValueError, RecursionError) as error:
        raise OAuthError("invalid_request", "The body cannot be read.") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise OAuthError("invalid_request", "A parameter stands twice.")
    if not all(isinstance(value, str) for value in fields.values()):
        raise OAuthError("invalid_request", "Every parameter is a text.")
    return {name: str(value) for name, value in fields.items() if value}


def _form_pairs(text: str) -> list[tuple[str, object]]:
    return list(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))


def _json_pairs(text: str) -> list[tuple[str, object]]:
    pairs = json.loads(text, object_pairs_hook=_Pairs)
    if not isinstance(pairs, _Pairs):
        raise ValueError("a token request is an object")  # noqa: TRY004  # caught as such
    return list(pairs)


class _Pairs(list[tuple[str, object]]):
    """The members of a JSON object, in order, with those that stand twice."""


def _json(status: int, body: object, *headers: tuple[str, str]) -> JiraResponse:
    return JiraResponse(status, (JSON_TYPE, *headers), json.dumps(body).encode(), rule="edge")


def _allowed(request: JiraRequest, rule: str, client_id: str) -> AuditRecord:
    return AuditRecord(
        kind="token",
        allowed=True,
        rule=rule,
        model="oauth",
        app_id=client_id,
        method=request.method,
        path=request.path,
        status=200,
    )


def _refused(request: JiraRequest, error: OAuthError) -> AuditRecord:
    return AuditRecord(
        kind="token",
        allowed=False,
        rule="credential.token-refused",
        message=f"{error.error}: {error.message}",
        model="oauth",
        method=request.method[:16],
        path=request.path,
        status=error.status,
    )
