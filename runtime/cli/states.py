"""``doctor`` and ``reset``: the state itself."""

from typing import Annotated

import typer

from runtime.cli.console import EXIT_FAILED, print_json, reports_errors, say, table
from runtime.cli.options import FormatOption, StateOption, open_state


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
