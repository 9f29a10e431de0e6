"""Clauses of JQL that ask for a custom field."""

from collections.abc import Sequence
from operator import eq, ge, gt, le, lt
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_

from runtime.jira.context import Context
from runtime.jira.custom_options import load_options
from runtime.jira.custom_search import contains, has_value
from runtime.jira.jql_ast import Empty, Function, Single, Value
from runtime.jira.jql_dates import TIME_FUNCTIONS, resolve_moment, to_ms
from runtime.jira.jql_errors import JqlError, operator_unsupported
from runtime.jira.jql_fields import JqlField
from runtime.jira.jql_values import resolve_users, unknown_function
from runtime.jira.site import CustomField

Sql = ColumnElement[bool]
MAX_WORDS = 50  # of one text operand
MAX_WORD = 255  # characters
_COMPARE = {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}


class CustomClauses:
    """Compiles the clauses of one custom field.

    Args:
        context: The call.
        one: The field.
        asked: The same as JQL has it.
        name: What the query calls it.
        zone: The time zone in which dates are read.
    """

    def __init__(  # one call site, which knows all of it
        self, context: Context, one: CustomField, asked: JqlField, name: str, zone: ZoneInfo
    ) -> None:
        self._context = context
        self._one = one
        self._asked = asked
        self._name = name
        self._zone = zone

    def has(self, values: Sequence[Value | Function]) -> Sql:
        """Return the condition that the field has one of these values.

        Raises:
            JqlError: 400 if one of them is none that the field can have.
        """
        match self._one.type:
            case "string" | "text" | "rich_text":
                return contains(self._one, self._words(values[0]))
            case "single_select" | "multi_select":
                ids = [option for value in values for option in self._options(value)]
                return has_value(self._one, lambda columns: columns.number.in_(ids))
            case "user":
                accounts = [str(one) for one in resolve_users(self._context, self._asked, values)]
                return has_value(self._one, lambda columns: columns.text.in_(accounts))
            case "group":
                groups = [self._group(value) for value in values]
                return has_value(self._one, lambda columns: columns.text.in_(groups))
            case _:
                return or_(*(self.compares("=", value) for value in values))

    def compares(self, operator: str, value: Single) -> Sql:
        """Return the condition that the field's value compares so with another.

        Raises:
            JqlError: 400 if it is no number, or no date.
        """
        if isinstance(value, Empty):
            raise operator_unsupported(operator, self._name)
        compare = _COMPARE[operator]
        if self._one.type == "number":
            number = self._number(value)
            return has_value(self._one, lambda columns: compare(columns.number, number))
        if isinstance(value, Function) and value.name.lower() not in TIME_FUNCTIONS:
            raise unknown_function(value)
        moment = resolve_moment(value, self._name, self._context.now_ms, self._zone)
        if self._one.type == "date":
            day = moment.date().isoformat()
            return has_value(self._one, lambda columns: compare(columns.text, day))
        return has_value(self._one, lambda columns: compare(columns.number, to_ms(moment)))

    def _words(self, value: Value | Function) -> list[str]:
        text = _plain(value)
        words = text.replace("*", " ").replace('"', " ").split()
        if not 0 < len(words) <= MAX_WORDS or max(map(len, words)) > MAX_WORD:
            raise JqlError(f"The text query '{text[:100]}' for field '{self._name}' is not valid.")
        return words

    def _number(self, value: Value | Function) -> float:
        text = _plain(value)
        try:
            return float(text)
        except ValueError as error:
            message = f"Value '{text[:100]}' is invalid for the '{self._name}' field."
            raise JqlError(message) from error

    def _options(self, value: Value | Function) -> list[int]:
        text = _plain(value)
        options = load_options(self._context.connection, self._one.id).values()
        named: list[Any] = [one.id for one in options if one.value.lower() == text.lower()]
        found = named or [one.id for one in options if str(one.id) == text]
        if not found:
            message = f"The option '{text[:100]}' for field '{self._name}' does not exist."
            raise JqlError(message)
        return found

    def _group(self, value: Value | Function) -> str:
        group = self._context.site.find_group(_plain(value))
        if group is None:
            message = f"The group '{_plain(value)[:100]}' for field '{self._name}' does not exist."
            raise JqlError(message)
        return group.group_id


def _plain(value: Value | Function) -> str:
    if isinstance(value, Function):
        raise unknown_function(value)
    return value.text
