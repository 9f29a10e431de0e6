"""What the kernel inside a guest says, read with the suspicion that all of a guest's words get."""

import json
from dataclasses import dataclass
from typing import Any

from runtime.sandbox.calls import GuestFailedError
from runtime.sandbox.values import Fault

CODES = frozenset(
    {
        "APP_ERROR",
        "DOOR_BYTES",
        "DOOR_CALLS",
        "NO_HANDLER",
        "RESULT_NOT_JSON",
        "RESULT_TOO_LARGE",
    }
)
"""Faults that the kernel may report; the host finds all others itself."""

THREW_NULL = "null (null was thrown, not an Error)"
_OUT_OF_MEMORY = "out of memory"  # and "out of memory in regexp execution"


class BadReportError(GuestFailedError):
    """The guest's kernel said something that it never says: the guest is damaged."""


@dataclass(frozen=True, slots=True)
class Busy:
    """What a guest wants now.

    Attributes:
        calls: Door calls to make: id, name, body.
        messages: Messages to hand out.
        timer_ms: How long until its next timer; None without one.
        settled: Whether its handler has returned.
    """

    calls: tuple[tuple[int, str, str], ...]
    messages: tuple[str, ...]
    timer_ms: float | None
    settled: bool


def fault_of_error(text: bytes) -> Fault:
    """Read an error that the kernel described."""
    fields = _object(text)
    code, name, message, stack = (
        str(fields.get(key, "")) for key in ("code", "name", "message", "stack")
    )
    if code not in CODES:
        raise BadReportError(f"unknown code {code[:32]!r}")
    message += _aside(str(fields.get("thrown", "")))
    if name == "InternalError" and message.startswith(_OUT_OF_MEMORY):
        return Fault("OUT_OF_MEMORY", "The app ran out of memory.", name, stack)
    return Fault(code, message, name, stack)


def _aside(kind: str) -> str:
    """Say of what is no error that it was thrown all the same."""
    if not kind:
        return ""
    what = kind if kind in {"null", "undefined"} else f"{'an' if kind == 'object' else 'a'} {kind}"
    return f" ({what} was thrown, not an Error)"


def busy_of(text: bytes) -> Busy:
    """Read what a guest wants."""
    fields = _object(text)
    try:
        timer = float(fields["timer"])
        return Busy(
            calls=tuple((int(call), str(name), str(body)) for call, name, body in fields["calls"]),
            messages=tuple(str(message) for message in fields["mail"]),
            timer_ms=timer if timer >= 0 else None,
            settled=fields["settled"] is True,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadReportError("a report lacks a field") from error


def _object(text: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadReportError("a report is not JSON") from error
    if not isinstance(fields, dict):
        raise BadReportError("a report is not an object")
    return fields
