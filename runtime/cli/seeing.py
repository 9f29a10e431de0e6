"""``audit``, ``logs``, ``doctor`` and ``reset``."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from runtime.cli.console import EXIT_FAILED, print_json, reports_errors, say, table
from runtime.cli.options import FormatOption, StateOption, open_state

LimitOption = Annotated[int, typer.Option("--limit", "-n", help="How many, the newest.", min=1)]
InvocationOption = Annotated[
    str | None, typer.Option("--invocation", help="Only this invocation.", show_default=False)
]


@reports_errors
def audit(
    *,
    invocation: InvocationOption = None,
    limit: LimitOption = 50,
    why: Annotated[bool, typer.Option("--why", help="Show the reason of each refusal.")] = False,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Show the audit trail: every decision with its rule, oldest first."""
    from dataclasses import asdict

    with open_state(state) as firebrick:
        records = firebrick.audit.read(invocation_id=invocation, limit=limit)
        names = {
            record.account_id: firebrick.name_of(record.account_id)
            for record in records
            if record.account_id is not None
        }
    if format_ == "json":
        print_json([asdict(record) for record in records])
        return
    if not records:
        say("Nothing was decided yet.")
        return
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
    for record in records if why else ():
        if not record.allowed and record.message:
            say(f"{record.rule}: {record.message}", "yellow")


@reports_errors
def logs(
    *,
    invocation: InvocationOption = None,
    limit: LimitOption = 20,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Show what apps logged, by invocation."""
    from dataclasses import asdict

    with open_state(state) as firebrick:
        records = firebrick.records.read(invocation_id=invocation, limit=limit)
    if format_ == "json":
        print_json([asdict(record) for record in records])
        return
    if not records:
        say("No app has run yet.")
    for record in records:
        verdict = "ok" if record.succeeded else str(record.code)
        say(
            f"{_time(record.started_at_s)} {record.app_name} {record.function} {verdict} "
            f"{record.id}",
            "bold",
        )
        for line in record.logs:
            say(f"  {str(line['level']).upper():<5} {line['text']}")


@reports_errors
def doctor(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """Check the machine and the state, and say how to mend what is wrong."""
    from runtime.server.doctor import examine
    from runtime.server.settings import Settings

    findings = examine(Settings() if state is None else Settings(state=state))
    if format_ == "json":
        print_json([finding._asdict() for finding in findings])
    else:
        table(("state", "what", "finding"), ((f.state, f.what, f.finding) for f in findings))
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


@reports_errors
def reset(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Throw the state away and seed the default world anew."""
    from runtime.server.settings import Settings
    from runtime.server.statefolder import remove_state

    settings = Settings() if state is None else Settings(state=state)
    if not yes:
        typer.confirm(f"Remove the state in {settings.state}?", abort=True)
    removed = remove_state(settings)
    with open_state(state) as firebrick:
        sites = firebrick.site_names()
    if format_ == "json":
        print_json({"removed": [str(path) for path in removed], "sites": sites})
        return
    say(f"Removed {len(removed)} files; seeded {', '.join(sites)}.", "green")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
