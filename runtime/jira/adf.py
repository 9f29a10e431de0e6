"""Atlassian Document Format: what is a document, and the text that stands in one.

Documents are kept as the platform's JSON. Whatever enters the store has been through
`check_document`, so the converters may rely on its depth and its shape.

Source:
    The published ADF schema (``data/adf-schema.json``); the refusals are those clients report.
"""

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any

import fastjsonschema

from runtime.errors import JiraError

Node = dict[str, Any]  # a JSON object; its members are what the schema allows
MAX_DEPTH = 100  # nested nodes; no editor makes more than a dozen, and converters recurse
MAX_NODES = 20_000  # a text at the character limit with a mark on every second letter fits
MAX_TEXT = 32_767  # the platform's limit for a text field, in characters

NOT_A_DOCUMENT = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
NOT_A_STRING = "Operation value must be a string"
INVALID_INPUT = "INVALID_INPUT"
TOO_LONG = "The entered text is too long. It exceeds the allowed limit of 32,767 characters."

_BLOCKS = frozenset(
    {"paragraph", "heading", "codeBlock", "listItem", "tableRow", "blockquote", "rule", "panel"}
    | {"taskItem", "decisionItem", "expand", "nestedExpand", "blockCard", "embedCard", "caption"}
)


def check_document(value: object, field: str, wrong_kind: str = NOT_A_DOCUMENT) -> Node:
    """Return `value` if it is a document that may be stored.

    Args:
        value: What a client sent, as parsed JSON.
        field: Field the refusal is filed under.
        wrong_kind: Refusal of what is not a document at all; comments word it differently.

    Raises:
        JiraError: 400, under `field` if it is no document or too long, as ``INVALID_INPUT`` if it
            is a document that the schema refuses.
    """
    if not isinstance(value, dict) or value.get("type") != "doc":
        raise JiraError(400, fields={field: wrong_kind})
    if not _is_bounded(value):
        raise JiraError(400, INVALID_INPUT)
    try:
        _validator()(value)
    except fastjsonschema.JsonSchemaValueException as error:
        raise JiraError(400, INVALID_INPUT) from error
    if len(plain_text(value)) > MAX_TEXT:
        raise JiraError(400, fields={field: TOO_LONG})
    return value


def check_wiki(value: object, field: str, wrong_kind: str = NOT_A_STRING) -> str:
    """Return `value` if it is a text that version 2 of the API may store.

    Raises:
        JiraError: 400 under `field`.
    """
    if not isinstance(value, str):
        raise JiraError(400, fields={field: wrong_kind})
    if len(value) > MAX_TEXT:
        raise JiraError(400, fields={field: TOO_LONG})
    return value


def is_empty(document: Node) -> bool:
    """Say whether a document holds neither text nor anything else one could see."""
    return all(
        node["type"] in ("doc", "paragraph")
        or (node["type"] == "text" and not node["text"].strip())
        for node in iterate(document)
    )


def document(*blocks: Node) -> Node:
    """Return a document of these blocks."""
    return {"type": "doc", "version": 1, "content": list(blocks)}


def paragraph(*inline: Node) -> Node:
    """Return a paragraph of these inline nodes."""
    return {"type": "paragraph", "content": list(inline)}


def text(value: str, *marks: Node) -> Node:
    """Return a text node."""
    return {"type": "text", "text": value, **({"marks": list(marks)} if marks else {})}


def iterate(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, in reading order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.get("content") or ()))


def plain_text(node: Node) -> str:
    """Return the text of a document, one line per block, as a search sees it."""
    parts: list[str] = []
    for current in iterate(node):
        if current["type"] in _BLOCKS and parts and parts[-1] != "\n":
            parts.append("\n")
        if shown := inline_text(current):
            parts.append(shown)
    return "".join(parts).strip("\n")


def inline_text(node: Node) -> str:
    """Return what stands for one inline node where only text can stand."""
    kind, attrs = node["type"], node.get("attrs") or {}
    if kind == "text":
        return str(node["text"])
    if kind == "hardBreak":
        return "\n"
    if kind == "mention":
        return str(attrs.get("text") or f"@{attrs['id']}")
    if kind == "emoji":
        return str(attrs.get("text") or attrs["shortName"])
    if kind in ("inlineCard", "blockCard", "embedCard"):
        return str(attrs.get("url") or "")
    return str(attrs["text"]) if kind == "status" else ""


def _is_bounded(root: Node) -> bool:
    """Say whether the tree is shallow and small enough to be handed to recursive code.

    Runs before the schema does, so it trusts nothing: everything that nests counts, whether or not
    the schema knows it.
    """
    level: list[object] = [root]
    seen = depth = 0
    while level:
        seen += len(level)
        depth += 1
        if seen > MAX_NODES * 4 or depth > MAX_DEPTH * 2:
            return False
        level = [child for item in level for child in _children(item)]
    return True


def _children(item: object) -> list[object]:
    if isinstance(item, dict):
        return [value for value in item.values() if isinstance(value, dict | list)]
    return (
        [value for value in item if isinstance(value, dict | list)]
        if isinstance(item, list)
        else []
    )


@lru_cache(maxsize=1)
def _validator() -> Callable[[object], object]:
    """Compile the schema once, on the first document: 0.2 s that a reader never pays."""
    source = files("runtime.jira").joinpath("data/adf-schema.json").read_text("utf-8")
    compiled: Callable[[object], object] = fastjsonschema.compile(json.loads(source))
    return compiled
