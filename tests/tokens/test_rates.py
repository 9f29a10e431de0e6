"""Tokens counted by the minute, by every process of a state alike."""

import threading
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from runtime.database import open_database, sqlite_url, writing
from runtime.tokens.rates import TokenRates

MINUTE = 1_700_000_040.0  # begins a minute


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MINUTE)


@pytest.fixture
def rates(tmp_path: Path, clock: ManualClock) -> TokenRates:
    return TokenRates(open_database(sqlite_url(tmp_path / "state.db")), clock)


def test_it_counts_up_to_the_limit_and_no_further(rates: TokenRates) -> None:
    assert [rates.take("a", 3) for _ in range(6)] == [0, 1, 2, 3, 3, 3]
    assert rates.take("a", 5) == 3
    assert rates.take("b", 3) == 0


def test_each_minute_begins_anew(rates: TokenRates, clock: ManualClock) -> None:
    clock.advance(59)
    assert [rates.take("a", 1), rates.take("a", 1), rates.next_in_s()] == [0, 1, 1]
    clock.advance(1)
    assert [rates.take("a", 1), rates.next_in_s()] == [0, 60]
    assert rates.take("a", 1) == 1
    clock.advance(59.5)
    assert rates.next_in_s() == 1


def test_what_is_over_is_forgotten(tmp_path: Path, clock: ManualClock) -> None:
    engine = open_database(sqlite_url(tmp_path / "state.db"))
    rates = TokenRates(engine, clock)
    for name in range(20):
        rates.take(str(name), 3)
    clock.advance(60)
    rates.take("one", 3)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT key FROM token_rate").scalars().all()
    assert rows == ["one"]


def test_a_transaction_that_fails_counts_nothing(tmp_path: Path, clock: ManualClock) -> None:
    engine = open_database(sqlite_url(tmp_path / "state.db"))
    rates = TokenRates(engine, clock)
    with writing(engine) as connection:
        assert rates.take("a", 1, connection) == 0
        connection.rollback()
    assert rates.take("a", 1) == 0


@pytest.mark.hostile
def test_processes_that_share_a_state_share_the_limit(tmp_path: Path, clock: ManualClock) -> None:
    url = sqlite_url(tmp_path / "state.db")
    engines = [open_database(url) for _ in range(4)]
    allowed: list[bool] = []

    def many(rates: TokenRates) -> None:
        allowed.extend(rates.take("a", 25) < 25 for _ in range(10))

    threads = [threading.Thread(target=many, args=(TokenRates(one, clock),)) for one in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(allowed), sum(allowed)) == (40, 25)
