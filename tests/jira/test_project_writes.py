import pytest
from sqlalchemy import func, select

from runtime.jira import schema
from tests.jira.worlds import World

API = "/rest/api/3/"
PUB = API + "project/PUB"


def new_project(world: World, **members: object) -> dict[str, object]:
    lead = world.account("paul").account_id
    return {"key": "NEW", "name": "New", "leadAccountId": lead, **members}


@pytest.mark.parametrize("path", ["project/PUB", "project/PUB?expand=lead"])
def test_a_project_admin_changes_the_projects_own_members(world: World, path: str) -> None:
    dana = world.account("dana").account_id
    changes = {
        "name": "Roadmap",
        "description": "Where to.",
        "leadAccountId": dana,
        "assigneeType": "PROJECT_LEAD",
        "url": "https://acme.example/roadmap",
        "avatarId": 10401,
        "categoryId": -1,
    }
    project = world.put(API + path, changes, as_="paul").json
    assert project["name"] == "Roadmap"
    assert project["lead"]["accountId"] == dana
    assert project["assigneeType"] == "PROJECT_LEAD"
    assert project["url"] == "https://acme.example/roadmap"
    assert world.get(PUB).json["description"] == "Where to."


@pytest.mark.parametrize(
    ("who", "status", "rule"),
    [
        (None, 401, "permission.ADMINISTER_PROJECTS"),
        ("otto", 403, "permission.ADMINISTER_PROJECTS"),
        ("vera", 403, "permission.ADMINISTER_PROJECTS"),
        ("dana", 403, "permission.ADMINISTER_PROJECTS"),
        ("paul", 200, "allowed"),
        ("amy", 200, "allowed"),
    ],
)
def test_changing_a_visible_project_needs_administer_projects(
    world: World, who: str | None, status: int, rule: str
) -> None:
    answer = world.put(PUB, {"description": "x"}, as_=who)
    assert (answer.status, answer.rule) == (status, rule)
    if status == 401:
        assert (answer.header("www-authenticate") or "").startswith("OAuth realm=")


@pytest.mark.parametrize(
    "change",
    [
        {"key": "PUBLIC"},
        {"permissionScheme": 10000},
        {"issueSecurityScheme": 10000},
        {"notificationScheme": 1},
        {"releasedProjectKeys": ["X"]},
    ],
)
def test_key_and_schemes_need_administer_jira(world: World, change: dict[str, object]) -> None:
    answer = world.put(PUB, change, as_="paul")
    assert (answer.status, answer.rule) == (403, "permission.ADMINISTER")
    assert world.put(PUB, change, as_="amy").status in (200, 400)


def test_naming_the_key_and_the_scheme_it_has_changes_nothing(world: World) -> None:
    scheme = world.site().projects[10000].permission_scheme_id
    assert world.put(PUB, {"key": "PUB", "permissionScheme": scheme}, as_="paul").status == 200


def test_a_former_key_still_finds_the_project_until_it_is_released(world: World) -> None:
    assert world.put(PUB, {"key": "OPEN"}, as_="amy").json["key"] == "OPEN"
    assert world.get(PUB).json["key"] == "OPEN"
    found = world.get(API + "project/search?keys=PUB").json["values"]
    assert [project["key"] for project in found] == ["OPEN"]
    taken = world.post(API + "project", new_project(world, key="PUB"), as_="amy")
    assert taken.status == 400
    released = {"releasedProjectKeys": ["PUB"]}
    assert world.put(API + "project/OPEN", released, as_="amy").status == 200
    assert world.get(PUB).status == 404


def test_a_project_may_go_back_to_a_former_key(world: World) -> None:
    assert world.put(PUB, {"key": "OPEN"}, as_="amy").status == 200
    assert world.put(PUB, {"key": "PUB"}, as_="amy").json["key"] == "PUB"
    assert world.get(API + "project/OPEN").json["key"] == "PUB"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "projectName"),
        ({"name": "n" * 81}, "projectName"),
        ({"name": "Team Workshop"}, "projectName"),
        ({"key": "pub"}, "projectKey"),
        ({"key": "P"}, "projectKey"),
        ({"key": "TEAM"}, "projectKey"),
        ({"key": "TOOLONGAKEY"}, "projectKey"),
        ({"leadAccountId": "nobody"}, "projectLead"),
        ({"assigneeType": "ANYBODY"}, "assigneeType"),
        ({"categoryId": 7}, "categoryId"),
        ({"permissionScheme": 7}, "permissionScheme"),
        ({"notificationScheme": 7}, "notificationScheme"),
    ],
)
def test_a_wrong_member_is_named_in_errors(
    world: World, change: dict[str, object], field: str
) -> None:
    answer = world.put(PUB, change, as_="amy")
    assert answer.status == 400
    assert list(answer.json["errors"]) == [field]


