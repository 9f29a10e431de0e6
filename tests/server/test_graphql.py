"""The part of GraphQL that is read: one operation, and what it asks for."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.server.forge.graphql import GraphqlError, answer, read_operation

DOCUMENT = """
mutation forge($input: In!, $n: [Int] = [1]) {  # a comment
  first: make(input: $input, more: {a: [1, -2.5e1, "t\\u00fc\\n"], b: true, c: null, d: WORD}) {
    ok: success, errors { message }
  }
}
"""


def test_an_operation_is_read_with_aliases_variables_and_literals() -> None:
    operation = read_operation(DOCUMENT, {"input": {"x": 1}})
    assert operation.kind == "mutation"
    (field,) = operation.fields
    assert (field.name, field.key) == ("make", "first")
    assert field.arguments == {
        "input": {"x": 1},
        "more": {"a": [1, -25, "tü\n"], "b": True, "c": None, "d": "WORD"},
    }
    assert [one.key for one in field.fields] == ["ok", "errors"]


def test_a_bare_selection_is_a_query() -> None:
    assert read_operation("{ a }", {}).kind == "query"


def test_an_answer_holds_what_was_asked_for_by_the_names_it_was_asked_by() -> None:
    (field,) = read_operation("{ make { ok: success errors { message } } }", {}).fields
    value = {"success": False, "errors": [{"message": "no", "code": 1}], "token": "secret"}
    assert answer(field.fields, value) == {"ok": False, "errors": [{"message": "no"}]}
    assert answer(field.fields, {"success": True, "errors": None}) == {"ok": True, "errors": None}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("", "cannot be read"),
        ("mutation", "cannot be read"),
        ("{ a", "cannot be read"),
        ("{ a } { b }", "cannot be read"),
        ("query A { a } query B { b }", "cannot be read"),
        ("{ a(x: 1, x: 2) }", "cannot be read"),
        ('{ a(x: "\\q") }', "cannot be read"),
        ("{ ...F } fragment F on T { a }", "Fragments"),
        ("{ a @skip(if: true) }", "Directives"),
        ("{ a(x: $y) }", "$y has no value"),
        ("{" * 4000 + "}" * 4000, "cannot be read"),
        ("{ a" * 2000 + "}" * 2000, "cannot be read"),
        ("{ " + "a" * 9000 + " }", "longer than"),
    ],
)
def test_what_is_not_read_is_refused(document: str, words: str) -> None:
    with pytest.raises(GraphqlError) as caught:
        read_operation(document, {})
    assert words in str(caught.value)


def test_a_field_that_is_not_there_is_named() -> None:
    (field,) = read_operation("{ make { secret } }", {}).fields
    with pytest.raises(GraphqlError, match="'secret'"):
        answer(field.fields, {"success": True})


@given(st.text(alphabet='{}()[]:$"\\ aquery,!=1-.@#\n', max_size=60))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    with suppress(GraphqlError):
        assert read_operation(text, {}).fields
