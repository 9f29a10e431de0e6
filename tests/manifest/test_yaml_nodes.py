import pytest

from runtime.manifest.nodes import Node, thaw
from runtime.manifest.problems import Position, Problem
from runtime.manifest.yaml_nodes import NODE_LIMIT, SIZE_LIMIT_BYTES, compose, decode


def root(text: str) -> Node:
    composed = compose(text, "m.yml")
    assert composed.root is not None, composed.problems
    assert composed.problems == ()
    return composed.root


def only(text: str) -> Problem:
    (problem,) = compose(text, "m.yml").problems
    return problem


def test_every_value_and_key_knows_where_it_stands() -> None:
    node = root("app:\n  id: x\nlist:\n  - a\n  - {b: 1}\n")
    assert node.at("app") == Position(1, 1)
    assert node.at("app", "id") == Position(2, 3)
    identity, items = node.get("app", "id"), node.get("list")
    assert identity is not None
    assert identity.position == Position(2, 7)
    assert items is not None
    assert [item.position for item in items.items] == [Position(4, 5), Position(5, 5)]
    assert items.items[1].at("b") == Position(5, 6)


def test_a_missing_key_is_placed_at_the_nearest_place_above_it() -> None:
    assert root("app:\n  id: x\n").at("app", "runtime", "name") == Position(1, 1)


def test_columns_count_characters_not_bytes() -> None:
    assert root("{é: 1, b: 2}").at("b") == Position(1, 8)


def test_plain_scalars_mean_what_yaml_1_2_says() -> None:
    text = "[no, on, 12:30, 2024-01-01, 010, 0o10, 0x1F, 1e3, .5, ~, true, '1', -.inf]"
    assert thaw(root(text).plain()) == [
        "no", "on", "12:30", "2024-01-01", 10, 8, 31, 1000.0, 0.5, None, True, "1", float("-inf"),
    ]  # fmt: skip


def test_a_core_tag_says_what_a_scalar_is() -> None:
    text = "[!!str 5, !!int '5', !!null '', !!bool true, ! 5]"
    assert thaw(root(text).plain()) == ["5", 5, None, True, "5"]


def test_a_number_of_a_million_digits_is_text() -> None:
    assert isinstance(root("9" * 1_000_000).value, str)


def test_keys_are_text_whatever_they_look_like() -> None:
    assert list(root("{1: a, true: b, ~: c, 1.5: d}").entries) == ["1", "true", "", "1.5"]


def test_a_duplicate_key_is_an_error_at_its_second_place_and_names_the_first() -> None:
    problem = only("a: 1\nb: 2\na: 3\n")
    assert (problem.line, problem.column, problem.rule) == (3, 1, "valid-yaml-required")
    assert "`a`" in problem.message
    assert "line 1" in problem.hint


def test_an_endless_row_of_duplicate_keys_is_cut_short() -> None:
    problems = compose("a: 1\n" * 100, "m.yml").problems
    assert problems[-1].rule == "firebrick/too-many-problems"
    assert len(problems) < 30


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("a:\n\tb: 1\n", (2, 1), "spaces"),
        ("a:\n  - b\n  c\n", (3, 3), "key: value"),
        ("a: b: c\n", (1, 5), "Quote"),
        ('a:\n  id: "x\n modules: [\n', (2, 7), "closed"),
        ("a: @b\n", (1, 4), "Quote"),
        ("a: {b: 1\n", (2, 1), ""),
        ("a: *nobody\n", (1, 4), ""),
        ("? [a]\n: b\n", (1, 3), ""),
        ("a: !!python/object:os.system x\n", (1, 4), "Remove the tag"),
        ("a: !!int x\n", (1, 4), "Remove the tag"),
        ("!!set {a}\n", (1, 1), "Remove the tag"),
        ("a: 1\n---\nb: 2\n", (2, 1), "---"),
    ],
)
def test_broken_yaml_is_one_located_problem(text: str, place: tuple[int, int], hint: str) -> None:
    problem = only(text)
    assert (problem.rule, problem.level) == ("valid-yaml-required", "error")
    assert (problem.line, problem.column) == place
    assert hint in problem.hint


def test_an_alias_stands_for_its_anchor_at_the_place_of_the_alias() -> None:
    node = root("a: &x [1, 2]\nb: *x\n")
    assert thaw(node.plain()) == {"a": [1, 2], "b": [1, 2]}
    alias = node.get("b")
    assert alias is not None
    assert alias.position == Position(2, 4)


def test_a_merge_key_is_no_magic() -> None:
    assert list(root("a: &x {b: 1}\nc: {<<: *x}\n").entries["c"].entries) == ["<<"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("&a [*a]", "firebrick/alias-cycle"),
        ("&a {b: {c: *a}}", "firebrick/alias-cycle"),
        ("[" * 65, "firebrick/too-deep"),
        ("- " * 65 + "x", "firebrick/too-deep"),
        (
            "a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40,
            "firebrick/too-deep",
        ),
        ("- x\n" * (NODE_LIMIT + 1), "firebrick/too-many-values"),
        ("a: &a " + "x" * 900_000 + "\nb: [" + "*a," * 9000 + "]", "firebrick/too-many-values"),
        ("a: \x00", "firebrick/not-text"),
        ("a: \x1b[2J", "firebrick/not-text"),
        ("a: \ud800", "firebrick/not-text"),
    ],
    ids=["cycle", "deep-cycle", "flow", "block", "aliased", "many", "long", "nul", "esc", "half"],
)
def test_what_no_manifest_needs_is_refused_by_a_rule_of_ours(text: str, rule: str) -> None:
    assert only(text).rule == rule


def test_an_alias_bomb_is_refused_before_it_is_built() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 30):
        row = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} [{row}]")
    assert only("\n".join(lines)).rule == "firebrick/too-many-values"


@pytest.mark.parametrize(
    ("raw", "rule", "place"),
    [
        (b"\xff\xfea\x00", "firebrick/not-utf-8", (1, 1)),
        (b"\xfe\xff\x00a", "firebrick/not-utf-8", (1, 1)),
        ("é: x\nab".encode() + b"\xffc", "firebrick/not-utf-8", (2, 3)),
        (b"\xed\xa0\x80", "firebrick/not-utf-8", (1, 1)),
        (b"x" * (SIZE_LIMIT_BYTES + 1), "firebrick/too-large", (1, 1)),
    ],
    ids=["utf-16-le", "utf-16-be", "latin-1", "surrogate", "large"],
)
def test_bytes_that_are_no_text_are_refused(raw: bytes, rule: str, place: tuple[int, int]) -> None:
    text, (problem,) = decode(raw, "m.yml")
    assert text is None
    assert (problem.rule, problem.level) == (rule, "error")
    assert (problem.line, problem.column) == place


def test_a_byte_order_mark_is_taken_off_with_a_warning() -> None:
    text, (problem,) = decode(b"\xef\xbb\xbfa: 1", "m.yml")
    assert text == "a: 1"
    assert (problem.rule, problem.level) == ("firebrick/byte-order-mark", "warning")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\n\n"])
def test_nothing_is_no_node_and_no_problem(text: str) -> None:
    composed = compose(text, "m.yml")
    assert (composed.root, composed.problems) == (None, ())
