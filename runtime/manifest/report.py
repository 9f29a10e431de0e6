"""Findings as text, JSON, SARIF and GitHub annotations. Every form is plain text without colour."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote

from runtime.manifest.problems import Problem, printable

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
CLEAN = "No problems found."


def text_report(problems: tuple[Problem, ...], path: str) -> str:
    """Return the findings one below the other and a line that counts them.

    Args:
        problems: What was found.
        path: The manifest's name, for the last line.
    """
    if not problems:
        return CLEAN
    return "\n".join((*(problem.text() for problem in problems), "", summary(problems, path)))


def summary(problems: tuple[Problem, ...], path: str) -> str:
    """Return one line: how many findings of which level, in which manifest."""
    if not problems:
        return CLEAN
    errors, warnings = counts(problems)
    parts = [_counted(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n]
    total = _counted(len(problems), "problem")
    return f"{total} ({', '.join(parts)}) in {printable(path)}"


def counts(problems: Iterable[Problem]) -> tuple[int, int]:
    """Return how many errors and how many warnings there are."""
    levels = [problem.level for problem in problems]
    return levels.count("error"), levels.count("warning")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def json_report(problems: tuple[Problem, ...], path: str) -> str:
    """Return the findings as one JSON object: manifest, counts, problems."""
    errors, warnings = counts(problems)
    listed = [problem.as_json() for problem in problems]
    return json.dumps(
        {"manifest": path, "errors": errors, "warnings": warnings, "problems": listed}, indent=2
    )


def sarif_report(problems: tuple[Problem, ...], path: str) -> str:
    """Return the findings as a SARIF 2.1.0 log, as code scanning services read it.

    Source:
        OASIS SARIF 2.1.0, sections 3.13 (log), 3.14 (run), 3.27 (result), 3.30 (region).
    """
    rules = sorted({problem.rule for problem in problems})
    driver = {"name": "firebrick", "rules": [{"id": rule} for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(problem, rules) for problem in problems],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _sarif_result(problem: Problem, rules: list[str]) -> dict[str, object]:
    text = " ".join(part for part in (problem.message, problem.hint) if part)
    region = {"startLine": problem.line, "startColumn": problem.column}
    place = {"artifactLocation": {"uri": quote(problem.path)}, "region": region}
    return {
        "ruleId": problem.rule,
        "ruleIndex": rules.index(problem.rule),
        "level": problem.level,
        "message": {"text": printable(text)},
        "locations": [{"physicalLocation": place}],
    }


def github_report(problems: tuple[Problem, ...], path: str) -> str:
    """Return the findings as GitHub workflow commands, and the line that counts them.

    Source:
        GitHub documentation, "Workflow commands for GitHub Actions", escaping included.
    """
    lines = [
        f"::{problem.level} file={_property(problem.path)},line={problem.line},"
        f"col={problem.column},title={_property(problem.rule)}::{_data(problem)}"
        for problem in problems
    ]
    return "\n".join((*lines, summary(problems, path)))


def _data(problem: Problem) -> str:
    text = " ".join(part for part in (problem.message, problem.hint) if part)
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    escaped = printable(text).replace("%", "%25")
    return escaped.replace(":", "%3A").replace(",", "%2C")


REPORTS: Mapping[str, Callable[[tuple[Problem, ...], str], str]] = {
    "text": text_report,
    "json": json_report,
    "sarif": sarif_report,
    "github": github_report,
}
"""The report of each format, by its name on the command line."""


def below(problems: Iterable[Problem], folder: str) -> tuple[Problem, ...]:
    """Return the findings with paths as seen from outside of the app folder.

    Args:
        problems: Findings with paths relative to the app folder.
        folder: That folder as the caller names it; ``.`` leaves the paths as they are.
    """
    prefix = "" if folder in ("", ".") else folder.rstrip("/") + "/"
    return tuple(replace(problem, path=prefix + problem.path) for problem in problems)
