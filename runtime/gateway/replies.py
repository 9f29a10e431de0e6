"""The platform's terse answers to refused calls.

A refusal on the wire does not say which scope or rule was missing: that is for the console and the
audit trail.

Source:
    Field reports of the gateway's scope check (401, ``x-failure-category``) and of the proxy's
    ``forge-proxy-error`` header.

Differs:
    What the proxy answers where an app impersonates too often is not known: 429 and ``Retry-After``
    as everywhere, and ``RATE_LIMITED``, a word of our own.
"""

import json
from collections.abc import Callable

from runtime.gateway.values import ProductReply

_JSON = ("content-type", "application/json")
_SCOPE_MISMATCH = ("x-failure-category", "FAILURE_CLIENT_SCOPE_CHECK")

_Answer = tuple[int, str, tuple[str, str] | None]
"""Status, message, further header."""

# by the family of the rule
_ANSWERS: dict[str, _Answer] = {
    "scope": (401, "Unauthorized; scope does not match", _SCOPE_MISMATCH),
    "operation": (401, "Unauthorized; scope does not match", _SCOPE_MISMATCH),
    "act": (401, "Unauthorized", ("forge-proxy-error", "AUTH_TYPE_UNAVAILABLE")),
    "consent": (401, "Unauthorized", ("forge-proxy-error", "NEEDS_AUTHENTICATION_ERR")),
    "installation": (401, "Unauthorized", None),
    "remote": (404, "Not Found", ("forge-proxy-error", "INVALID_REMOTE")),
    "method": (405, "Method Not Allowed", None),
}
_OTHER: _Answer = (400, "Bad Request", None)


_RATE = "act.impersonation-rate"
_TOO_MANY: _Answer = (429, "Too Many Requests", ("forge-proxy-error", "RATE_LIMITED"))


def refusal_reply(rule: str, retry_after_s: Callable[[], int]) -> ProductReply:
    """Return what a guest gets for a call that `rule` refused.

    Args:
        rule: The rule.
        retry_after_s: Tells in how many seconds a rate has room again.
    """
    more: tuple[tuple[str, str], ...] = ()
    if rule == _RATE:
        answer, more = _TOO_MANY, (("retry-after", str(retry_after_s())),)
    else:
        answer = _ANSWERS.get(rule.partition(".")[0], _OTHER)
    status, message, header = answer
    body = json.dumps({"code": status, "message": message}, separators=(",", ":"))
    headers = (_JSON, *more) if header is None else (_JSON, header, *more)
    return ProductReply(status, headers, body.encode())
