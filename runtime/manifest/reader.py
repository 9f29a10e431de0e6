"""Read a manifest: from a folder or a text to a frozen `Manifest`, or to located problems."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from runtime.manifest.building import build_manifest
from runtime.manifest.check_app import check_app
from runtime.manifest.check_code import check_code
from runtime.manifest.check_conditions import check_conditions
from runtime.manifest.check_customers import check_customers
from runtime.manifest.check_events import check_events
from runtime.manifest.check_handlers import check_handlers
from runtime.manifest.check_modules import check_modules
from runtime.manifest.check_permissions import check_permissions
from runtime.manifest.check_references import check_references
from runtime.manifest.check_remotes import check_remotes
from runtime.manifest.check_resources import check_resources
from runtime.manifest.check_rules import check_rules
from runtime.manifest.check_shape import shape_problems
from runtime.manifest.check_timeouts import check_timeouts
from runtime.manifest.check_translations import check_translations
from runtime.manifest.draft import FILE, Check, Draft, OperationScopes
from runtime.manifest.files import AppFiles, FolderFiles, read_limited
from runtime.manifest.interpolation import interpolate
from runtime.manifest.model import Manifest
from runtime.manifest.nodes import Node
from runtime.manifest.problems import OURS, Problem, in_order
from runtime.manifest.yaml_nodes import SIZE_LIMIT_BYTES, compose, decode

MANIFEST_NAME = "manifest.yml"
PROBLEM_LIMIT = 100  # findings that one report lists; a file with more is no manifest yet

CHECKS: tuple[Check, ...] = (
    check_app,
    check_modules,
    check_references,
    check_handlers,
    check_rules,
    check_timeouts,
    check_events,
    check_permissions,
    check_remotes,
    check_customers,
    check_resources,
    check_translations,
    check_conditions,
    check_code,
)
"""Every family of rules that reads a document of the right form."""


@dataclass(frozen=True, slots=True)
class ManifestReport:
    """What reading a manifest came to.

    Attributes:
        manifest: The manifest; None if there is any error.
        problems: Findings in the order of the file.
        unverified: What could be made of the manifest in spite of its errors, for a deployment
            that skips verification; None if not even the app's id could be read.
    """

    manifest: Manifest | None
    problems: tuple[Problem, ...]
    unverified: Manifest | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The findings that stop a deployment."""
        return tuple(problem for problem in self.problems if problem.level == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The findings that do not."""
        return tuple(problem for problem in self.problems if problem.level == "warning")


def read_manifest(
    directory: Path,
    *,
    environ: Mapping[str, str] | None = None,
    operations: OperationScopes | None = None,
) -> ManifestReport:
    """Read ``manifest.yml`` of an app folder and hold it against the files beside it.

    A manifest that is a link to a file outside of the folder is refused.

    Args:
        directory: The app folder.
        environ: Values for declared environment variables; None stands for none.
        operations: Scopes of REST calls, for the check of calls in the source; None skips it.
    """
    folder = Path(os.path.realpath(directory))
    file = Path(os.path.realpath(folder / MANIFEST_NAME))
    raw = read_limited(file, SIZE_LIMIT_BYTES) if file.is_relative_to(folder) else None
    if raw is None:
        return ManifestReport(None, (_no_manifest(folder, file),))
    return parse_manifest(
        raw, MANIFEST_NAME, files=FolderFiles(folder), environ=environ, operations=operations
    )


def parse_manifest(
    text: str | bytes,
    path: str = MANIFEST_NAME,
    *,
    files: AppFiles | None = None,
    environ: Mapping[str, str] | None = None,
    operations: OperationScopes | None = None,
) -> ManifestReport:
    """Read a manifest's text. For any text, this gives a manifest or problems, never an exception.

    The stages are the platform's: the bytes, YAML, environment variables, the form, the meaning.
    A stage that finds an error is the last one.

    Args:
        text: The document, or its bytes as they stand in the file.
        path: Name of the file in problems.
        files: The app's files; None skips what needs them.
        environ: Values for declared environment variables; None stands for none.
        operations: Scopes of REST calls, for the check of calls in the source; None skips it.
    """
    decoded, problems = decode(text if isinstance(text, bytes) else _encoded(text), path)
    if decoded is None:
        return _report(problems)
    composed = compose(decoded, path)
    problems += composed.problems
    if composed.root is None or _has_error(problems):
        return _report(problems or tuple(shape_problems(None, path)))
    root, missing = interpolate(composed.root, environ or {}, path)
    problems += missing
    if not missing:
        problems += _some(shape_problems(root, path))
    return _meaning(root, path, problems, files, operations)


def _meaning(
    root: Node,
    path: str,
    problems: tuple[Problem, ...],
    files: AppFiles | None,
    operations: OperationScopes | None,
) -> ManifestReport:
    manifest = build_manifest(root)
    if manifest is not None and not _has_error(problems):
        draft = Draft.of(root, path, manifest, files, operations)
        problems += _some(_findings(draft))
    return _report(problems, manifest)


def _findings(draft: Draft) -> Iterator[Problem]:
    for check in CHECKS:
        yield from check(draft)


def _some(problems: Iterator[Problem]) -> tuple[Problem, ...]:
    """Return what a report can list and one more, without looking for the rest."""
    return tuple(islice(problems, PROBLEM_LIMIT + 1))


def _report(problems: tuple[Problem, ...], manifest: Manifest | None = None) -> ManifestReport:
    ordered = in_order(problems)
    if len(ordered) > PROBLEM_LIMIT:
        ordered = (*ordered[:PROBLEM_LIMIT], _too_many(ordered))
    return ManifestReport(None if _has_error(ordered) else manifest, ordered, manifest)


def _too_many(problems: tuple[Problem, ...]) -> Problem:
    last = problems[PROBLEM_LIMIT]
    message = f"There are more than {PROBLEM_LIMIT} problems; the rest is not listed."
    rule = OURS + "too-many-problems"
    return Problem(last.path, last.line, last.column, "error", rule, message)


def _has_error(problems: tuple[Problem, ...]) -> bool:
    return any(problem.level == "error" for problem in problems)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _no_manifest(folder: Path, file: Path) -> Problem:
    if not file.is_relative_to(folder):
        rule = OURS + "outside-folder"
        message = "The manifest is a link to a file outside of the app folder."
        return Problem(MANIFEST_NAME, 1, 1, "error", rule, message, "Copy the file here.")
    if file.is_file():
        message, hint = "The manifest may not be read.", "Mend the permissions of the file."
    elif file.exists():
        message, hint = "`manifest.yml` is not a file.", ""
    else:
        message, hint = "There is no `manifest.yml` in this folder.", _near_miss(folder)
    return Problem(MANIFEST_NAME, 1, 1, "error", FILE, message, hint)


def _near_miss(folder: Path) -> str:
    for name in ("manifest.yaml", "Manifest.yml", "atlassian-connect.json"):
        if (folder / name).is_file():
            return f"`{name}` is there; the platform reads `manifest.yml` only."
    return "Run the command in the app's own folder, or name the folder."
