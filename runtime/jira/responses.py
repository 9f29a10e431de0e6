"""Answers of the product: JSON, nothing, and errors; and the headers that every answer carries."""

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias
from urllib.parse import quote

from runtime.audit.trail import redact
from runtime.errors import JiraError
from runtime.ids import Ids
from runtime.jira.failures import BLOCKED_APP, MUST_AUTHENTICATE, ProblemError, UnreadableBodyError
from runtime.wire import JiraRequest, JiraResponse

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Headers = tuple[tuple[str, str], ...]

JSON_TYPE = ("content-type", "application/json;charset=UTF-8")
PROBLEM_TYPE = ("content-type", "application/problem+json;charset=UTF-8")
BARE_JSON_TYPE = ("content-type", "application/json")
SCOPE_FAILURE = ("x-failure-category", "FAILURE_CLIENT_SCOPE_CHECK")
SCOPE_DEBUG = "x-firebrick-scopes"
MAX_DEBUG = 4096  # characters: clients take header lines of twice that
LOGIN_FAILED = ("x-seraph-loginreason", "AUTHENTICATED_FAILED")
APP_BLOCKED = ("atlassian-datasecuritypolicy", "app_access_blocked")
LOGIN_DENIED = ("x-seraph-loginreason", "AUTHENTICATION_DENIED")
DENIED_TEXT = "Basic Authentication Failure - Reason : AUTHENTICATION_DENIED"
COMMON_HEADERS: Headers = (
    ("cache-control", "no-cache, no-store, no-transform"),
    ("x-content-type-options", "nosniff"),
    ("x-xss-protection", "1; mode=block"),
    ("timing-allow-origin", "*"),
    ("server", "AtlassianEdge"),
)
OWN_ANSWER = "x-arequestid"  # only the product's own answers carry it, not the gateway's

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def json_response(value: object, status: int = 200, headers: Headers = ()) -> JiraResponse:
    """Answer with a JSON body."""
    return JiraResponse(status, (JSON_TYPE, *headers), _encoder.encode(value).encode())


def no_content() -> JiraResponse:
    """Answer 204."""
    return JiraResponse(204)


def created(value: object) -> JiraResponse:
    """Answer 201 with a JSON body."""
    return json_response(value, 201)


