from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from runtime.clock import ManualClock
from runtime.database import open_database, sqlite_url
from runtime.identity import lockout
from runtime.identity.lockout import Lockout, login_failure_table


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(sqlite_url(tmp_path / "state.db"))


def test_the_lock_closes_with_the_last_failure_and_opens_when_cleared(engine: Engine) -> None:
    lock = Lockout(engine, ManualClock(), 3)
    for _ in range(2):
        lock.fail("Anna@example.com", known=True)
    assert not lock.is_locked("anna@example.com")
    lock.fail("anna@EXAMPLE.com", known=True)
    assert lock.is_locked("anna@example.com")
    assert not lock.is_locked("bert@example.com")
    assert lock.clear("anna@example.com")
    assert not lock.clear("anna@example.com")
    assert not lock.is_locked("anna@example.com")


def test_a_limit_of_zero_never_locks(engine: Engine) -> None:
    lock = Lockout(engine, ManualClock(), 0)
    lock.fail("anna", known=True)
    assert not lock.is_locked("anna")


@pytest.mark.hostile
def test_names_of_nobody_neither_fill_the_state_nor_free_a_person(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lockout, "MAX_STRANGERS", 20)
    lock = Lockout(engine, ManualClock(), 1)
    lock.fail("anna", known=True)
    for number in range(60):
        lock.fail(f"nobody{number}", known=False)
    with engine.connect() as connection:
        rows = connection.execute(select(func.count()).select_from(login_failure_table)).scalar()
    assert rows is not None
    assert rows <= 21
    assert lock.is_locked("anna")


@pytest.mark.hostile
def test_no_name_that_was_typed_stands_in_the_state(engine: Engine, tmp_path: Path) -> None:
    Lockout(engine, ManualClock(), 3).fail("my-secret-by-mistake", known=False)
    for path in tmp_path.iterdir():
        assert b"my-secret-by-mistake" not in path.read_bytes()
