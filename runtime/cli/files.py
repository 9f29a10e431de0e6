"""Files that commands write: whole or not at all, and never through a link."""

import os
from pathlib import Path
from typing import Annotated

import typer

OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write.", show_default="standard output"),
]


def deliver(text: str, output: Path | None) -> bool:
    """Write a text to a file, or to standard output without one; return whether to a file.

    Raises:
        ForgeError: ``BAD_OPTION`` if it cannot be written.
    """
    if output is None:
        typer.echo(text, nl=False)
        return False
    write_text(output, text)
    return True


def write_text(path: Path, text: str) -> None:
    """Write a file beside its place and put it there when it is whole.

    Raises:
        ForgeError: ``BAD_OPTION`` if it cannot be written.
    """
    from runtime.errors import ForgeError

    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with new.open("x", encoding="utf-8") as file:
            file.write(text)
        new.replace(path)
    except OSError as error:
        raise ForgeError("BAD_OPTION", f"Cannot write {path}: {error.strerror}.") from error
    finally:
        new.unlink(missing_ok=True)
