"""Canned answers of the world outside: what `fetch` gets instead of the network."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

FAULTS = {
    "refused": "ECONNREFUSED: the connection was refused",
    "reset": "ECONNRESET: the connection was reset",
    "timeout": "ETIMEDOUT: no answer within the time there is",
    "unresolved": "ENOTFOUND: the host name is unknown",
}
"""Ways in which a stub fails instead of answering, and what the app is told."""

MAX_DELAY_MS = 60_000  # longer than any invocation lasts

Fault = Literal["refused", "reset", "timeout", "unresolved"]


@dataclass(frozen=True, slots=True)
class EgressStub:
    """One canned answer.

    Attributes:
        url: Pattern of the whole URL; ``*`` stands for any text. Without a ``?`` in it the query of
            the request does not count. Compared with the rebuilt URL: host in lower case, no
            default port, no fragment, ``/`` where there is no path.
        method: HTTP method; None for any.
        body_text: Text that the request's body must contain; None for any body.
        body_json: What the body must hold as JSON: objects need these keys with these values, at
            any depth, and may have more; everything else must be equal. Not looked at if
            `match_json` is false.
        match_json: Whether `body_json` counts.
        status: HTTP status of the answer.
        headers: Of the answer.
        body: Of the answer.
        delay_ms: How long the answer takes, up to `MAX_DELAY_MS`.
        fault: How the request fails; None if it is answered.
    """

    url: str
    method: str | None = None
    body_text: str | None = None
    body_json: object = None
    match_json: bool = False
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delay_ms: int = 0
    fault: Fault | None = None


def find_stub(
    stubs: Iterable[EgressStub], method: str, url: str, body: bytes | None
) -> EgressStub | None:
    """Return the first stub that fits a request, or None.

    Args:
        stubs: In their order in the world file.
        method: HTTP method in upper case.
        url: The rebuilt URL.
        body: The request's body; None without one.
    """
    return next((stub for stub in stubs if _fits(stub, method, url, body)), None)


def _fits(stub: EgressStub, method: str, url: str, body: bytes | None) -> bool:
    if stub.method is not None and stub.method.upper() != method:
        return False
    asked = url if "?" in stub.url else url.partition("?")[0]
    if not _matches(stub.url, asked):
        return False
    text = (body or b"").decode("utf-8", "replace")
    if stub.body_text is not None and stub.body_text not in text:
        return False
    return not stub.match_json or _holds_json(stub.body_json, text)


def _matches(pattern: str, text: str) -> bool:
    """Compare with a pattern in which ``*`` stands for any text, in linear time."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text or pattern + "/" == text
    if not text.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return text[at:].endswith(rest[-1])


def _holds_json(wanted: object, text: str) -> bool:
    try:
        return _holds(wanted, json.loads(text))
    except (ValueError, RecursionError):
        return False


def _holds(wanted: object, found: object) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and _holds(value, found[key]) for key, value in wanted.items()
        )
    return type(wanted) is type(found) and wanted == found
