"""`firebrick lint`: hold a manifest, and the files beside it, against the platform's rules."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from runtime.manifest.problems import Problem
    from runtime.manifest.reader import ManifestReport

CLEAN, WARNED, FAILED = 0, 1, 2
FIX_ROUNDS = 3  # a mended manifest can show what its errors hid
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
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if there are only warnings.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Add missing scopes, egress and modules first.")
    ] = False,
) -> None:
    """Check the manifest of an app, and the world file beside it if there is one.

    Exits with 0 if it is clean, with 2 if there are errors, and with 1 for warnings under
    `--strict`.
    """
    from runtime.manifest.reader import MANIFEST_NAME
    from runtime.manifest.report import REPORTS, below, counts

    fixed = _fix(directory) if fix else 0
    folder = directory.as_posix()
    problems = below((*_read(directory).problems, *_world(directory)), folder)
    path = MANIFEST_NAME if folder == "." else f"{folder}/{MANIFEST_NAME}"
    report = REPORTS[output_format](problems, path)
    typer.echo(_coloured(report) if output_format is Format.TEXT else report)
    if fixed and output_format is Format.TEXT:
        typer.echo(f"{fixed} {'change' if fixed == 1 else 'changes'} made to the manifest.")
    errors, warnings = counts(problems)
    code = FAILED if errors else WARNED if warnings and strict else CLEAN
    if code:
        raise typer.Exit(code)


def _read(directory: Path) -> "ManifestReport":
    from runtime.manifest.reader import read_manifest
    from runtime.server.operations import load_operations

    table = load_operations()

    def scopes(method: str, path: str) -> tuple[frozenset[str], ...] | None:
        operation = table.resolve(method, path).operation
        return operation.scopes if operation else None

    return read_manifest(directory, environ=os.environ, operations=scopes)


def _world(directory: Path) -> "tuple[Problem, ...]":
    """Return what is wrong with the world file beside the manifest; nothing without one."""
    from runtime.server.world.file import FILE_NAME, read_world

    path = directory / FILE_NAME
    return read_world(path).problems if path.is_file() else ()


def _fix(directory: Path) -> int:
    """Mend the manifest in place and return how many changes were made."""
    from runtime.manifest.fixes import apply_fixes
    from runtime.manifest.reader import MANIFEST_NAME

    made = 0
    for _ in range(FIX_ROUNDS):
        fixes = [problem.fix for problem in _read(directory).problems if problem.fix]
        if not fixes:
            break
        path = directory / MANIFEST_NAME
        text, done = apply_fixes(path.read_bytes().decode("utf-8-sig"), fixes)
        if not done:
            break
        path.write_bytes(text.encode())
        made += len(done)
    return made


def _coloured(report: str) -> str:
    """Return a text report with its levels coloured, on a terminal that wants it."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return report
    for level, colour in _COLOURS.items():
        report = report.replace(f"  {level}  ", f"  {typer.style(level, fg=colour, bold=True)}  ")
    return report
