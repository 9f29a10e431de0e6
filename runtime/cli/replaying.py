"""``replay`` and ``export``: run an invocation again, here or on another machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.cli.console import EXIT_FAILED, print_json, reports_errors, say
from runtime.cli.files import OutputOption, deliver
from runtime.cli.options import FormatOption, StateOption, open_state

if TYPE_CHECKING:
    from runtime.server.replaying import Replayed

NameArgument = Annotated[
    str,
    typer.Argument(metavar="ID", help="Invocation id, its beginning, or 'last'."),
]
_COLOURS = {"-": "red", "+": "green"}


@reports_errors
def replay(
    name: Annotated[
        str,
        typer.Argument(metavar="ID|FILE", help="Invocation id, its beginning, 'last', or a file."),
    ],
    *,
    variable: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE of an encrypted variable; repeat it.", show_default=False),
    ] = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Run a recorded invocation again, offline, and compare every byte."""
    from runtime.server.replaying import replay_file, replay_kept
    from runtime.server.settings import Settings

    given = _variables(variable or [])
    if Path(name).is_file():
        settings = Settings() if state is None else Settings(state=state)
        done = replay_file(Path(name), settings, given)
    else:
        with open_state(state) as firebrick:
            done = replay_kept(firebrick, name, given)
    if format_ == "json":
        print_json(as_json(done))
    else:
        show(done)
    if not done.replay.equal:
        raise typer.Exit(EXIT_FAILED)


@reports_errors
def export(
    name: NameArgument,
    *,
    output: OutputOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Write an invocation as a file that 'firebrick replay' runs on another machine."""
    from runtime.server.replaying import export as export_record

    with open_state(state) as firebrick:
        text, proof = export_record(firebrick, name)
    if not deliver(text, output):
        return
    if format_ == "json":
        print_json({"file": str(output), "bytes": proof.bytes, "secrets": proof.secrets})
        return
    say(f"Written to {output}: {proof.bytes:,} bytes.", "green")
    say(f"Searched for {proof.secrets} live secrets, found {proof.found}.")


def as_json(done: "Replayed") -> dict[str, object]:
    """Return what a replay came to as one JSON object."""
    again = done.replay
    return {
        "invocationId": done.recording.invocation_id,
        "function": done.recording.function,
        "equal": again.equal,
        "bytes": again.bytes,
        "calls": again.calls,
        "differences": [{"what": one.what, "diff": list(one.diff)} for one in again.differences],
        "notes": list(again.notes),
        "scrubbed": done.scrubbed,
    }


def show(done: "Replayed") -> None:
    """Print what a replay came to."""
    recording, again = done.recording, done.replay
    what = f"{recording.app_name} {recording.version} {recording.function}"
    if again.equal:
        say(
            f"Replayed {what}: the same {again.bytes:,} bytes (result, error, logs, "
            f"{again.calls} requests).",
            "green",
        )
        return
    say(f"Replayed {what}: {len(again.differences)} differences.", "bold red")
    for difference in again.differences:
        say(difference.what, "bold")
        for line in difference.diff[2:]:
            say(f"  {line}", _COLOURS.get(line[:1], ""))
    for note in again.notes:
        say(note, "yellow")
    if done.scrubbed:
        say("Something was taken out of the record as a secret (***): that may be why.", "yellow")


def _variables(given: list[str]) -> dict[str, str]:
    from runtime.errors import ForgeError

    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise ForgeError("BAD_OPTION", f"--variable takes NAME=VALUE, not {name!r}.")
        pairs[name] = value
    return pairs
