"""Values with the places they were written at: what YAML becomes and every check reads."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from runtime.manifest.problems import Position

Scalar: TypeAlias = str | int | float | bool | None
Plain: TypeAlias = "Scalar | tuple[Plain, ...] | Mapping[str, Plain]"
"""A value without places, frozen: tuples for lists, read-only mappings for maps."""

START = Position(1, 1)
NO_KEYS: Mapping[str, Position] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the document.

    Attributes:
        value: A scalar, a tuple of nodes, or a mapping of names to nodes in source order.
        position: Where the value begins.
        keys: Where each key of a mapping begins.
        size: How many nodes it holds, itself included and aliases written out.
        depth: How many levels it is deep.
        end: Behind its last character; of a block, behind the last character of what it holds.
        is_flow: Whether it is a collection in brackets.
    """

    value: "Scalar | tuple[Node, ...] | Mapping[str, Node]"
    position: Position = START
    keys: Mapping[str, Position] = field(default_factory=lambda: NO_KEYS)
    size: int = 1
    depth: int = 1
    end: Position = START
    is_flow: bool = False

    @property
    def entries(self) -> Mapping[str, "Node"]:
        """The entries of a mapping; none of anything else."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> "tuple[Node, ...]":
        """The items of a list; none of anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def text(self) -> str | None:
        """The value if it is text, else None."""
        return self.value if isinstance(self.value, str) else None

    @property
    def scalar(self) -> Scalar:
        """The value if it is a scalar, else None."""
        return None if isinstance(self.value, (tuple, Mapping)) else self.value

    def get(self, *path: str) -> "Node | None":
        """Return the node under a path of keys, or None."""
        node: Node | None = self
        for key in path:
            node = node.entries.get(key) if node else None
        return node

    def at(self, *path: str) -> Position:
        """Return where the key at the end of a path stands; else the nearest place above it."""
        node, place = self, self.position
        for key in path:
            below = node.entries.get(key)
            if below is None:
                break
            place, node = node.keys.get(key, below.position), below
        return place

    def walk(self) -> "Iterator[Node]":
        """Yield this node and every node below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed((*node.entries.values(), *node.items))

    def plain(self) -> Plain:
        """Return the value without places, frozen."""
        if isinstance(self.value, tuple):
            return tuple(item.plain() for item in self.value)
        if isinstance(self.value, Mapping):
            return MappingProxyType({key: item.plain() for key, item in self.value.items()})
        return self.value


def node_of(value: object) -> Node:
    """Return a plain value as a node without places; lists and dicts are taken as they are.

    Raises:
        TypeError: The value is nothing that YAML could hold.
    """
    if value is None or isinstance(value, (str, int, float)):
        return Node(value)
    if isinstance(value, (list, tuple)):
        return Node(tuple(node_of(item) for item in value))
    if isinstance(value, Mapping):
        return Node(MappingProxyType({str(key): node_of(item) for key, item in value.items()}))
    raise TypeError(f"{type(value).__name__} is no manifest value")


def thaw(value: Plain) -> object:
    """Return a frozen plain value as ordinary dicts and lists, as JSON libraries want them."""
    if isinstance(value, tuple):
        return [thaw(item) for item in value]
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    return value


def to_json(value: Plain, *, canonical: bool = False) -> str:
    """Return a value as JSON without spaces; numbers that JSON lacks become text.

    Args:
        value: What to write.
        canonical: Sort the keys, so that equal values give equal texts; else keep their order.
    """
    return json.dumps(_finite(thaw(value)), sort_keys=canonical, separators=(",", ":"))


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value
