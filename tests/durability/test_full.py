"""A full disk: whoever writes is told so, what was acknowledged stays, and room mends it."""

from pathlib import Path

import pytest

from tests.durability import full
from tests.durability.processes import answer_of


@pytest.mark.hostile
def test_a_disk_that_becomes_full_loses_nothing(tmp_path: Path) -> None:
    seen = answer_of(full.run_full, tmp_path)
    code, message = seen["error"]
    assert code == "STATE_UNUSABLE"
    assert str(tmp_path / "state" / "state.db") in message
    assert "space" in message or "room" in message
    assert seen["http"][0] == 503
    assert "its log says why" in seen["http"][1]["errorMessages"][0]
    assert "disk" in seen["log"][0]
    assert not any("Traceback" in line for line in seen["log"])
    assert seen["token"][0] == 1
    assert seen["token"][1].startswith("Error STATE_UNUSABLE")
    assert seen["tokens"] == seen["made"]
    assert seen["audit"][0] in (0, 1)
    assert seen["after"][0] == 201
    assert seen["looked"]["wrong"] == []
    assert seen["acknowledged"] > 20


@pytest.mark.hostile
@pytest.mark.parametrize("size_bytes", [4096, 65_536, 300_000])
def test_a_new_state_that_finds_no_room_leaves_nothing_that_could_be_taken_for_one(
    tmp_path: Path, size_bytes: int
) -> None:
    seen = answer_of(full.run_new, tmp_path, size_bytes)
    code, said = seen["first"]
    assert code == 1
    assert said.startswith("Error STATE_UNUSABLE")
    assert seen["left"] == []
    assert seen["second"] == (0, "No app is deployed. Next: firebrick deploy DIR\n")
