"""What a redirect from outside asks for next; whether it may is decided like any other call."""

from dataclasses import replace

import ada_url

from runtime.errors import ForgeError
from runtime.gateway.outside import ExternalCall, ExternalReply
from runtime.policy.egress import ExternalUrl, parse_external

STATUSES = frozenset({301, 302, 303, 307, 308})
_BODY_HEADERS = frozenset(
    {"content-encoding", "content-language", "content-location", "content-type"}
)
_CREDENTIALS = frozenset({"authorization", "cookie"})


def next_call(call: ExternalCall, target: ExternalUrl, reply: ExternalReply) -> ExternalCall | None:
    """Return the call that an answer redirects to, or None if it is the answer itself.

    A POST becomes a GET after 301, 302 and 303, any other method but HEAD after 303; the body stays
    behind with its headers. Credentials stay behind when the origin changes.

    Raises:
        ForgeError: ``FETCH_FAILED`` if the call does not want a redirect, or it leads nowhere.

    Source:
        Fetch Standard, "HTTP-redirect fetch".
    """
    location = _location(reply)
    if reply.status not in STATUSES or location is None or call.redirect == "manual":
        return None
    if call.redirect == "error":
        raise ForgeError("FETCH_FAILED", "unexpected redirect")
    try:
        url = ada_url.URL(location, base=target.url).href
    except ValueError:
        raise ForgeError("FETCH_FAILED", "the redirect leads to no URL") from None
    following = replace(call, url=url)
    if _becomes_get(call.method, reply.status):
        following = replace(following, method="GET", body=None)
        following = _without(following, _BODY_HEADERS)
    there = parse_external(url)
    if not isinstance(there, ExternalUrl) or there.origin != target.origin:
        following = _without(following, _CREDENTIALS)
    return following


def _location(reply: ExternalReply) -> str | None:
    return next((value for name, value in reply.headers if name.lower() == "location"), None)


def _becomes_get(method: str, status: int) -> bool:
    if status == 303:  # noqa: PLR2004  # See Other
        return method not in ("GET", "HEAD")
    return status in (301, 302) and method == "POST"


def _without(call: ExternalCall, names: frozenset[str]) -> ExternalCall:
    kept = tuple((name, value) for name, value in call.headers if name.lower() not in names)
    return replace(call, headers=kept)
