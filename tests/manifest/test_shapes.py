import pytest

from runtime.manifest.nodes import node_of
from runtime.manifest.shapes import Shape, Where, describe, faults

TEXT = Shape("string", minimum=2, maximum=4)
WORD = Shape("string", pattern="^[a-z]+$")
CHOICE = Shape("choice", words=("red", "green"))
MAP = Shape("map", required={"key": TEXT}, optional={"size": Shape("number")})


def messages(value: object, shape: Shape) -> list[str]:
    return [fault.message for fault in faults(node_of(value), shape, Where("", "it"))]


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("abc", TEXT),
        ("abc", WORD),
        ("red", CHOICE),
        ({"key": "ab"}, MAP),
        ({"key": "ab", "size": 1.5}, MAP),
        ([1, 2], Shape("list", parts=(Shape("integer"),))),
        (2.0, Shape("integer")),
        ({"i18n": "a.b"}, Shape("text")),
        ("plain", Shape("text")),
        ({"x": 1}, Shape("map", values=Shape("any"))),
        (True, Shape("boolean")),
        (None, Shape("any")),
        ("red", Shape("either", parts=(Shape("number"), CHOICE))),
    ],
)
def test_what_has_the_shape_has_no_fault(value: object, shape: Shape) -> None:
    assert messages(value, shape) == []


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        ("a", TEXT, "`it` must have at least 2 characters."),
        ("abcde", TEXT, "`it` must have at most 4 characters."),
        (5, TEXT, "`it` must be text, not `5`."),
        ([], TEXT, "`it` must be text, not a list."),
        ({}, TEXT, "`it` must be text, not a map."),
        (None, TEXT, "`it` must be text, not empty."),
        ("a b", WORD, "`it` is `a b`, which does not match `^[a-z]+$`."),
        ("ab\n", WORD, "`it` is `ab\\n`, which does not match `^[a-z]+$`."),
        ("blue", CHOICE, "`it` is `blue`; allowed: `red`, `green`."),
        (1, CHOICE, "`it` must be one of `red`, `green`, not `1`."),
        (True, Shape("number"), "`it` must be a number, not `true`."),
        (1.5, Shape("integer"), "`it` must be a whole number, not `1.5`."),
        (1, Shape("number", minimum=2), "`it` must be at least 2."),
        (1, Shape("boolean"), "`it` must be true or false, not `1`."),
        ({}, MAP, "`it` lacks `key`."),
        ({"key": "ab", "colour": 1}, MAP, "`it` may not have `colour`."),
        ({"key": "ab", "size": "x"}, MAP, "`it.size` must be a number, not `x`."),
        ([], Shape("list", minimum=1), "`it` must have at least 1 entries."),
        (["x"], Shape("list", parts=(Shape("number"),)), "`it[0]` must be a number, not `x`."),
        ({}, Shape("map", some=("a", "b")), "`it` needs at least one of `a`, `b`."),
        ({"i18n": 1}, Shape("text"), "`it.i18n` must be text, not `1`."),
        (
            {"A": 1},
            Shape("map", keys=WORD, values=Shape("any")),
            "`it.A` is `A`, which does not match `^[a-z]+$`.",
        ),
    ],
)
def test_a_fault_says_what_is_wrong(value: object, shape: Shape, message: str) -> None:
    assert messages(value, shape) == [message]


def test_of_several_ways_the_nearest_is_reported() -> None:
    either = Shape("either", parts=(Shape("string"), MAP))
    assert messages({"key": "ab", "colour": 1}, either) == ["`it` may not have `colour`."]


def test_if_no_way_has_the_kind_all_are_named() -> None:
    either = Shape("either", parts=(Shape("string"), MAP))
    assert messages(5, either) == ["`it` must be text or a map, not `5`."]


def test_a_wrong_word_weighs_more_than_a_missing_key() -> None:
    first = Shape("map", required={"type": Shape("choice", words=("a",))})
    second = Shape("map", required={"type": Shape("choice", words=("b",)), "more": TEXT})
    either = Shape("either", parts=(first, second))
    assert messages({"type": "b"}, either) == ["`it` lacks `more`."]


@pytest.mark.parametrize(
    ("value", "shape", "hint"),
    [
        ({"kee": "ab"}, MAP, "Did you mean `key`?"),
        ({"key": "ab", "zzzzzz": 1}, MAP, "It may have `key`, `size`."),
        ("gren", CHOICE, "Did you mean `green`?"),
        (5, TEXT, "Quote it: `'5'`."),
    ],
)
def test_a_hint_says_how_to_mend_it(value: object, shape: Shape, hint: str) -> None:
    assert hint in [fault.hint for fault in faults(node_of(value), shape, Where("x"))]


def test_a_shape_can_be_put_in_words() -> None:
    assert describe(Shape("choice", words=("a",))) == "`a`"
    assert (
        describe(Shape("either", parts=(TEXT, TEXT, Shape("boolean")))) == "text or true or false"
    )
