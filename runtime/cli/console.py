"""What every command prints with: plain when piped, colour on a terminal, nothing hostile ever.

Text that an app or a caller wrote may hold terminal escape sequences, characters that turn the
direction of writing, and line breaks that would begin a line which looks like one of ours. They are
shown, not sent; further lines of one text stand behind a gutter that none of our lines has.
"""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console

P = ParamSpec("P")
R = TypeVar("R")

EXIT_FAILED = 1
EXIT_USAGE = 2  # also: the manifest or the sources cannot be deployed
PIPED_WIDTH = 4096  # tables are never wrapped for a pipe
GUTTER = "┆ "  # before each further line of a text that somebody else wrote


def console(*, stderr: bool = False) -> "Console":
    """Return a console that honours ``NO_COLOR`` and a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(
        file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=True
    )


def safe(text: str) -> str:
    """Return the text as one line: control characters, except tab, are made visible."""
    return "".join(
        character if character == "\t" or character.isprintable() else _visible(character)
        for character in text
    )


def say(text: str = "", style: str = "", *, stderr: bool = False, is_ours: bool = False) -> None:
    """Print a text; its further lines stand behind a gutter.

    Args:
        text: What to print.
        style: Its style on a terminal.
        stderr: Whether it is no output of the command.
        is_ours: Whether the line breaks are ours, so that no gutter is needed.
    """
    first, *others = text.split("\n")
    gutter = "" if is_ours else " " * (len(first) - len(first.lstrip(" "))) + GUTTER
    lines = [safe(first), *(gutter + safe(line) for line in others)]
    console(stderr=stderr).print("\n".join(lines), style=style or None)


def print_json(value: object) -> None:
    """Print a value as JSON: the whole output of a command with ``--format json``."""
    print(json.dumps(value, indent=2, ensure_ascii=True, default=str))  # noqa: T201  # the output


def say_change(value: object, words: str, *, changed: bool, format_: str) -> None:
    """Say what a change came to, as JSON or in words.

    Raises:
        Exit: With `EXIT_FAILED` if there was nothing to change.
    """
    if format_ == "json":
        print_json(value)
    else:
        say(words)
    if not changed:
        raise typer.Exit(EXIT_FAILED)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; cells may end in a style, as ``("text", "red")`` pairs are not needed."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for header in headers:
        grid.add_column(header, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(safe(cell), style=_cell_style(cell)) for cell in row))
    console().print(grid)


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors raised on purpose into one message and an exit code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from runtime.errors import ForgeError, ManifestError

        try:
            return command(*args, **kwargs)
        except ForgeError as error:
            if kwargs.get("format_") == "json":
                print_json({"error": {"code": error.code, "message": error.message}})
            else:
                say(f"Error {error.code}: {error.message}", "bold red", stderr=True)
            code = EXIT_USAGE if isinstance(error, ManifestError) else EXIT_FAILED
            raise typer.Exit(code) from None

    return run


def _visible(character: str) -> str:
    return "\\n" if character == "\n" else f"\\x{ord(character):02x}"


_STYLES = {"allowed": "green", "refused": "red", "failed": "red", "ok": "green", "warn": "yellow"}


def _cell_style(cell: str) -> str:
    return _STYLES.get(cell, "")
