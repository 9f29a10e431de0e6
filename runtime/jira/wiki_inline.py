"""The inline half of wiki text: marks, links, mentions, code and escapes, both ways.

``*strong*  _em_  -strike-  +underline+  ^sup^  ~sub~  {{code}}  [text|url]  [url]
[~accountid:ID]``, ``{*}strong{*}`` in the middle of a word, a backslash before a sign that would
mean something, and ``&#NN;``.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from runtime.jira.adf import Node, inline_text, text

_SIGNS = {"*": "strong", "_": "em", "-": "strike", "+": "underline", "^": "sup", "~": "sub"}
_SIGN_OF = {mark: sign for sign, mark in _SIGNS.items()}
_ORDER = ("link", "strong", "em", "strike", "underline", "sup", "sub", "code")
_SPECIAL = re.compile(r"[\\*_\-+^~{\[&]")
_ESCAPED = re.compile(r"[*_\-+^~{}&\\\n\r\[\]|]|^\s|\s$")
_ESCAPABLE = "*_-+^~{}"  # brackets and bars are delimiters of links and tables: entities, there
_ENTITY = re.compile(r"&#([0-9]{1,7});")
_BRACED = re.compile(r"\{([*_\-+^~])\}")
_MENTION = re.compile(r"\[~accountid:([^\[\]\s|]+)\]")
_LINK = re.compile(
    r"\[(?:([^\[\]|]+)\|)?((?:https?://|mailto:|ftp://|/|#)[^\[\]\s|]+)\]", re.IGNORECASE
)
_HREF = re.compile(r"(?:https?://|mailto:|ftp://|/|#).", re.IGNORECASE)
_UNICODE_MAX = 0x10FFFF


def read_inline(source: str) -> list[Node]:
    """Return the inline nodes a piece of wiki text means; a newline is a hard break."""
    nodes: list[Node] = []
    for number, line in enumerate(source.split("\n")):
        if number:
            nodes.append({"type": "hardBreak"})
        _Line(line, nodes).read(0, len(line), ())
    return _merged(nodes)


def plain_inline(nodes: Iterable[Node]) -> str:
    """Return inline nodes as wiki text without escapes; it may mean something else."""
    return "".join(_write(node, False) for node in nodes)


def escape_inline(nodes: Iterable[Node]) -> str:
    """Return inline nodes as wiki text in which every sign that could mean something is escaped."""
    return "".join(_write(node, True) for node in nodes)


def simplify(nodes: Iterable[Node]) -> list[Node]:
    """Return inline nodes reduced to what wiki text carries.

    Colours and annotations go, a mention keeps its account alone, and what has no sign of its own
    (emoji, status, date) becomes text.
    """
    return _merged(_simple(node) for node in nodes)


class _Line:
    """Reads one line. A mark never opens inside itself, so the work and the depth are bounded."""

    def __init__(self, line: str, nodes: list[Node]) -> None:
        self._line = line
        self._nodes = nodes
        self._closers: dict[str, list[int]] = {}

    def read(self, at: int, end: int, marks: tuple[str, ...]) -> None:
        while at < end:
            found = _SPECIAL.search(self._line, at, end)
            stop = found.start() if found else end
            self._emit(self._line[at:stop], marks)
            at = self._special(stop, end, marks) if found else end

    def _special(self, at: int, end: int, marks: tuple[str, ...]) -> int:
        sign = self._line[at]
        if sign == "\\":
            return self._backslash(at, end, marks)
        if sign == "&":
            return self._entity(at, end, marks)
        if sign == "{":
            return self._brace(at, end, marks)
        if sign == "[":
            return self._bracket(at, end, marks)
        return self._mark(at, end, marks)

    def _backslash(self, at: int, end: int, marks: tuple[str, ...]) -> int:
        follower = self._line[at + 1] if at + 1 < end else ""
        if follower == "\\":
            self._nodes.append({"type": "hardBreak"})
            return at + 2
        if follower and follower in _ESCAPABLE:
            self._emit(follower, marks)
            return at + 2
        return self._literal(at, marks)

    def _entity(self, at: int, end: int, marks: tuple[str, ...]) -> int:
        found = _ENTITY.match(self._line, at, end)
        if found is None:
            return self._literal(at, marks)
        self._emit(_decode(found[0]), marks)
        return found.end()

    def _brace(self, at: int, end: int, marks: tuple[str, ...]) -> int:
        if self._line.startswith("{{", at):
            close = self._next("}}", at + 3, end)
            if close is None:
                return self._literal(at, marks)
            link = [mark for mark in marks if mark.startswith("link:")]
            self._emit(_decode(self._line[at + 2 : close]), [*link, "code"])
            return close + 2
        found = _BRACED.match(self._line, at, end)
        close = self._next(found[0], found.end(), end) if found else None
        if found is None or close is None or _SIGNS[found[1]] in marks:
            return self._literal(at, marks)
        self.read(found.end(), close, (*marks, _SIGNS[found[1]]))
        return close + len(found[0])

    def _bracket(self, at: int, end: int, marks: tuple[str, ...]) -> int:
        mention = _MENTION.match(self._line, at, end)
        if mention:
            self._nodes.append({"type": "mention", "attrs": {"id": _decode(mention[1])}})
            return mention.end()
        inside = any(mark.startswith("link:") for mark in marks)
        link = None if inside else _LINK.match(self._line, at, end)
        if link is None:
            return self._literal(at, marks)
        href = _decode(link[2])
        if link[1] is None:
            self._emit(href, (f"link:{href}", *marks))
        else:
            self.read(link.start(1), link.end(1), (f"link:{href}", *marks))
        return link.end()

    def _mark(self, at: int, end: int, marks: tuple[str, ...]) -> int:
        sign = self._line[at]
        close = None if _SIGNS[sign] in marks else self._close(sign, at, end)
        if close is None:
            return self._literal(at, marks)
        self.read(at + 1, close, (*marks, _SIGNS[sign]))
        return close + 1

    def _close(self, sign: str, at: int, end: int) -> int | None:
        """Return where a mark that opens here closes; None if it opens nothing."""
        line = self._line
        if (at and line[at - 1].isalnum()) or at + 2 >= end or line[at + 1].isspace():
            return None
        return self._next(sign, at + 2, end)

    def _next(self, closer: str, at: int, end: int) -> int | None:
        """Return the first closer in a range; found once per line, so hostile text stays cheap."""
        if closer not in self._closers:
            places = [found.start() for found in re.finditer(re.escape(closer), self._line)]
            self._closers[closer] = [i for i in places if _closes(self._line, closer, i)]
        closers = self._closers[closer]
        index = bisect_left(closers, at)
        fits = index < len(closers) and closers[index] + len(closer) <= end
        return closers[index] if fits else None

    def _literal(self, at: int, marks: tuple[str, ...]) -> int:
        self._emit(self._line[at], marks)
        return at + 1

    def _emit(self, value: str, marks: Sequence[str]) -> None:
        if value:
            self._nodes.append(text(value, *_mark_nodes(marks)))


def _closes(line: str, closer: str, at: int) -> bool:
    if closer == "}}":
        return True
    if at and line[at - 1] == "\\":
        return False
    if len(closer) > 1:
        return True
    after = line[at + 1 : at + 2]
    return at > 0 and not line[at - 1].isspace() and not after.isalnum()


def _mark_nodes(marks: Sequence[str]) -> list[Node]:
    ordered = sorted(marks, key=lambda mark: _ORDER.index(mark.partition(":")[0]))
    return [_mark_node(mark) for mark in ordered]


def _mark_node(mark: str) -> Node:
    if mark.startswith("link:"):
        return {"type": "link", "attrs": {"href": mark.removeprefix("link:")}}
    if mark in ("sup", "sub"):
        return {"type": "subsup", "attrs": {"type": mark}}
    return {"type": mark}


def _marks_of(node: Node) -> list[str]:
    names = []
    for mark in node.get("marks") or ():
        attrs = mark.get("attrs") or {}
        name = attrs["type"] if mark["type"] == "subsup" else mark["type"]
        if name == "link" and _HREF.match(attrs["href"]):
            names.append(f"link:{attrs['href']}")
        elif name in _ORDER[1:]:
            names.append(name)
    return list(dict.fromkeys(names))


def _merged(nodes: Iterable[Node]) -> list[Node]:
    merged: list[Node] = []
    for node in nodes:
        last = merged[-1] if merged else None
        if node["type"] != "text":
            merged.append(node)
        elif last and last["type"] == "text" and last.get("marks") == node.get("marks"):
            merged[-1] = {**last, "text": last["text"] + node["text"]}
        elif node["text"]:
            merged.append(node)
    return merged


def _simple(node: Node) -> Node:
    kind = node["type"]
    if kind == "text":
        return text(node["text"], *_mark_nodes(_marks_of(node)))
    if kind == "mention":
        return {"type": "mention", "attrs": {"id": node["attrs"]["id"]}}
    if kind == "hardBreak":
        return {"type": "hardBreak"}
    shown = inline_text(node)
    link = kind == "inlineCard" and _HREF.match(shown)
    return text(shown, *([_mark_node(f"link:{shown}")] if link else []))


def _write(node: Node, escape: bool) -> str:
    simple = _simple(node)
    if simple["type"] == "hardBreak":
        return "\\\\" if escape else "\n"
    if simple["type"] == "mention":
        return f"[~accountid:{_encode(simple['attrs']['id'])}]"
    marks = _marks_of(simple)
    href = next((m.removeprefix("link:") for m in marks if m.startswith("link:")), None)
    if href is not None and href == simple["text"] and len(marks) == 1:
        return f"[{_encode(href)}]"
    body = _body(simple["text"], marks, escape)
    return body if href is None else f"[{body}|{_encode(href)}]"


def _body(value: str, marks: Sequence[str], escape: bool) -> str:
    if "code" in marks:
        return "{{" + re.sub(r"[}&\n\[\]|]", lambda sign: f"&#{ord(sign[0])};", value) + "}}"
    body = _escaped(value) if escape else value
    for name in reversed(marks):
        sign = _SIGN_OF.get(name, "")
        braced = f"{{{sign}}}" if escape and sign else sign
        body = f"{braced}{body}{braced}"
    return body


def _escaped(value: str) -> str:
    return _ESCAPED.sub(lambda sign: _escape_sign(sign[0]), value)


def _escape_sign(sign: str) -> str:
    return f"\\{sign}" if sign in _ESCAPABLE else f"&#{ord(sign)};"


def _encode(value: str) -> str:
    return re.sub(r"[&\[\]|\s]", lambda sign: f"&#{ord(sign[0])};", value)


def _decode(value: str) -> str:
    return _ENTITY.sub(lambda found: _character(int(found[1])) or found[0], value)


def _character(number: int) -> str:
    valid = 0 < number <= _UNICODE_MAX and not 0xD800 <= number <= 0xDFFF  # noqa: PLR2004  # surrogates
    return chr(number) if valid else ""
