"""Shapes of manifest values, and what a value lacks to have one.

A shape is a fact from the tables in ``data/``: text of some length, one of some words, a list, a
map with required and optional keys. This module knows no section and no module type.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from runtime.manifest.nearest import nearest
from runtime.manifest.nodes import Node
from runtime.manifest.problems import Position, listed, quoted

Kind = Literal[
    "any", "string", "text", "integer", "number", "boolean", "choice", "list", "map", "either"
]

WRONG_KIND = 10  # how much worse a value of the wrong kind fits than one with a wrong part
WRONG_WORD = 3  # a word outside a choice mostly means that another alternative was meant


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value must look like.

    Attributes:
        kind: Sort of value; ``text`` is a string or ``{i18n: key}``.
        minimum: Least length, count or number.
        maximum: Greatest length, count or number.
        pattern: Regular expression that text must match somewhere.
        words: The words of a ``choice``.
        parts: The alternatives of an ``either``; the one item shape of a ``list``.
        required: Keys that a map must have.
        optional: Keys that a map may have.
        values: Shape of the values under further keys; None refuses further keys.
        keys: Shape of further keys.
        some: Keys of which at least one must be there.
        name: Its name in the tables; empty if it has none.
    """

    kind: Kind
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    words: tuple[str, ...] = ()
    parts: tuple["Shape", ...] = ()
    required: Mapping[str, "Shape"] = field(default_factory=dict)
    optional: Mapping[str, "Shape"] = field(default_factory=dict)
    values: "Shape | None" = None
    keys: "Shape | None" = None
    some: tuple[str, ...] = ()
    name: str = ""

    @property
    def known(self) -> Mapping[str, "Shape"]:
        """Every key that is named, required ones first."""
        return {**self.required, **self.optional}


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a value misses its shape; `weight` says how badly."""

    position: Position
    message: str
    hint: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Where:
    """What a message is about: a subject in words and a path of keys below it."""

    subject: str
    path: str = ""

    def __truediv__(self, key: str) -> "Where":
        return Where(self.subject, f"{self.path}.{key}" if self.path else key)

    def item(self, index: int) -> "Where":
        """Return the place of one list item, counted from 0 as in JSON paths."""
        return Where(self.subject, f"{self.path}[{index}]")

    def __str__(self) -> str:
        if not self.path:
            return self.subject or "The manifest"
        return f"{self.subject}: {quoted(self.path)}" if self.subject else quoted(self.path)


def faults(node: Node, shape: Shape, where: Where) -> Iterator[Fault]:
    """Yield everything that `node` lacks to have `shape`."""
    return _CHECKS[shape.kind](node, shape, where)


def describe(shape: Shape) -> str:
    """Return a shape in words, as the end of "must be …"."""
    if shape.kind == "choice":
        return f"one of {listed(shape.words)}" if len(shape.words) > 1 else listed(shape.words)
    if shape.kind == "either":
        return " or ".join(dict.fromkeys(describe(part) for part in shape.parts))
    return _WORDS[shape.kind]


_WORDS: Mapping[str, str] = {
    "any": "anything",
    "string": "text",
    "text": "text or `{i18n: key}`",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "list": "a list",
    "map": "a map",
}


def _wrong_kind(node: Node, shape: Shape, where: Where) -> Fault:
    if isinstance(node.value, tuple):
        got = "a list"
    elif isinstance(node.value, Mapping):
        got = "a map"
    else:
        got = "empty" if node.value is None else quoted(node.value)
    hint = f"Quote it: `'{node.value}'`." if _is_unquoted(node, shape) else ""
    return Fault(node.position, f"{where} must be {describe(shape)}, not {got}.", hint, WRONG_KIND)


def _is_unquoted(node: Node, shape: Shape) -> bool:
    return shape.kind in ("string", "text") and isinstance(node.value, (int, float))


def _any(node: Node, shape: Shape, where: Where) -> Iterator[Fault]:
    yield from ()


def _string(node: Node, shape: Shape, where: Where) -> Iterator[Fault]:
    if node.text is None:
        yield _wrong_kind(node, shape, where)
        return
    outside = _outside(len(node.text), shape)
    if outside:
        yield Fault(node.position, f"{where} must have {outside} characters.")
    elif shape.pattern and not _pattern(shape.pattern).search(node.text):
        message = f"{where} is {quoted(node.text)}, which does not match {quoted(shape.pattern)}."
        yield Fault(node.position, message, _pattern_hint(shape.pattern))


@lru_cache(maxsize=128)
def _pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern of the tables; ``$`` means the very end, as in JavaScript."""
    return re.compile(re.sub(r"\$(?=\||\Z)", r"\\Z", text))


