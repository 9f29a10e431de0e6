"""What an invocation did and when: its door calls, its log lines and its end, on one time axis."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from runtime.audit.trail import AuditRecord
from runtime.errors import InvocationError
from runtime.invocation.records import InvocationRecord
from runtime.server.runtime import Firebrick

SHORTEST_NAME = 4  # characters of an invocation id that may stand for it
MOST_RECORDS = 10_000  # of one invocation; budgets allow about a hundred

Kind = Literal["call", "egress", "remote", "log"]
CALL_KINDS: Mapping[str, Kind] = {"door": "call", "egress": "egress", "remote": "remote"}


@dataclass(frozen=True, slots=True)
class Span:
    """One thing that happened within an invocation.

    Attributes:
        kind: ``call`` (of the product), ``egress``, ``remote``, or ``log``.
        start_ms: When it began, after the invocation's beginning.
        end_ms: When it ended; the same for a log line.
        text: Method and path, or the logged text.
        level: Of a log line; empty otherwise.
        allowed: The verdict; True for a log line.
        rule: The deciding rule; empty for a log line.
        reason: Why, in words.
        operation: Key of the operation; None where there is none.
        status: HTTP status the guest got; None where there was no answer.
        act_as: ``user``, ``app`` or ``none``; None for a log line.
        account: Whom the call acted as, by handle; None for nobody.
    """

    kind: Kind
    start_ms: float
    end_ms: float
    text: str
    level: str = ""
    allowed: bool = True
    rule: str = ""
    reason: str = ""
    operation: str | None = None
    status: int | None = None
    act_as: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """One invocation over time.

    Attributes:
        record: The invocation.
        account: Who invoked it, by handle; None for nobody.
        duration_ms: Its wall time.
        spans: What happened, in the order of its beginning.
    """

    record: InvocationRecord
    account: str | None
    duration_ms: float
    spans: tuple[Span, ...]


def find_invocation(firebrick: Firebrick, name: str) -> InvocationRecord:
    """Return an invocation by its id, the beginning of it, or ``last``.

    Raises:
        InvocationError: ``UNKNOWN_INVOCATION`` if there is none, or if several begin so.
    """
    if name == "last":
        newest = firebrick.records.read(limit=1)
        if newest:
            return newest[0]
    found = firebrick.records.find(name) if len(name) >= SHORTEST_NAME else ()
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} invocations begin with" if found else "There is no invocation"
    raise InvocationError("UNKNOWN_INVOCATION", f"{what} {name!r}; 'firebrick logs' lists them.")


def trace(firebrick: Firebrick, name: str) -> Trace:
    """Return what an invocation did and when.

    Calls have the times of the audit trail, log lines those of the sandbox; both count from the
    invocation's beginning. Calls that ran at the same time overlap.

    Raises:
        InvocationError: ``UNKNOWN_INVOCATION``.
    """
    record = find_invocation(firebrick, name)
    decisions = firebrick.audit.read(invocation_id=record.id, limit=MOST_RECORDS)
    duration_ms = float(record.usage.get("wall_ms", 0.0))
    began_at_s = record.began_at_s
    if began_at_s is None:
        ended = (one.at_s for one in decisions if one.kind == "invocation")
        began_at_s = next(ended, 0.0) - duration_ms / 1000
    names = _names(firebrick, (one.account_id for one in decisions))
    calls = [_call(one, began_at_s, names) for one in decisions if one.kind in CALL_KINDS]
    spans = sorted((*calls, *_lines(record)), key=lambda span: (span.start_ms, span.end_ms))
    return Trace(
        record=record,
        account=None if record.account_id is None else firebrick.name_of(record.account_id),
        duration_ms=duration_ms,
        spans=tuple(spans),
    )


def _names(firebrick: Firebrick, account_ids: Iterable[str | None]) -> dict[str, str]:
    return {one: firebrick.name_of(one) for one in set(account_ids) if one is not None}


def _call(record: AuditRecord, began_at_s: float, names: dict[str, str]) -> Span:
    end_ms = max(0.0, (record.at_s - began_at_s) * 1000)
    return Span(
        kind=CALL_KINDS[record.kind],
        start_ms=max(0.0, end_ms - (record.duration_ms or 0.0)),
        end_ms=end_ms,
        text=f"{record.method or ''} {record.path or ''}".strip(),
        allowed=record.allowed,
        rule=record.rule,
        reason="" if record.allowed else record.message,
        operation=record.operation,
        status=record.status,
        act_as=record.act_as,
        account=names.get(record.account_id or ""),
    )


def _lines(record: InvocationRecord) -> Iterable[Span]:
    for line in record.logs:
        at_ms = float(str(line["at_ms"]))
        yield Span("log", at_ms, at_ms, str(line["text"]), level=str(line["level"]))
