"""Where in a world file something stands that was found in what the file was merged into."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from runtime.manifest.nearest import nearest
from runtime.manifest.nodes import Node
from runtime.manifest.problems import OURS, Level, Position, Problem, listed, quoted
from runtime.server.world.merge import KEYS

FORM, EGRESS = "world-form", "world-egress"
REFERENCE, MISSING, NOBODY, APP = (
    "world-reference",
    "world-incomplete",
    "world-no-admin",
    "world-app",
)
"""The rules that a world file is held against, without the prefix of ours."""

Place = tuple[str | int, ...]
"""Keys and numbers that lead to a value of the merged file."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a merged file.

    Attributes:
        place: Where.
        rule: The rule, without the prefix of ours.
        message: What is wrong.
        hint: How to mend it.
        level: An error keeps the world from being made.
    """

    place: Place
    rule: str
    message: str
    hint: str = ""
    level: Level = "error"


class Places:
    """Finds the places of a merged file in the file itself.

    Args:
        root: The file.
        merged: What it became.
        path: The file's name.
    """

    def __init__(self, root: Node, merged: Any, path: str) -> None:  # Any: what YAML gives
        self._root = root
        self._merged = merged
        self._path = path

    def problems(self, findings: Iterable[Finding]) -> Iterable[Problem]:
        """Yield findings as problems with their places."""
        for one in findings:
            at = self.locate(one.place)
            yield Problem(
                self._path, at.line, at.column, one.level, OURS + one.rule, one.message, one.hint
            )

    def locate(self, place: Place) -> Position:
        """Return where a value stands; else the nearest place above it that is in the file."""
        node: Node | None = self._root
        value, section, found = self._merged, "", self._root.position
        for part in place:
            if node is None:
                break
            if isinstance(part, str):
                found = node.keys.get(part, found)
                node, section = node.entries.get(part), part
                value = value.get(part) if isinstance(value, dict) else None
            else:
                value = value[part] if isinstance(value, list) and part < len(value) else None
                node = _item(node, section, part, value)
            found = found if node is None or isinstance(part, str) else node.position
        return found


def _item(node: Node, section: str, number: int, value: Any) -> Node | None:  # Any: as above
    """Return the item of a list; by its key where the list was joined with another."""
    key = KEYS.get(section)
    if key is not None and isinstance(value, dict):
        named = (one for one in node.items if (at := one.get(key)) and at.scalar == value.get(key))
        return next(named, None)
    return node.items[number] if number < len(node.items) else None


def shown(place: Place, merged: Any) -> str:  # Any: as above
    """Return a place in words, such as ``sites[acme].issues[TEAM-3].status``."""
    text, value, section = "", merged, ""
    for part in place:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) and part < len(value) else None
            key = KEYS.get(section)
            name = value.get(key) if key is not None and isinstance(value, dict) else None
            text += f"[{name if isinstance(name, str) else part}]"
        else:
            value = value.get(part) if isinstance(value, dict) else None
            text, section = f"{text}.{part}" if text else part, part
    return text


def unknown(what: str, name: str, known: Iterable[str], place: Place) -> Iterator[Finding]:
    """Yield the fault of a name that is not among those that are known."""
    names = tuple(known)
    if name in names:
        return
    near = nearest(name, names, 1)
    hint = f"Did you mean {listed(near)}?" if near else f"There are: {listed(names) or 'none'}."
    yield Finding(place, REFERENCE, f"There is no {what} {quoted(name)}.", hint)
