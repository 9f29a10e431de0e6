import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import JiraError
from runtime.jira.adf import (
    INVALID_INPUT,
    MAX_TEXT,
    NOT_A_DOCUMENT,
    Node,
    check_document,
    check_wiki,
    document,
    is_empty,
    paragraph,
    plain_text,
    text,
)
from runtime.jira.adf_html import to_html

RICH = document(
    {"type": "heading", "attrs": {"level": 2}, "content": [text("Title")]},
    paragraph(text("a "), text("b", {"type": "strong"}), {"type": "hardBreak"}, text("c")),
    paragraph({"type": "mention", "attrs": {"id": "712020:x", "text": "@Mia"}}),
    {"type": "codeBlock", "attrs": {"language": "java"}, "content": [text("if (a < b) {}")]},
)


def nested_list(depth: int) -> Node:
    node = {"type": "bulletList", "content": [{"type": "listItem", "content": [paragraph()]}]}
    for _ in range(depth):
        node = {"type": "bulletList", "content": [{"type": "listItem", "content": [node]}]}
    return document(node)


def refusal(value: object) -> JiraError:
    with pytest.raises(JiraError) as caught:
        check_document(value, "description")
    assert caught.value.status == 400
    return caught.value


def test_a_document_is_accepted_as_it_is() -> None:
    assert check_document(RICH, "description") is RICH


@pytest.mark.parametrize("value", ["plain", 3, None, [], {}, {"type": "paragraph"}])
def test_what_is_no_document_is_refused_under_its_field(value: object) -> None:
    assert refusal(value).fields == {"description": NOT_A_DOCUMENT}


@pytest.mark.parametrize(
    "value",
    [
        {"type": "doc", "version": 2, "content": []},
        {"type": "doc", "version": 1},
        document({"type": "script", "content": []}),
        document(paragraph(text(""))),
        document(paragraph({"type": "text", "text": "x", "marks": [{"type": "blink"}]})),
        document({"type": "heading", "attrs": {"level": 9}, "content": []}),
    ],
)
def test_a_broken_document_is_invalid_input(value: object) -> None:
    assert refusal(value).messages == (INVALID_INPUT,)


def test_a_text_beyond_the_limit_is_refused_under_its_field() -> None:
    assert check_document(document(paragraph(text("x" * MAX_TEXT))), "description")
    too_long = document(paragraph(text("x" * (MAX_TEXT + 1))))
    assert "32,767" in refusal(too_long).fields["description"]
    with pytest.raises(JiraError, match="32,767"):
        check_wiki("x" * (MAX_TEXT + 1), "description")


@pytest.mark.hostile
@pytest.mark.parametrize("depth", [200, 10_000])
def test_a_deep_document_is_refused_without_recursion(depth: int) -> None:
    assert refusal(nested_list(depth)).messages == (INVALID_INPUT,)


@pytest.mark.hostile
def test_a_deep_attribute_is_refused_without_recursion() -> None:
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    card = {"type": "inlineCard", "attrs": {"data": deep}}
    assert refusal(document(paragraph(card))).messages == (INVALID_INPUT,)


@pytest.mark.hostile
def test_a_document_of_too_many_nodes_is_refused() -> None:
    assert refusal(document(*[paragraph() for _ in range(50_000)])).messages == (INVALID_INPUT,)


def test_plain_text_has_one_line_per_block() -> None:
    assert plain_text(RICH) == "Title\na b\nc\n@Mia\nif (a < b) {}"


def test_emptiness_is_the_absence_of_anything_visible() -> None:
    assert is_empty(document(paragraph(text("  "))))
    assert is_empty(document())
    assert not is_empty(document({"type": "rule"}))


def test_html_shows_the_marks() -> None:
    html = to_html(RICH)
    assert "<h2>Title</h2>" in html
    assert "<p>a <b>b</b><br/>c</p>" in html
    assert "if (a &lt; b) {}" in html


def test_html_shows_tables_panels_cards_and_rules() -> None:
    cell = {"type": "tableCell", "content": [paragraph(text("x"))]}
    subsup = {"type": "subsup", "attrs": {"type": "sub"}}
    doc = document(
        {"type": "table", "content": [{"type": "tableRow", "content": [cell]}]},
        {"type": "panel", "attrs": {"panelType": "info"}, "content": [paragraph(text("p"))]},
        {"type": "rule"},
        paragraph(
            text("2", subsup),
            {"type": "inlineCard", "attrs": {"url": "https://a.b"}},
            {"type": "emoji", "attrs": {"shortName": ":smile:"}},
            {"type": "status", "attrs": {"text": "<ok>", "color": "green"}},
        ),
    )
    assert check_document(doc, "description")
    html = to_html(doc)
    assert "<tbody><tr><td><p>x</p></td></tr></tbody>" in html
    assert "<div><p>p</p></div><hr/>" in html
    assert "<sub>2</sub>" in html
    assert ">https://a.b</a>:smile:&lt;ok&gt;</p>" in html
    assert plain_text(doc) == "x\np\n2https://a.b:smile:<ok>"


@pytest.mark.hostile
@given(st.text(min_size=1), st.text())
def test_no_text_or_link_becomes_markup(value: str, href: str) -> None:
    link = {"type": "link", "attrs": {"href": href}}
    html = to_html(document(paragraph(text(value, link))))
    inner = html.removeprefix("<p>").removesuffix("</p>")
    if inner.startswith("<a href="):
        inner = inner.partition(">")[2].removesuffix("</a>")
        assert html.count('"') == 6
    assert "<" not in inner
    assert ">" not in inner


@pytest.mark.hostile
@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", " javascript:x", "data:text/html,x", "JaVaScRiPt:x", "vbscript:"],
)
def test_a_link_that_a_browser_would_run_stays_text(href: str) -> None:
    html = to_html(document(paragraph(text("x", {"type": "link", "attrs": {"href": href}}))))
    assert html == "<p>x</p>"
