import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.manifest.reader import PROBLEM_LIMIT, parse_manifest, read_manifest
from tests.manifest.texts import GOOD, HEAD, SCOPES, SOURCE, TRIGGER, found, manifest, only


def write(folder: Path, text: str = GOOD) -> Path:
    (folder / "manifest.yml").write_text(text)
    (folder / "src").mkdir()
    (folder / "src" / "index.js").write_text(SOURCE["src/index.js"])
    return folder


def test_a_good_folder_gives_a_manifest_and_no_problem(tmp_path: Path) -> None:
    report = read_manifest(write(tmp_path))
    assert report.problems == ()
    assert report.manifest is not None
    assert report.manifest == report.unverified


def test_an_error_withholds_the_manifest_and_a_warning_does_not() -> None:
    warned = parse_manifest(GOOD.replace("runtime:", "name: Old\n  runtime:"))
    assert [problem.level for problem in warned.problems] == ["warning"]
    assert warned.manifest is not None
    assert warned.warnings == warned.problems
    failed = parse_manifest(GOOD.replace("function: main", "function: other"))
    assert failed.manifest is None
    assert failed.errors == failed.problems


def test_problems_are_in_the_order_of_the_file() -> None:
    text = GOOD.replace("function: main", "function: x").replace("jira-work]", "jira-works]")
    places = [place.split()[0] for place in found(text)]
    assert places == sorted(places, key=lambda p: tuple(map(int, p.split(":"))))
    assert len(places) > 1


def test_a_stage_with_an_error_is_the_last_one() -> None:
    broken = GOOD.replace("function: main", "function: other")
    assert found(broken) == ["8:17 error valid-module-required"]
    assert found(broken.replace("  runtime:\n    name: nodejs22.x\n", "")) == [
        "2:3 error valid-document-required"
    ]
    assert found(broken + "app: {}\n") == ["15:1 error valid-yaml-required"]


def test_without_files_what_needs_them_is_not_checked() -> None:
    assert parse_manifest(GOOD.replace("index.run", "nowhere.run")).problems == ()


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_manifest_is_an_error(text: str) -> None:
    assert only(text).rule == "valid-document-required"


def test_a_missing_manifest_is_an_error_that_names_what_is_there_instead(tmp_path: Path) -> None:
    (problem,) = read_manifest(tmp_path).problems
    assert (problem.rule, problem.path) == ("manifest-file-required", "manifest.yml")
    (tmp_path / "manifest.yaml").write_text(GOOD)
    (problem,) = read_manifest(tmp_path).problems
    assert "manifest.yaml" in problem.hint


def test_a_missing_folder_is_a_missing_manifest(tmp_path: Path) -> None:
    (problem,) = read_manifest(tmp_path / "nowhere").problems
    assert problem.rule == "manifest-file-required"


def test_a_report_without_end_is_cut_short() -> None:
    names = "".join(f"    - no:such{n}\n" for n in range(500))
    text = HEAD + TRIGGER + "permissions:\n  scopes:\n" + names
    report = parse_manifest(text)
    assert len(report.problems) == PROBLEM_LIMIT + 1
    assert report.problems[-1].rule == "firebrick/too-many-problems"


VARIABLES = "environment:\n  variables:\n    - NAME\n    - {key: OTHER, default: index.run}\n"


def test_declared_variables_are_replaced_from_the_environment_or_their_default() -> None:
    text = HEAD + TRIGGER.replace("on-created", '"${NAME}"').replace("index.run", '"${OTHER}"')
    report = parse_manifest(text + SCOPES + VARIABLES, environ={"NAME": "k1", "HOME": "/x"})
    assert report.manifest is not None
    assert report.manifest.modules[0].key == "k1"
    assert report.manifest.functions["main"].handler == "index.run"


def test_undeclared_variables_stay_as_they_are() -> None:
    text = GOOD.replace("on-created", "key").replace(
        "events:", "filter: {expression: '${HOME}'}\n      events:"
    )
    report = parse_manifest(text + VARIABLES.replace("    - NAME\n", ""), environ={"HOME": "/x"})
    assert report.manifest is not None
    assert report.manifest.modules[0].properties["filter"] == {"expression": "${HOME}"}


def test_a_variable_without_a_value_is_an_error_where_it_is_declared() -> None:
    problem = only(GOOD + VARIABLES)
    assert (problem.rule, problem.line) == ("valid-yaml-required", 17)
    assert "NAME" in problem.message


def test_variables_cannot_blow_up_a_manifest() -> None:
    text = GOOD + "environment:\n  variables:\n    - {key: X, default: " + "y" * 100_000 + "}\n"
    text += "translations: '" + "${X}" * 1000 + "'\n"
    assert [p.rule for p in parse_manifest(text).problems] == ["firebrick/too-large"]


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    folder = write(tmp_path, GOOD.replace("jira-work]", "jira-wurk]"))
    assert read_manifest(folder) == read_manifest(folder)
    assert manifest(GOOD) == manifest(GOOD)


WORDS = st.sampled_from(
    ["app", "id", "modules", "function", "trigger", "key", "permissions", "scopes", "external",
     "resources", "remotes", "translations", "environment", "variables", "jira:issuePanel", "i18n",
     "storage", "entities", "runtime", "name", "handler", "events", "displayConditions", "and"]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), WORDS,
    st.just("ari:cloud:ecosystem::app/x"), st.just("nodejs22.x"),
)  # fmt: skip
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=60)
@given(st.text() | st.binary())
def test_any_text_gives_a_manifest_or_problems(text: str | bytes) -> None:
    report = parse_manifest(text)
    assert (report.manifest is None) == bool(report.errors)


@settings(max_examples=60)
@given(DOCUMENTS, st.integers(0, len(GOOD)), st.integers(0, 30))
def test_any_document_gives_a_manifest_or_problems(document: object, at: int, cut: int) -> None:
    for text in (json.dumps(document), GOOD[:at] + GOOD[at + cut :], f"{GOOD}x: {document!r}\n"):
        report = parse_manifest(text)
        assert (report.manifest is None) == bool(report.errors)
