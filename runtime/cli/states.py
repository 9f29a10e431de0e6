"""``doctor``, ``reset``, ``seed`` and ``export-world``: the state itself."""

from pathlib import Path
from typing import Annotated

import typer

from runtime.cli.console import EXIT_FAILED, print_json, reports_errors, say, table
from runtime.cli.files import OutputOption, deliver
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
        for finding in findings:
            if finding.mend:
                say(f"To mend {finding.what}: {finding.mend}", "yellow")
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


@reports_errors
def reset(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Throw the state away and make its world anew: of firebrick.yml beside it, or the default."""
    from runtime.server.settings import Settings
    from runtime.server.statefolder import remove_state

    settings = Settings() if state is None else Settings(state=state)
    if settings.world_file.is_file():
        from runtime.server.world.file import require_world

        require_world(settings.world_file)  # before anything is removed
    if not yes:
        typer.confirm(f"Remove the state in {settings.state}?", abort=True)
    removed = remove_state(settings)
    with open_state(state) as firebrick:
        sites = firebrick.site_names()
    if format_ == "json":
        print_json({"removed": [str(path) for path in removed], "sites": sites})
        return
    say(f"Removed {len(removed)} files; seeded {', '.join(sites)}.", "green")


@reports_errors
def seed(
    file: Annotated[
        Path | None, typer.Argument(help="World file; firebrick.yml beside the state by default.")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Make the world of a file, or replace the one that is there: whole or not at all."""
    from dataclasses import asdict

    from runtime.server.settings import Settings
    from runtime.server.world.file import require_world
    from runtime.server.worldmaking import make_world

    settings = Settings() if state is None else Settings(state=state)
    path = settings.world_file if file is None else file
    world = require_world(path)
    if not yes and (settings.state / "state.db").exists():
        typer.confirm(
            f"Replace the world in {settings.state}? Its issues, people, installations and tokens "
            "are gone then.",
            abort=True,
        )
    summary = make_world(settings, world)
    if format_ == "json":
        print_json(asdict(summary))
        return
    say(
        f"Made {', '.join(summary.sites)}: {summary.users} users, {summary.projects} projects, "
        f"{summary.issues} issues, {summary.installs} apps.",
        "green",
    )


@reports_errors
def export_world(
    *,
    output: OutputOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Write the world of the state as a file that 'firebrick seed' makes it of again."""
    from runtime.server.world.export import export_world as export

    with open_state(state) as firebrick:
        text = export(firebrick.engine)
    if not deliver(text, output):
        return
    if format_ == "json":
        print_json({"file": str(output), "bytes": len(text.encode())})
        return
    say(f"Written to {output}.", "green")
