"""`firebrick lint`: hold a manifest, and the files beside it, against the platform's rules."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

CLEAN, WARNED, FAILED = 0, 1, 2
_COLOURS = {"error": typer.colors.RED, "warning": typer.colors.YELLOW}


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def lint(
    directory: Annotated[Path, typer.Argument(help="The app folder.")] = Path("."),
    output_format: Annotated[
        Format, typer.Option("--format", help="Form of the report.")
    ] = Format.TEXT,
    strict: Annotated[bool, typer.Option(help="Exit with 1 if there are only warnings.")] = False,
) -> None:
    """Check the manifest of an app.

    Exits with 0 if it is clean, with 2 if there are errors, and with 1 for warnings under
    `--strict`.
    """
    from runtime.manifest.reader import MANIFEST_NAME, read_manifest
    from runtime.manifest.report import REPORTS, below, counts
    from runtime.server.operations import load_operations

    table = load_operations()

    def scopes(method: str, path: str) -> tuple[frozenset[str], ...] | None:
        operation = table.resolve(method, path).operation
        return operation.scopes if operation else None

    found = read_manifest(directory, environ=os.environ, operations=scopes)
    folder = directory.as_posix()
    problems = below(found.problems, folder)
    path = MANIFEST_NAME if folder == "." else f"{folder}/{MANIFEST_NAME}"
    report = REPORTS[output_format](problems, path)
    typer.echo(_coloured(report) if output_format is Format.TEXT else report)
    errors, warnings = counts(problems)
    code = FAILED if errors else WARNED if warnings and strict else CLEAN
    if code:
        raise typer.Exit(code)


def _coloured(report: str) -> str:
    """Return a text report with its levels coloured, on a terminal that wants it."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return report
    for level, colour in _COLOURS.items():
        report = report.replace(f"  {level}  ", f"  {typer.style(level, fg=colour, bold=True)}  ")
    return report
