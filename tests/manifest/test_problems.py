from runtime.manifest.problems import Problem, in_order, listed, printable, quoted


def test_the_text_form_has_place_level_rule_message_and_an_indented_hint() -> None:
    problem = Problem("manifest.yml", 3, 5, "error", "some-rule", "It is wrong.", "Mend it.")
    assert problem.text() == "manifest.yml:3:5  error  some-rule  It is wrong.\n    Mend it."


def test_without_a_hint_it_is_one_line() -> None:
    assert "\n" not in Problem("m", 1, 1, "warning", "r", "x").text()


def test_nothing_that_a_terminal_acts_on_is_written() -> None:
    hostile = "a\x1b[2Jb\x9bc\rd\ne\u202ef\u2028g"
    problem = Problem(hostile, 1, 1, "error", "r", hostile, hostile)
    assert problem.text().replace("\n    ", "").isprintable()
    assert str(problem.as_json()["message"]).isprintable()
    assert "\\x1b" in problem.text()


def test_printable_text_is_left_alone() -> None:
    assert printable("Grüße, 世界") == "Grüße, 世界"


def test_a_long_value_is_shortened_in_a_message() -> None:
    assert len(quoted("x" * 1000)) < 70


def test_values_are_quoted_as_yaml_writes_them() -> None:
    assert [quoted(v) for v in (None, True, False, 1, 1.5, "a")] == [
        "`null`", "`true`", "`false`", "`1`", "`1.5`", "`a`",
    ]  # fmt: skip


def test_a_long_list_says_how_many_are_left_out() -> None:
    assert listed(("a", "b", "c"), limit=2) == "`a`, `b` and 1 more"


def test_problems_are_ordered_by_place_and_each_is_there_once() -> None:
    first = Problem("m", 1, 2, "error", "r", "x")
    second = Problem("m", 2, 1, "error", "r", "x")
    assert in_order([second, first, second]) == (first, second)
