"""The console blocks of the README and the guides are run, and say what stands there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.cli.main import app

ROOT = Path(__file__).parent.parent
PAGES = ["README.md"]


def steps(page: str) -> Iterator[tuple[str, str]]:
    """Yield each ``$ firebrick …`` command with the output that stands below it."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def matches(wanted: str, got: str) -> bool:
    """Return whether an output fits, where ``...`` stands for anything."""
    pattern = re.escape(wanted.strip()).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, _trimmed(got), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_print_what_it_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBRICK_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(ROOT)
    found = list(steps(page))
    assert found
    for command, wanted in found:
        program, *arguments = shlex.split(command)
        assert program == "firebrick"
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert matches(wanted, result.stdout), f"{command}\n{result.stdout}"


def test_every_link_of_a_page_leads_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/*/README.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page}: {target}"
