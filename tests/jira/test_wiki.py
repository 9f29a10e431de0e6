from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.jira.adf import Node, check_document, document, paragraph, plain_text, text
from runtime.jira.wiki import to_adf, to_wiki
from runtime.jira.wiki_inline import simplify

MARKS = ("strong", "em", "strike", "underline")
SIGNS = st.text(alphabet="ab *_-+^~{}[]|\\&#;1h.!(),:\n", min_size=1, max_size=12)


def marked(value: str, names: Sequence[str], href: str | None) -> Node:
    marks: list[Node] = [{"type": "link", "attrs": {"href": href}}] if href else []
    return text(value, *marks, *({"type": name} for name in names))


HREFS = st.none() | st.sampled_from(["https://a.b/c?d=[e]|f&g#h", "/x", "mailto:a@b.c"])
TEXTS = st.builds(marked, SIGNS, st.lists(st.sampled_from(MARKS), unique=True), HREFS)
CODES = st.builds(lambda value, href: marked(value, ["code"], href), SIGNS, HREFS)
OTHERS = st.sampled_from(
    [{"type": "hardBreak"}, {"type": "mention", "attrs": {"id": "712020:a b"}}]
)
NODES: st.SearchStrategy[list[Any]] = st.lists(TEXTS | CODES | OTHERS, min_size=1, max_size=5)
INLINE = NODES.map(simplify).filter(bool)
PARAGRAPHS = INLINE.map(lambda nodes: paragraph(*nodes))
HEADINGS = st.builds(
    lambda level, nodes: {"type": "heading", "attrs": {"level": level}, "content": nodes},
    st.integers(1, 6),
    INLINE.map(lambda nodes: simplify(n for n in nodes if n["type"] != "hardBreak")).filter(bool),
)
CODE_BLOCKS = st.text(alphabet="ab{}\n *", min_size=1).map(
    lambda code: {"type": "codeBlock", "content": [text(f"x{code}x")]}
)


def lists(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    item = st.builds(
        lambda head, below: {"type": "listItem", "content": [head, *([below] if below else [])]},
        PARAGRAPHS,
        children,
    )
    return st.builds(
        lambda kind, items: {"type": kind, "content": items},
        st.sampled_from(["bulletList", "orderedList"]),
        st.lists(item, min_size=1, max_size=3),
    )


LISTS = lists(st.none() | lists(st.none() | lists(st.none())))
DOCUMENTS = st.lists(PARAGRAPHS | HEADINGS | LISTS | CODE_BLOCKS, max_size=4).map(
    lambda blocks: document(*blocks)
)


@settings(max_examples=300)
@given(DOCUMENTS)
def test_a_document_of_the_subset_survives_wiki_text(doc: Node) -> None:
    assert to_adf(to_wiki(doc)) == doc


@given(st.text() | SIGNS)
def test_any_text_is_wiki_text_and_means_a_valid_document(source: str) -> None:
    doc = to_adf(source)
    check_document(doc, "description")
    assert to_adf(to_wiki(doc)) == doc or plain_text(to_adf(to_wiki(doc))) == plain_text(doc)


@pytest.mark.parametrize(
    "source",
    [
        "hello *bold* _it_ a_b 2 * 3 -4w",
        "C:\\path\\file snake_case_name 50% {x} [y] a|b #1 & <b>",
        "x [link|https://a.b/c] [https://x.y] [~accountid:712020:abc] {{code}}",
        "line one\nline two\n\nnext paragraph",
        "h1. Title\n\n* a\n** b\n*# c\n\n# d",
        "{code:java}\nint a;\n{code}\n\n----\n\n||a||b||\n|1|2|",
    ],
)
def test_text_as_people_write_it_comes_back_unchanged(source: str) -> None:
    assert to_wiki(to_adf(source)) == source


def test_marks_and_links_become_nodes() -> None:
    (block,) = to_adf("*b* [t|https://x.y] {{c}}")["content"]
    assert [node.get("marks", [{}])[0].get("type") for node in block["content"]] == [
        "strong",
        None,
        "link",
        None,
        "code",
    ]


@pytest.mark.hostile
@pytest.mark.parametrize(
    "piece", ["*", "*a ", "[a", "{{", "{*}", "[http://a", "{quote}\n", "* a\n", "&#1", "{code}\n"]
)
def test_hostile_text_is_read_in_bounded_work(piece: str) -> None:
    source = (piece * 32_767)[:32_767]
    check_document(to_adf(source), "description")


def test_what_wiki_text_has_no_shape_for_keeps_its_text() -> None:
    task = {"type": "taskItem", "attrs": {"localId": "1", "state": "DONE"}, "content": [text("t")]}
    doc = document(
        {"type": "panel", "attrs": {"panelType": "info"}, "content": [paragraph(text("p"))]},
        {"type": "taskList", "attrs": {"localId": "1"}, "content": [task]},
        {"type": "blockquote", "content": [paragraph(text("q"))]},
        {
            "type": "bulletList",
            "content": [
                {
                    "type": "listItem",
                    "content": [
                        paragraph(text("i")),
                        {"type": "codeBlock", "content": [text("c")]},
                    ],
                }
            ],
        },
    )
    check_document(doc, "description")
    source = to_wiki(doc)
    assert source == "p\n\nt\n\n{quote}\nq\n{quote}\n\n* i\nc"
    assert plain_text(to_adf(source)) == plain_text(doc)


def test_other_blocks_are_read() -> None:
    kinds = [block["type"] for block in to_adf("bq. q\n----\n|a|[b|https://c.d]|\n- x")["content"]]
    assert kinds == ["blockquote", "rule", "table", "bulletList"]
    (table,) = to_adf("|a|[b|https://c.d]|")["content"]
    assert len(table["content"][0]["content"]) == 2
    assert to_adf("{noformat}\n*x*\n{noformat}")["content"][0]["content"] == [text("*x*")]
