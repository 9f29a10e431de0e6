import pytest
from sqlalchemy import insert, update

from runtime.jira import schema
from runtime.jira.configuration import touch
from tests.jira.worlds import World

API = "/rest/api/3/"


def keys(world: World, path: str, as_: str | None) -> list[str]:
    body = world.get(API + path, as_=as_).json
    values = body["values"] if isinstance(body, dict) else body
    return [project["key"] for project in values]


def test_a_project_is_found_by_id_and_by_key_and_keys_are_case_sensitive(world: World) -> None:
    by_key = world.get(API + "project/PUB")
    assert by_key.status == 200
    assert world.get(API + "project/10000").body == by_key.body
    assert world.get(API + "project/pub").status == 404


def test_a_project_has_the_members_that_clients_read(world: World) -> None:
    project = world.get(API + "project/VAULT", as_="vera").json
    assert project["lead"]["displayName"] == "Paul Projectadmin"
    assert [kind["name"] for kind in project["issueTypes"]][:2] == ["Epic", "Story"]
    assert project["roles"]["Developers"].endswith("/rest/api/3/project/10002/role/10001")
    assert project["avatarUrls"].keys() == {"16x16", "24x24", "32x32", "48x48"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_hidden_project_answers_like_a_missing_one(world: World, method: str) -> None:
    for who in (None, "otto", "dora"):
        hidden = world.request(method, API + "project/TEAM", {"name": "x"}, as_=who)
        missing = world.request(method, API + "project/MEAT", {"name": "x"}, as_=who)
        assert hidden.status == 404
        assert hidden.body.replace(b"TEAM", b"MEAT") == missing.body
        assert hidden.rule == missing.rule


def test_a_list_shows_what_one_may_browse_or_administer(world: World) -> None:
    assert keys(world, "project", None) == ["PUB"]
    assert keys(world, "project", "otto") == ["PUB"]
    assert keys(world, "project", "vera") == ["PUB", "TEAM", "VAULT"]
    assert keys(world, "project", "amy") == ["PUB"]


def test_a_search_shows_administrators_every_project(world: World) -> None:
    assert keys(world, "project/search", "amy") == ["PUB", "TEAM", "VAULT"]
    assert keys(world, "project/search?action=browse", "amy") == ["PUB"]
    assert keys(world, "project/search?action=edit", "dana") == []
    assert keys(world, "project/search?action=create", "dana") == ["PUB", "TEAM", "VAULT"]
    assert keys(world, "project/search?action=create", None) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("query=vau", ["VAULT"]),
        ("query=ROADMAP", ["PUB"]),
        ("keys=TEAM&keys=PUB", ["PUB", "TEAM"]),
        ("id=10002&id=10001", ["TEAM", "VAULT"]),
        ("typeKey=business", []),
        ("typeKey=business,software", ["PUB", "TEAM", "VAULT"]),
        ("categoryId=1", []),
        ("orderBy=-key", ["VAULT", "TEAM", "PUB"]),
        ("orderBy=name", ["PUB", "VAULT", "TEAM"]),
        ("status=archived", []),
    ],
)
def test_a_search_filters_and_orders(world: World, query: str, found: list[str]) -> None:
    assert keys(world, f"project/search?{query}", "paul") == found


@pytest.mark.parametrize("query", ["orderBy=size", "action=eat", "status=gone", "id=x"])
def test_a_search_refuses_values_that_it_does_not_know(world: World, query: str) -> None:
    assert world.get(f"{API}project/search?{query}").status == 400


def test_a_search_takes_at_most_fifty_keys(world: World) -> None:
    query = "&".join(f"keys=K{number}" for number in range(51))
    assert world.get(f"{API}project/search?{query}").status == 400


def test_pages_are_linked_and_clamped(world: World) -> None:
    first = world.get(API + "project/search?maxResults=2&startAt=-5&query=a", as_="amy").json
    assert (first["startAt"], first["maxResults"], first["total"]) == (0, 2, 3)
    assert first["isLast"] is False
    assert first["nextPage"].endswith("/project/search?query=a&startAt=2&maxResults=2")
    last = world.get(API + "project/search?startAt=2&maxResults=2000", as_="amy").json
    assert (last["maxResults"], last["isLast"], len(last["values"])) == (100, True, 1)
    assert "nextPage" not in last
    assert world.get(API + "project/search?maxResults=0").json["maxResults"] == 1


def test_expand_adds_what_is_asked_for(world: World) -> None:
    path = API + "project/search?expand=description,lead,issueTypes,url,permissions,insight"
    shown = world.get(path, as_="paul").json["values"][0]
    assert shown["permissions"] == {"canEdit": True}
    assert shown["insight"]["totalIssueCount"] == 16
    assert shown["lead"]["displayName"] == "Paul Projectadmin"
    plain = world.get(API + "project/search", as_="paul").json["values"][0]
    assert not {"lead", "insight", "description", "issueTypes"} & plain.keys()


