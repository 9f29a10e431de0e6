"""Cut JavaScript and TypeScript into tokens, well enough to read exports and calls from them.

This is no parser: it tells code from comments, strings, templates and regular expressions, and
never fails. What it cannot tell, such as an apostrophe in JSX text, spoils one line at most.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from runtime.manifest.problems import Position

TokenKind = Literal["word", "string", "template", "number", "regex", "mark"]


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: Its sort; a ``template`` is everything between two backticks.
        text: The content of a string or template without quotes; the token itself otherwise.
        start: Offset of its first character in the source.
    """

    kind: TokenKind
    text: str
    start: int


REGEX_LIMIT = (
    500  # characters; a slash that begins no expression must not cost the rest of the file
)
CLOSE_LIMIT = 4000  # tokens; a source of only opening brackets must not cost their number squared

_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?)+")
_WORD = re.compile(r"[A-Za-z_$\u0080-\uffff][\w$]*")
_NUMBER = re.compile(r"\d[\w.]*")
_STRING = {
    "'": re.compile(r"'((?:[^'\\\n]|\\[\s\S])*)'?"),
    '"': re.compile(r'"((?:[^"\\\n]|\\[\s\S])*)"?'),
}
_REGEX = re.compile(r"/((?:[^/\\\[\n]++|\\.|\[(?:[^\]\\\n]++|\\.)*+\])++)/\w*")
_MARK = re.compile(r"=>|\.\.\.|\?\.|[\s\S]")
_TEMPLATE_PART = re.compile(r"\\[\s\S]|`|\$\{|[{}]|[^\\`${}]+|\$")
_BEFORE_REGEX = frozenset("(,=:[!&|?{};+-*%~^<>") | {"=>"}
_WORDS_BEFORE_REGEX = frozenset({"return", "typeof", "case", "in", "of", "delete", "void", "await"})


def tokens_of(source: str) -> tuple[Token, ...]:
    """Return the tokens of a source, comments and blanks left out."""
    found: list[Token] = []
    at = 0
    while at < len(source):
        blank = _BLANK.match(source, at)
        if blank:
            at = blank.end()
            continue
        token, at = _next(source, at, found[-1] if found else None)
        found.append(token)
    return tuple(found)


def _next(source: str, at: int, last: Token | None) -> tuple[Token, int]:
    first = source[at]
    if first in _STRING:
        return _from(_STRING[first], "string", source, at)
    if first == "`":
        return _template(source, at)
    if first == "/" and _may_begin_regex(last):
        found = _REGEX.match(source, at, at + REGEX_LIMIT)
        if found:
            return Token("regex", found.group(1), at), found.end()
    if _WORD.match(source, at):
        return _from(_WORD, "word", source, at)
    if first.isdigit() and _NUMBER.match(source, at):
        return _from(_NUMBER, "number", source, at)
    return _from(_MARK, "mark", source, at)


def _from(pattern: re.Pattern[str], kind: TokenKind, source: str, at: int) -> tuple[Token, int]:
    found = pattern.match(source, at)
    if found is None:  # the callers looked before
        return Token("mark", source[at], at), at + 1
    text = found.group(1) if pattern.groups else found.group()
    return Token(kind, text, at), found.end()


def _may_begin_regex(last: Token | None) -> bool:
    if last is None:
        return True
    if last.kind == "word":
        return last.text in _WORDS_BEFORE_REGEX
    return last.kind == "mark" and last.text in _BEFORE_REGEX


def _template(source: str, at: int) -> tuple[Token, int]:
    """Read from a backtick to its partner, over templates in its ``${…}`` parts."""
    nesting = ["`"]
    end = at + 1
    while nesting and end < len(source):
        part = _TEMPLATE_PART.match(source, end)
        piece = part.group() if part else source[end]
        end += len(piece)
        _nest(nesting, piece)
    return Token("template", source[at + 1 : end - (0 if nesting else 1)], at), end


def _nest(nesting: list[str], piece: str) -> None:
    inside_text = nesting[-1] == "`"
    if piece == "`":
        if inside_text:
            nesting.pop()
        else:
            nesting.append("`")
    elif piece.endswith("{") and (piece == "${" or not inside_text):
        nesting.append("{")
    elif piece == "}" and not inside_text:
        nesting.pop()


def place_of(source: str, offset: int) -> Position:
    """Return the place of an offset."""
    line = source.count("\n", 0, offset)
    return Position(line + 1, offset - (source.rfind("\n", 0, offset) + 1) + 1)


def until_close(tokens: tuple[Token, ...], start: int, limit: int = CLOSE_LIMIT) -> Iterator[Token]:
    """Yield the tokens from the one behind an opening bracket to before its partner.

    A bracket that is not closed within `limit` tokens ends there.
    """
    depth = 1
    for token in tokens[start : start + limit]:
        if token.kind == "mark":
            depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if depth == 0:
            return
        yield token
