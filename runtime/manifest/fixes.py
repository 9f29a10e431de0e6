"""Mend a manifest's text mechanically, changing nothing but what a fix names.

Every change is made on the text at the place that YAML's own positions name, so that comments,
order and layout stay. What cannot be placed safely is left to its author.
"""

from collections.abc import Iterable

from runtime.manifest.nodes import Node
from runtime.manifest.problems import Fix, Position
from runtime.manifest.yaml_nodes import compose

INDENT = 2  # columns, where the file gives no example
_MODULES = {
    "sql": ("key: app-sql", "engine: mysql"),
    "objectStore": ("key: app-object-store", "storageClass: standard"),
    "llm": ("key: app-llm", "model: [claude]"),
}
"""What the module that a package needs looks like."""


def apply_fixes(text: str, fixes: Iterable[Fix]) -> tuple[str, tuple[Fix, ...]]:
    """Return the mended text and the fixes that were made.

    A fix whose result would not be YAML any more, or that has no safe place, is left out.

    Args:
        text: The manifest.
        fixes: What to mend; the same fix twice is made once.
    """
    made: list[Fix] = []
    for fix in dict.fromkeys(fixes):
        root = compose(text, "").root
        changed = _apply(text, root, fix) if root else text
        if changed != text and compose(changed, "").root and not compose(changed, "").problems:
            text = changed
            made.append(fix)
    return text, tuple(made)


def _apply(text: str, root: Node, fix: Fix) -> str:
    if fix.kind == "scope":
        return _add(text, root, ("permissions", "scopes"), (fix.value,))
    if fix.kind == "egress":
        path = ("permissions", "external", "fetch", "backend")
        return _add(text, root, path, (f"address: {fix.value}",))
    if fix.kind == "module":
        return _add(text, root, ("modules", fix.value), _MODULES.get(fix.value, ()))
    return _as_objects(text, root.get("permissions", "external", *fix.value.split(".")))


def _add(text: str, root: Node, path: tuple[str, ...], item: tuple[str, ...]) -> str:
    """Add an item to the list, or an entry to the map, under a path; make the path if need be."""
    found = root.get(*path)
    if found is not None and found.value is not None:
        return _append(text, found, item)
    below, missing = root, list(path)
    while missing and (deeper := below.get(missing[0])) is not None and deeper.entries:
        below = deeper
        missing.pop(0)
    if below.is_flow or not below.entries or below.get(missing[0]) is not None:
        return text
    indent = min(place.column for place in below.keys.values()) - 1
    return _insert_line(text, below.end, _nested(missing, item, indent))


def _nested(keys: list[str], item: tuple[str, ...], indent: int) -> list[str]:
    lines = [" " * (indent + INDENT * level) + f"{key}:" for level, key in enumerate(keys)]
    return lines + _item_lines(item, indent + INDENT * len(keys))


def _item_lines(item: tuple[str, ...], indent: int) -> list[str]:
    marks = ("- ", *["  "] * (len(item) - 1))
    return [" " * indent + mark + part for mark, part in zip(marks, item, strict=True)]


def _append(text: str, node: Node, item: tuple[str, ...]) -> str:
    is_list = isinstance(node.value, tuple)
    if node.is_flow:
        inner = ", ".join(item)
        plain = f"{{{inner}}}" if ": " in inner else inner
        entry = plain if is_list else f"{inner}: {{}}"
        comma = ", " if node.items or node.entries else ""
        return _insert(text, Position(node.end.line, node.end.column - 1), comma + entry)
    if is_list:
        return _insert_line(text, node.end, _item_lines(item, node.position.column - 1))
    if node.entries and len(item) == 1:
        indent = " " * (min(place.column for place in node.keys.values()) - 1)
        return _insert_line(text, node.end, [f"{indent}{item[0]}: {{}}"])
    return text


def _as_objects(text: str, group: Node | None) -> str:
    """Write the plain addresses of a list as objects, from the last to the first."""
    for item in reversed(group.items if group else ()):
        if item.text is None or group is None:
            continue
        if group.is_flow:
            text = _insert(text, item.end, "}")
        text = _insert(text, item.position, "{address: " if group.is_flow else "address: ")
    return text


def _insert(text: str, place: Position, piece: str) -> str:
    lines = text.split("\n")
    line = lines[place.line - 1]
    lines[place.line - 1] = line[: place.column - 1] + piece + line[place.column - 1 :]
    return "\n".join(lines)


def _insert_line(text: str, end: Position, pieces: list[str]) -> str:
    """Insert lines below the line that something ends on, with the line breaks of the file."""
    lines = text.split("\n")
    is_behind = end.column == 1 and end.line > 1  # a block of text ends on the line below it
    at = end.line - 1 if is_behind else end.line
    if text.count("\r\n"):
        pieces = [piece + "\r" for piece in pieces]
        if at == len(lines):
            lines[-1] += "\r"
    return "\n".join((*lines[:at], *pieces, *lines[at:]))
