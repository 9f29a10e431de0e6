"""A parsed query as frozen values."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Value:
    """A word, a quoted string or a number.

    Attributes:
        text: The text, unescaped.
        is_number: It was written as digits without quotation marks, so ids are meant first.
    """

    text: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function call, such as ``currentUser()``."""

    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Empty:
    """``EMPTY`` or ``NULL``."""


@dataclass(frozen=True, slots=True)
class ListOperand:
    """A list; lists in lists are flattened, since they mean the same."""

    items: tuple["Single", ...]


Single: TypeAlias = Value | Function | Empty
Operand: TypeAlias = Single | ListOperand


@dataclass(frozen=True, slots=True)
class Field:
    """What a clause asks about.

    Attributes:
        name: As written; ``cf[10010]`` for a custom field by number.
        properties: Pairs of key and path of ``issue.property[key].path``; empty for a plain field.
    """

    name: str
    properties: tuple[tuple[str, str | None], ...] = ()

    def __str__(self) -> str:
        return self.name + "".join(f"[{key}]{path or ''}" for key, path in self.properties)


@dataclass(frozen=True, slots=True)
class Predicate:
    """What narrows ``WAS`` and ``CHANGED``.

    Attributes:
        name: ``after``, ``before``, ``on``, ``during``, ``by``, ``from`` or ``to``.
        operand: Its operand.
    """

    name: str
    operand: Operand


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition.

    Attributes:
        field: What it asks about.
        operator: Lower case: ``=``, ``not in``, ``is``, ``was not in``, ``changed``, …
        operand: What it compares with; None after ``changed``.
        predicates: History predicates, in order.
    """

    field: Field
    operator: str
    operand: Operand | None = None
    predicates: tuple[Predicate, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class And:
    """All conditions; at least two."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any condition; at least two."""

    conditions: tuple["Condition", ...]


Condition: TypeAlias = Clause | Not | And | Or


@dataclass(frozen=True, slots=True)
class Sort:
    """One field of ``ORDER BY``.

    Attributes:
        field: What is sorted by.
        descending: None if the query does not say; the field decides then.
    """

    field: Field
    descending: bool | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query.

    Attributes:
        where: The condition; None if every issue fits.
        order_by: The sort fields, most significant first.
    """

    where: Condition | None
    order_by: tuple[Sort, ...] = ()
