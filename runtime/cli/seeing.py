"""``audit``, ``logs`` and ``trace``: what was decided, said and done."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from runtime.cli.console import print_json, reports_errors, say, table
from runtime.cli.explain import show_explanation
from runtime.cli.options import FormatOption, StateOption, open_state

if TYPE_CHECKING:
    from runtime.audit.trail import AuditRecord
    from runtime.server.explain.explanation import Explanation
    from runtime.server.explain.tracing import Span, Trace
    from runtime.server.runtime import Firebrick

Level = Literal["debug", "info", "warn", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warn", "error")

LimitOption = Annotated[int, typer.Option("--limit", "-n", help="How many, the newest.", min=1)]
InvocationOption = Annotated[
    str | None,
    typer.Option(
        "--invocation",
        help="Only this invocation: its id, the beginning of it, or 'last'.",
        show_default=False,
    ),
]


@reports_errors
def audit(
    *,
    invocation: InvocationOption = None,
    limit: LimitOption = 50,
    why: Annotated[
        bool, typer.Option("--why", help="Tell the whole chain of each decision in words.")
    ] = False,
    refused: Annotated[bool, typer.Option("--refused", help="Only what was refused.")] = False,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Show the audit trail: every decision with its rule, oldest first."""
    from dataclasses import asdict

    with open_state(state) as firebrick:
        wanted = None if invocation is None else _id_of(firebrick, invocation)
        records = firebrick.audit.read(
            invocation_id=wanted, limit=limit, allowed=False if refused else None
        )
        told = _explained(firebrick, records) if why else ()
        names = {
            record.account_id: firebrick.name_of(record.account_id)
            for record in records
            if record.account_id is not None
        }
    if format_ == "json":
        print_json([_why_json(*one) for one in told] if why else [asdict(r) for r in records])
    elif not records:
        say("Nothing was decided yet.")
    elif why:
        for record, explanation in told:
            _show_why(record, explanation)
    else:
        _show_records(records, names)


@reports_errors
def logs(
    *,
    invocation: InvocationOption = None,
    limit: LimitOption = 20,
    level: Annotated[
        Level, typer.Option("--level", help="Only lines of this level and above.")
    ] = "debug",
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Show what apps logged, by invocation."""
    from dataclasses import asdict, replace

    shown = LEVELS[LEVELS.index(level) :]
    with open_state(state) as firebrick:
        wanted = None if invocation is None else _id_of(firebrick, invocation)
        found = firebrick.records.read(invocation_id=wanted, limit=limit)
    records = [
        replace(record, logs=[line for line in record.logs if line["level"] in shown])
        for record in found
    ]
    if format_ == "json":
        print_json([asdict(record) for record in records])
        return
    if not records:
        say("No app has run yet.")
    for record in records:
        verdict = "ok" if record.succeeded else str(record.code)
        began_at_s = record.started_at_s if record.began_at_s is None else record.began_at_s
        say(
            f"{_time(began_at_s)} {record.app_name} {record.function} {verdict} {record.id}", "bold"
        )
        for line in record.logs:
            say(f"  {str(line['level']).upper():<5} {line['text']}")


@reports_errors
def trace(
    invocation: Annotated[
        str,
        typer.Argument(metavar="ID", help="Invocation id, its beginning, or 'last'."),
    ],
    *,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Show one invocation over time: calls with their decisions, log lines, and the end."""
    from runtime.server.explain.tracing import trace as trace_of

    with open_state(state) as firebrick:
        found = trace_of(firebrick, invocation)
    if format_ == "json":
        print_json(_trace_json(found))
    else:
        _show_trace(found)


def _id_of(firebrick: "Firebrick", name: str) -> str:
    from runtime.server.explain.tracing import find_invocation

    return find_invocation(firebrick, name).id


# ------------------------------------------------------------------------------------------- audit


def _show_records(records: "Sequence[AuditRecord]", names: dict[str, str]) -> None:
    table(
        ("time", "kind", "verdict", "as", "what", "status", "rule"),
        (
            (
                _time(record.at_s),
                record.kind,
                "allowed" if record.allowed else "refused",
                names.get(record.account_id or "", "-"),
                f"{record.method or ''} {record.path or ''}".strip(),
                str(record.status or "-"),
                record.rule,
            )
            for record in records
        ),
    )


def _explained(
    firebrick: "Firebrick", records: "Sequence[AuditRecord]"
) -> "tuple[tuple[AuditRecord, Explanation], ...]":
    from runtime.server.explain.why import Reasons

    reasons = Reasons(firebrick)
    return tuple((record, reasons.explain(record)) for record in records)


def _why_json(record: "AuditRecord", told: "Explanation") -> dict[str, object]:
    from dataclasses import asdict

    from runtime.server.explain.explanation import as_json

    return {**asdict(record), "why": as_json(told)}


def _show_why(record: "AuditRecord", told: "Explanation") -> None:
    what = f"{record.method or ''} {record.path or ''}".strip()
    say(f"{_time(record.at_s)} {record.kind} {what}", "bold")
    show_explanation(told, "  ")


# ------------------------------------------------------------------------------------------- trace


def _trace_json(trace: "Trace") -> dict[str, object]:
    from dataclasses import asdict

    record = trace.record
    return {
        "invocationId": record.id,
        "app": record.app_name,
        "environment": record.environment,
        "function": record.function,
        "account": trace.account,
        "succeeded": record.succeeded,
        "code": record.code,
        "durationMs": trace.duration_ms,
        "usage": dict(record.usage),
        "spans": [asdict(span) for span in trace.spans],
    }


def _show_trace(trace: "Trace") -> None:
    record = trace.record
    by = f" invoked by {trace.account}" if trace.account else ""
    say(f"{record.app_name} ({record.environment}) {record.function}{by}  {record.id}", "bold")
    for span in trace.spans:
        say(f"├─ {_times(span):>19}  {_what(span)}", "" if span.allowed else "red")
        if span.reason:
            say(f"│  {'':>19}  {span.reason.partition(chr(10))[0]}", "yellow")
    ended = "done" if record.succeeded else str(record.code)
    say(f"└─ {trace.duration_ms:>16.1f} ms  {ended}", "green" if record.succeeded else "red")


def _times(span: "Span") -> str:
    if span.kind == "log":
        return f"{span.start_ms:.1f} ms"
    return f"{span.start_ms:.1f} – {span.end_ms:.1f} ms"  # noqa: RUF001  # a range has a dash


def _what(span: "Span") -> str:
    if span.kind == "log":
        return f"{span.level.upper()} {span.text}"
    status = "-" if span.status is None else str(span.status)
    acting = "" if span.act_as is None else f" as {span.act_as} {span.account or ''}".rstrip()
    operation = f" [{span.operation}]" if span.operation else ""
    verdict = span.rule if span.allowed else f"refused by {span.rule}"
    return f"{span.text}{operation}{acting} → {status} {verdict}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