def test_a_deactivated_account_leads_nothing(world: World) -> None:
    dora = world.account("dora").account_id
    assert "projectLead" in world.put(PUB, {"lead": dora}, as_="amy").json["errors"]


@pytest.mark.parametrize("body", [{"nmae": "x"}, {"name": 5}, {"categoryId": "x"}, [1]])
def test_a_body_of_another_shape_is_refused(world: World, body: object) -> None:
    assert world.put(PUB, body, as_="amy").status == 400


def test_an_administrator_creates_a_project_with_the_default_roles(world: World) -> None:
    answer = world.post(API + "project", new_project(world), as_="amy")
    assert answer.status == 201
    assert answer.json["id"] == 10003
    assert answer.json["self"] == "https://acme.atlassian.net/rest/api/3/project/10003"
    role = world.get(f"{API}project/NEW/role/{world.role_id('Administrators')}", as_="amy").json
    assert [actor["displayName"] for actor in role["actors"]] == ["jira-administrators"]
    assert world.get(API + "project/NEW", as_="vera").status == 200
    assert world.get(API + "project/NEW").status == 404


def test_a_new_project_takes_the_schemes_it_names(world: World) -> None:
    team = world.site().projects[10001].permission_scheme_id
    body = new_project(world, permissionScheme=team, issueSecurityScheme=10000)
    assert world.post(API + "project", body, as_="amy").status == 201
    assert world.get(API + "project/NEW", as_="vera").status == 404


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("paul", 403), ("otto", 403)])
def test_only_administrators_create_projects(world: World, who: str | None, status: int) -> None:
    assert world.post(API + "project", new_project(world), as_=who).status == status


def test_a_new_project_needs_key_name_and_lead(world: World) -> None:
    answer = world.post(API + "project", {}, as_="amy")
    assert answer.json["errors"].keys() == {"projectKey", "projectName", "projectLead"}
    other = world.post(API + "project", new_project(world, projectTypeKey="hobby"), as_="amy")
    assert other.json["errors"].keys() == {"projectTypeKey"}


def test_a_deleted_project_waits_in_the_recycle_bin(world: World) -> None:
    assert world.delete(API + "project/TEAM", as_="amy").status == 204
    for who in ("paul", "amy"):
        assert world.get(API + "project/TEAM", as_=who).status == 404
        assert world.get(API + "project/10001", as_=who).status == 404
    assert world.permissions("paul").visible_projects()[0].key == "PUB"
    assert not world.permissions("paul").holds(
        "BROWSE_PROJECTS", project=world.site().projects[10001]
    )
    binned = world.get(API + "project/search?status=deleted", as_="amy").json["values"]
    assert [(one["key"], one["deleted"]) for one in binned] == [("TEAM", True)]
    assert world.get(API + "project/search?status=deleted", as_="paul").json["values"] == []
    assert world.post(API + "project/TEAM/restore", as_="paul").status == 404
    assert world.post(API + "project/TEAM/restore", as_="amy").json["key"] == "TEAM"
    assert world.get(API + "project/TEAM", as_="paul").status == 200
    assert world.post(API + "project/TEAM/restore", as_="amy").status == 400


def test_a_project_deleted_without_undo_is_gone_with_all_that_hangs_on_it(world: World) -> None:
    world.put(API + "project/VAULT/properties/p", 1, as_="paul")
    path = API + "project/VAULT?enableUndo=false"
    assert world.delete(path, as_="amy").status == 204
    assert world.post(API + "project/VAULT/restore", as_="amy").status == 404
    with world.engine.connect() as connection:
        for table, left in ((schema.issue_table, 30), (schema.property_table, 0)):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == left
    assert world.post(API + "project", new_project(world, key="VAULT"), as_="amy").status == 201


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("paul", 404), ("vera", 404)])
def test_only_administrators_delete_projects(world: World, who: str | None, status: int) -> None:
    answer = world.delete(PUB, as_=who)
    assert answer.status == status
    assert world.get(PUB).status == 200
