"""Manifest texts for the tests, and what reading them finds."""

from collections.abc import Mapping

from runtime.manifest.files import MemoryFiles
from runtime.manifest.model import Manifest
from runtime.manifest.problems import Problem
from runtime.manifest.reader import parse_manifest

APP_ID = "ari:cloud:ecosystem::app/11111111-1111-4111-8111-111111111111"
HEAD = f"app:\n  id: {APP_ID}\n  runtime:\n    name: nodejs22.x\n"
TRIGGER = (
    "modules:\n"
    "  trigger:\n"
    "    - key: on-created\n"
    "      function: main\n"
    "      events: [avi:jira:created:issue]\n"
    "  function:\n"
    "    - key: main\n"
    "      handler: index.run\n"
)
SCOPES = "permissions:\n  scopes: [read:jira-work]\n"
GOOD = HEAD + TRIGGER + SCOPES
SOURCE = {"src/index.js": "export const run = () => {};\n"}


def problems(text: str, files: Mapping[str, str | None] | None = None) -> tuple[Problem, ...]:
    """Return what is found in a manifest beside one source that exports `run`."""
    return parse_manifest(text, files=MemoryFiles({**SOURCE, **(files or {})})).problems


def found(text: str, files: Mapping[str, str | None] | None = None) -> list[str]:
    """Return the findings as `line:column level rule`."""
    return [f"{p.line}:{p.column} {p.level} {p.rule}" for p in problems(text, files)]


def only(text: str, files: Mapping[str, str | None] | None = None) -> Problem:
    """Return the one finding there is."""
    (problem,) = problems(text, files)
    return problem


def manifest(text: str) -> Manifest:
    """Return the manifest of a text without errors."""
    report = parse_manifest(text)
    assert report.manifest is not None, report.problems
    return report.manifest
