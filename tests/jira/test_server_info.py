from tests.jira.worlds import World


def test_anybody_may_ask_which_server_this_is(world: World) -> None:
    answer = world.get("/rest/api/2/serverInfo")
    assert answer.status == 200
    assert answer.json["deploymentType"] == "Cloud"
    assert answer.json["versionNumbers"] == [1001, 0, 0]
    assert answer.json["serverTime"] == "2026-01-05T09:00:00.000+0000"


def test_myself_is_the_caller_with_groups_on_demand(world: World) -> None:
    answer = world.get("/rest/api/3/myself?expand=groups", as_="amy")
    names = [group["name"] for group in answer.json["groups"]["items"]]
    assert names == ["jira-administrators", "jira-software-users", "site-admins"]
    assert answer.json["applicationRoles"] == {"size": 1, "items": []}
    assert answer.json["emailAddress"] == "amy@acme.example"
    assert answer.header("x-aaccountid") == answer.json["accountId"].replace(":", "%3A")


def test_myself_needs_a_login(world: World) -> None:
    assert world.get("/rest/api/3/myself").status == 401
