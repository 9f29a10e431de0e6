"""What every command prints with: plain when piped, colour on a terminal, nothing hostile ever.

Text that an app or a caller wrote may hold terminal escape sequences; `safe` shows them instead of
sending them.
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


def console(*, stderr: bool = False) -> "Console":
    """Return a console that honours ``NO_COLOR`` and a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, soft_wrap=True)


def safe(text: str) -> str:
    """Return the text with control characters, except tab, made visible."""
    return "".join(
        character if character == "\t" or character.isprintable() else _visible(character)
        for character in text
    )


def say(text: str = "", style: str = "", *, stderr: bool = False) -> None:
    """Print one line."""
    console(stderr=stderr).print(safe(text), style=style or None)


def print_json(value: object) -> None:
    """Print a value as JSON: the whole output of a command with ``--format json``."""
    print(json.dumps(value, indent=2, ensure_ascii=True, default=str))  # noqa: T201  # the output


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
    return character if character == "\n" else f"\\x{ord(character):02x}"


_STYLES = {"allowed": "green", "refused": "red", "failed": "red", "ok": "green", "warn": "yellow"}


def _cell_style(cell: str) -> str:
    return _STYLES.get(cell, "")
