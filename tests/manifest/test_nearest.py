import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.manifest.nearest import edit_distance, nearest
from runtime.manifest.tables import scopes

WORDS = st.text("abc", max_size=6)


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [("", "", 0), ("abc", "abc", 0), ("kitten", "sitting", 3), ("flaw", "lawn", 2)],
)
def test_distance_is_levenshteins(left: str, right: str, distance: int) -> None:
    assert edit_distance(left, right, 10) == distance


@given(WORDS, WORDS)
def test_distance_is_symmetric_and_never_over_the_longer_word(left: str, right: str) -> None:
    distance = edit_distance(left, right, 10)
    assert distance == edit_distance(right, left, 10)
    assert distance <= max(len(left), len(right))


@given(WORDS, WORDS, st.integers(0, 6))
def test_a_limit_only_cuts_off(left: str, right: str, limit: int) -> None:
    exact = edit_distance(left, right, 10)
    assert edit_distance(left, right, limit) == (exact if exact <= limit else limit + 1)


def test_the_nearest_scope_comes_first() -> None:
    assert nearest("read:jira-works", scopes().names)[0] == "read:jira-work"
    assert nearest("reed:issue:jira", scopes().names)[0] == "read:issue:jira"


def test_nothing_is_near_to_something_else_altogether() -> None:
    assert nearest("zzzzzzzz", ["read:jira-work", "main"]) == ()


def test_an_endless_name_is_no_typing_mistake() -> None:
    assert nearest("a" * 1000, ["a" * 999]) == ()
