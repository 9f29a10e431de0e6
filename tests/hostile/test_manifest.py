"""Manifests made to hang, crash or deceive the host: each gets its problem, none a traceback."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.cli.main import app
from runtime.manifest.files import MemoryFiles
from runtime.manifest.problems import Problem
from runtime.manifest.reader import parse_manifest, read_manifest
from tests.manifest.texts import GOOD, HEAD, TRIGGER

pytestmark = pytest.mark.hostile


def bomb() -> str:
    """Return text that would be nine to the thirtieth values if aliases were written out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 30):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]")
    return "\n".join(lines)


TEXTS: dict[str, tuple[str | bytes, str]] = {
    "a million brackets": ("[" * 1_000_000, "valid-yaml-required"),
    "65 brackets": ("[" * 65, "firebrick/too-deep"),
    "65 dashes": ("- " * 65, "firebrick/too-deep"),
    "a deep map": ("".join(" " * n + "a:\n" for n in range(80)), "firebrick/too-deep"),
    "two million bytes": (b"#" * 2_000_000, "firebrick/too-large"),
    "a hundred thousand values": ("- a\n" * 100_000, "firebrick/too-many-values"),
    "an alias in itself": ("a: &a [*a]", "firebrick/alias-cycle"),
    "an alias bomb": (bomb(), "firebrick/too-many-values"),
    "an aliased megabyte": (
        "a: &a " + "x" * 900_000 + "\nb: [" + "*a, " * 9_000 + "]",
        "firebrick/too-many-values",
    ),
    "latin 1": (b"app: \xe9\n", "firebrick/not-utf-8"),
    "utf 16": ("app: 1".encode("utf-16"), "firebrick/not-utf-8"),
    "a program": (b"\x7fELF\x02\x01\x01\x00" + bytes(64), "firebrick/not-text"),
    "a zip": (b"PK\x03\x04\x14\x00\x00\x00", "firebrick/not-text"),
    "a nul": ("app: a\x00b", "firebrick/not-text"),
    "a terminal sequence": ("app: \x1b]0;owned\x07", "firebrick/not-text"),
    "nothing": (b"", "valid-document-required"),
    "a constructor": ("!!python/object/apply:os.system ['true']", "valid-yaml-required"),
    "a module to import": ("!!python/module:os", "valid-yaml-required"),
    "a binary tag": ("app: !!binary AAAA", "valid-yaml-required"),
    "a million tags": ("!" * 1_000_000, "valid-yaml-required"),
    "directives": ("%YAML 9.9\n---\na: 1", "valid-yaml-required"),
    "a number of a million digits": ("app: " + "9" * 1_000_000, "valid-document-required"),
    "a key of half a megabyte": ("? " + "k" * 500_000 + "\n: 1", "valid-document-required"),
    "a number as the root": ("0x" + "f" * 200, "valid-document-required"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_gets_one_rule_and_no_manifest(name: str) -> None:
    text, rule = TEXTS[name]
    report = parse_manifest(text)
    assert report.manifest is None
    assert rule in [problem.rule for problem in report.problems]


DOCUMENTS = {
    "scopes": HEAD + TRIGGER + "permissions:\n  scopes:\n" + "    - no:such\n" * 9_000,
    "different scopes": HEAD
    + TRIGGER
    + "permissions:\n  scopes:\n"
    + "".join(f"    - read:everything{n}-of-the-thing:jira\n" for n in range(9_000)),
    "module types": HEAD
    + "modules:\n"
    + "".join(f"  jira:issueThing{n}: [{{key: a}}]\n" for n in range(3_000)),
    "modules": HEAD
    + "modules:\n  jira:issueAction:\n"
    + "".join(f"    - {{key: a{n}, titel: x, resourc: r}}\n" for n in range(2_400)),
    "functions with one source": HEAD
    + "modules:\n  trigger: [{key: t, function: f1, events: []}]\n  function:\n"
    + "".join(f"    - {{key: f{n}, handler: index.run}}\n" for n in range(3_900)),
    "time-outs": HEAD
    + "modules:\n  function:\n"
    + "".join(f"    - {{key: f{n}, handler: a.b, timeoutSeconds: 9}}\n" for n in range(1_500))
    + "  trigger:\n"
    + "".join(f"    - {{key: t{n}, function: f{n}, events: []}}\n" for n in range(1_000)),
    "conditions": GOOD.replace("  trigger:", "  jira:issueAction:\n    - {key: a, title: t, "
    "function: main, displayConditions: " + "{not: " * 50 + "1" + "}" * 50 + "}\n  trigger:"),
}  # fmt: skip
SOURCES = {
    "brackets": "export {" * 28_000,
    "templates": "`${" * 60_000,
    "strings": "'" * 200_000,
    "comments": "/*" * 100_000,
    "expressions": "/[" * 60_000,
    "calls": "requestJira(" * 15_000,
    "chains": "a." * 80_000 + "fetch('https://x.test')",
    "imports": "import {" * 25_000,
    "stars": "export * from './index';" * 8_000,
    "holes": "requestJira(route`/" + "${" * 60_000 + "`)",
    "escapes": "\\" * 200_000,
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_costs_no_more_than_its_size(name: str) -> None:
    files = MemoryFiles({"src/index.js": "export const run = 1;\n" * 10_000})
    assert parse_manifest(DOCUMENTS[name], files=files).errors


@pytest.mark.parametrize("name", SOURCES)
def test_a_hostile_source_costs_no_more_than_its_size(name: str) -> None:
    files = MemoryFiles({"src/index.js": SOURCES[name]})
    report = parse_manifest(GOOD, files=files, operations=lambda _method, _path: None)
    assert {problem.path for problem in report.problems} <= {"manifest.yml", "src/index.js"}


def only(folder: Path) -> Problem:
    (problem,) = read_manifest(folder).problems
    return problem


def test_a_folder_of_the_name_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").mkdir()
    assert only(tmp_path).rule == "manifest-file-required"


def test_a_pipe_of_the_name_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.yml")
    assert only(tmp_path).rule == "manifest-file-required"


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero", "../outside.yml"])
def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "outside.yml").write_text("secret: 1")
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "manifest.yml").symlink_to(target)
    problem = only(folder)
    assert problem.rule == "firebrick/outside-folder"
    assert "root:" not in problem.text() + problem.hint
    assert "secret" not in problem.text()


def test_a_link_to_itself_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").symlink_to("manifest.yml")
    assert only(tmp_path).rule == "manifest-file-required"


def test_a_link_within_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "index.js").write_text("export const run = 1;")
    (tmp_path / "real.yml").write_text(GOOD)
    (tmp_path / "manifest.yml").symlink_to("real.yml")
    assert read_manifest(tmp_path).manifest is not None


