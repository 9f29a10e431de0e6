"""Resolvers that act as the app without asking what their caller may do.

`asApp()` has the app's rights, and anybody who sees the app's page can call any resolver of it with
any payload. So each resolver that reaches `asApp()` should first ask something as the user, or ask
for the user's permissions. Calls are followed through the functions of the same file.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runtime.manifest.problems import OURS, Problem, quoted
from runtime.manifest.sources import ARGUMENT_LIMIT, Source
from runtime.manifest.tokens import CLOSE_LIMIT, Token, until_close

DEFINITION_LIMIT = 200  # resolvers and functions of one file that are looked at
_CHECKS = frozenset({"authorize", "asUser"})
_ELSEWHERE = re.compile(
    r"^(can|may|is|check|assert|ensure|require|verify|has)[A-Z]|auth|permi", re.I
)
"""Names of functions of other files that are taken for a check."""

_PERMISSION_PATHS = ("/mypermissions", "/permissions/check")
_SPAN = CLOSE_LIMIT


@dataclass(frozen=True, slots=True)
class _Body:
    """The tokens of a function."""

    words: frozenset[str]
    as_app: int | None
    asks: bool


def check_as_app(source: Source) -> Iterator[Problem]:
    """Warn of every resolver that reaches `asApp()` and no check of the user's rights."""
    resolvers = list(_resolvers(source.tokens))
    if not resolvers or "asApp" not in source.text:
        return
    elsewhere = {one.local for one in source.imports if one.package.startswith(".")}
    functions = {name: _body(tokens, elsewhere) for name, tokens in _functions(source.tokens)}
    seen: set[int] = set()
    for name, tokens in resolvers:
        at = _unchecked(_body(tokens, elsewhere), functions)
        if at is not None and at not in seen:
            seen.add(at)
            yield _problem(source, name, at)


def _problem(source: Source, name: str, at: int) -> Problem:
    message = f"The resolver {quoted(name)} calls `asApp()` and never asks what the user may do."
    hint = (
        "`asApp()` has the app's rights, not the viewer's, and any viewer can call a resolver: "
        "use `asUser()`, or `authorize()` first."
    )
    return source.problem(at, OURS + "as-app-unchecked", message, hint, level="warning")


def _unchecked(body: _Body, functions: Mapping[str, _Body]) -> int | None:
    """Return where the app acts, over every function that is reached; None if one of them asks."""
    waiting, reached, at = [body], set[str](), None
    while waiting:
        one = waiting.pop()
        if one.asks:
            return None
        at = at if at is not None else one.as_app
        new = (one.words & functions.keys()) - reached
        reached |= new
        waiting += (functions[name] for name in sorted(new))
    return at


def _body(tokens: tuple[Token, ...], elsewhere: set[str]) -> _Body:
    words = frozenset(token.text for token in tokens if token.kind == "word")
    texts = (token.text for token in tokens if token.kind in ("string", "template"))
    asks = bool(words & _CHECKS) or any(_ELSEWHERE.search(word) for word in words & elsewhere)
    asks = asks or len(tokens) >= _SPAN  # what was not read to its end may ask further on
    asks = asks or any(path in text for text in texts for path in _PERMISSION_PATHS)
    at = (token.start for token in tokens if token.kind == "word" and token.text == "asApp")
    return _Body(words, next(at, None), asks)


def _resolvers(tokens: tuple[Token, ...]) -> Iterator[tuple[str, tuple[Token, ...]]]:
    """Yield key and function of each ``resolver.define("key", …)``."""
    found = 0
    for at in range(1, len(tokens) - 2):
        is_define = tokens[at].text == "define" and tokens[at - 1].text in (".", "?.")
        if is_define and tokens[at + 1].text == "(" and found < DEFINITION_LIMIT:
            found += 1
            yield tokens[at + 2].text, tuple(until_close(tokens, at + 2, _SPAN))


def _functions(tokens: tuple[Token, ...]) -> Iterator[tuple[str, tuple[Token, ...]]]:
    """Yield name and tokens of the functions that a file declares."""
    found = 0
    for at in range(len(tokens) - 3):
        is_named = tokens[at].kind == "word" and tokens[at + 1].kind == "word"
        if is_named and _is_function(tokens, at) and found < DEFINITION_LIMIT:
            found += 1
            yield tokens[at + 1].text, tuple(_statement(tokens, at + 2))


def _is_function(tokens: tuple[Token, ...], at: int) -> bool:
    """Return whether a declaration is one of a function, in either form."""
    if tokens[at].text == "function":
        return True
    if tokens[at].text not in ("const", "let", "var") or tokens[at + 2].text != "=":
        return False
    value = at + 4 if tokens[at + 3].text == "async" else at + 3
    if tokens[value : value + 1] and tokens[value].text == "(":
        value += sum(1 for _ in until_close(tokens, value + 1, ARGUMENT_LIMIT)) + 1
    words = [token.text for token in tokens[value : value + 2]]
    return words[:1] == ["function"] or words[1:] == ["=>"]


def _statement(tokens: tuple[Token, ...], start: int) -> Iterator[Token]:
    """Yield the tokens of a function or value, to the brace or semicolon that ends it."""
    depth = 0
    for token in tokens[start : start + _SPAN]:
        yield token
        if token.kind != "mark":
            continue
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if depth < 0 or (depth == 0 and token.text in ("}", ";")):
            return
