"""The path of a request: untrusted text, made canonical or refused, once.

Scopes are checked and operations are run on what this module returns, never on the text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes

import ada_url

from runtime.policy.decision import Decision

ORIGIN = "https://api.atlassian.com"  # resolved against, then compared; nothing is sent there
MAX_TARGET_CHARACTERS = 8192  # the usual bound of HTTP servers on a request line
MAX_QUERY_FIELDS = 1000
_END_OF_PATH = re.compile(r"[?#]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ENCODED_SEPARATOR = re.compile(r"%(2f|5c|00)", re.IGNORECASE)
_ENCODED_CONTROL = re.compile(r"%([01][0-9a-f]|7f)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """A canonical request target.

    Attributes:
        path: Percent-encoded path; starts with ``/``, has no empty, ``.`` or ``..`` segment, no
            backslash, no encoded slash and no ``;`` parameter.
        query: Decoded name/value pairs in order.
    """

    path: str
    query: tuple[tuple[str, str], ...]


def parse_target(text: str) -> Target | Decision:
    """Return the canonical form of a path, or the refusal that names its fault.

    The text is resolved by the WHATWG URL rules against a fixed origin. It must begin with a single
    slash and stay on that origin. What another parser could read differently (backslashes, control
    characters, dot segments however encoded, encoded slashes, empty segments, ``;`` parameters,
    broken escapes) is refused rather than repaired. A fragment is dropped, as ``fetch`` drops it.

    Source:
        WHATWG URL Standard, "URL parsing"; CWE-22, CWE-177, CWE-180.
    """
    read = _Read(text)
    for rule, message, fault in _RULES:
        if fault(read):
            return Decision(False, rule, message)
    try:
        url = ada_url.URL(text, base=ORIGIN)
    except ValueError:
        return Decision(False, "path.unparsable", "The path is not a valid URL path.")
    if url.origin != ORIGIN or url.username or url.password:
        return Decision(False, "path.other-origin", "The path leads to another host.")
    return _target(url.pathname, url.search[1:])


def _target(path: str, query: str) -> Target | Decision:
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_FIELDS
        )
    except ValueError:
        return Decision(False, "path.query", "The query string cannot be decoded.")
    return Target(path, tuple(pairs))


def _is_dot_segment(segment: str) -> bool:
    if "%" in segment:
        return unquote_to_bytes(segment) in (b".", b"..")
    return segment in (".", "..")


def _is_not_utf8(text: str) -> bool:
    if "%" not in text and text.isascii():
        return False
    try:
        unquote_to_bytes(text).decode()
    except UnicodeError:
        return True
    return False


class _Read:
    """A text and the parts of it that rules look at."""

    __slots__ = ("path", "segments", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.path = _END_OF_PATH.split(text, maxsplit=1)[0]
        self.segments = self.path.split("/")[1:]


_RULES: tuple[tuple[str, str, Callable[[_Read], object]], ...] = (
    (
        "path.too-long",
        f"The path is longer than {MAX_TARGET_CHARACTERS} characters.",
        lambda read: len(read.text) > MAX_TARGET_CHARACTERS,
    ),
    (
        "path.not-absolute",
        "The path must begin with one '/', such as /rest/api/3/myself: "
        "a host or a scheme is not for the app to choose.",
        lambda read: not read.text.startswith("/") or read.text.startswith(("//", "/\\")),
    ),
    (
        "path.control-character",
        "The path contains a control character.",
        lambda read: _CONTROL.search(read.text) or _ENCODED_CONTROL.search(read.path),
    ),
    ("path.backslash", "The path contains a backslash.", lambda read: "\\" in read.path),
    (
        "path.encoded-separator",
        "The path contains an encoded slash, backslash or NUL.",
        lambda read: _ENCODED_SEPARATOR.search(read.path),
    ),
    (
        "path.bad-escape",
        "The path contains a broken escape or is not UTF-8.",
        lambda read: _ESCAPE.search(read.path) or _is_not_utf8(read.text),
    ),
    (
        "path.dot-segment",
        "The path contains a '.' or '..' segment.",
        lambda read: any(_is_dot_segment(segment) for segment in read.segments),
    ),
    (
        "path.empty-segment",
        "The path contains an empty segment.",
        lambda read: "" in read.segments[:-1],
    ),
    (
        "path.parameter",
        "The path contains a ';' parameter; encode the character as %3B.",
        lambda read: ";" in read.path,
    ),
)
