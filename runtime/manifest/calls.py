"""REST calls in a source, as far as their method and path can be read without running it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from runtime.manifest.sources import Call, Source
from runtime.manifest.tokens import Token

Constants: TypeAlias = Mapping[str, tuple[Token, ...]]

HOLE = "0"  # stands for a value that is put into a path at run time
HOLE_MARK = "\0"  # the same, while it must not be mistaken for text
_HOLE = re.compile(r"\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
_TAGS = frozenset({"route"})
_WRAPPERS = frozenset({"assumeTrustedRoute"})
_WRAPPED = (["word", "mark", "string"], ["word", "mark", "template"])
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"})


@dataclass(frozen=True, slots=True)
class Request:
    """A call of ``requestJira``.

    Attributes:
        method: HTTP method.
        path: Path without query; values of the run time are `HOLE`.
        shown: The path for people, with `…` for values of the run time.
        is_literal: Whether path and options stand in the call itself, not in a constant.
        is_fixed: Whether the path has no value of the run time.
        is_exact: Whether values of the run time stay within their segment of the path.
        start: Offset of the call.
    """

    method: str
    path: str
    shown: str
    is_literal: bool
    is_fixed: bool
    is_exact: bool
    start: int


def requests_of(source: Source, calls: tuple[Call, ...]) -> Iterator[Request]:
    """Yield the calls of ``requestJira`` whose method and path are known."""
    may_be_plain = "requestJira" in source.imported("@forge/bridge")
    for call in calls:
        if call.name == "requestJira" and call.arguments:
            request = _request(call, source.constants, may_be_plain)
            if request is not None:
                yield request


def _request(call: Call, constants: Constants, may_be_plain: bool) -> Request | None:
    route = call.arguments[0]
    path = _path(route, constants, may_be_plain)
    options = call.arguments[1] if len(call.arguments) > 1 else ()
    method = _method(options, constants)
    if path is None or method is None:
        return None
    is_named = len(route) == 1  # a constant, or the plain text of a page
    is_literal = not is_named and (not options or options[0].text == "{")
    is_fixed = HOLE_MARK not in path
    return Request(
        method,
        path.replace(HOLE_MARK, HOLE),
        path.replace(HOLE_MARK, "…"),
        is_literal,
        is_fixed,
        is_fixed or _is_tagged(route, constants),
        call.start,
    )


def _path(tokens: tuple[Token, ...], constants: Constants, may_be_plain: bool) -> str | None:
    """Return the path of a route, with `HOLE_MARK` for values of the run time.

    Args:
        tokens: The argument.
        constants: The constants of the file.
        may_be_plain: Whether a path may be a plain text, as the pages' bridge takes it.
    """
    if len(tokens) == 1 and tokens[0].kind == "word":
        tokens = constants.get(tokens[0].text, ())
    kinds = [token.kind for token in tokens[:3]]
    if kinds[:2] == ["word", "template"] and tokens[0].text in _TAGS:
        text = tokens[1].text
    elif kinds in _WRAPPED and tokens[0].text in _WRAPPERS:
        text = tokens[2].text
    elif may_be_plain and kinds in (["string"], ["template"]):
        text = tokens[0].text
    else:
        return None
    path = re.split(r"[?#]", _HOLE.sub(HOLE_MARK, text))[0]
    return path if path.startswith("/") else None


def _is_tagged(route: tuple[Token, ...], constants: Constants) -> bool:
    tokens = constants.get(route[0].text, ()) if len(route) == 1 else route
    return bool(tokens) and tokens[0].text in _TAGS


def _method(options: tuple[Token, ...], constants: Constants) -> str | None:
    """Return the method of fetch options; None if it cannot be read."""
    if len(options) == 1 and options[0].kind == "word":
        options = constants.get(options[0].text) or options
    if not options:
        return "GET"
    return _method_of_object(options, constants) if options[0].text == "{" else None


def _method_of_object(tokens: tuple[Token, ...], constants: Constants) -> str | None:
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind == "mark":
            depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if depth == 1 and token.text == "...":
            return None
        if depth == 1 and token.text == "method" and token.kind in ("word", "string"):
            return _method_word(tokens[index + 1 : index + 3], constants)
    return "GET"


def _method_word(tokens: tuple[Token, ...], constants: Constants) -> str | None:
    word = text_value(tokens[1:], constants) if tokens and tokens[0].text == ":" else None
    return word.upper() if word and word.upper() in _METHODS else None


def text_value(tokens: tuple[Token, ...], constants: Constants) -> str | None:
    """Return the text that an expression is: a literal or a constant; None if it is computed."""
    text = beginning(tokens, constants)
    return text if text is not None and "${" not in text else None


def beginning(tokens: tuple[Token, ...], constants: Constants) -> str | None:
    """Return a text with its ``${…}`` still in it, or None if an expression is no text."""
    if len(tokens) != 1:
        return None
    value = constants.get(tokens[0].text, ()) if tokens[0].kind == "word" else tokens
    return value[0].text if len(value) == 1 and value[0].kind in ("string", "template") else None
