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


def refusal_reply(rule: str) -> ProductReply:
    """Return what a guest gets for a call that `rule` refused."""
    family = rule.split(".", maxsplit=1)[0]
    if family in ("scope", "operation"):
        return _gateway(
            401,
            "Unauthorized; scope does not match",
            ("x-failure-category", "FAILURE_CLIENT_SCOPE_CHECK"),
        )
    if family == "act":
        return _gateway(401, "Unauthorized", ("forge-proxy-error", "AUTH_TYPE_UNAVAILABLE"))
    if family == "installation":
        return _gateway(401, "Unauthorized")
    if family == "remote":
        return _gateway(404, "Not Found", ("forge-proxy-error", "INVALID_REMOTE"))
    if family == "method":
        return _gateway(405, "Method Not Allowed")
    return _gateway(400, "Bad Request")


def _gateway(status: int, message: str, *headers: tuple[str, str]) -> ProductReply:
    body = json.dumps({"code": status, "message": message}, separators=(",", ":"))
    return ProductReply(status, (_JSON, *headers), body.encode())