def _pattern_hint(pattern: str) -> str:
    if pattern == "^[a-zA-Z0-9_-]+$":
        return "Use letters, digits, `-` and `_` only."
    return "Copy the id from the developer console." if "ecosystem::app" in pattern else ""


def _outside(amount: float, shape: Shape) -> str:
    if shape.minimum is not None and amount < shape.minimum:
        return f"at least {shape.minimum:g}"
    if shape.maximum is not None and amount > shape.maximum:
        return f"at most {shape.maximum:g}"
    return ""


def _text(node: Node, shape: Shape, where: Where) -> Iterator[Fault]:
    key = node.get("i18n")
    if key is None or len(node.entries) != 1:
        return _string(node, shape, where)
    return _string(key, Shape("string", minimum=1), where / "i18n")


def _boolean(node: Node, shape: Shape, where: Where) -> Iterator[Fault]:
    if not isinstance(node.value, bool):
        yield _wrong_kind(node, shape, where)


def _number(node: Node, shape: Shape, where: Where) -> Iterator[Fault]:
    value = node.value
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or (shape.kind == "integer" and not whole):
        yield _wrong_kind(node, shape, where)
    elif isinstance(value, (int, float)) and (outside := _outside(value, shape)):
        yield Fault(node.position, f"{where} must be {outside}.")


def _choice(node: Node, shape: Shape, where: Where) -> Iterator[Fault]:
    if node.text in shape.words:
        return
    if node.text is None:
        yield _wrong_kind(node, shape, where)
        return
    near = nearest(node.text, shape.words, 1)
    hint = f"Did you mean {listed(near)}?" if near else ""
    allowed = f"allowed: {listed(shape.words, 30)}"
    message = f"{where} is {quoted(node.text)}; {allowed}."
    yield Fault(node.position, message, hint, WRONG_WORD)


def _list(node: Node, shape: Shape, where: Where) -> Iterator[Fault]:
    if not isinstance(node.value, tuple):
        yield _wrong_kind(node, shape, where)
        return
    if outside := _outside(len(node.items), shape):
        yield Fault(node.position, f"{where} must have {outside} entries.")
    for part in shape.parts:
        for index, item in enumerate(node.items):
            yield from faults(item, part, where.item(index))


def _map(node: Node, shape: Shape, where: Where) -> Iterator[Fault]:
    if not isinstance(node.value, Mapping):
        yield _wrong_kind(node, shape, where)
        return
    yield from _missing(node, shape, where)
    if outside := _outside(len(node.entries), shape):
        yield Fault(node.position, f"{where} must have {outside} entries.")
    known = shape.known
    for key, value in node.entries.items():
        if key in known:
            yield from faults(value, known[key], where / key)
        else:
            yield from _further(node, key, shape, where)


def _missing(node: Node, shape: Shape, where: Where) -> Iterator[Fault]:
    for key in shape.required:
        if key not in node.entries:
            hint = f"Add `{key}:` with {describe(shape.required[key])}."
            yield Fault(node.position, f"{where} lacks {quoted(key)}.", hint)
    if shape.some and not any(key in node.entries for key in shape.some):
        message = f"{where} needs at least one of {listed(shape.some)}."
        yield Fault(node.position, message)


def _further(node: Node, key: str, shape: Shape, where: Where) -> Iterator[Fault]:
    if shape.values is None:
        yield unknown_key(node, key, shape, where)
        return
    if shape.keys is not None:
        yield from faults(Node(key, node.keys.get(key, node.position)), shape.keys, where / key)
    yield from faults(node.entries[key], shape.values, where / key)


def unknown_key(node: Node, key: str, shape: Shape, where: Where) -> Fault:
    """Return the fault of a key that a map may not have, with the nearest it may."""
    near = nearest(key, (name for name in shape.known if name not in node.entries), 1)
    hint = f"Did you mean {listed(near)}?" if near else f"It may have {listed(shape.known, 30)}."
    message = f"{where} may not have {quoted(key)}."
    return Fault(node.keys.get(key, node.position), message, hint)


def _either(node: Node, shape: Shape, where: Where) -> Iterator[Fault]:
    found = [list(faults(node, part, where)) for part in shape.parts]
    if not all(found):
        return
    if all(
        any(fault.weight == WRONG_KIND and _is_at(fault, node) for fault in one) for one in found
    ):
        yield _wrong_kind(node, shape, where)
        return
    yield from min(found, key=lambda one: sum(fault.weight for fault in one))


def _is_at(fault: Fault, node: Node) -> bool:
    return fault.position == node.position


_CHECKS: Mapping[Kind, Callable[[Node, Shape, Where], Iterator[Fault]]] = {
    "any": _any,
    "string": _string,
    "text": _text,
    "integer": _number,
    "number": _number,
    "boolean": _boolean,
    "choice": _choice,
    "list": _list,
    "map": _map,
    "either": _either,
}
