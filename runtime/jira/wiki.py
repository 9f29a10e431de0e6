"""Wiki text, the text form of version 2 of the API: to ADF and back.

The subset: paragraphs, ``h1.`` to ``h6.``, lists (``*``, ``-``, ``#``, nested), ``{code}``,
``{noformat}``, ``{quote}``, ``bq.``, ``----``, tables, and what `runtime.jira.wiki_inline` reads.
Any text is valid wiki text: what means nothing stays as it was typed.

Differs:
    Macros, images, colours and smileys are not interpreted. A document with nodes outside the
    subset loses their shape, not their text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from runtime.jira.adf import Node, document, paragraph, plain_text, text
from runtime.jira.wiki_inline import escape_inline, plain_inline, read_inline, simplify

_HEADING = re.compile(r"h([1-6])\. (.*)", re.DOTALL)
_ITEM = re.compile(r"([*#]{1,20}|-) (.*)")
_RULE = re.compile(r"-{4,5}\s*")
_CODE = re.compile(r"\{code(?::([A-Za-z0-9+#_.-]{1,40}))?\}|\{noformat\}")
_QUOTE = "{quote}"
_BLOCK_START = re.compile(
    r"h[1-6]\. |[*#]{1,20} |- |-{4,5}\s*$|\{code|\{noformat\}|\{quote\}|bq\. |\|"
)


def to_adf(source: str) -> Node:
    """Return the document that a wiki text means."""
    return document(*_Reader(source.replace("\r\n", "\n")).blocks())


def to_wiki(doc: Node) -> str:
    """Return a stored document as wiki text.

    Reading the answer back gives the same document, as far as the subset goes; signs are escaped
    only where they would mean something else.
    """
    return _join(_write(block) for block in doc.get("content") or ())


class _Reader:
    """Reads blocks line by line; every line is consumed once."""

    def __init__(self, source: str) -> None:
        self._lines = source.split("\n")
        self._at = 0

    def blocks(self, until: str | None = None) -> list[Node]:
        found: list[Node] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if until and line.strip() == until:
                self._at += 1
                break
            if line.strip():
                found.append(self._block(line, nested=until is not None))
            else:
                self._at += 1
        return found

    def _block(self, line: str, *, nested: bool) -> Node:
        if _ITEM.match(line):
            return self._list()
        if fence := _CODE.match(line):
            return self._code(fence)
        if not nested and (block := self._top_block(line)):
            return block
        return self._paragraph()

    def _top_block(self, line: str) -> Node | None:
        heading = _HEADING.match(line)
        if heading:
            self._at += 1
            content = read_inline(heading[2])
            return {"type": "heading", "attrs": {"level": int(heading[1])}, "content": content}
        if _RULE.fullmatch(line):
            self._at += 1
            return {"type": "rule"}
        if line.startswith("bq. "):
            self._at += 1
            return {"type": "blockquote", "content": [paragraph(*read_inline(line[4:]))]}
        if line.strip() == _QUOTE and self._closes_later(_QUOTE):
            self._at += 1
            return {"type": "blockquote", "content": self.blocks(until=_QUOTE) or [paragraph()]}
        return self._table() if line.startswith("|") else None

    def _closes_later(self, closer: str) -> bool:
        return any(line.strip() == closer for line in self._lines[self._at + 1 :])

    def _paragraph(self) -> Node:
        start = self._at
        self._at += 1
        while self._at < len(self._lines) and self._goes_on(self._lines[self._at]):
            self._at += 1
        return paragraph(*read_inline("\n".join(self._lines[start : self._at])))

    @staticmethod
    def _goes_on(line: str) -> bool:
        return bool(line.strip()) and not _BLOCK_START.match(line)

    def _code(self, fence: re.Match[str]) -> Node:
        closer = "{noformat}" if fence[0] == "{noformat}" else "{code}"
        rest = [self._lines[self._at][fence.end() :], *self._lines[self._at + 1 :]]
        used, body = len(rest), rest
        for number, line in enumerate(rest):
            if closer in line:
                used, body = number + 1, [*rest[:number], line[: line.index(closer)]]
                break
        self._at += used
        return _code_block("\n".join(body).removeprefix("\n").removesuffix("\n"), fence[1])

    def _list(self) -> Node:
        rows: list[tuple[str, list[Node]]] = []
        while self._at < len(self._lines) and (item := _ITEM.match(self._lines[self._at])):
            self._at += 1
            lines = [item[2]]
            while self._at < len(self._lines) and self._goes_on(self._lines[self._at]):
                lines.append(self._lines[self._at])
                self._at += 1
            rows.append((item[1].replace("-", "*"), read_inline("\n".join(lines))))
            if len(rows) > 1 and rows[-1][0][0] != rows[0][0][0]:
                self._at -= len(lines)
                rows.pop()
                break
        return _nest(rows, 1)

    def _table(self) -> Node:
        rows = []
        while self._at < len(self._lines) and self._lines[self._at].startswith("|"):
            rows.append(_row(self._lines[self._at]))
            self._at += 1
        return {"type": "table", "content": rows}


def _nest(rows: Sequence[tuple[str, list[Node]]], depth: int) -> Node:
    """Return the list of rows whose markers agree in their first `depth` signs."""
    items: list[Node] = []
    at = 0
    while at < len(rows):
        marker, inline = rows[at]
        content = [paragraph(*inline)] if len(marker) == depth else [paragraph()]
        at += 1 if len(marker) == depth else 0
        while at < len(rows) and len(rows[at][0]) > depth:
            sign, start = rows[at][0][depth], at
            while at < len(rows) and len(rows[at][0]) > depth and rows[at][0][depth] == sign:
                at += 1
            content.append(_nest(rows[start:at], depth + 1))
        items.append({"type": "listItem", "content": content})
    kind = "orderedList" if rows[0][0][depth - 1] == "#" else "bulletList"
    return {"type": kind, "content": items}


def _row(line: str) -> Node:
    kind, sign = ("tableHeader", "||") if line.startswith("||") else ("tableCell", "|")
    cells = _split_cells(line.rstrip().removeprefix(sign).removesuffix(sign), sign)
    return {
        "type": "tableRow",
        "content": [
            {"type": kind, "content": [paragraph(*read_inline(cell.strip()))]} for cell in cells
        ],
    }


def _split_cells(line: str, sign: str) -> list[str]:
    """Split a row at its bars, but not at those inside a link."""
    if sign == "||":
        return line.split("||")
    parts = re.findall(r"(?:\[[^\[\]]*\]|[^|])*", line)
    return [part for number, part in enumerate(parts) if part or number == 0] or [""]


def _code_block(code: str, language: str | None) -> Node:
    node: Node = {"type": "codeBlock", "content": [text(code)] if code else []}
    return {**node, "attrs": {"language": language}} if language else node


def _join(blocks: Iterable[str]) -> str:
    return "\n\n".join(block for block in blocks if block)


def _write(block: Node) -> str:
    writer = _WRITERS.get(block["type"])
    content = block.get("content") or ()
    if writer is not None:
        return writer(block)
    if content and all("content" in child for child in content):
        return _join(map(_write, content))
    return _guarded(content, "", _as_paragraph)


def _guarded(inline: Sequence[Node], prefix: str, wanted: Callable[[list[Node]], Node]) -> str:
    """Return inline nodes so that, after `prefix`, they read back as the block that is wanted."""
    plain = plain_inline(inline)
    if not plain:
        return ""
    if _Reader(prefix + plain).blocks() == [wanted(simplify(inline))]:
        return plain
    line = escape_inline(inline)
    starts_block = not prefix and _BLOCK_START.match(line)
    return f"&#{ord(line[0])};{line[1:]}" if starts_block else line


def _as_paragraph(inline: list[Node]) -> Node:
    return paragraph(*inline)


def _as_item(inline: list[Node]) -> Node:
    item = {"type": "listItem", "content": [paragraph(*inline)]}
    return {"type": "bulletList", "content": [item]}


def _as_heading(inline: list[Node]) -> Node:
    return {"type": "heading", "attrs": {"level": 1}, "content": inline}


def _write_heading(block: Node) -> str:
    inline = [text(" ") if n["type"] == "hardBreak" else n for n in block.get("content") or ()]
    return f"h{int(block['attrs']['level'])}. " + _guarded(inline, "h1. ", _as_heading)


def _write_list(block: Node, prefix: str = "") -> str:
    marker = prefix + ("#" if block["type"] == "orderedList" else "*")
    return "\n".join(line for item in block["content"] for line in _write_item(item, marker))


def _write_item(item: Node, marker: str) -> Iterator[str]:
    """Yield an item's own line, then its lists: all that a line of wiki text can hold."""
    inline: list[Node] = []
    lists: list[Node] = []
    for child in item.get("content") or ():
        if child["type"] in ("bulletList", "orderedList"):
            lists.append(child)
            continue
        inline += [{"type": "hardBreak"}] if inline else []
        is_paragraph = child["type"] == "paragraph"
        inline += (child.get("content") or ()) if is_paragraph else [text(plain_text(child))]
    yield f"{marker} {_guarded(inline, '* ', _as_item)}"
    for child in lists:
        yield _write_list(child, marker)


