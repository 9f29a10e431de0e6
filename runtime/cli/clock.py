"""``clock show | advance | stop | go | reset``: the time of the world and of tokens."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.cli.console import print_json, reports_errors, say
from runtime.cli.options import Format, FormatOption, StateOption, open_state
from runtime.errors import ForgeError

if TYPE_CHECKING:
    from runtime.server.steering import SteeredClock

app = typer.Typer(help="The clock of the world and of tokens.", no_args_is_help=True)

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PART = re.compile(r"(\d{1,9})([smhd])")
_WHOLE = re.compile(r"(\d{1,9}[smhd])+")


@app.command()
@reports_errors
def show(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """Show the time, and how far it is from the machine's."""
    with open_state(state) as firebrick:
        _show(firebrick.steered, format_)


@app.command()
@reports_errors
def advance(
    by: Annotated[str, typer.Argument(help="How far, such as 11m, 91d or 1d12h.")],
    *,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Move the clock on, also of a server that runs: the next call already sees it."""
    with open_state(state) as firebrick:
        firebrick.steered.advance(_seconds(by))
        _show(firebrick.steered, format_)


@app.command()
@reports_errors
def stop(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """Stop the clock."""
    with open_state(state) as firebrick:
        firebrick.steered.stop()
        _show(firebrick.steered, format_)


@app.command()
@reports_errors
def go(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """Let a stopped clock go on from where it stands."""
    with open_state(state) as firebrick:
        firebrick.steered.go()
        _show(firebrick.steered, format_)


@app.command()
@reports_errors
def reset(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """Take the machine's time again; tokens made in the meantime live longer then."""
    with open_state(state) as firebrick:
        firebrick.steered.reset()
        _show(firebrick.steered, format_)


def _seconds(text: str) -> float:
    """Return a span of time in seconds.

    Raises:
        ForgeError: ``BAD_OPTION``.
    """
    if not _WHOLE.fullmatch(text):
        raise ForgeError("BAD_OPTION", f"{text!r} is no span of time, such as 11m, 91d or 1d12h.")
    return float(sum(int(number) * UNITS[unit] for number, unit in _PART.findall(text)))


def _show(clock: "SteeredClock", format_: Format) -> None:
    steering, now_s = clock.steering(), clock.now_s()
    stopped = steering.stopped_at_s is not None
    moment = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds")
    if format_ == "json":
        print_json({"now": moment, "aheadSeconds": steering.ahead_s, "stopped": stopped})
        return
    say(f"{moment}{', stopped' if stopped else ''}")
    if steering.ahead_s:
        say(f"{steering.ahead_s:.0f} s were added to the machine's time.")
