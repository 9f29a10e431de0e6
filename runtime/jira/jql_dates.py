"""Moments in JQL: dates, periods such as ``-4w 2d``, and the functions of time.

Days begin when they do for the caller: in the time zone of the account, UTC for anonymous.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runtime.jira.jql_ast import Function, Value
from runtime.jira.jql_errors import JqlError

_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T](\d{1,2}):(\d{2}))?")
_PERIOD = re.compile(r"([+-]?)\s*((?:\d{1,6}\s*[wdhm]\s*)+)", re.IGNORECASE)
_PART = re.compile(r"(\d+)\s*([wdhm])", re.IGNORECASE)
_MINUTES = re.compile(r"[+-]?\d{1,9}")
_INCREMENT = re.compile(r"([+-]?)(\d{1,5})([yMwdhm]?)")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}
_MONTHS = {"M": 1, "y": 12}
_LAST_YEAR = 9998  # the end of a year is computed from the beginning of the next


def time_zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name; UTC if it is unknown here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def resolve_moment(value: Value | Function, field: str, now_ms: int, zone: ZoneInfo) -> datetime:
    """Return the moment that an operand of a date field means.

    Raises:
        JqlError: 400 if it is no date, no period and no function of time.
    """
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    try:
        if isinstance(value, Function):
            return _call(value, now)
        return _parse(value.text.strip(), now)
    except (ValueError, OverflowError) as error:
        shown = value.text if isinstance(value, Value) else value.name
        raise JqlError(
            f"Date value '{shown}' for field '{field}' is invalid. Valid formats include: "
            "'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period "
            "format e.g. '-5d', '4w 2d'."
        ) from error


def to_ms(moment: datetime) -> int:
    """Return milliseconds since 1970-01-01 UTC."""
    return int(moment.timestamp() * 1000)


def _parse(text: str, now: datetime) -> datetime:
    found = _DATE.fullmatch(text)
    if found:
        year, month, day, hour, minute = (int(part or 0) for part in found.groups())
        return datetime(year, month, day, hour, minute, tzinfo=now.tzinfo)
    period = _PERIOD.fullmatch(text)
    if period:
        amounts = {_UNITS[unit.lower()]: int(count) for count, unit in _PART.findall(period[2])}
        delta = timedelta(**amounts)
        return now - delta if period[1] == "-" else now + delta
    if _MINUTES.fullmatch(text):
        return now + timedelta(minutes=int(text))
    raise ValueError(text)


def _call(function: Function, now: datetime) -> datetime:
    name = function.name.lower()
    if name == "now":
        if function.arguments:
            raise wrong_arguments(function, "0")
        return now
    if len(function.arguments) > 1:
        raise wrong_arguments(function, "0' or '1")
    start, unit = _PERIODS[name]
    increment = function.arguments[0] if function.arguments else "0"
    begin = start(_shifted(now, increment, unit))
    if name.startswith("start"):
        return begin
    return start(_shifted(begin, "1", unit)) - timedelta(milliseconds=1)


def wrong_arguments(function: Function, expected: str) -> JqlError:
    """Return the refusal of a function call with too many or too few arguments."""
    return JqlError(
        f"Function '{function.name}' expected '{expected}' arguments but received "
        f"'{len(function.arguments)}'."
    )


def _shifted(moment: datetime, increment: str, unit: str) -> datetime:
    found = _INCREMENT.fullmatch(increment)
    if found is None:
        raise ValueError(increment)
    count = int(found[2]) * (-1 if found[1] == "-" else 1)
    unit = found[3] or unit
    if unit in _MONTHS:
        return _months_later(moment, count * _MONTHS[unit])
    return moment + timedelta(**{_UNITS[unit]: count})


def _months_later(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= _LAST_YEAR:
        raise OverflowError(year)
    first = moment.replace(year=year, month=month + 1, day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=min(moment.day, (following - first).days) - 1)


def _midnight(moment: datetime) -> datetime:
    day = date(moment.year, moment.month, moment.day)
    return datetime(day.year, day.month, day.day, tzinfo=moment.tzinfo)


def _start_of_week(moment: datetime) -> datetime:
    """Return the beginning of Sunday: the week's first day where the locale is en_US."""
    return _midnight(moment - timedelta(days=moment.isoweekday() % 7))


_PERIODS: Mapping[str, tuple[Callable[[datetime], datetime], str]] = {
    f"{edge}of{name}": (start, unit)
    for edge in ("start", "end")
    for name, start, unit in (
        ("day", _midnight, "d"),
        ("week", _start_of_week, "w"),
        ("month", lambda moment: _midnight(moment.replace(day=1)), "M"),
        ("year", lambda moment: _midnight(moment.replace(month=1, day=1)), "y"),
    )
}
TIME_FUNCTIONS = frozenset({"now", *_PERIODS})
"""The functions of time, lower case."""
