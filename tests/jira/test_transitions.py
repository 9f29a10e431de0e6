"""Transitions: what is offered to whom, and what taking one does."""

from typing import Any

import pytest
from sqlalchemy import update

from runtime.jira.adf import document, paragraph, text
from runtime.jira.configuration import touch
from runtime.jira.schema import transition_table
from tests.jira.worlds import World, make_world

READ = make_world()  # for tests that only read
HELLO = document(paragraph(text("done")))


def path(key: str, version: int = 3) -> str:
    return f"/rest/api/{version}/issue/{key}/transitions"


def offered(world: World, key: str, as_: str | None) -> list[str]:
    return [one["name"] for one in world.get(path(key), as_=as_).json["transitions"]]


def take(world: World, key: str, transition: Any, as_: str | None = "dana", **more: Any) -> Any:
    return world.post(path(key), {"transition": {"id": transition}, **more}, as_=as_)


@pytest.mark.parametrize(
    ("key", "as_", "names"),
    [
        ("PUB-4", "paul", ["Approve", "Send back"]),
        ("PUB-4", "dana", ["Send back"]),
        ("PUB-4", "vera", []),
        ("PUB-4", None, []),
        ("PUB-3", "dana", ["Start"]),
        ("PUB-6", "dana", ["Reopen"]),
    ],
)
def test_transitions_are_offered_to_those_who_may_take_them(
    key: str, as_: str | None, names: list[str]
) -> None:
    assert offered(READ, key, as_) == names


def test_a_transition_shows_where_it_leads_and_what_it_asks() -> None:
    query = "?expand=transitions.fields&transitionId=31"
    (approve,) = READ.get(path("PUB-4") + query, as_="paul").json["transitions"]
    assert approve["to"]["statusCategory"]["key"] == "done"
    assert (approve["hasScreen"], approve["isConditional"]) == (True, True)
    values = approve["fields"]["resolution"]["allowedValues"]
    assert [one["name"] for one in values][:2] == ["Done", "Won't Do"]
    shown = READ.get(path("PUB-4") + "?includeUnavailableTransitions=true", as_="dana").json
    assert [one["isAvailable"] for one in shown["transitions"]] == [False, True]


@pytest.mark.parametrize("transition", ["11", 11])
def test_a_transition_is_taken_by_text_or_number(world: World, transition: Any) -> None:
    assert take(world, "PUB-3", transition).status == 204
    fields = world.get("/rest/api/3/issue/PUB-3").json["fields"]
    assert fields["status"]["name"] == "In Progress"
    assert fields["updated"] == "2026-01-05T09:00:00.000+0000"
    (history,) = world.get("/rest/api/3/issue/PUB-3/changelog").json["values"]
    (item,) = history["items"]
    assert (item["field"], item["fromString"], item["toString"]) == (
        "status",
        "To Do",
        "In Progress",
    )


def test_resolving_and_reopening(world: World) -> None:
    assert take(world, "PUB-4", "31", "paul").status == 204
    fields = world.get("/rest/api/3/issue/PUB-4").json["fields"]
    assert fields["resolution"]["name"] == "Done"
    assert fields["resolutiondate"] == "2026-01-05T09:00:00.000+0000"
    assert take(world, "PUB-4", "61", "dana").status == 204
    fields = world.get("/rest/api/3/issue/PUB-4").json["fields"]
    assert (fields["resolution"], fields["resolutiondate"]) == (None, None)


def test_a_screen_takes_the_resolution_and_a_comment(world: World) -> None:
    more = {
        "fields": {"resolution": {"name": "Duplicate"}},
        "update": {"comment": [{"add": {"body": HELLO}}]},
    }
    assert take(world, "PUB-4", "31", "paul", **more).status == 204
    fields = world.get("/rest/api/3/issue/PUB-4").json["fields"]
    assert fields["resolution"]["name"] == "Duplicate"
    assert fields["comment"]["comments"][-1]["body"] == HELLO


@pytest.mark.parametrize(
    ("transition", "more", "error"),
    [
        ("11", {"fields": {"resolution": {"name": "Done"}}}, "Field 'resolution' cannot be set."),
        ("11", {"fields": {"summary": "x"}}, "Field 'summary' cannot be set."),
        ("99", {}, "Transition id '99' is not valid for this issue."),
        ("x", {}, "Transition id 'x' is not valid for this issue."),
        (None, {}, "Missing 'transition' identifier"),
        (True, {}, "Missing 'transition' identifier"),
        ({}, {}, "Missing 'transition' identifier"),
    ],
)
def test_wrong_transitions_are_refused(transition: Any, more: Any, error: str) -> None:
    answer = take(READ, "PUB-3", transition, **more)
    assert answer.status == 400
    assert error in answer.errors[0]
    assert offered(READ, "PUB-3", "dana") == ["Start"]


def test_a_wrong_resolution_is_refused() -> None:
    answer = take(READ, "PUB-4", "31", "paul", fields={"resolution": {"name": "Nope"}})
    assert answer.errors == ["The resolution selected is invalid."]


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("what", "as_", "answered"),
    [
        ("PUB-4 31", "dana", (400, "workflow.not-offered")),
        ("PUB-4 31", "amy", (204, "allowed")),
        ("PUB-3 11", "vera", (400, "permission.TRANSITION_ISSUES")),
        ("PUB-3 11", None, (401, "caller.anonymous")),
        ("TEAM-5 31", "amy", (404, "entity.hidden-or-missing")),
    ],
)
def test_a_guarded_transition_holds(
    world: World, what: str, as_: str | None, answered: tuple[int, str]
) -> None:
    key, transition = what.split()
    answer = take(world, key, transition, as_)
    assert (answer.status, answer.rule) == answered


@pytest.mark.hostile
def test_a_transition_that_is_not_offered_looks_like_one_that_does_not_exist() -> None:
    guarded, missing = take(READ, "PUB-4", "31", "dana"), take(READ, "PUB-4", "32", "dana")
    assert guarded.body.replace(b"31", b"32") == missing.body


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("kind", "value", "takers"),
    [
        ("group", "jira-administrators", {"amy"}),
        ("group", "no such group", set()),
        ("permission", "MODIFY_REPORTER", {"amy", "paul"}),
        ("permission", "NO_SUCH_PERMISSION", set()),
        ("something.new", "x", set()),
    ],
)
def test_every_kind_of_condition_holds(
    world: World, kind: str, value: str, takers: set[str]
) -> None:
    group = world.site().find_group(value)
    condition = {"type": kind, "value": value if group is None else group.group_id}
    with world.engine.begin() as connection:
        change = update(transition_table).where(transition_table.c.id == 11)
        connection.execute(change.values(conditions=[condition]))
        touch(connection, world.cloud_id)
    people = ("amy", "paul", "dana", "vera", "otto")
    assert {as_ for as_ in people if "Start" in offered(world, "PUB-3", as_)} == takers