def test_the_insight_of_a_project_without_issues_has_no_date(world: World) -> None:
    body = {"key": "NEW", "name": "New", "leadAccountId": world.account("amy").account_id}
    assert world.post(API + "project", body, as_="amy").status == 201
    project = world.get(API + "project/NEW?expand=insight", as_="amy").json
    assert project["insight"] == {"totalIssueCount": 0}


def test_statuses_follow_the_workflow_of_each_type(world: World) -> None:
    kinds = world.get(API + "project/PUB/statuses").json
    assert [kind["name"] for kind in kinds] == ["Epic", "Story", "Task", "Bug", "Subtask"]
    names = [status["name"] for status in kinds[0]["statuses"]]
    assert names == ["To Do", "In Progress", "In Review", "Done"]
    assert kinds[0]["statuses"][0]["statusCategory"]["key"] == "new"


def test_security_levels_are_for_those_who_may_set_them(world: World) -> None:
    def levels(who: str | None, project: str = "VAULT") -> list[str]:
        answer = world.get(f"{API}project/{project}/securitylevel", as_=who)
        return [level["name"] for level in answer.json["levels"]]

    assert levels("paul") == ["Staff", "Lead only"]
    assert levels("dana") == ["Staff", "Lead only"]
    assert levels("vera") == []
    assert levels("paul", "PUB") == []


def test_the_security_scheme_is_for_those_who_administer(world: World) -> None:
    path = API + "project/VAULT/issuesecuritylevelscheme"
    scheme = world.get(path, as_="paul").json
    assert [level["name"] for level in scheme["levels"]] == ["Staff", "Lead only"]
    assert world.get(path, as_="vera").rule == "permission.ADMINISTER_PROJECTS"
    assert world.get(API + "project/PUB/issuesecuritylevelscheme", as_="paul").status == 404


def test_project_types_are_the_same_for_everybody(world: World) -> None:
    kinds = [kind["key"] for kind in world.get(API + "project/type").json]
    assert kinds == ["software", "service_desk", "business"]
    assert len(world.get(API + "project/type/accessible").json) == 1
    assert world.get(API + "project/type/business").json["formattedKey"] == "Business"
    assert world.get(API + "project/type/hobby").status == 404
    assert world.get(API + "project/type/software/accessible", as_="vera").status == 200
    assert world.get(API + "project/type/business/accessible", as_="vera").status == 404
    assert world.get(API + "project/type/software/accessible").status == 401


def test_a_property_is_written_read_and_deleted_by_who_administers(world: World) -> None:
    path = API + "project/PUB/properties/app.state"
    assert world.put(path, {"n": [1, 2]}, as_="paul").status == 201
    assert world.put(path, {"n": [3]}, as_="paul").status == 200
    assert world.get(path).json == {"key": "app.state", "value": {"n": [3]}}
    listed = world.get(API + "project/PUB/properties").json["keys"]
    assert [one["key"] for one in listed] == ["app.state"]
    shown = world.get(API + "project/PUB?properties=app.state").json
    assert shown["properties"] == {"app.state": {"n": [3]}}
    assert world.delete(path, as_="dana").status == 403
    assert world.delete(path, as_="paul").status == 204
    assert world.delete(path, as_="paul").status == 404
    assert world.get(path).status == 404


def test_a_project_shows_its_category_and_can_lose_it(world: World) -> None:
    with world.engine.begin() as connection:
        connection.execute(
            insert(schema.project_category_table).values(
                id=10000, cloud_id=world.cloud_id, name="Shops", description="All shops."
            )
        )
        touch(connection, world.cloud_id)
    path = API + "project/PUB"
    assert world.put(path, {"categoryId": "10000"}, as_="paul").status == 200
    assert world.get(path).json["projectCategory"]["name"] == "Shops"
    assert keys(world, "project/search?categoryId=10000", None) == ["PUB"]
    assert keys(world, "project/search?categoryId=10000&orderBy=-category", "paul") == ["PUB"]
    assert "projectCategory" not in world.put(path, {"categoryId": -1}, as_="paul").json


def test_a_security_scheme_names_its_default_level(world: World) -> None:
    with world.engine.begin() as connection:
        connection.execute(update(schema.security_scheme_table).values(default_level_id=10000))
        touch(connection, world.cloud_id)
    scheme = world.get(API + "project/VAULT/issuesecuritylevelscheme", as_="paul").json
    assert scheme["defaultSecurityLevelId"] == 10000
