"""States that are damaged, read-only, incomplete or not ours: it is said, and nothing is lost."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.durability.commands import Said, firebrick, lock_at_once, read_only

TRACEBACK = "Traceback"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original") / "state"
    with open_firebrick(Settings(state=folder)) as opened:
        opened.api_tokens.create(opened.find_person("dana"), "kept")
    return folder


@pytest.fixture
def state(tmp_path: Path, original: Path) -> Path:
    shutil.copytree(original, tmp_path / "state")
    return tmp_path / "state"


def assert_told(said: Said, *words: str) -> None:
    assert said.code == 1, said
    assert said.err.startswith("Error STATE_"), said
    assert TRACEBACK not in said.out + said.err
    for word in words:
        assert word in said.err


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- damage --------------------------------------------------------------------------------------


def no_header(database: Path) -> None:
    data = database.read_bytes()
    database.write_bytes(b"\0" * 100 + data[100:])


def other_file(database: Path) -> None:
    database.write_text("this was never a database\n" * 100)


def half(database: Path) -> None:
    data = database.read_bytes()
    database.write_bytes(data[: len(data) // 2 - 100])


def noise(database: Path) -> None:
    """Overwrite everything behind the first page, but leave the length."""
    size = database.stat().st_size
    database.write_bytes(database.read_bytes()[:4096] + os.urandom(size - 4096))


def nothing(database: Path) -> None:
    database.write_bytes(b"")


@pytest.mark.hostile
@pytest.mark.parametrize("damage", [no_header, other_file, half, noise, nothing])
def test_a_damaged_database_is_named_kept_as_it_is_and_can_be_reset(
    state: Path, damage: Callable[[Path], None]
) -> None:
    database = state / "state.db"
    damage(database)
    before = digest(database)
    assert_told(firebrick(state, "token", "list"), str(database), "firebrick reset")
    assert_told(firebrick(state, "serve", "--port", "0"), str(database))
    doctor = firebrick(state, "doctor")
    assert doctor.code == 1
    assert "failed" in doctor.out
    assert TRACEBACK not in doctor.out + doctor.err
    assert digest(database) == before
    assert firebrick(state, "reset", "--yes").code == 0
    assert firebrick(state, "token", "list").code == 0


@pytest.mark.hostile
def test_a_page_of_noise_in_the_middle_is_told_when_it_is_met(state: Path) -> None:
    database = state / "state.db"
    with sqlite3.connect(database) as connection:
        root, size = connection.execute(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master "
            "WHERE name = 'api_token'"
        ).fetchone()
    connection.close()
    with database.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(os.urandom(size))
    assert_told(firebrick(state, "token", "list"), "is damaged", "Copy the folder away")
    assert firebrick(state, "apps").code == 0
    assert "damaged" in firebrick(state, "doctor").out


@pytest.mark.hostile
def test_a_journal_of_noise_takes_nothing_from_what_was_kept(state: Path) -> None:
    (state / "state.db-wal").write_bytes(os.urandom(50_000))
    (state / "state.db-shm").write_bytes(os.urandom(32_768))
    said = firebrick(state, "token", "list")
    assert said.code == 0
    assert "kept" in said.out


# --- parts that are missing ----------------------------------------------------------------------


@pytest.mark.parametrize("part", ["firebrick-state", ".gitignore"])
def test_a_part_that_can_be_made_again_is_made_again(state: Path, part: str) -> None:
    (state / part).unlink()
    assert "kept" in firebrick(state, "token", "list").out
    assert (state / part).is_file()


@pytest.mark.hostile
def test_a_database_that_left_its_journal_behind_is_not_made_anew(state: Path) -> None:
    opened = open_firebrick(Settings(state=state))
    opened.api_tokens.create(opened.find_person("vera"), "in the journal")
    shutil.copy(state / "state.db-wal", state.parent)
    opened.close()
    away = state.parent / "away.db"
    (state / "state.db").rename(away)
    shutil.copy(state.parent / "state.db-wal", state)
    journal = digest(state / "state.db-wal")
    assert_told(firebrick(state, "token", "list"), "state.db is missing", "state.db-wal")
    assert digest(state / "state.db-wal") == journal
    away.rename(state / "state.db")
    assert "in the journal" in firebrick(state, "token", "list").out


@pytest.mark.parametrize("place", ["file", "file/below", "link"])
def test_a_state_that_can_be_no_folder_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "at" / "all")
    assert_told(firebrick(tmp_path / place, "apps"), str(tmp_path / place), "--state")
    assert firebrick(tmp_path / place, "doctor").code in (0, 1)
    assert (tmp_path / "file").read_text() == "mine"


# --- what may not be written, or is held ---------------------------------------------------------


@pytest.mark.hostile
def test_a_read_only_folder_is_told_and_kept(state: Path) -> None:
    before = digest(state / "state.db")
    for arguments in (("token", "create", "dana"), ("serve", "--port", "0")):
        assert_told(firebrick(state, *arguments, ill=read_only), str(state), "rights")
    assert_told(firebrick(state.parent / "state" / "new", "apps", ill=read_only_parent))
    assert digest(state / "state.db") == before


def read_only_parent(state: Path) -> None:
    read_only(state.parent)


@pytest.mark.hostile
def test_a_read_only_database_is_told_by_its_first_write(state: Path) -> None:
    url = f"sqlite:///file:{state / 'state.db'}?mode=ro&uri=true"
    settings = Settings(state=state, database_url=url)
    with open_firebrick(settings) as opened:
        assert [token.label for token in opened.api_tokens.list()] == ["kept"]
        with pytest.raises(Exception, match="is read-only") as caught:
            opened.api_tokens.create(opened.find_person("dana"), "new")
    assert getattr(caught.value, "code", None) == "STATE_UNUSABLE"


@pytest.mark.hostile
def test_a_lock_that_another_process_keeps_is_told(state: Path) -> None:
    holder = sqlite3.connect(state / "state.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    said = firebrick(state, "token", "create", "dana", ill=lock_at_once)
    assert_told(said, "locked", "Another process holds it")
    assert firebrick(state, "token", "list", ill=lock_at_once).code == 0
    holder.close()
    assert firebrick(state, "token", "create", "dana").code == 0


# --- versions ------------------------------------------------------------------------------------


def alter(state: Path, *statements: str) -> None:
    connection = sqlite3.connect(state / "state.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.hostile
def test_a_state_of_a_newer_version_is_left_alone(state: Path) -> None:
    alter(state, "UPDATE schema_version SET version = 99")
    before = digest(state / "state.db")
    for arguments in (("apps",), ("serve", "--port", "0"), ("token", "create", "dana")):
        assert_told(firebrick(state, *arguments), "version 99", "up to 1")
    assert "version 99" in firebrick(state, "doctor").out
    assert digest(state / "state.db") == before


@pytest.mark.parametrize(
    "missing",
    [
        ("DROP TABLE schema_version",),
        ("DROP TABLE consent",),
        ("ALTER TABLE audit_record DROP COLUMN operation",),
        ("DROP TABLE schema_version", "ALTER TABLE audit_record DROP COLUMN duration_ms"),
    ],
    ids=str,
)
def test_an_older_state_gets_what_it_lacks(state: Path, missing: tuple[str, ...]) -> None:
    alter(state, *missing)
    assert "kept" in firebrick(state, "token", "list").out
    assert firebrick(state, "audit").code == 0
    assert "version 1" in firebrick(state, "doctor").out


def test_an_older_state_that_cannot_be_brought_up_is_left_alone(state: Path) -> None:
    alter(state, "ALTER TABLE invocation DROP COLUMN logs", "DROP TABLE consent")
    before = digest(state / "state.db")
    assert_told(firebrick(state, "apps"), "older Firebrick", "invocation.logs is missing")
    assert digest(state / "state.db") == before


def test_the_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    alter(state, "CREATE TABLE recipe (name TEXT)")
    before = digest(state / "state.db")
    assert_told(firebrick(state, "apps"), "belongs to something else")
    assert digest(state / "state.db") == before


# --- whole from the beginning --------------------------------------------------------------------

EVERY_TABLE = """
import importlib, pkgutil
import runtime
import runtime.server.runtime
from runtime.database import metadata
made = set(metadata.tables)
for module in pkgutil.walk_packages(runtime.__path__, "runtime."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(*sorted(set(metadata.tables) - made))
"""


def test_a_state_has_every_table_whoever_makes_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EVERY_TABLE], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
