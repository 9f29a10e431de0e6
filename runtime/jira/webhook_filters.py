"""Which issues a webhook is for: the part of JQL that a filter may use, and whether an issue fits.

A filter is checked by the parser and the fields of the search itself when it is registered, and
evaluated when the event is, for one issue.

Source:
    Jira Cloud REST API v3, "Register dynamic webhooks", ``jqlFilter``.

Differs:
    Of custom fields the platform takes the epic label alone; no site here has one, so ``cf[id]``
    is refused. Functions are refused, as the documented elements name none. Texts are ours but for
    the one of an unsupported clause.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from runtime.jira import jql_ast as ast
from runtime.jira.context import Context
from runtime.jira.jql_compile import compile_condition
from runtime.jira.jql_errors import JqlError
from runtime.jira.jql_parser import parse_jql
from runtime.jira.schema import issue_table, property_table

FIELDS = frozenset({"issuekey", "project", "issuetype", "status", "assignee", "reporter"})
PROPERTY = "issue.property"
OPERATORS = frozenset({"=", "!=", "in", "not in"})
_POSITIVE = frozenset({"=", "in"})
EMPTY_FILTER = "The JQL filter is empty."


def filter_problems(context: Context, jql: str) -> list[str]:
    """Return what is wrong with the filter of a dynamic webhook; nothing if it may be registered.

    Its values are looked up as the caller sees them: what the caller may not see does not exist.
    """
    try:
        query = parse_jql(jql)
    except JqlError as error:
        return list(error.messages)
    if query.where is None:
        return [EMPTY_FILTER]
    problems = [problem for clause in _clauses(query.where) for problem in _unsupported(clause)]
    if query.order_by:
        problems.append("The clause ORDER BY is unsupported")
    return problems or [
        problem for clause in _clauses(query.where) for problem in _unresolved(context, clause)
    ]


def fits(context: Context, issue_id: int, jql: str) -> bool:
    """Return whether an issue fits a filter now; one that cannot be evaluated any more fits none.

    Whether the issue may be seen is not asked here.
    """
    try:
        query = parse_jql(jql)
        return query.where is None or _fits(context, issue_id, query.where, negated=False)
    except JqlError:
        return False


def _fits(context: Context, issue_id: int, condition: ast.Condition, *, negated: bool) -> bool:
    """Evaluate clause by clause; ``NOT`` is pushed down to them, as in the search."""
    match condition:
        case ast.Clause():
            if condition.field.properties:
                return _property_fits(context, issue_id, condition, negated=negated)
            asked: ast.Condition = ast.Not(condition) if negated else condition
            where = compile_condition(context, asked)
            query = select(issue_table.c.id).where(issue_table.c.id == issue_id, where)
            return context.connection.execute(query).first() is not None
        case ast.Not():
            return _fits(context, issue_id, condition.condition, negated=not negated)
        case _:
            parts = (_fits(context, issue_id, one, negated=negated) for one in condition.conditions)
            return all(parts) if isinstance(condition, ast.And) != negated else any(parts)


def _property_fits(context: Context, issue_id: int, clause: ast.Clause, *, negated: bool) -> bool:
    """Compare a value in an issue's property; one that is not there fits no comparison."""
    found = [
        value
        for key, path in clause.field.properties
        for value in _values(_property(context, issue_id, key), path)
    ]
    wanted = [item.text for item in _items(clause) if isinstance(item, ast.Value)]
    has = any(_same(value, text) for value in found for text in wanted)
    positive = (clause.operator in _POSITIVE) != negated
    return bool(found) and has is positive


def _property(context: Context, issue_id: int, key: str) -> Any:  # JSON
    table = property_table.c
    return context.connection.execute(
        select(table.value).where(
            table.cloud_id == context.site.cloud_id,
            table.entity == "issue",
            table.entity_id == str(issue_id),
            table.key == key,
        )
    ).scalar()


def _values(value: Any, path: str | None) -> list[Any]:  # JSON
    """Return the plain values at a path; of a list, each of its items."""
    for name in (path or "").strip(".").split(".") if path else ():
        value = value.get(name) if isinstance(value, dict) else None
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str | int | float | bool)]


def _same(value: Any, text: str) -> bool:  # JSON, a plain value
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if isinstance(value, str):
        return value.lower() == text.lower()
    try:
        return float(text) == float(value)
    except (ValueError, OverflowError):
        return False


def _clauses(condition: ast.Condition) -> Iterator[ast.Clause]:
    match condition:
        case ast.Clause():
            yield condition
        case ast.Not():
            yield from _clauses(condition.condition)
        case _:
            for part in condition.conditions:
                yield from _clauses(part)


def _unsupported(clause: ast.Clause) -> Iterator[str]:
    name = clause.field.name.lower()
    plain = name in FIELDS and not clause.field.properties
    if not plain and not (name == PROPERTY and clause.field.properties):
        yield f"The clause {clause.field.name} is unsupported"
    if clause.operator not in OPERATORS:
        yield f"The operator {clause.operator.upper()} is unsupported"
    for item in _items(clause):
        if isinstance(item, ast.Function):
            yield f"The function {item.name} is unsupported"


def _unresolved(context: Context, clause: ast.Clause) -> list[str]:
    if clause.field.properties:
        return []
    try:
        compile_condition(context, clause)
    except JqlError as error:
        return list(error.messages)
    return []


def _items(clause: ast.Clause) -> tuple[ast.Single, ...]:
    if isinstance(clause.operand, ast.ListOperand):
        return clause.operand.items
    return () if clause.operand is None else (clause.operand,)
