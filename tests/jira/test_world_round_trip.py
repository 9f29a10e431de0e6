"""A site is read out of one database and built into another: it is the same site."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Engine, Table, select

from runtime.database import open_database
from runtime.identity.accounts import add_account, list_accounts
from runtime.ids import Ids
from runtime.jira import schema
from runtime.jira.world import default_people, default_site
from runtime.jira.world_build import build_site
from runtime.jira.world_model import IssueEntry, SiteWorld
from runtime.jira.world_read import left_out, read_site
from runtime.jira.world_text import (
    day_text,
    document,
    document_text,
    moment_ms,
    moment_text,
    split_actor,
    split_holder,
)
from tests.jira.worlds import World

NOW_MS = 1_767_603_600_000
UNORDERED = {
    "account",
    "jira_group",
    "membership",
    "site_user",
    "global_permission",
    "application_access",
    "property",
}
LEFT_OUT = {"sequence", "changelog"}


def read(world: World) -> SiteWorld:
    """Read the world of a database."""
    with world.engine.connect() as connection:
        handles = {one.account_id: one.handle for one in list_accounts(connection)}
        return read_site(connection, world.cloud_id, handles)


def rebuild(world: World, site: SiteWorld) -> Engine:
    """Build a site into a fresh database that has the accounts of another."""
    engine = open_database("sqlite://")
    with world.engine.connect() as connection:
        accounts = list_accounts(connection)
    with engine.begin() as connection:
        for account in accounts:
            add_account(connection, account)
        ids = {one.handle: one.account_id for one in accounts}
        build_site(connection, Ids.seeded(9), NOW_MS, site, ids)
    return engine


def rows(engine: Engine) -> Iterator[tuple[str, list[str]]]:
    """Yield the rows of every table of the product."""
    tables = [table for table in vars(schema).values() if isinstance(table, Table)]
    with engine.connect() as connection:
        for table in tables:
            if table.name not in LEFT_OUT:
                columns = [one for one in table.columns if one.name != "revision"]
                found = [str(tuple(row)) for row in connection.execute(select(*columns))]
                yield table.name, sorted(found) if table.name in UNORDERED else found


def assert_same(world: World, *, numbers: bool = False) -> SiteWorld:
    """Read, build and read again; compare the two readings, and perhaps every row with its number.

    Where something was deleted, numbers are given out anew.
    """
    first = read(world)
    engine = rebuild(world, first)
    copy = World(engine, world.cloud_id, world.clock, world.ids)
    assert read(copy) == first
    if numbers:
        for (table, copied), (_, mine) in zip(rows(engine), rows(world.engine), strict=True):
            assert copied == mine, table
    engine.dispose()
    return first


def test_the_default_world_comes_back_row_by_row(world: World) -> None:
    site = assert_same(world, numbers=True)
    plain = default_site()
    assert [one.key for one in site.issues] == [one.key for one in plain.issues]
    assert [one.comments for one in site.issues if one.comments]
    assert site.permission_schemes[1:] == plain.permission_schemes[1:]
    assert site.workflows == plain.workflows


def test_what_was_written_over_rest_comes_back_too(world: World) -> None:
    world.clock.advance(1234.567)
    made = world.post(
        "/rest/api/3/issue",
        {
            "fields": {
                "project": {"key": "TEAM"},
                "issuetype": {"name": "Task"},
                "summary": "Made later",
                "labels": ["b", "a"],
                "description": document("one\n\nthree"),
            }
        },
        as_="dana",
    )
    assert made.status == 201
    key = made.json["key"]
    world.put(f"/rest/api/3/issue/{key}/properties/app.state", {"n": [1, None]}, as_="dana")
    world.put("/rest/api/3/project/TEAM/properties/app.state", "text", as_="paul")
    person = world.account_id("dana")
    world.put(f"/rest/api/3/user/properties/app.state?accountId={person}", {"u": 1}, as_="dana")
    world.put("/rest/api/3/issuetype/10001/properties/app.state", [1], as_="amy")
    rich = document("bold")
    rich["content"][0]["content"][0]["marks"] = [{"type": "strong"}]
    for who, body in (
        ("dana", {"body": document("for all")}),
        ("paul", {"body": rich, "visibility": {"type": "role", "value": "Administrators"}}),
        ("amy", {"body": document("x")}),
    ):
        world.post(f"/rest/api/3/issue/{key}/comment", body, as_=who)
    world.clock.advance(60)
    world.put(f"/rest/api/3/issue/{key}", {"fields": {"summary": "Changed"}}, as_="dana")
    world.post(f"/rest/api/3/issue/{key}/transitions", {"transition": {"id": "11"}}, as_="dana")
    world.delete("/rest/api/3/issue/TEAM-14", as_="paul")
    world.post(
        "/rest/api/3/project/TEAM/role/" + str(world.role_id("Viewers")),
        {"user": [world.account_id("otto")]},
        as_="paul",
    )
    site = assert_same(world)
    (issue,) = [one for one in site.issues if one.key == key]
    assert (issue.description, issue.labels) == ("one\n\nthree", ["a", "b"])
    assert issue.properties == {"app.state": {"n": [1, None]}}
    assert [one.body for one in issue.comments] == ["for all", rich]
    assert site.projects[1].properties == {"app.state": "text"}
    assert site.user_properties == {"dana": {"app.state": {"u": 1}}}
    assert [one.properties for one in site.issue_types if one.properties] == [{"app.state": [1]}]
    with world.engine.connect() as connection:
        assert left_out(connection, site) == {"changelog": 2}


def test_a_project_that_is_gone_is_left_out_and_said(world: World) -> None:
    assert world.delete("/rest/api/3/project/PUB", as_="amy").status == 204
    site = read(world)
    assert [one.key for one in site.projects] == ["TEAM", "VAULT"]
    assert {one.key.partition("-")[0] for one in site.issues} == {"TEAM", "VAULT"}
    with world.engine.connect() as connection:
        assert left_out(connection, site)["projects in the recycle bin"] == 1


def test_a_number_that_was_used_is_not_used_again(world: World) -> None:
    world.delete("/rest/api/3/issue/TEAM-14", as_="paul")
    site = assert_same(world)
    assert (site.projects[1].key, site.projects[1].last_number) == ("TEAM", 14)


def test_of_two_of_one_name_the_later_gets_its_number() -> None:
    engine = open_database("sqlite://")
    site = default_site()
    people = default_people()
    with engine.begin() as connection:
        for person in people:
            add_account(connection, person)
        handles = {one.account_id: one.handle for one in people}
        build_site(connection, Ids(), NOW_MS, site, {one.handle: one.account_id for one in people})
        statuses = schema.status_table
        connection.execute(
            statuses.update().where(statuses.c.name == "In Review").values(name="To Do")
        )
        names = [one.name for one in read_site(connection, site.cloud_id, handles).statuses]
    assert names == ["To Do", "In Progress", "To Do (10002)", "Done"]
    engine.dispose()


# ------------------------------------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("-1d", NOW_MS - 86_400_000),
        ("2h", NOW_MS + 7_200_000),
        ("-90s", NOW_MS - 90_000),
        ("5m", NOW_MS + 300_000),
        ("2026-01-05T09:00:00Z", NOW_MS),
        ("2026-01-05T10:00:00.500+01:00", NOW_MS + 500),
    ],
)
def test_times_are_absolute_or_count_from_the_clock(text: str, at_ms: int) -> None:
    assert moment_ms(text, NOW_MS) == at_ms
    assert moment_ms(moment_text(at_ms), 0) == at_ms


def test_days_likewise() -> None:
    assert [day_text(one, NOW_MS) for one in ("0d", "-5d", "2026-02-03")] == [
        "2026-01-05",
        "2025-12-31",
        "2026-02-03",
    ]


@pytest.mark.parametrize("text", ["2026-01-05T09:00:00", "2026-13-01T00:00:00Z"])
def test_a_time_without_a_zone_or_without_sense_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"zone|month"):
        moment_ms(text, NOW_MS)


@given(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])).map(str))
def test_plain_text_comes_back(text: str) -> None:
    assert document_text(document(text)) == text
    assert document_text(document(f"{text}\n\n{text}")) == f"{text}\n\n{text}"


@pytest.mark.parametrize(
    "body",
    [
        {"type": "doc", "version": 1, "content": []},
        {"type": "doc", "version": 1, "content": [{"type": "rule"}]},
        {"type": "doc", "version": 1, "content": [{"type": "heading", "content": []}]},
    ],
)
def test_a_document_that_is_more_than_text_stays_one(body: dict[str, Any]) -> None:
    assert document_text(body) == body
    assert document(body) == body


def test_holders_and_actors_are_a_kind_and_a_name() -> None:
    assert split_holder("anyone") == ("anyone", None)
    assert split_holder("projectRole Service Desk Team") == ("projectRole", "Service Desk Team")
    assert split_actor("group my group") == ("group", "my group")
    assert split_actor("dana") == ("user", "dana")


@pytest.mark.parametrize(
    "values",
    [
        {"key": "team-1", "summary": "x"},
        {"key": "TEAM-0", "summary": "x"},
        {"key": "TEAM-1", "summary": ""},
        {"key": "TEAM-1", "summary": "x", "color": "red"},
        {"key": "TEAM-1", "summary": "x", "created": "yesterday"},
        {"key": "TEAM-1", "summary": "x", "labels": ["two words"]},
    ],
)
def test_an_issue_that_cannot_be_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        IssueEntry.model_validate(values)