def _write_code(block: Node) -> str:
    language = (block.get("attrs") or {}).get("language")
    code = plain_text(block)
    fence = "{code:" + language + "}" if language else "{code}"
    return f"{fence}\n{code}\n{{code}}"


def _write_quote(block: Node) -> str:
    return f"{_QUOTE}\n{_join(_write(child) for child in block['content'])}\n{_QUOTE}"


def _write_table(block: Node) -> str:
    return "\n".join(map(_write_row, block["content"]))


def _write_row(row: Node) -> str:
    cells = row["content"]
    sign = "||" if cells and cells[0]["type"] == "tableHeader" else "|"
    texts = [_cell(cell) or " " for cell in cells]
    return sign + sign.join(texts) + sign


def _cell(cell: Node) -> str:
    content = cell["content"]
    if len(content) == 1 and content[0]["type"] == "paragraph":
        return escape_inline(content[0].get("content") or ())
    return escape_inline([text(plain_text(cell) or " ")])


_WRITERS: dict[str, Callable[[Node], str]] = {
    "paragraph": lambda block: _guarded(block.get("content") or (), "", _as_paragraph),
    "heading": _write_heading,
    "bulletList": _write_list,
    "orderedList": _write_list,
    "codeBlock": _write_code,
    "blockquote": _write_quote,
    "rule": lambda _block: "----",
    "table": _write_table,
}
