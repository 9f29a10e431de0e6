"""``ORDER BY``, and stable pages over it.

Every sort key is made never empty (what is empty sorts last when ascending), and the issue's id
decides between equals; so a page begins right after the last issue of the page before it, however
the store has changed in between.

Differs:
    Without a direction every field sorts ascending.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select

from runtime.identity.accounts import account_table
from runtime.jira.beans import CATEGORIES
from runtime.jira.context import Context
from runtime.jira.jql_ast import Sort
from runtime.jira.jql_compile import find_field
from runtime.jira.jql_errors import JqlError, not_sortable
from runtime.jira.jql_fields import JqlField
from runtime.jira.schema import issue_label_table, issue_table
from runtime.jira.site import Site

MAX_SORTS = 7
LAST_TEXT = "\U0010fffd"  # sorts after every text
LAST_NUMBER = 2**62
Expression = ColumnElement[Any]  # a text or a number
Parts = Callable[[Site], list[Expression]]
Position = tuple[str | int, ...]
"""The sort keys of one issue, its id last."""


@dataclass(frozen=True, slots=True)
class Key:
    """One sort key.

    Attributes:
        expression: Its value for an issue; never NULL.
        descending: The greatest comes first.
    """

    expression: Expression
    descending: bool


def sort_keys(context: Context, order_by: Sequence[Sort]) -> tuple[Key, ...]:
    """Return the sort keys of a query; the issue's id comes last, newest first.

    Raises:
        JqlError: 400 for an unknown or unsortable field, or too many.
    """
    if len(order_by) > MAX_SORTS:
        raise JqlError(f"A JQL query can sort by at most {MAX_SORTS} fields.")
    problems: list[str] = []
    keys: dict[str, list[Key]] = {}
    for sort in order_by:
        try:
            asked = _sortable(context, sort)
        except JqlError as error:
            problems.extend(error.messages)
            continue
        descending = bool(sort.descending)
        keys.setdefault(asked.id, [Key(part, descending) for part in _parts(context, asked)])
    if problems:
        raise JqlError(*dict.fromkeys(problems))
    id_descending = not order_by or bool(order_by[-1].descending)
    return (*(key for part in keys.values() for key in part), Key(issue_table.c.id, id_descending))


def order_clauses(keys: Sequence[Key]) -> list[Expression]:
    """Return what goes into ORDER BY."""
    return [key.expression.desc() if key.descending else key.expression.asc() for key in keys]


def after(keys: Sequence[Key], position: Position) -> ColumnElement[bool]:
    """Return the condition that an issue comes after a position in this order."""
    beyond: ColumnElement[bool] | None = None
    for key, value in reversed(list(zip(keys, position, strict=True))):
        here = literal(value)
        further = key.expression < here if key.descending else key.expression > here
        level = key.expression <= here if key.descending else key.expression >= here
        beyond = further if beyond is None else and_(level, or_(further, beyond))
    if beyond is None:
        raise AssertionError("the id is always a key")
    return beyond


def _sortable(context: Context, sort: Sort) -> JqlField:
    if sort.field.properties:
        raise not_sortable(str(sort.field))
    asked = find_field(context, sort.field.name)
    if not asked.sortable:
        raise not_sortable(sort.field.name)
    return asked


def _parts(context: Context, asked: JqlField) -> list[Expression]:
    return _PARTS[asked.id](context.site)


def _ranked(column: Expression, values: Mapping[int, str] | Mapping[int, int]) -> Expression:
    """Return the rank of a configured thing among its kind; what is empty comes last."""
    ranks = {value: rank for rank, value in enumerate(sorted(set(values.values())))}  # type: ignore[type-var]  # all texts, or all numbers
    whens = {thing_id: ranks[value] for thing_id, value in values.items()}
    return case(whens, value=column, else_=LAST_NUMBER) if whens else literal(0)


def _first_label() -> Expression:
    label = issue_label_table.c
    first = select(func.min(label.label)).where(label.issue_id == issue_table.c.id)
    return func.coalesce(first.scalar_subquery(), LAST_TEXT)


def _display_name(column: Expression) -> Expression:
    account = account_table.c
    name = select(func.lower(account.display_name)).where(account.account_id == column)
    return func.coalesce(name.scalar_subquery(), LAST_TEXT)


def _person(name: str) -> Parts:
    return lambda _site: [_display_name(_TABLE[name])]


_TABLE = issue_table.c
_PARTS: Mapping[str, Parts] = {
    "issuekey": lambda site: [
        _ranked(_TABLE.project_id, {one.id: one.key for one in site.projects.values()}),
        _TABLE.number,
    ],
    "project": lambda site: [
        _ranked(_TABLE.project_id, {one.id: one.name.lower() for one in site.projects.values()})
    ],
    "issuetype": lambda site: [
        _ranked(
            _TABLE.issue_type_id, {one.id: one.name.lower() for one in site.issue_types.values()}
        )
    ],
    "status": lambda _site: [_TABLE.status_id],
    "statusCategory": lambda site: [
        _ranked(
            _TABLE.status_id,
            {one.id: list(CATEGORIES).index(one.category) for one in site.statuses.values()},
        )
    ],
    # the first of the list is the greatest, so it comes first when descending
    "priority": lambda site: [
        _ranked(_TABLE.priority_id, {one.id: -one.position for one in site.priorities.values()})
    ],
    "resolution": lambda site: [
        _ranked(_TABLE.resolution_id, {one.id: one.position for one in site.resolutions.values()})
    ],
    "assignee": _person("assignee_id"),
    "reporter": _person("reporter_id"),
    "creator": _person("creator_id"),
    "labels": lambda _site: [_first_label()],
    "summary": lambda _site: [func.lower(_TABLE.summary)],
    "created": lambda _site: [_TABLE.created_ms],
    "updated": lambda _site: [_TABLE.updated_ms],
    "resolutiondate": lambda _site: [func.coalesce(_TABLE.resolved_ms, LAST_NUMBER)],
    "duedate": lambda _site: [func.coalesce(_TABLE.due, LAST_TEXT)],
}
