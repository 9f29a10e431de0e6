"""Moments in queries: dates, periods, functions of time, and whose day it is."""

from datetime import UTC, datetime

import pytest

from runtime.jira.jql_ast import Function, Value
from runtime.jira.jql_dates import resolve_moment, time_zone, to_ms
from runtime.jira.jql_errors import JqlError

NOW = to_ms(datetime(2026, 1, 31, 22, 30, tzinfo=UTC))  # a Saturday


def moment(value: Value | Function, zone: str = "UTC") -> str:
    found = resolve_moment(value, "created", NOW, time_zone(zone))
    return found.astimezone(UTC).isoformat(" ", "minutes").removesuffix("+00:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02", "2026-01-02 00:00"),
        ("2026/1/2 13:45", "2026-01-02 13:45"),
        ("-1d", "2026-01-30 22:30"),
        ("-4w 2d", "2026-01-01 22:30"),
        ("2h 5m", "2026-02-01 00:35"),
        ("+90m", "2026-02-01 00:00"),
        ("-30", "2026-01-31 22:00"),
    ],
)
def test_dates_and_periods(text: str, expected: str) -> None:
    assert moment(Value(text)) == expected


@pytest.mark.parametrize(
    ("name", "argument", "expected"),
    [
        ("now", None, "2026-01-31 22:30"),
        ("startOfDay", None, "2026-01-31 00:00"),
        ("startOfDay", "-1", "2026-01-30 00:00"),
        ("startOfDay", "+1M", "2026-02-28 00:00"),
        ("endOfDay", None, "2026-01-31 23:59"),
        ("startOfWeek", None, "2026-01-25 00:00"),
        ("endOfWeek", "-1w", "2026-01-24 23:59"),
        ("startOfMonth", "-1", "2025-12-01 00:00"),
        ("endOfMonth", "1", "2026-02-28 23:59"),
        ("startOfYear", "-1y", "2025-01-01 00:00"),
        ("endOfYear", None, "2026-12-31 23:59"),
    ],
)
def test_functions_of_time(name: str, argument: str | None, expected: str) -> None:
    assert moment(Function(name, () if argument is None else (argument,))) == expected


def test_a_day_begins_where_the_caller_is() -> None:
    assert moment(Function("startOfDay"), "Asia/Tokyo") == "2026-01-31 15:00"
    assert moment(Value("2026-01-02"), "America/New_York") == "2026-01-02 05:00"
    assert time_zone("Not/AZone").key == time_zone("").key == "UTC"


@pytest.mark.parametrize(
    "value",
    [
        Value("soon"),
        Value("2026-02-30"),
        Value("9" * 50),
        Value("-" + "9" * 9 + "w"),
        Function("startOfYear", ("999999999",)),
        Function("startOfMonth", ("99999",)),
        Function("endOfYear", ("7972y",)),
        Function("startOfDay", ("1", "2")),
        Function("now", ("1",)),
    ],
)
def test_what_is_no_moment_is_refused(value: Value | Function) -> None:
    with pytest.raises(JqlError):
        moment(value)
