"""The platform's terse answers to refused calls.

A refusal on the wire does not say which scope or rule was missing: that is for the console and the
audit trail.

Source:
    Field reports of the gateway's scope check (401, ``x-failure-category``) and of the proxy's
    ``forge-proxy-error`` header.
"""

import json

from runtime.gateway.values import ProductReply

_JSON = ("content-type", "application/json")
_SCOPE_MISMATCH = ("x-failure-category", "FAILURE_CLIENT_SCOPE_CHECK")

# by the family of the rule: status, message, further header
_ANSWERS: dict[str, tuple[int, str, tuple[str, str] | None]] = {
    "scope": (401, "Unauthorized; scope does not match", _SCOPE_MISMATCH),
    "operation": (401, "Unauthorized; scope does not match", _SCOPE_MISMATCH),
    "act": (401, "Unauthorized", ("forge-proxy-error", "AUTH_TYPE_UNAVAILABLE")),
    "consent": (401, "Unauthorized", ("forge-proxy-error", "NEEDS_AUTHENTICATION_ERR")),
    "installation": (401, "Unauthorized", None),
    "remote": (404, "Not Found", ("forge-proxy-error", "INVALID_REMOTE")),
    "method": (405, "Method Not Allowed", None),
}
_OTHER = (400, "Bad Request", None)


def refusal_reply(rule: str) -> ProductReply:
    """Return what a guest gets for a call that `rule` refused."""
    status, message, header = _ANSWERS.get(rule.partition(".")[0], _OTHER)
    body = json.dumps({"code": status, "message": message}, separators=(",", ":"))
    headers = (_JSON,) if header is None else (_JSON, header)
    return ProductReply(status, headers, body.encode())
