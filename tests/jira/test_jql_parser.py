import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.jira.jql_ast import (
    And,
    Clause,
    Condition,
    Empty,
    Field,
    Function,
    ListOperand,
    Not,
    Or,
    Predicate,
    Query,
    Sort,
    Value,
)
from runtime.jira.jql_errors import JqlError
from runtime.jira.jql_parser import MAX_CLAUSES, parse_jql
from runtime.jira.jql_tokens import KEYWORDS, MAX_LENGTH, MAX_PARENTHESES, RESERVED_WORDS

CASES = json.loads((Path(__file__).parents[1] / "fidelity" / "jql_cases.json").read_text("utf-8"))
WORDS = (
    "a = != < ~ in not is was changed empty and or ( ) [ ] , 'x' \"y\" 3 -4w cf order by asc desc "
    "currentUser() \\ \\u0041 \n after during from to & | ! . $ @ \" '"
)
PIECES = st.sampled_from(WORDS.split(" "))


def clause(name: str, value: str) -> Clause:
    return Clause(Field(name), "=", Value(value))


def refusal(source: str) -> str:
    with pytest.raises(JqlError) as caught:
        parse_jql(source)
    return caught.value.messages[0]


@pytest.mark.parametrize("source", CASES["valid"])
def test_the_conformance_corpus_parses(source: str) -> None:
    assert isinstance(parse_jql(source), Query)


@pytest.mark.parametrize("source", CASES["invalid"])
def test_the_conformance_corpus_is_refused(source: str) -> None:
    assert refusal(source).startswith("Error in the JQL Query: ")


@pytest.mark.parametrize("word", CASES["reserved"].split())
def test_reserved_words_need_quotation_marks(word: str) -> None:
    assert word in RESERVED_WORDS or word in KEYWORDS
    for source in (f"{word} = value", f"assignee in {word}", f"order by {word}"):
        assert refusal(source)
    assert parse_jql(f"'{word}' = \"{word}\"").where == clause(word, word)


def test_operators_bind_as_documented() -> None:
    where = parse_jql("a = 1 OR not b = x AND (c = y || d = z)").where
    one = Clause(Field("a"), "=", Value("1", is_number=True))
    both = And((Not(clause("b", "x")), Or((clause("c", "y"), clause("d", "z")))))
    assert where == Or((one, both))


def test_operands_and_predicates_become_values() -> None:
    history = parse_jql("status WAS NOT IN (a, 'b') BY currentUser() BEFORE -1w").where
    assert history == Clause(
        Field("status"),
        "was not in",
        ListOperand((Value("a"), Value("b"))),
        (Predicate("by", Function("currentUser")), Predicate("before", Value("-1w"))),
    )
    assert parse_jql("x IS NOT NULL").where == Clause(Field("x"), "is not", Empty())
    nested = parse_jql("x in ((a, fn(b, 2)), EMPTY)").where
    items = (Value("a"), Function("fn", ("b", "2")), Empty())
    assert nested == Clause(Field("x"), "in", ListOperand(items))


def test_fields_keep_their_properties() -> None:
    where = parse_jql('issue.property["a b"].c.all = 1 and cf[10010] is empty').where
    assert isinstance(where, And)
    first, second = where.conditions
    assert isinstance(first, Clause)
    assert isinstance(second, Clause)
    assert first.field == Field("issue.property", (("a b", ".c.all"),))
    assert second.field.name == "cf[10010]"


def test_order_by_keeps_directions() -> None:
    query = parse_jql("order by created DESC, 'my field' asc, key")
    assert query.where is None
    assert query.order_by == (
        Sort(Field("created"), True),
        Sort(Field("my field"), False),
        Sort(Field("key")),
    )


def test_escapes_are_read() -> None:
    assert parse_jql(r'a = "x\"\u0041\\"').where == clause("a", 'x"A\\')
    assert parse_jql(r"issue\ type = b").where == clause("issue type", "b")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("project", "Expecting operator before the end of the query."),
        ("project = ", "Expecting either a value, list or function before the end"),
        ("project = A status = b", "Expecting either 'OR' or 'AND' but got 'status'. (line 1, cha"),
        ("project\n= order", "'order' is a reserved" if "order" not in KEYWORDS else "got 'order'"),
        ("abort = 1", "'abort' is a reserved JQL word. You must surround it in quotation marks"),
        ("a = b@c", "The character '@' is a reserved JQL character."),
        ("a = 'b", "The quoted string 'b' has not been completed. (line 1, character 5)"),
        (r"a = \q", r"'\q' is an illegal JQL escape sequence."),
        ("a\n\n= ,", "but got ','. (line 3, character 3)"),
    ],
)
def test_refusals_say_what_and_where(source: str, text: str) -> None:
    assert text in refusal(source)


@pytest.mark.hostile
@given(st.text() | st.lists(PIECES).map(" ".join))
def test_any_text_parses_or_is_refused_with_the_one_error(source: str) -> None:
    with suppress(JqlError):
        assert isinstance(parse_jql(source), Query)


@pytest.mark.hostile
@pytest.mark.parametrize(
    "source",
    [
        "(" * 10_000,
        "(" * (MAX_PARENTHESES + 1) + "a=b" + ")" * (MAX_PARENTHESES + 1),
        "a = b " * MAX_LENGTH,
        " or ".join(["a=b"] * (MAX_CLAUSES + 1)),
        "not " * 12_000,
        "a in (" + "b," * 20_000,
        "a in (" + "b," * 5_000 + "c)",
    ],
)
def test_hostile_queries_are_refused(source: str) -> None:
    assert refusal(source)


@pytest.mark.hostile
def test_depth_is_not_recursion() -> None:
    deep = "(a=b or " * (MAX_PARENTHESES - 1) + "a=b" + ")" * (MAX_PARENTHESES - 1)
    where: Condition | None = parse_jql("not " * 5_001 + deep).where
    assert isinstance(where, Not)
