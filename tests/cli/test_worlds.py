"""The commands that make worlds and write them."""

from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Firebrick

WORLDS = ROOT / "sample_apps" / "worlds"
BAD = "sites:\n  - {name: acme, users: [zed]}\n"


def test_a_world_is_made_exported_and_made_again(firebrick: Firebrick, tmp_path: Path) -> None:
    said = firebrick("seed", str(WORLDS / "classroom.yml"))
    assert said.code == 0, said
    assert said.out == "Made acme: 8 users, 4 projects, 42 issues, 0 apps.\n"
    assert firebrick("export-world", "-o", "mine.yml").code == 0
    said = firebrick("seed", "mine.yml", "--yes", "--format", "json")
    assert said.json == {
        "sites": ["acme"], "users": 8, "projects": 4, "issues": 42, "installs": 0,
    }  # fmt: skip
    assert firebrick("export-world").out == (tmp_path / "mine.yml").read_text(encoding="utf-8")
    as_json = firebrick("export-world", "-o", "mine.yml", "--format", "json").json
    assert as_json == {"file": "mine.yml", "bytes": (tmp_path / "mine.yml").stat().st_size}


def test_a_world_is_replaced_only_when_asked(firebrick: Firebrick) -> None:
    assert firebrick("apps").code == 0
    assert firebrick("seed", str(WORLDS / "small.yml"), answer="n\n").code == 1
    assert "acme" in firebrick("export-world").out
    assert firebrick("seed", str(WORLDS / "small.yml"), answer="y\n").code == 0
    assert "tiny" in firebrick("export-world").out


def test_seed_without_a_file_takes_the_one_beside_the_state(
    firebrick: Firebrick, tmp_path: Path
) -> None:
    said = firebrick("seed")
    assert (said.code, "There is no firebrick.yml" in said.err) == (2, True)
    (tmp_path / "firebrick.yml").write_text("sites: [{name: beta}]\n")
    assert "Made beta" in firebrick("seed").out


def test_reset_makes_the_world_of_the_file(firebrick: Firebrick, tmp_path: Path) -> None:
    assert firebrick("apps").code == 0
    file = tmp_path / "firebrick.yml"
    file.write_text("sites: [{name: beta}]\n")
    assert "seeded beta.atlassian.net" in firebrick("reset", "--yes").out
    file.write_text(BAD)
    said = firebrick("reset", "--yes")
    assert (said.code, "There is no user `zed`" in said.err) == (2, True)
    file.unlink()
    assert "beta" in firebrick("export-world").out
    assert "seeded acme.atlassian.net" in firebrick("reset", "--yes").out


def test_a_file_with_errors_is_refused_with_every_place(
    firebrick: Firebrick, tmp_path: Path
) -> None:
    (tmp_path / "bad.yml").write_text(BAD)
    said = firebrick("seed", "bad.yml")
    assert said.code == 2
    assert "bad.yml:2:26  error  firebrick/world-reference  There is no user `zed`." in said.err


@pytest.mark.parametrize(("text", "code"), [(BAD, 2), ("sites: [{name: beta, begin: empty}]\n", 0)])
def test_lint_looks_at_the_world_beside_a_manifest(
    firebrick: Firebrick, tmp_path: Path, text: str, code: int
) -> None:
    import shutil  # noqa: PLC0415

    folder = tmp_path / "app"
    shutil.copytree(ROOT / "sample_apps" / "wat-hello", folder)
    assert firebrick("lint", str(folder)).out == "No problems found.\n"
    (folder / "firebrick.yml").write_text(text)
    said = firebrick("lint", str(folder))
    assert (said.code, "firebrick/world-" in said.out) == (code, True)
    assert firebrick("lint", str(folder), "--strict").code == (code or 1)
