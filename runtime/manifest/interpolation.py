"""Put the values of declared environment variables into the texts of a manifest."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from runtime.manifest.nodes import Node
from runtime.manifest.problems import OURS, Problem, quoted
from runtime.manifest.yaml_nodes import SIZE_LIMIT_BYTES, YAML

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_USE = re.compile(r"\$\{([a-zA-Z_][a-zA-Z0-9_]*)\}")
_SECTION = "environment"


def interpolate(
    root: Node, environ: Mapping[str, str], path: str
) -> tuple[Node, tuple[Problem, ...]]:
    """Return the document with ``${NAME}`` replaced, and variables that have no value.

    Only names under ``environment.variables`` are replaced; any other ``${…}`` stays as it is, so
    that nothing of the environment gets into an app that did not ask for it by name.

    Args:
        root: The document.
        environ: Values of the process; a variable's ``default`` serves where there is none.
        path: Name of the manifest file in problems.
    """
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for name, default, node in _declared(root):
        value = environ.get(name, default)
        if value is None:
            problems.append(_without_value(node, name, path))
        else:
            values[name] = value
    if not values or problems:
        return root, tuple(problems)
    if _grown(root, values) > SIZE_LIMIT_BYTES:
        message = "The values of the environment variables make the manifest too large."
        return root, (Problem(path, 1, 1, "error", OURS + "too-large", message),)
    return _replaced(root, values, top=True), ()


def _declared(root: Node) -> Iterator[tuple[str, str | None, Node]]:
    found = root.get(_SECTION, "variables")
    for node in found.items if found else ():
        name = node if node.text is not None else node.get("key")
        default = node.get("default")
        if name is not None and name.text is not None and _NAME.match(name.text):
            yield name.text, default.text if default else None, name


def _without_value(node: Node, name: str, path: str) -> Problem:
    message = f"The environment variable {quoted(name)} has no value."
    hint = f"Set it when you run the command, or give it a default: `- key: {name}`, `default: …`."
    place = node.position
    return Problem(path, place.line, place.column, "error", YAML, message, hint)


def _grown(root: Node, values: Mapping[str, str]) -> int:
    texts = (node.text for node in root.walk() if node.text is not None)
    uses = (name for text in texts for name in _USE.findall(text))
    return sum(len(values.get(name, "")) for name in uses)


def _replaced(node: Node, values: Mapping[str, str], *, top: bool = False) -> Node:
    if node.text is not None:
        return replace(node, value=_USE.sub(lambda use: values.get(use[1], use[0]), node.text))
    if node.items:
        return replace(node, value=tuple(_replaced(item, values) for item in node.items))
    entries = {
        key: below if top and key == _SECTION else _replaced(below, values)
        for key, below in node.entries.items()
    }
    return replace(node, value=MappingProxyType(entries)) if entries else node
