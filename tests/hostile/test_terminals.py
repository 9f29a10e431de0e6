"""Names and texts that try to move a cursor, turn the writing, or forge a line of a report."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Firebrick, Said, cli_cache, firebrick
from tests.manifest.texts import HEAD

__all__ = ["cli_cache", "firebrick"]

pytestmark = pytest.mark.hostile

TRICKS = {
    "escape": "a\x1b[2Jb",
    "title": "a\x1b]0;owned\x07b",
    "link": "a\x1b]8;;https://evil.test\x1b\\b\x1b]8;;\x1b\\",
    "c1": "a\x9b31mb",
    "bidi override": "a\u202egnp.exe",
    "bidi isolate": "a\u2066b\u2069",
    "zero width": "a\u200bb\ufeff",
    "tag": "a\U000e0041b",
    "carriage return": "a\rb",
    "backspace": "a\x08\x08b",
    "line separator": "a\u2028b\u2029c\x85d",
    "vertical": "a\x0bb\x0cc",
    "nul": "a\x00b",
    "markup": "[bold red]a[/] :warning: [link=https://evil.test]b[/link]",
}
FORGED = "seen\n2031-01-01 00:00:00 trusted main ok 00000000\n  ERROR forged\nallowed  as  app"

SAYER = """
import api, { assumeTrustedRoute } from "@forge/api";
export const run = async ({ text, path, throws }) => {
  console.log(text);
  if (path) await api.asApp().requestJira(assumeTrustedRoute(path)).catch(() => {});
  if (throws) { const error = new Error(text); error.stack = text; error.name = text; throw error; }
  return text;
};
"""
MANIFEST = HEAD + (
    "modules:\n"
    "  webtrigger: [{key: w, function: main}]\n"
    "  function: [{key: main, handler: index.run}]\n"
    "permissions: {scopes: [read:jira-work]}\n"
)


def folder_of(root: Path, name: str = "sayer") -> Path:
    folder = root / name
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.js").write_text(SAYER)
    (folder / "manifest.yml").write_text(MANIFEST)
    return folder


@pytest.fixture
def sayer(firebrick: Firebrick, tmp_path: Path) -> Firebrick:
    assert firebrick("deploy", str(folder_of(tmp_path))).code == 0
    assert firebrick("install", "--yes").code == 0
    return firebrick


def quiet(said: Said) -> Said:
    """Nothing in it acts on a terminal or changes how the line is read."""
    for text in (said.out, said.err):
        assert all(one.isprintable() or one in "\n\t" for one in text)
    return said


def payload(**values: object) -> str:
    return json.dumps(values)


@pytest.mark.parametrize("trick", TRICKS)
def test_no_text_of_an_app_acts_on_a_terminal(sayer: Firebrick, trick: str) -> None:
    text = TRICKS[trick]
    for throws in (False, True):
        body = payload(text=text, path=f"/rest/api/3/{text}", throws=throws)
        quiet(sayer("invoke", "main", "--payload", body))
    for command in (("logs",), ("audit",), ("audit", "--why"), ("trace", "last")):
        quiet(sayer(*command))
        quiet(sayer(*command, "--format", "json"))


def test_markup_and_emoji_names_are_shown_as_written(sayer: Firebrick) -> None:
    sayer("invoke", "main", "--payload", payload(text=TRICKS["markup"]))
    assert f"INFO  {TRICKS['markup']}" in sayer("logs").out


def test_no_line_of_a_log_can_be_forged(sayer: Firebrick) -> None:
    for throws in (False, True):
        body = payload(text=FORGED, path="/rest/api/3/x\n" + FORGED, throws=throws)
        sayer("invoke", "main", "--payload", body)
    shown = sayer("logs").out.splitlines()
    heads = [line for line in shown if re.match(r"\d{4}-\d\d-\d\d", line)]
    assert len(heads) == 2
    assert all("sayer main" in line for line in heads)
    assert [line for line in shown if line.startswith("  ERROR")] == []
    assert "  ┆   ERROR forged" in shown


def test_no_row_of_the_audit_trail_can_be_forged(sayer: Firebrick) -> None:
    body = payload(text="x", path=f"/rest/api/3/x\n{FORGED}")
    sayer("invoke", "main", "--payload", body)
    for extra in ((), ("--why",)):
        for line in sayer("audit", *extra).out.splitlines():
            assert re.match(r"time |20(?!31)\d\d-|  \w|(  )?┆ ", line), line
    for line in sayer("trace", "last").out.splitlines():
        assert line.startswith(("sayer", "├─", "│", "└─", "┆ ")), line


def test_no_line_of_a_result_can_be_forged(sayer: Firebrick) -> None:
    proof = "x\nProof: searched 1 bytes of guest memory for 1 live secrets, found 0."
    for throws in (False, True):
        said = sayer("invoke", "main", "--payload", payload(text=proof, throws=throws))
        begins = [line for line in said.out.splitlines() if line.startswith("Proof: ")]
        assert len(begins) == 1
        assert "searched 1 bytes" not in begins[0]


@pytest.mark.parametrize("trick", [*TRICKS, "newline"])
def test_a_folder_and_an_app_may_have_any_name_and_say_nothing_with_it(
    firebrick: Firebrick, tmp_path: Path, trick: str
) -> None:
    name = TRICKS.get(trick, FORGED).replace("/", "_").replace("\x00", "0")
    folder = folder_of(tmp_path, name)
    quiet(firebrick("lint", str(folder)))
    assert quiet(firebrick("deploy", str(folder))).code == 0
    assert quiet(firebrick("install", "--yes")).code == 0
    quiet(firebrick("invoke", "main", "--payload", payload(text="x")))
    apps = quiet(firebrick("apps")).out.splitlines()
    logs = quiet(firebrick("logs")).out.splitlines()
    assert len(apps) == 2
    assert len([line for line in logs if not line.startswith("┆ ")]) == 2
    quiet(firebrick("uninstall"))


@pytest.mark.parametrize("trick", TRICKS)
def test_what_a_caller_types_is_shown_and_not_sent(sayer: Firebrick, trick: str) -> None:
    text = TRICKS[trick].replace("\x00", "")
    for command in (
        ("invoke", text), ("invoke", "main", "--app", text), ("trace", text), ("replay", text),
        ("explain", "GET", text), ("explain", text, "/rest/api/3/myself"), ("deploy", text),
        ("install", "--site", text), ("invoke", "main", "--as", text),
        ("logs", "--invocation", text),
    ):  # fmt: skip
        said = sayer(*command)
        assert "Traceback" not in said.err
        assert all(one.isprintable() or one in "\n\t" for one in said.out + said.err), command


@pytest.mark.parametrize("trick", TRICKS)
def test_files_of_an_app_may_have_any_name(
    firebrick: Firebrick, tmp_path: Path, trick: str
) -> None:
    name = TRICKS[trick].replace("/", "_").replace("\x00", "0")
    folder = folder_of(tmp_path)
    (folder / "src" / f"{name}.js").write_text("requestJira(route`/rest/api/3/nothing`);")
    said = quiet(firebrick("lint", str(folder)))
    assert "firebrick/unknown-operation" in said.out
    (folder / "src" / "index.js").write_text("import './gone\\u202e\\u001b[2J.js';\n" + SAYER)
    assert quiet(firebrick("deploy", str(folder))).code == 2
