"""Compile a parsed query to a condition on the issue table.

``NOT`` is pushed down to the clauses, as the product does it: ``not assignee = x`` is
``assignee != x``, and neither finds an issue without an assignee. So a clause, its opposite and
``is EMPTY`` divide the visible issues between them.

Differs:
    Text is matched by words that occur anywhere, in any case (of ASCII letters, with SQLite),
    without stemming, fuzziness or proximity; ``text`` does not search comments.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import ge, gt, le, lt
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, false, not_, or_, select, true

from runtime.jira.context import Context
from runtime.jira.custom_jql import CustomClauses
from runtime.jira.custom_search import clause_field, has_value
from runtime.jira.jql_ast import (
    And,
    Clause,
    Condition,
    Empty,
    Function,
    ListOperand,
    Not,
    Single,
    Value,
)
from runtime.jira.jql_dates import TIME_FUNCTIONS, resolve_moment, time_zone, to_ms
from runtime.jira.jql_errors import (
    JqlError,
    no_such_field,
    not_evaluated,
    operator_unsupported,
)
from runtime.jira.jql_fields import FIELDS, HISTORY, HISTORY_FIELDS, UNEVALUATED, JqlField
from runtime.jira.jql_values import (
    LIST_FUNCTIONS,
    find_key,
    resolve_issues,
    resolve_reference,
    resolve_users,
    unknown_function,
)
from runtime.jira.schema import issue_label_table, issue_table

Sql = ColumnElement[bool]
Compare = Callable[[Any, Any], Any]  # the operators of columns

OPPOSITES: Mapping[str, str] = {
    "=": "!=",
    "in": "not in",
    "is": "is not",
    "~": "!~",
    "<": ">=",
    ">": "<=",
    "!=": "=",
    "not in": "in",
    "is not": "is",
    "!~": "~",
    ">=": "<",
    "<=": ">",
}
_COMPARE: Mapping[str, Compare] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_NEGATIVE = frozenset({"!=", "not in", "is not", "!~"})
_MAX_WORDS = 50  # of one text operand
_MAX_WORD = 255  # characters; a database refuses very long patterns
_MAX_ALL_WORDS = 1_000  # of a whole query; each is a condition or two


def compile_condition(context: Context, condition: Condition) -> Sql:
    """Return the SQL of a condition; the caller adds what may be seen.

    Raises:
        JqlError: 400 with everything that is wrong in it, in the order of the query.
    """
    compiler = _Compiler(context)
    compiled = compiler.compile(condition, negated=False)
    if compiler.problems:
        raise JqlError(*dict.fromkeys(compiler.problems))
    return compiled


def find_field(context: Context, clause_name: str) -> JqlField:
    """Return the evaluated field of that name.

    Raises:
        JqlError: 400 if it is unknown, or known and not evaluated.
    """
    found = FIELDS.get(clause_name.lower())
    if found is not None:
        return found
    custom = context.site.find_clause(clause_name)
    if custom is not None:
        asked = clause_field(custom)
        if asked is None:
            raise not_evaluated(f"the JQL field '{clause_name}'")
        return asked
    if clause_name.lower() in UNEVALUATED or clause_name.startswith("cf["):
        raise not_evaluated(f"the JQL field '{clause_name}'")
    raise no_such_field(clause_name, anonymous=context.account is None)


class _Compiler:
    """Compiles one query and gathers what is wrong with it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._zone = time_zone("UTC" if context.account is None else context.account.time_zone)
        self._words = 0
        self.problems: list[str] = []

    def compile(self, condition: Condition, *, negated: bool) -> Sql:
        """Compile a condition or its opposite. Parentheses are bounded, so the recursion is."""
        match condition:
            case Clause():
                return self._guarded(condition, negated)
            case Not():
                return self.compile(condition.condition, negated=not negated)
            case _:
                parts = [self.compile(part, negated=negated) for part in condition.conditions]
                return and_(*parts) if isinstance(condition, And) != negated else or_(*parts)

    def _guarded(self, clause: Clause, negated: bool) -> Sql:
        try:
            return self._clause(clause, negated)
        except JqlError as error:
            self.problems.extend(error.messages)
            return false()

    def _clause(self, clause: Clause, negated: bool) -> Sql:
        if clause.field.properties:
            raise not_evaluated(f"the JQL field '{clause.field}'")
        asked = find_field(self._context, clause.field.name)
        if clause.operator in HISTORY and asked.id in HISTORY_FIELDS:
            raise not_evaluated(f"the JQL operator '{clause.operator}'")
        if clause.operator not in asked.operators:
            raise operator_unsupported(clause.operator, clause.field.name)
        operator = OPPOSITES[clause.operator] if negated else clause.operator
        return self._compare(asked, clause, operator)

    def _compare(self, asked: JqlField, clause: Clause, operator: str) -> Sql:
        items = _items(clause)
        if operator in _COMPARE:
            if asked.kind == "custom":
                return self._custom(asked, clause.field.name).compares(operator, items[0])
            return self._ordered(asked, clause.field.name, operator, items[0])
        values = [item for item in items if not isinstance(item, Empty)]
        for value in values:
            _check_list_function(asked, clause, value)
        asks_empty = len(values) < len(items)
        if operator in _NEGATIVE:
            return self._excludes(asked, clause.field.name, values)
        found = [self._any(asked, clause.field.name, values)] if values else []
        return or_(*found, *([self._empty(asked)] if asks_empty else []))

    def _empty(self, asked: JqlField) -> Sql:
        if asked.kind == "custom":
            return not_(has_value(self._context.site.custom_fields[asked.id]))
        return _empty(asked)

    def _custom(self, asked: JqlField, name: str) -> CustomClauses:
        one = self._context.site.custom_fields[asked.id]
        return CustomClauses(self._context, one, asked, name, self._zone)

    def _excludes(self, asked: JqlField, name: str, values: list[Value | Function]) -> Sql:
        """Say that a field has a value, and none of these. An empty field fits no ``!=``."""
        parts = [not_(self._any(asked, name, values))] if values else []
        return and_(not_(self._empty(asked)), *parts)

    def _any(self, asked: JqlField, name: str, values: list[Value | Function]) -> Sql:
        if asked.kind == "custom":
            return self._custom(asked, name).has(values)
        return self._has(asked, name, values)

    def _has(self, asked: JqlField, name: str, values: list[Value | Function]) -> Sql:
        match asked.kind:
            case "reference":
                return self._any_of(asked, self._references(asked, values))
            case "user":
                return self._any_of(asked, resolve_users(self._context, asked, values))
            case "issue":
                return self._any_of(asked, self._issue_ids(name, values))
            case "label":
                labels = [_word(value).lower() for value in values]
                return _labelled(issue_label_table.c.label.in_(labels))
            case "text":
                return self._contains(asked, _word(values[0]))
            case _:
                return or_(*(self._ordered(asked, name, "=", value) for value in values))

    def _references(self, asked: JqlField, values: Iterable[Value | Function]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            try:
                found.extend(resolve_reference(self._context, asked, value))
            except JqlError as error:
                self.problems.extend(error.messages)
        return list(dict.fromkeys(found))

    def _issue_ids(self, name: str, values: list[Value | Function]) -> list[Any]:
        for value in values:
            if isinstance(value, Function):
                raise unknown_function(value)
        named = [value for value in values if isinstance(value, Value)]
        return list(resolve_issues(self._context, name, named).values())

    @staticmethod
    def _any_of(asked: JqlField, ids: list[Any]) -> Sql:
        """Compare a column with ids; -1 stands for a resolution that is not there."""
        column = _column(asked)
        if asked.id == "resolution" and -1 in ids:
            return or_(column.is_(None), column.in_([one for one in ids if one != -1]))
        return column.in_(ids) if len(ids) != 1 else column == ids[0]

    def _contains(self, asked: JqlField, text: str) -> Sql:
        """Say that each word occurs in the text of one of the field's columns."""
        table = issue_table.c
        is_all = asked.id == "text"
        columns = [table.summary, table.description_text] if is_all else [_column(asked)]
        words = text.replace("*", " ").replace('"', " ").split()
        self._words += len(words)
        if self._words > _MAX_ALL_WORDS:
            raise JqlError(f"The JQL query searches for more than {_MAX_ALL_WORDS} words.")
        if not 0 < len(words) <= _MAX_WORDS or max(map(len, words)) > _MAX_WORD:
            message = f"The text query '{text[:100]}' for field '{asked.id}' is not valid."
            raise JqlError(message)
        return and_(*(_occurs(word, columns) for word in words))

    def _ordered(self, asked: JqlField, name: str, operator: str, value: Single) -> Sql:
        if isinstance(value, Empty):
            raise operator_unsupported(operator, name)
        if asked.kind in ("moment", "day"):
            return self._dated(asked, name, operator, value)
        if isinstance(value, Function):
            raise unknown_function(value)
        if asked.kind == "issue":
            return self._numbered(name, operator, value)
        return self._prioritised(asked, operator, value)

    def _dated(self, asked: JqlField, name: str, operator: str, value: Value | Function) -> Sql:
        if isinstance(value, Function) and value.name.lower() not in TIME_FUNCTIONS:
            raise unknown_function(value)
        moment = resolve_moment(value, name, self._context.now_ms, self._zone)
        wanted = _as_day(moment) if asked.kind == "day" else to_ms(moment)
        column = _column(asked)
        return column == wanted if operator == "=" else _COMPARE[operator](column, wanted)

    def _numbered(self, name: str, operator: str, value: Value) -> Sql:
        """Compare keys: only within a project does one come before another."""
        resolve_issues(self._context, name, [value])
        found, table = find_key(self._context, value.text), issue_table.c
        compare = _COMPARE[operator]
        if isinstance(found, tuple):
            return and_(table.project_id == found[0], compare(table.number, found[1]))
        return true() if found is None else compare(table.id, found)

    def _prioritised(self, asked: JqlField, operator: str, value: Value) -> Sql:
        """Compare priorities by rank: the first of the list is the greatest."""
        ids = resolve_reference(self._context, asked, value)
        priorities = self._context.site.priorities
        limit = min(priorities[int(found)].position for found in ids)
        compare = _COMPARE[operator]
        fitting = [one.id for one in priorities.values() if compare(limit, one.position)]
        return issue_table.c.priority_id.in_(fitting)


def _items(clause: Clause) -> tuple[Single, ...]:
    operand = clause.operand
    if isinstance(operand, ListOperand):
        return operand.items
    return (Empty(),) if operand is None else (operand,)


def _check_list_function(asked: JqlField, clause: Clause, value: Value | Function) -> None:
    if not isinstance(value, Function) or clause.operator not in ("=", "!="):
        return
    if value.name.lower() in LIST_FUNCTIONS:
        raise JqlError(
            f"Operator '{clause.operator}' does not support list value '{value.name}()' for "
            f"field '{asked.names[0]}'."
        )


def _column(asked: JqlField) -> Column[Any]:  # columns of several types
    if asked.column is None:
        raise AssertionError(f"{asked.id} has no column")
    column: Column[Any] = issue_table.c[asked.column]
    return column


def _empty(asked: JqlField) -> Sql:
    if asked.kind == "label":
        return not_(_labelled(true()))
    if asked.kind == "text":
        return false() if asked.column is None else _column(asked) == ""
    column = _column(asked)
    return column.is_(None) if column.nullable else false()


def _labelled(condition: Sql) -> Sql:
    label = issue_label_table.c
    return issue_table.c.id.in_(select(label.issue_id).where(condition))


def _word(value: Value | Function) -> str:
    if isinstance(value, Function):
        raise unknown_function(value)
    return value.text


def _occurs(word: str, columns: Iterable[Column[Any]]) -> Sql:
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


def _as_day(moment: datetime) -> str:
    return f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d}"
