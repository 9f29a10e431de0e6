"""JQL text to tokens: words, quotes, escapes, reserved words and characters."""

import re
from collections.abc import Iterator

from lark import Token

from runtime.jira.jql_errors import (
    JqlError,
    illegal_escape,
    reserved_character,
    reserved_word,
    unfinished_string,
)

MAX_LENGTH = 50_000  # characters; longer than any query a URL or a console carries
MAX_TOKENS = 20_000
MAX_PARENTHESES = 100  # open at once; compiled conditions nest as deep

KEYWORDS = {
    **{name.lower(): name for name in ("AND", "OR", "NOT", "IN", "IS", "WAS", "CHANGED", "EMPTY")},
    **{name.lower(): name for name in ("AFTER", "BEFORE", "ON", "BY", "DURING", "FROM", "TO")},
    **{name.lower(): name for name in ("ORDER", "ASC", "DESC", "CF")},
    "null": "EMPTY",
}
RESERVED_WORDS = frozenset(
    """abort access add after alias all alter and any as asc audit avg before begin between boolean
    break by byte catch cf char character check checkpoint collate collation column commit connect
    continue count create current date decimal declare decrement default defaults define delete
    delimiter desc difference distinct divide do double drop else empty encoding end equals escape
    exclusive exec execute exists explain false fetch file field first float for from function go
    goto grant greater group having identified if immediate in increment index initial inner inout
    input insert int integer intersect intersection into is isempty isnull join last left less like
    limit lock long max min minus mode modify modulo more multiply next noaudit not notin nowait
    null number object of on option or order outer output power previous prior privileges public
    raise raw remainder rename resource return returns revoke right row rowid rownum rows select
    session set share size sqrt start strict string subtract sum synonym table then to trans
    transaction trigger true uid union unique update user validate values view when whenever where
    while with""".split()  # noqa: SIM905  # a list of 190 words reads best as words
)
_SIGNS = {
    "(": "LPAR",
    ")": "RPAR",
    "[": "LBRACKET",
    "]": "RBRACKET",
    ",": "COMMA",
    "=": "EQUALS",
    "!=": "NOT_EQUALS",
    "~": "LIKE",
    "!~": "NOT_LIKE",
    "<": "LT",
    ">": "GT",
    "<=": "LTEQ",
    ">=": "GTEQ",
    "!": "NOT",
    "&": "AND",
    "&&": "AND",
    "|": "OR",
    "||": "OR",
}
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\", "'": "'", '"': '"', " ": " "}
_STOP = r"""\s"'=!<>()~,\[\]|&{}*/%+$\#@?;\\\x00-\x1f\x7f"""
_TOKEN = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<sign>!=|!~|<=|>=|&&|\|\||[=~<>()\[\],!&|])
    | (?P<double>"(?:[^"\\]|\\.)*")
    | (?P<single>'(?:[^'\\]|\\.)*')
    | (?P<word>(?:[^{_STOP}]|\\.)+)
    """,
    re.VERBOSE | re.DOTALL,
)
_PATH = re.compile(rf"\s*(\.\s*[^{_STOP}]*)")  # after a property: words are free there
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]+")


def tokens(source: str) -> Iterator[Token]:
    """Yield the tokens of a query; a token's value is unescaped and without its quotes.

    Raises:
        JqlError: A reserved word or character, an unknown escape, a string without end, or a query
            beyond the bounds.
    """
    if len(source) > MAX_LENGTH:
        raise JqlError(f"The JQL query is longer than {MAX_LENGTH} characters.")
    depth = 0
    for count, token in enumerate(_words(source)):
        depth += {"LPAR": 1, "RPAR": -1}.get(token.type, 0)
        if count >= MAX_TOKENS or depth > MAX_PARENTHESES:
            raise JqlError(
                f"The JQL query has more than {MAX_TOKENS} words, or nests deeper than "
                f"{MAX_PARENTHESES} parentheses."
            )
        yield token


def position(source: str, at: int) -> tuple[int, int]:
    """Return line and character, both from 1, of an offset."""
    return source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at)


def _words(source: str) -> Iterator[Token]:
    at, after_property = 0, False
    while at < len(source):
        path = _PATH.match(source, at) if after_property else None
        found = path or _TOKEN.match(source, at)
        if found is None:
            raise _refusal(source, at)
        at = found.end()
        if path is not None:
            yield Token("PATH", "".join(path[1].split()), path.start(1))
        elif found.lastgroup != "space":
            yield _token(found)
        after_property = found[0] == "]"


def _token(found: re.Match[str]) -> Token:
    text, where = found[0], found.start()
    if found.lastgroup == "sign":
        return Token(_SIGNS[text], text, where)
    if found.lastgroup != "word":
        return Token("QUOTED", _unescape(text[1:-1], found.string, where + 1), where)
    if _NUMBER.fullmatch(text):
        return Token("NUMBER", text, where)
    word = text.lower()
    if word in KEYWORDS:
        return Token(KEYWORDS[word], text, where)
    if word in RESERVED_WORDS:
        raise reserved_word(text, *position(found.string, where))
    return Token("STRING", _unescape(text, found.string, where), where)


def _unescape(text: str, source: str, where: int) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: _escaped(found, source, where), text)


def _escaped(found: re.Match[str], source: str, where: int) -> str:
    code = found[1]
    if len(code) > 1:
        character = chr(int(code[1:], 16))
        return "\ufffd" if "\ud800" <= character <= "\udfff" else character
    if code not in _ESCAPES:
        raise illegal_escape(found[0], *position(source, where + found.start()))
    return _ESCAPES[code]


def _refusal(source: str, at: int) -> JqlError:
    where = position(source, at)
    if source[at] in "\"'":
        return unfinished_string(source[at + 1 :][:100], *where)
    if source[at] == "\\":
        return illegal_escape("\\", *where)
    return reserved_character(source[at], *where)
