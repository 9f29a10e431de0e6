"""Items of a list in a custom field as clients name them, so that verbs can add and take away.

An issue keeps an option by its id, a person by account id, a group by id, a moment in milliseconds.
A client says the same by an object or a text; what it takes away it may name in another way than it
was set, such as an option by its value.

Source:
    Jira Cloud REST API v3, "Edit issue", the verbs ``add`` and ``remove``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from runtime.jira.context import Context
from runtime.jira.custom_options import load_options
from runtime.jira.responses import Json, jira_time
from runtime.jira.site import CustomField

Stored = Any  # JSON


def as_sent(one: CustomField, item: Stored) -> Json:
    """Return a stored item as a client would send it."""
    match one.type:
        case "single_select" | "multi_select":
            return {"id": str(item)}
        case "user":
            return {"accountId": item}
        case "group":
            return {"groupId": item}
        case "datetime" if isinstance(item, int):
            return jira_time(item)
        case _:
            return item  # type: ignore[no-any-return]  # JSON as it is stored


def without(context: Context, one: CustomField, items: list[Json], operand: Json) -> list[Json]:
    """Return a list less what an operand of ``remove`` names."""
    if one.type not in _NAMED:
        return [item for item in items if item != operand]
    gone = _names(context, one, operand)
    return [item for item in items if not gone & _names(context, one, item)]


_NAMED = frozenset({"single_select", "multi_select", "user", "group", "datetime"})
"""Types whose items may be named in several ways."""


def _names(context: Context, one: CustomField, item: Json) -> frozenset[str]:
    """Return what tells an item from others; nothing if it names nothing."""
    match one.type:
        case "single_select" | "multi_select":
            return _option(context, one, item)
        case "user":
            return _text(_member(item, "accountId"))
        case "group":
            return _group(context, item)
        case _:
            return _moment(item)


def _option(context: Context, one: CustomField, item: Json) -> frozenset[str]:
    named = item if not isinstance(item, dict) else item.get("id")
    if named is not None or not isinstance(item, dict):
        return _text(named)
    options = load_options(context.connection, one.id).values()
    return frozenset(str(option.id) for option in options if option.value == item.get("value"))


def _group(context: Context, item: Json) -> frozenset[str]:
    given = _member(item, "groupId") or _member(item, "name")
    group = context.site.find_group(given) if isinstance(given, str) else None
    return frozenset() if group is None else frozenset({group.group_id})


def _moment(item: Json) -> frozenset[str]:
    try:
        moment = datetime.fromisoformat(item if isinstance(item, str) else "")
    except ValueError:
        return frozenset()
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return frozenset({str(moment.timestamp())})


def _member(item: Json, name: str) -> Json:
    fields: Mapping[str, Json] = item if isinstance(item, dict) else {}
    return fields.get(name)


def _text(value: Json) -> frozenset[str]:
    plain = isinstance(value, str | int) and not isinstance(value, bool)
    return frozenset({str(value)}) if plain else frozenset()
