import json
from pathlib import Path

import pytest

from tests.cli.conftest import Firebrick

HEALTH = ("invoke", "resolver:getHealth", "--payload", '{"issueKey": "TEAM-3"}', "--as", "dana")


def test_an_invocation_runs_again_to_the_same_bytes(installed: Firebrick) -> None:
    said = installed(*HEALTH, "--format", "json")
    assert isinstance(said.json, dict)
    name = str(said.json["invocationId"])
    for words in ((name,), (name[:8],), ("last",)):
        again = installed("replay", *words)
        assert again.code == 0
        assert "the same" in again.out
        assert "2 requests" in again.out
    as_json = installed("replay", name, "--format", "json").json
    assert isinstance(as_json, dict)
    assert (as_json["equal"], as_json["differences"]) == (True, [])


def test_an_exported_record_is_replayed_without_a_state(
    installed: Firebrick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(*HEALTH)
    said = installed("export", "last", "-o", "record.json")
    assert "found 0" in said.out
    monkeypatch.setenv("FIREBRICK_STATE", str(tmp_path / "elsewhere"))
    assert installed("replay", "record.json").code == 0
    assert not (tmp_path / "elsewhere").exists()


def test_an_export_without_a_file_is_the_file(installed: Firebrick, tmp_path: Path) -> None:
    installed(*HEALTH)
    (tmp_path / "copy.json").write_text(installed("export", "last").out)
    assert installed("replay", "copy.json").code == 0


def test_a_difference_is_shown_and_fails(installed: Firebrick, tmp_path: Path) -> None:
    installed(*HEALTH)
    file = tmp_path / "record.json"
    installed("export", "last", "-o", str(file))
    file.write_text(file.read_text().replace("TEAM-3 scores", "TEAM-3 scored"))
    said = installed("replay", str(file))
    assert said.code == 1
    assert '-info "TEAM-3 scored' in said.out
    assert '+info "TEAM-3 scores' in said.out


def test_an_export_replaces_a_file_and_follows_no_link(
    installed: Firebrick, tmp_path: Path
) -> None:
    installed(*HEALTH)
    target = tmp_path / "elsewhere.txt"
    target.write_text("mine")
    link = tmp_path / "record.json"
    link.symlink_to(target)
    said = installed("export", "last", "-o", str(link), "--format", "json")
    assert isinstance(said.json, dict)
    assert target.read_text() == "mine"
    assert json.loads(link.read_text())["record"]["function"] == "resolver:getHealth"
    assert installed("export", "last", "-o", "no/such/folder").code == 1


def test_what_is_not_recorded_is_said(installed: Firebrick) -> None:
    assert "UNKNOWN_RECORDING" in installed("replay", "last").err
    assert "UNKNOWN_RECORDING" in installed("export", "0000-none").err
    assert "BAD_OPTION" in installed("replay", "last", "--variable", "TOKEN").err
