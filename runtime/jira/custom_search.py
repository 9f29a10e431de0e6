"""The searchable copy of custom values: written with each issue, asked by JQL.

Differs:
    Text is matched as that of other fields is; values of objects and of read-only fields are not
    searched, and no custom field sorts.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, not_, or_, select

from runtime.jira.adf import plain_text
from runtime.jira.context import Context
from runtime.jira.custom_values import items_of
from runtime.jira.issues_store import Issue
from runtime.jira.jql_fields import JqlField
from runtime.jira.schema import custom_value_table, issue_table
from runtime.jira.site import CustomField

Sql = ColumnElement[bool]
_VALUES = custom_value_table.c
_OPERATORS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("string", "text", "rich_text"), ("~", "!~", "is", "is not")),
    **dict.fromkeys(
        ("number", "date", "datetime"),
        ("=", "!=", "in", "not in", "is", "is not", "<", "<=", ">", ">="),
    ),
    **dict.fromkeys(
        ("single_select", "multi_select", "user", "group"),
        ("=", "!=", "in", "not in", "is", "is not"),
    ),
}


def write_values(context: Context, before: Mapping[str, Any], after: Issue) -> None:
    """Bring the searchable copy of an issue's custom values up to date.

    Args:
        context: The call.
        before: Its ``fields`` so far; empty for a new issue.
        after: The issue as it is stored now.
    """
    for one in context.site.custom_fields.values():
        if before.get(one.field_id) != after.fields.get(one.field_id):
            write_value(context.connection, one, after.id, after.fields)


def write_value(
    connection: Connection, one: CustomField, issue_id: int, fields: Mapping[str, Any]
) -> None:
    """Write the searchable copy of one value."""
    here = (_VALUES.issue_id == issue_id) & (_VALUES.field_id == one.id)
    connection.execute(delete(custom_value_table).where(here))
    rows = [
        {"issue_id": issue_id, "field_id": one.id, "position": at, **_copy(one, item)}
        for at, item in enumerate(items_of(one, fields))
    ]
    if rows and one.type in _OPERATORS:
        connection.execute(insert(custom_value_table), rows)


def _copy(one: CustomField, item: Any) -> dict[str, str | float | None]:  # JSON
    match one.type:
        case "number" | "single_select" | "multi_select" | "datetime":
            return {"text": None, "number": float(item)}
        case "rich_text":
            return {"text": plain_text(item).lower(), "number": None}
        case "user" | "group" | "date":
            return {"text": str(item), "number": None}
        case _:
            return {"text": str(item).lower(), "number": None}


# --- asking --------------------------------------------------------------------------------------


def clause_field(one: CustomField) -> JqlField | None:
    """Return a custom field as JQL has it; None if it is not searched."""
    operators = _OPERATORS.get(one.type)
    if operators is None:
        return None
    names = (one.name, f"cf[{one.id}]")
    return JqlField(one.field_id, names, "custom", operators, sortable=False)


def has_value(one: CustomField, condition: Callable[[Any], Sql] | None = None) -> Sql:
    """Return the condition that an issue has a value, perhaps one that something holds of.

    Args:
        one: The field.
        condition: Is handed the columns of the copy.
    """
    query = select(_VALUES.issue_id).where(_VALUES.field_id == one.id)
    if condition is not None:
        query = query.where(condition(_VALUES))
    return issue_table.c.id.in_(query)


def contains(one: CustomField, words: list[str]) -> Sql:
    """Return the condition that each word occurs in the text of a field."""

    def every(columns: Any) -> Sql:  # columns by name
        occurs = [columns.text.contains(word.lower(), autoescape=True) for word in words]
        return not_(or_(*(not_(found) for found in occurs)))

    return has_value(one, every)
