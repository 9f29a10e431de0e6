"""The removed search: gone by default; where it is switched on, it shows what the new one shows."""

from urllib.parse import quote

import pytest

from runtime.jira.product import Jira
from tests.jira.worlds import TABLE, Answer, FakeAuthenticator, World, make_world

NEW = make_world()


def legacy() -> World:
    world = make_world()
    world.jira = Jira(
        world.engine, TABLE, FakeAuthenticator(), world.clock, world.ids, legacy_search=True
    )
    return world


OLD = legacy()
PEOPLE = ("amy", "paul", "dana", "vera", "otto", None)


def ask(jql: str, as_: str | None = "paul", version: int = 2, **body: object) -> Answer:
    return OLD.post(f"/rest/api/{version}/search", {"jql": jql, **body}, as_=as_)


def keys(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [issue["key"] for issue in answer.json["issues"]]


def test_the_old_search_is_gone() -> None:
    for version in (2, 3):
        for answer in (
            NEW.get(f"/rest/api/{version}/search?jql=x", as_="paul"),
            NEW.post(f"/rest/api/{version}/search", {"jql": "x"}, as_="paul"),
        ):
            assert (answer.status, answer.rule) == (410, "operation.removed")
            assert "/rest/api/3/search/jql" in answer.errors[0]


def test_a_page_says_where_it_stands_and_how_much_there_is() -> None:
    answer = ask("project = PUB order by key", startAt=4, maxResults=3, fields=["summary"]).json
    named = {name: answer[name] for name in ("expand", "startAt", "maxResults", "total")}
    assert named == {"expand": "schema,names", "startAt": 4, "maxResults": 3, "total": 16}
    assert [issue["key"] for issue in answer["issues"]] == ["PUB-5", "PUB-6", "PUB-7"]
    assert [list(issue["fields"]) for issue in answer["issues"]] == [["summary"]] * 3


def test_pages_join_to_the_whole() -> None:
    jql = "project = TEAM order by priority desc"
    whole = keys(ask(jql, maxResults=100))
    joined: list[str] = []
    while len(joined) < len(whole):
        joined += keys(ask(jql, startAt=len(joined), maxResults=5))
    assert joined == whole
    assert keys(ask(jql, startAt=len(whole))) == []


def test_without_names_of_fields_all_navigable_ones_are_shown() -> None:
    (issue,) = ask("key = PUB-1").json["issues"]
    assert {"summary", "status", "assignee"} <= set(issue["fields"])
    assert "comment" not in issue["fields"]
    (bare,) = ask("key = PUB-1", fields=["key"]).json["issues"]
    assert "fields" not in bare


@pytest.mark.parametrize("version", [2, 3])
def test_get_and_post_answer_alike(version: int) -> None:
    jql = "project = PUB and type = Bug order by created"
    query = f"jql={quote(jql)}&startAt=1&maxResults=2&fields=summary,description&expand=names"
    got = OLD.get(f"/rest/api/{version}/search?{query}", as_="paul")
    posted = ask(
        jql, version=version, startAt=1, maxResults=2, fields=["summary", "description"],
        expand=["names"],
    )  # fmt: skip
    assert got.json == posted.json
    assert got.json["names"] == {"summary": "Summary", "description": "Description"}
    kind = str if version == 2 else dict
    written = [issue["fields"]["description"] for issue in got.json["issues"]]
    assert all(isinstance(one, kind) for one in written if one is not None)


def test_a_query_need_not_restrict_its_search() -> None:
    everything = ask("", maxResults=0).json
    assert (everything["issues"], everything["maxResults"]) == ([], 0)
    assert OLD.get("/rest/api/2/search", as_="paul").json["total"] == everything["total"]
    assert ask("order by key").json["total"] == everything["total"] > 30


@pytest.mark.parametrize("start", [-1, 2**31, 2**70])
def test_numbers_beyond_the_bounds_are_drawn_into_them(start: int) -> None:
    answer = ask("project = PUB", startAt=start, maxResults=5_000)
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert 0 <= answer.json["startAt"] < 2**31
        assert answer.json["maxResults"] == 100
    assert ask("project = PUB", maxResults=-1).json["issues"] == []


def test_a_wrong_query_is_refused_whatever_is_to_be_validated() -> None:
    assert ask("colour = red", validateQuery="none").status == 400
    assert ask("project = PUB", colour="red").status == 400


@pytest.mark.hostile
@pytest.mark.parametrize("as_", PEOPLE)
def test_it_shows_and_counts_what_the_new_search_shows_and_no_more(as_: str | None) -> None:
    jql = "created is not EMPTY order by key"
    new = NEW.post(
        "/rest/api/3/search/jql", {"jql": jql, "maxResults": 5000, "fields": ["key"]}, as_=as_
    )
    old = ask(jql, as_, maxResults=100, fields=["key"])
    assert keys(old) == keys(new)
    assert old.json["total"] == len(keys(new))
