"""People and groups: who may look at whom."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.jira.worlds import World, make_world

WORLD = make_world()
API = "/rest/api/3"
DANA = quote(WORLD.account("dana").account_id)
OTTO = quote(WORLD.account("otto").account_id)


def get(path: str, as_: str | None = "dana") -> Any:
    answer = WORLD.get(f"{API}/{path}", as_=as_)
    assert answer.status == 200, answer.body
    return answer.json


def names(people: Any) -> list[str]:
    return [one["displayName"].partition(" ")[0] for one in people]


def test_an_account_is_shown_with_groups_on_demand() -> None:
    user = get(f"user?accountId={DANA}&expand=groups,applicationRoles", "vera")
    assert user["displayName"] == "Dana Developer"
    assert [one["name"] for one in user["groups"]["items"]] == ["jira-software-users"]
    assert user["applicationRoles"]["items"][0]["key"] == "jira-software"
    assert "emailAddress" not in user
    assert get(f"user?accountId={DANA}")["emailAddress"] == "dana@acme.example"
    assert get(f"user?accountId={DANA}")["groups"] == {"size": 1, "items": []}


@pytest.mark.hostile
@pytest.mark.parametrize("path", ["user", "user/groups"])
def test_looking_at_people_takes_the_permission(path: str) -> None:
    assert WORLD.get(f"{API}/{path}?accountId={DANA}", as_="otto").status == 403
    assert WORLD.get(f"{API}/{path}?accountId=nope", as_="otto").status == 403
    assert WORLD.get(f"{API}/{path}?accountId={DANA}").status == 401
    assert WORLD.get(f"{API}/{path}?accountId={OTTO}", as_="otto").status == 200
    assert WORLD.get(f"{API}/{path}?accountId=nope", as_="dana").status == 404
    assert WORLD.get(f"{API}/{path}", as_="dana").status == 400


def test_groups_of_an_account() -> None:
    amy = quote(WORLD.account("amy").account_id)
    groups = get(f"user/groups?accountId={amy}")
    assert [one["name"] for one in groups] == [
        "jira-administrators",
        "jira-software-users",
        "site-admins",
    ]


def test_people_are_found_by_the_beginning_of_a_name() -> None:
    assert names(get("user/search?query=d")) == ["Dana", "Dora"]
    assert names(get("user/search?query=dev%20dan".replace("%20", " "))) == ["Dana"]
    assert names(get("user/search?query=dana@")) == ["Dana"]
    assert get("user/search?query=vera@") == []
    for name in ("accountId", "query"):
        assert names(get(f"user/search?{name}={OTTO}")) == ["Otto"]
    assert names(get("user/search?query=&maxResults=1&startAt=1")) == ["Dana"]
    assert WORLD.get(f"{API}/user/search", as_="dana").status == 400


@pytest.mark.hostile
def test_a_search_without_the_permission_finds_nobody() -> None:
    for as_ in ("otto", None):
        assert get("user/search?query=d", as_) == []
        assert get("user/assignable/search?project=PUB", as_) == []
    for path in ("users/search", "users"):
        assert WORLD.get(f"{API}/{path}", as_="otto").status == 403
        assert len(get(path)) == 6


def test_several_accounts_at_once() -> None:
    page = get(f"user/bulk?accountId={DANA}&accountId={OTTO}&accountId=nope", "otto")
    assert names(page["values"]) == ["Dana", "Otto"]
    assert WORLD.get(f"{API}/user/bulk", as_="otto").status == 400


def test_assignable_people_are_those_of_the_project() -> None:
    assert names(get("user/assignable/search?project=TEAM")) == ["Dana", "Paul"]
    assert names(get("user/assignable/search?issueKey=PUB-1&query=ver")) == ["Vera"]
    assert WORLD.get(f"{API}/user/assignable/search?project=NONE", as_="dana").status == 404
    assert WORLD.get(f"{API}/user/assignable/search?issueKey=TEAM-1", as_="otto").status == 404
    assert WORLD.get(f"{API}/user/assignable/search", as_="dana").status == 400


def test_groups_and_their_people() -> None:
    group = get("group?groupname=jira-software-users&expand=users")
    assert group["users"]["size"] == 4
    by_id = get(f"group?groupId={group['groupId']}")
    assert by_id["users"]["items"] == []
    members = get("group/member?groupname=jira-software-users&includeInactiveUsers=true")
    assert members["total"] == 5
    assert WORLD.get(f"{API}/group?groupname=nope", as_="dana").status == 404
    assert WORLD.get(f"{API}/group", as_="dana").status == 400
    assert WORLD.get(f"{API}/group?groupname=site-admins", as_="otto").status == 403


def test_the_pickers_mark_what_was_found(world: World) -> None:
    found = get("groups/picker?query=ADMIN&exclude=site-admins")
    assert [one["name"] for one in found["groups"]] == [
        "atlassian-addons-admin",
        "jira-administrators",
    ]
    assert found["groups"][0]["html"] == "atlassian-addons-<b>admin</b>"
    assert get("groups/picker?query=admin", "otto")["groups"] == []
    assert get("groups/picker?query=site-admins", "otto")["total"] == 1
    assert get("groups/picker?query=site-admins", None)["total"] == 0
    answer = world.get(f"{API}/groupuserpicker?query=d", as_="dana")
    assert [one["html"] for one in answer.json["users"]["users"]] == ["<b>D</b>ana Developer"]
    assert world.get(f"{API}/groupuserpicker?query=d", as_="otto").status == 403


def test_the_picker_of_people_finds_names_and_leaves_out_who_is_named() -> None:
    found = get("user/picker?query=d&showAvatar=true", "vera")
    assert found["header"] == "Showing 1 of 1 matching users"
    (dana,) = found["users"]
    assert dana["html"] == "<b>D</b>ana Developer"
    assert dana["avatarUrl"].startswith("http")
    assert "avatarUrl" not in get("user/picker?query=d")["users"][0]
    assert get(f"user/picker?query=d&excludeAccountIds=x,{DANA}")["total"] == 0
    assert get("user/picker?query=d&maxResults=0") == {
        "users": [], "total": 1, "header": "Showing 0 of 1 matching users",
    }  # fmt: skip
    assert WORLD.get(f"{API}/user/picker", as_="dana").status == 400
    twice = f"{API}/user/picker?query=d&exclude=x&excludeAccountIds=y"
    assert WORLD.get(twice, as_="dana").status == 400


@pytest.mark.hostile
@pytest.mark.parametrize("who", ["otto", None])
def test_the_picker_shows_those_who_may_not_browse_an_exact_name_alone(who: str | None) -> None:
    assert get("user/picker?query=dana", who)["users"] == []
    assert get("user/picker?query=Dana%20Developer".replace("%20", " "), who)["total"] == 1
