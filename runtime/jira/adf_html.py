"""ADF to the HTML that ``expand=renderedFields`` and ``renderedBody`` carry.

Everything that came from a person is escaped; only link targets of known schemes become links.

Differs:
    Class names and macros of the platform's renderer are not reproduced; media are left out.
"""

from collections.abc import Callable, Iterable
from html import escape

from runtime.jira.adf import Node, inline_text

_SAFE_HREF = ("http://", "https://", "mailto:", "ftp://", "/", "#")
_MARKS = {
    "strong": ("<b>", "</b>"),
    "em": ("<em>", "</em>"),
    "code": ("<tt>", "</tt>"),
    "strike": ("<del>", "</del>"),
    "underline": ("<ins>", "</ins>"),
}
_WRAPPERS = {
    "paragraph": "p",
    "bulletList": "ul",
    "orderedList": "ol",
    "listItem": "li",
    "blockquote": "blockquote",
    "tableRow": "tr",
    "tableCell": "td",
    "tableHeader": "th",
    "taskList": "ul",
    "taskItem": "li",
    "blockTaskItem": "li",
    "decisionList": "ul",
    "decisionItem": "li",
}


def to_html(document: Node) -> str:
    """Return a stored document as HTML that is safe to put into a page."""
    return _all(document.get("content") or ())


def _all(nodes: Iterable[Node]) -> str:
    return "".join(map(_one, nodes))


def _one(node: Node) -> str:
    kind = node["type"]
    special = _SPECIAL.get(kind)
    if special is not None:
        return special(node)
    if kind in _WRAPPERS:
        tag = _WRAPPERS[kind]
        return f"<{tag}>{_all(node.get('content') or ())}</{tag}>"
    if "content" in node:
        return f"<div>{_all(node['content'])}</div>"
    return escape(inline_text(node))


def _heading(node: Node) -> str:
    level = int(node["attrs"]["level"])
    return f"<h{level}>{_all(node.get('content') or ())}</h{level}>"


def _text(node: Node) -> str:
    html = escape(node["text"])
    for mark in reversed(node.get("marks") or ()):
        opening, closing = _mark(mark)
        html = f"{opening}{html}{closing}"
    return html


def _mark(mark: Node) -> tuple[str, str]:
    if mark["type"] == "subsup":
        return (f"<{mark['attrs']['type']}>", f"</{mark['attrs']['type']}>")
    if mark["type"] == "link":
        return _link(mark["attrs"]["href"])
    return _MARKS.get(mark["type"], ("", ""))


def _link(href: str) -> tuple[str, str]:
    if not is_safe_href(href):
        return ("", "")
    return (f'<a href="{escape(href)}" class="external-link" rel="nofollow noreferrer">', "</a>")


def is_safe_href(href: str) -> bool:
    """Say whether a link target may become a link: no scheme that a browser would execute."""
    return href.lower().startswith(_SAFE_HREF) and not any(
        ord(letter) < ord("!") for letter in href
    )


def _code_block(node: Node) -> str:
    code = "".join(child["text"] for child in node.get("content") or ())
    language = (node.get("attrs") or {}).get("language")
    css = f' class="code-{escape(language)}"' if language else ""
    return f"<pre{css}>{escape(code)}</pre>"


def _table(node: Node) -> str:
    return f'<table class="confluenceTable"><tbody>{_all(node["content"])}</tbody></table>'


def _mention(node: Node) -> str:
    account = escape(node["attrs"]["id"])
    return f'<a class="user-hover" rel="{account}">{escape(inline_text(node))}</a>'


def _card(node: Node) -> str:
    url = inline_text(node)
    opening, closing = _link(url)
    return f"{opening}{escape(url)}{closing}"


_SPECIAL: dict[str, Callable[[Node], str]] = {
    "text": _text,
    "heading": _heading,
    "hardBreak": lambda _node: "<br/>",
    "rule": lambda _node: "<hr/>",
    "codeBlock": _code_block,
    "table": _table,
    "mention": _mention,
    "inlineCard": _card,
    "blockCard": _card,
    "embedCard": _card,
}
