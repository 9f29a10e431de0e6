import io
import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from runtime.cli.lint import lint as command
from runtime.cli.main import app
from tests.manifest.texts import GOOD, SOURCE

BAD = GOOD.replace("function: main", "function: other")
WARNED = GOOD.replace("runtime:", "name: Old\n  runtime:")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "index.js").write_text(SOURCE["src/index.js"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint(folder: Path, text: str, *arguments: str) -> tuple[int, str]:
    (folder / "manifest.yml").write_text(text)
    result = CliRunner().invoke(app, ["lint", *arguments])
    return result.exit_code, result.stdout


def test_a_clean_manifest_exits_with_0(folder: Path) -> None:
    assert lint(folder, GOOD) == (0, "No problems found.\n")


def test_an_error_exits_with_2_and_is_located(folder: Path) -> None:
    code, text = lint(folder, BAD)
    assert code == 2
    assert text.startswith("manifest.yml:8:17  error  valid-module-required  ")
    assert text.endswith("\n\n1 problem (1 error) in manifest.yml\n")


def test_warnings_exit_with_0_and_with_1_under_strict(folder: Path) -> None:
    assert lint(folder, WARNED)[0] == 0
    assert lint(folder, WARNED, "--strict")[0] == 1
    assert lint(folder, BAD, "--strict")[0] == 2


def test_another_folder_is_named_in_every_path(folder: Path) -> None:
    (folder / "app").mkdir()
    (folder / "app" / "manifest.yml").write_text(BAD)
    _, text = lint(folder, GOOD, "app")
    assert text.startswith("app/manifest.yml:8:17  ")
    assert text.endswith("in app/manifest.yml\n")


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_machines_get_json_and_nothing_else(folder: Path, form: str) -> None:
    code, text = lint(folder, BAD, "--format", form)
    assert code == 2
    assert json.loads(text)


def test_github_gets_annotations(folder: Path) -> None:
    assert lint(folder, BAD, "--format", "github")[1].startswith("::error file=manifest.yml,line=8")


def test_calls_in_the_source_are_held_against_the_operations(folder: Path) -> None:
    call = "requestJira(route`/rest/api/3/issue`, { method: 'POST' });\nexport const run = 1;\n"
    (folder / "src" / "index.js").write_text(call)
    code, text = lint(folder, GOOD)
    assert code == 2
    assert "src/index.js:1:1  error  permission-scope-required  " in text
    assert "`write:jira-work`" in text


def test_a_declared_variable_is_taken_from_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GOOD.replace("on-created", "${APP_KEY}") + "environment: {variables: [APP_KEY]}\n"
    monkeypatch.delenv("APP_KEY", raising=False)
    assert lint(folder, text)[0] == 2
    monkeypatch.setenv("APP_KEY", "some-key")
    assert lint(folder, text)[0] == 0


def test_nothing_is_coloured_in_a_pipe(folder: Path) -> None:
    assert "\x1b" not in lint(folder, BAD)[1]


def test_fix_mends_the_file_in_place_and_says_so(folder: Path) -> None:
    (folder / "src" / "index.js").write_text(
        "export const run = () => requestJira(route`/rest/api/3/issue`, { method: 'POST' });\n"
    )
    code, text = lint(folder, "# mine\n" + GOOD, "--fix")
    assert (code, text) == (0, "No problems found.\n1 change made to the manifest.\n")
    expected = "# mine\n" + GOOD.replace("jira-work]", "jira-work, write:jira-work]")
    assert (folder / "manifest.yml").read_text() == expected


def test_fix_leaves_alone_what_takes_a_decision(folder: Path) -> None:
    code, _ = lint(folder, BAD, "--fix")
    assert code == 2
    assert (folder / "manifest.yml").read_text() == BAD


def test_fix_without_a_manifest_changes_nothing(folder: Path) -> None:
    result = CliRunner().invoke(app, ["lint", "--fix"])
    assert result.exit_code == 2
    assert not (folder / "manifest.yml").exists()


class Terminal(io.StringIO):
    """A standard output that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_levels_are_coloured_on_a_terminal_that_wants_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "manifest.yml").write_text(BAD)
    for variable, is_coloured in (("OTHER", True), ("NO_COLOR", False)):
        terminal = Terminal()
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv(variable, "1")
        monkeypatch.setattr(sys, "stdout", terminal)
        with pytest.raises(typer.Exit):
            command(Path("."))
        assert ("\x1b[31m" in terminal.getvalue()) == is_coloured
