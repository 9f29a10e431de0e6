"""The linter agrees with the official one, in level and rule, on every measured case."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from runtime.manifest.files import MemoryFiles
from runtime.manifest.problems import OURS
from runtime.manifest.reader import ManifestReport, parse_manifest, read_manifest
from runtime.server.operations import load_operations

Case = dict[str, Any]  # one measured case, as it stands in the file

DATA = json.loads((Path(__file__).parent / "lint_cases.json").read_text(encoding="utf-8"))
CASES: list[Case] = DATA["cases"]

DIFFERENCES = {
    "handler re-export": "the official linter does not look through `export * from`; we do",
    "source syntax error": "the official linter aborts without a finding; deploying names the line",
}
"""Cases where another answer is given on purpose, with the reason."""

OUR_FINDINGS = {
    "unknown event name": {"unknown-event"},
    "panel resource not declared": {"resource-undeclared"},
    "entity reserved index": {"app-id-uuid"},
    "entity index of unknown attribute": {"app-id-uuid"},
    "code: requestJira POST through a variable": {"operation-scope"},
    "code: requestJira unknown path": {"unknown-operation"},
    "code: kvs without scope": {"storage-scope"},
    "code: kvs default import without scope": {"storage-scope"},
}
"""What we find beyond the official linter, each under a rule that is marked as ours."""


@lru_cache(maxsize=1)
def operations() -> Any:
    table = load_operations()

    def scopes(method: str, path: str) -> tuple[frozenset[str], ...] | None:
        operation = table.resolve(method, path).operation
        return operation.scopes if operation else None

    return scopes


def lint(case: Case, tmp_path: Path) -> ManifestReport:
    if case["manifest"] is None:
        return read_manifest(tmp_path)
    usual = {} if case.get("bare") else {"src/index.js": DATA["source"]}
    files = {**usual, **case.get("files", {})}
    text = case["manifest"].replace("HEAD", DATA["head"], 1)
    return parse_manifest(text, files=MemoryFiles(files), operations=operations())


def names(cases: list[Case]) -> list[str]:
    return [case["name"] for case in cases]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_level_and_rule_agree_with_the_official_linter(case: Case, tmp_path: Path) -> None:
    problems = lint(case, tmp_path).problems
    found = {(p.level, p.rule) for p in problems if not p.rule.startswith(OURS)}
    measured = {(level, rule) for level, rule in case["found"]}
    if case["name"] in DIFFERENCES:
        assert found != measured or case.get("aborts")
    else:
        assert found == measured


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_what_only_we_find_is_listed_and_marked(case: Case, tmp_path: Path) -> None:
    found = {p.rule for p in lint(case, tmp_path).problems if p.rule.startswith(OURS)}
    assert found == {OURS + rule for rule in OUR_FINDINGS.get(case["name"], ())}


def test_every_listed_difference_is_a_case() -> None:
    assert {*DIFFERENCES, *OUR_FINDINGS} <= set(names(CASES))