def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").write_text(GOOD)
    (tmp_path / "manifest.yml").chmod(0)
    report = read_manifest(tmp_path)
    may_read = os.access(tmp_path / "manifest.yml", os.R_OK)  # as root, everything may be read
    rules = {problem.rule for problem in report.problems}
    assert rules == {"valid-module-required" if may_read else "manifest-file-required"}


def test_a_handler_does_not_reach_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "index.js").write_text("export const run = 1; // secret")
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "manifest.yml").write_text(GOOD)
    (folder / "src").symlink_to(outside)
    problem = only(folder)
    assert (problem.rule, problem.level) == ("valid-module-required", "error")


def test_a_locale_does_not_reach_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"a": "secret"}')
    folder = tmp_path / "app"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.js").write_text("export const run = 1;")
    locales = (
        "translations:\n  resources: [{key: en-US, path: ../secret.json}]\n"
        "  fallback: {default: en-US}\n"
    )
    (folder / "manifest.yml").write_text(GOOD + locales)
    assert only(folder).rule == "valid-document-required"


ESCAPE = '"\\e[2J\\e]0;owned\\a\\r\\u202e"'


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
@pytest.mark.parametrize(
    "text",
    [
        GOOD + f"{ESCAPE}: 1\n",
        GOOD.replace("on-created", ESCAPE),
        GOOD.replace("function: main", f"function: {ESCAPE}"),
        GOOD.replace("[read:jira-work]", f"[{ESCAPE}]"),
        GOOD.replace("index.run", ESCAPE),
        GOOD.replace("  trigger:", f"  {ESCAPE}: [{{key: a}}]\n  trigger:"),
        GOOD.replace("nodejs22.x", ESCAPE),
    ],
    ids=["key", "value", "function", "scope", "handler", "type", "choice"],
)
def test_no_report_sends_control_characters_to_a_terminal(
    tmp_path: Path, text: str, form: str
) -> None:
    (tmp_path / "manifest.yml").write_text(text)
    result = CliRunner().invoke(app, ["lint", str(tmp_path), "--format", form])
    assert result.exit_code == 2
    assert all(character.isprintable() or character == "\n" for character in result.stdout)


def test_a_folder_named_to_deceive_is_printed_escaped(tmp_path: Path) -> None:
    folder = tmp_path / "a\x1b[2J"
    folder.mkdir()
    result = CliRunner().invoke(app, ["lint", str(folder)])
    assert "\x1b" not in result.stdout


def test_the_environment_does_not_leak_into_a_manifest() -> None:
    text = GOOD + "services: '${HOME} ${SECRET_TOKEN}'\n"
    report = parse_manifest(text, environ={"HOME": "/root", "SECRET_TOKEN": "fbk_at_x"})
    assert report.manifest is not None
    assert report.manifest.sections["services"] == "${HOME} ${SECRET_TOKEN}"