def jira_time(milliseconds: int) -> str:
    """Write a time as the product does: ``2024-05-21T14:00:00.000+0000``."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}+0000"


def error_response(error: JiraError, request: JiraRequest) -> JiraResponse:
    """Answer an error in the shape its kind has.

    Source:
        Behaviour of the product's four error bodies: ``errorMessages`` with ``errors``; without
        them where a body could not be read; RFC 7807 from the web layer.
    """
    if isinstance(error, ProblemError):
        return _problem(error, request)
    body: dict[str, object] = {"errorMessages": list(error.messages)}
    if not isinstance(error, UnreadableBodyError):
        body["errors"] = error.fields
    headers: Headers = (_challenge(request),) if error.status == 401 else ()  # noqa: PLR2004  # HTTP
    if error.rule == BLOCKED_APP:
        headers = (*headers, APP_BLOCKED)
    return replace(json_response(body, error.status, headers), rule=error.rule or "request.invalid")


def must_authenticate(request: JiraRequest) -> JiraResponse:
    """Answer an anonymous call of an operation that needs a login.

    The media type follows ``Accept``; the text never does.
    """
    accept = request.headers.get("accept", "")
    media_type = "text/plain" if not accept else "text/html"
    if "json" in accept:
        media_type = "application/json"
    headers = (
        ("content-type", f"{media_type};charset=UTF-8"),
        _challenge(request),
        ("x-frame-options", "SAMEORIGIN"),
    )
    return JiraResponse(401, headers, MUST_AUTHENTICATE.encode(), rule="caller.anonymous")


def plain_refusal(status: int, text: str, rule: str, headers: Headers = ()) -> JiraResponse:
    """Answer with a line of plain text."""
    kind = ("content-type", "text/plain;charset=UTF-8")
    return JiraResponse(status, (kind, *headers), text.encode(), rule=rule)


def login_denied() -> JiraResponse:
    """Answer whoever shows a name that has failed too often, with the right token or not."""
    return plain_refusal(403, DENIED_TEXT, "credential.locked", (LOGIN_DENIED,))


def credential_answer(error: JiraError, request: JiraRequest) -> JiraResponse:
    """Answer what the site host says of a credential that it does not take at all."""
    rule = error.rule or "credential.refused"
    if rule == "credential.password":
        return plain_refusal(error.status, error.message, rule)
    if request.host == "gateway":
        return gateway_refusal(rule, error.message, error.status)
    if error.status == 401:  # noqa: PLR2004  # HTTP
        return replace(must_authenticate(request), rule=rule)
    answer = json_response({"error": error.message}, error.status)
    return replace(answer, headers=(BARE_JSON_TYPE,), rule=rule)


def login_reason(*, failed: bool, denied: bool) -> Headers:
    """Return the header that says what became of a login that was tried; none if it went well."""
    if denied:
        return (LOGIN_DENIED,)
    return (LOGIN_FAILED,) if failed else ()


def gateway_refusal(
    rule: str, message: str = "Unauthorized", status: int = 401, headers: Headers = ()
) -> JiraResponse:
    """Answer as the API gateway does: ``{"code": …, "message": …}``."""
    answer = json_response({"code": status, "message": message}, status, headers)
    return replace(answer, rule=rule)


def scope_mismatch(
    rule: str,
    reason: str = "",
    held: Collection[str] = (),
    groups: Iterable[Collection[str]] = (),
) -> JiraResponse:
    """Answer a call that the credential's scopes do not cover.

    The body does not say which are missing; a header of ours does, for whoever looks for the fault.

    Args:
        rule: The rule that refused.
        reason: Why, for the audit.
        held: The scopes in force.
        groups: The sets any one of which would do.
    """
    text = "Unauthorized; scope does not match"
    needed = " or ".join(" ".join(sorted(group)) for group in groups)
    debug: Headers = ()
    if needed:
        granted = " ".join(sorted(held)) or "none"
        debug = ((SCOPE_DEBUG, f"granted: {granted}; needed: {needed}"[:MAX_DEBUG]),)
    return replace(gateway_refusal(rule, text, headers=(SCOPE_FAILURE, *debug)), reason=reason)


def connect_scope_refusal(rule: str, reason: str = "") -> JiraResponse:
    """Answer a call that the scopes of a Connect app do not cover; which is missing is not said."""
    body = {"errorMessages": ["Request not in an authorized API scope"], "errors": {}}
    return replace(json_response(body, 403), rule=rule, reason=reason)


def with_common_headers(
    response: JiraResponse, ids: Ids, account_id: str | None, *, login_failed: bool, own: bool
) -> JiraResponse:
    """Add what every answer carries: request ids, caching and sniffing rules, who was resolved.

    Args:
        response: The answer so far.
        ids: Where the request's id comes from.
        account_id: The resolved caller, if any.
        login_failed: A credential was shown and resolved to nobody.
        own: The product itself answered, not the gateway before it.
    """
    trace = ids.uuid()
    headers = [*response.headers, ("atl-request-id", trace), *COMMON_HEADERS]
    headers.append(("atl-traceid", trace.replace("-", "")))
    if own:
        headers.append((OWN_ANSWER, trace.replace("-", "")[::-1]))
    if account_id is not None:
        headers.append(("x-aaccountid", quote(account_id, safe="")))
    if login_failed:
        headers.append(LOGIN_FAILED)
    return replace(response, headers=tuple(headers), account_id=account_id)


def _problem(error: ProblemError, request: JiraRequest) -> JiraResponse:
    body = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": redact(error.detail),
        "instance": redact(request.path),
    }
    headers = (PROBLEM_TYPE, *error.headers)
    return JiraResponse(
        error.status, headers, _encoder.encode(body).encode(), rule=error.rule or "request.invalid"
    )


def _challenge(request: JiraRequest) -> tuple[str, str]:
    return ("www-authenticate", f'OAuth realm="{quote(request.base_url, safe="")}"')
