import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.manifest.nodes import Node, node_of, thaw, to_json

SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@given(VALUES)
def test_a_plain_value_comes_back_from_its_nodes(value: object) -> None:
    assert thaw(node_of(value).plain()) == value


def test_canonical_json_does_not_depend_on_order() -> None:
    left, right = node_of({"a": 1, "b": [1.5, None]}), node_of({"b": [1.5, None], "a": 1})
    texts = [to_json(node.plain(), canonical=True) for node in (left, right)]
    assert texts == ['{"a":1,"b":[1.5,null]}'] * 2
    assert to_json(right.plain()) == '{"b":[1.5,null],"a":1}'


def test_json_has_no_numbers_that_json_lacks() -> None:
    assert to_json(node_of([float("inf"), float("nan")]).plain()) == '["inf","nan"]'


def test_frozen_values_cannot_be_written_to() -> None:
    plain = node_of({"a": {"b": 1}}).plain()
    with pytest.raises(TypeError):
        plain["a"] = 2  # type: ignore[index]  # the point of the test


def test_what_yaml_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        node_of({1, 2})


def test_walking_visits_every_node_once_from_the_top() -> None:
    node = node_of({"a": [1, 2], "b": {"c": 3}})
    assert [n.scalar for n in node.walk() if n.scalar is not None] == [1, 2, 3]
    assert len(list(node.walk())) == 6


def test_a_scalar_has_neither_entries_nor_items() -> None:
    node = Node("x")
    assert (dict(node.entries), node.items, node.get("a")) == ({}, (), None)
