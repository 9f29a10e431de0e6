"""As much of GraphQL as one field with an input and a selection needs.

One operation, variables, aliases, nested selections and literal values are read; fragments and
directives are refused by name, never passed over.

Source:
    GraphQL specification, October 2021, section 2.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import LarkError

MAX_CHARACTERS = 8192  # of a document; the platform's own example has 300

_GRAMMAR = r"""
start: [OPERATION [NAME] [variables]] selections
variables: "(" variable+ ")"
variable: "$" NAME ":" type ["=" value]
type: NAME ["!"] | "[" type "]" ["!"]
selections: "{" field+ "}"
field: [NAME ":"] NAME [arguments] [selections]
arguments: "(" argument+ ")"
argument: NAME ":" value
?value: "$" NAME -> reference
      | STRING -> string
      | NUMBER -> number
      | NAME -> word
      | "[" value* "]" -> items
      | "{" argument* "}" -> members
OPERATION.2: /(query|mutation|subscription)(?![_0-9A-Za-z])/
NAME: /[_A-Za-z][_0-9A-Za-z]*/
STRING: /"(?:[^"\\\n\r]|\\.)*"/
NUMBER: /-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/
%ignore /[\s,\ufeff]+/
%ignore /#[^\n\r]*/
"""
_WORDS: Mapping[str, object] = {"true": True, "false": False, "null": None}


class GraphqlError(Exception):
    """A document that is not read; the message is safe to show to whoever sent it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A variable where a value is wanted."""

    name: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a selection.

    Attributes:
        name: Its name.
        key: Under which key it is answered: its alias, or its name.
        arguments: Its arguments, with variables put in.
        fields: What of it is wanted; empty for a plain value.
    """

    name: str
    key: str
    arguments: Mapping[str, object]
    fields: tuple["Field", ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: ``query``, ``mutation`` or ``subscription``, and its fields."""

    kind: str
    fields: tuple[Field, ...]


def read_operation(document: str, variables: Mapping[str, object]) -> Operation:
    """Return the one operation of a document.

    Raises:
        GraphqlError: It is none, or more than is read here, or a variable is missing.
    """
    if len(document) > MAX_CHARACTERS:
        raise GraphqlError(f"The document is longer than {MAX_CHARACTERS} characters.")
    for sign, what in (("...", "Fragments"), ("@", "Directives")):
        if sign in document:
            raise GraphqlError(f"{what} are not read here.")
    try:
        kind, fields = _Reader().transform(_parser().parse(document))
        return Operation(kind, tuple(_bound(field, variables) for field in fields))
    except (LarkError, RecursionError, ValueError) as error:
        raise GraphqlError("The document cannot be read: one operation is wanted.") from error


def answer(fields: tuple[Field, ...], value: Mapping[str, object]) -> dict[str, object]:
    """Return what a selection wants of a value.

    Raises:
        GraphqlError: It wants a field that the value does not have.
    """
    found: dict[str, object] = {}
    for field in fields:
        if field.name not in value:
            raise GraphqlError(f"There is no field {field.name!r} here.")
        found[field.key] = _picked(field, value[field.name])
    return found


def _picked(field: Field, value: object) -> object:
    if isinstance(value, Mapping):
        return answer(field.fields, value)
    if isinstance(value, list | tuple):
        return [_picked(field, one) for one in value]
    return value


def _bound(field: Field, variables: Mapping[str, object]) -> Field:
    arguments = {name: _value(one, variables) for name, one in field.arguments.items()}
    fields = tuple(_bound(one, variables) for one in field.fields)
    return Field(field.name, field.key, arguments, fields)


def _value(value: object, variables: Mapping[str, object]) -> object:
    if isinstance(value, Reference):
        if value.name not in variables:
            raise GraphqlError(f"The variable ${value.name} has no value.")
        return variables[value.name]
    if isinstance(value, list):
        return [_value(one, variables) for one in value]
    if isinstance(value, dict):
        return {name: _value(one, variables) for name, one in value.items()}
    return value


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr")


class _Reader(Transformer[Token, tuple[str, tuple[Field, ...]]]):
    """Turns a parsed document into values; each method is named for a rule of the grammar."""

    @v_args(inline=True)
    def start(
        self, kind: Token | None, _name: object, _variables: object, fields: tuple[Field, ...]
    ) -> tuple[str, tuple[Field, ...]]:
        return str(kind or "query"), fields

    def selections(self, fields: list[Field]) -> tuple[Field, ...]:
        return tuple(fields)

    @v_args(inline=True)
    def field(
        self,
        alias: Token | None,
        name: Token,
        arguments: dict[str, object] | None,
        fields: tuple[Field, ...] | None,
    ) -> Field:
        return Field(str(name), str(alias or name), arguments or {}, fields or ())

    def arguments(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("an argument stands twice")
        return found

    members = arguments

    @v_args(inline=True)
    def argument(self, name: Token, value: object) -> tuple[str, object]:
        return str(name), value

    @v_args(inline=True)
    def reference(self, name: Token) -> Reference:
        return Reference(str(name))

    @v_args(inline=True)
    def string(self, text: Token) -> str:
        return str(json.loads(text))

    @v_args(inline=True)
    def number(self, text: Token) -> float:
        return float(text)

    @v_args(inline=True)
    def word(self, text: Token) -> object:
        return _WORDS.get(text, str(text))

    def items(self, values: list[object]) -> list[object]:
        return values
