import pytest
from sqlalchemy import update

from runtime.jira.schema import comment_table
from tests.jira.worlds import World

API = "/rest/api/3/"


def actors(body: dict[str, object]) -> list[str]:
    return [actor["displayName"] for actor in body["actors"]]  # type: ignore[attr-defined]


def role_path(world: World, name: str, project: str = "TEAM") -> str:
    return f"{API}project/{project}/role/{world.role_id(name)}"


def test_project_administrators_see_who_is_in_a_role(world: World) -> None:
    names = list(world.get(API + "project/TEAM/role", as_="paul").json)
    assert names[:3] == ["Administrators", "Developers", "Viewers"]
    developers = world.get(role_path(world, "Developers"), as_="paul").json
    assert actors(developers) == ["Dana Developer", "Dora Deactivated"]
    active = role_path(world, "Developers") + "?excludeInactiveUsers=true"
    assert actors(world.get(active, as_="paul").json) == ["Dana Developer"]


@pytest.mark.parametrize("path", ["role", "roledetails", "role/10001"])
def test_others_may_not_edit_the_configuration(world: World, path: str) -> None:
    for who in (None, "vera", "dana"):
        answer = world.get(f"{API}project/PUB/{path}", as_=who)
        assert (answer.status, answer.rule) == (401, "permission.ADMINISTER_PROJECTS")
        assert answer.errors == ["You cannot edit the configuration of this project."]
        assert (answer.header("www-authenticate") or "").startswith("OAuth realm=")
    assert world.get(f"{API}project/TEAM/{path}", as_="otto").status == 404


def test_role_details_can_be_narrowed(world: World) -> None:
    def names(query: str, who: str) -> list[str]:
        answer = world.get(f"{API}project/TEAM/roledetails{query}", as_=who)
        return [role["name"] for role in answer.json]

    assert len(names("", "paul")) == 4
    assert names("?currentMember=true", "paul") == ["Administrators"]
    assert "atlassian-addons-project-access" not in names("?excludeConnectAddons=true", "paul")
    assert world.get(API + "project/TEAM/roledetails?currentMember=x", as_="paul").status == 400


def test_joining_a_role_gives_its_permissions_at_once(world: World) -> None:
    otto = world.account("otto").account_id
    assert world.get(API + "project/TEAM", as_="otto").status == 404
    path = role_path(world, "Viewers")
    joined = world.post(path, {"user": [otto, otto]}, as_="paul")
    assert actors(joined.json) == ["Vera Viewer", "Otto Outsider"]
    assert world.get(API + "project/TEAM", as_="otto").status == 200
    assert world.delete(f"{path}?user={otto}", as_="paul").status == 204
    assert world.get(API + "project/TEAM", as_="otto").status == 404
    assert world.delete(f"{path}?user={otto}", as_="paul").status == 404


def test_a_group_joins_by_name_or_id_and_leaves_so(world: World) -> None:
    path = role_path(world, "Viewers")
    assert "site-admins" in actors(world.post(path, {"group": ["site-admins"]}, as_="paul").json)
    group = world.site().find_group("site-admins")
    assert group is not None
    again = world.post(path, {"groupId": [group.group_id]}, as_="paul").json
    assert actors(again).count("site-admins") == 1
    assert world.get(API + "project/TEAM", as_="amy").status == 200
    assert world.delete(f"{path}?groupId={group.group_id}", as_="paul").status == 204
    assert world.post(path, {"groupId": [group.group_id]}, as_="paul").status == 200
    assert world.delete(f"{path}?group=site-admins", as_="paul").status == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"user": ["x"], "group": ["site-admins"]}, 400),
        ({"user": ["nobody"]}, 404),
        ({"user": ["712020:acc00000-0000-4000-8000-000000000006"]}, 404),
        ({"group": ["nobody"]}, 404),
        ({"users": ["x"]}, 400),
        ({"user": "x"}, 400),
    ],
)
def test_an_actor_must_exist_and_be_active(world: World, body: object, status: int) -> None:
    assert world.post(role_path(world, "Viewers"), body, as_="paul").status == status


def test_all_actors_of_a_role_can_be_replaced(world: World) -> None:
    amy = world.account("amy").account_id
    body = {
        "categorisedActors": {
            "atlassian-user-role-actor": [amy],
            "atlassian-group-role-actor": ["site-admins"],
        }
    }
    assert actors(world.put(role_path(world, "Viewers"), body, as_="paul").json) == [
        "Amy Admin",
        "site-admins",
    ]
    assert world.get(API + "project/TEAM", as_="vera").status == 404
    emptied = world.put(role_path(world, "Viewers"), {"categorisedActors": {}}, as_="paul")
    assert actors(emptied.json) == []


def test_a_refused_replacement_leaves_the_role_as_it_was(world: World) -> None:
    body = {"categorisedActors": {"atlassian-user-role-actor": ["nobody"]}}
    path = role_path(world, "Viewers")
    assert world.put(path, body, as_="paul").status == 404
    assert actors(world.get(path, as_="paul").json) == ["Vera Viewer"]


@pytest.mark.parametrize("query", ["", "?user=a&group=b", "?group=nobody"])
def test_leaving_a_role_names_exactly_one(world: World, query: str) -> None:
    expected = 404 if query == "?group=nobody" else 400
    assert world.delete(role_path(world, "Viewers") + query, as_="paul").status == expected


def test_a_role_of_another_number_does_not_exist(world: World) -> None:
    assert world.get(API + "project/TEAM/role/7", as_="paul").status == 404
    assert world.get(API + "project/TEAM/role/x", as_="paul").status == 400


def test_roles_of_the_site_are_for_administrators(world: World) -> None:
    path = API + "role"
    assert len(world.get(path, as_="amy").json) == 4
    assert world.get(path).status == 401
    for who in ("paul", "otto"):
        assert world.get(path, as_=who).rule == "permission.ADMINISTER"
    one = f"{path}/{world.role_id('Viewers')}"
    assert world.get(one, as_="amy").json["name"] == "Viewers"
    assert world.delete(one, as_="paul").status == 403
    assert world.post(one, {"name": "x"}, as_="paul").status == 403
    assert world.put(one, {"name": "x", "description": ""}, as_="paul").status == 403
    assert world.get(one + "/actors", as_="paul").status == 403


def test_a_role_is_created_renamed_and_deleted(world: World) -> None:
    made = world.post(API + "role", {"name": "Guests", "description": "d"}, as_="amy").json
    path = f"{API}role/{made['id']}"
    assert world.post(API + "role", {"name": "Guests"}, as_="amy").status == 409
    assert world.post(path, {"description": "who"}, as_="amy").json["description"] == "who"
    assert world.post(path, {"name": "Visitors"}, as_="amy").json["name"] == "Visitors"
    replaced = world.put(path, {"name": "Guests", "description": ""}, as_="amy").json
    assert (replaced["name"], replaced["description"]) == ("Guests", "")
    assert world.post(path, {}, as_="amy").status == 400
    assert world.put(path, {"name": "Guests"}, as_="amy").status == 400
    assert world.post(path, {"name": " x"}, as_="amy").status == 400
    assert world.delete(path, as_="amy").status == 204
    assert world.get(path, as_="amy").status == 404


def test_a_role_in_use_needs_a_replacement(world: World) -> None:
    viewers = world.role_id("Viewers")
    path = f"{API}role/{viewers}"
    assert world.delete(path, as_="amy").status == 409
    assert world.delete(f"{path}?swap={viewers}", as_="amy").status == 400
    assert world.delete(f"{path}?swap=7", as_="amy").status == 400
    guests = world.post(API + "role", {"name": "Guests"}, as_="amy").json["id"]
    assert world.delete(f"{path}?swap={guests}", as_="amy").status == 204
    otto = world.account("otto").account_id
    world.post(f"{API}project/TEAM/role/{guests}", {"user": [otto]}, as_="paul")
    assert world.get(API + "project/TEAM", as_="otto").status == 200
    assert world.get(API + "project/TEAM", as_="vera").status == 404


def test_a_replaced_role_guards_transitions_levels_and_comments_as_before(world: World) -> None:
    old, new = world.role_id("Administrators"), world.role_id("Viewers")
    assert world.delete(f"{API}role/{old}?swap={new}", as_="amy").status == 204
    site = world.site()
    approve = next(one for one in site.workflows[10000].transitions if one.name == "Approve")
    assert [condition.value for condition in approve.conditions] == [str(new)]
    (scheme,) = site.security_schemes.values()
    assert str(new) in {holder.parameter for holder in scheme.levels[0].holders}
    assert world.permissions("vera").holds("ADMINISTER_PROJECTS", project=site.projects[10001])


def test_a_role_that_only_a_comment_names_is_in_use(world: World) -> None:
    made = world.post(API + "role", {"name": "Guests"}, as_="amy").json["id"]
    with world.engine.begin() as connection:
        connection.execute(
            update(comment_table).values(visibility_type="role", visibility_id=str(made))
        )
    assert world.delete(f"{API}role/{made}", as_="amy").status == 409


def test_default_actors_go_into_projects_created_later_only(world: World) -> None:
    otto = world.account("otto").account_id
    viewers = world.role_id("Viewers")
    path = f"{API}role/{viewers}/actors"
    assert actors(world.post(path, {"user": [otto]}, as_="amy").json) == ["Otto Outsider"]
    assert actors(world.get(path, as_="amy").json) == ["Otto Outsider"]
    body = {"key": "NEW", "name": "New", "leadAccountId": otto}
    assert world.post(API + "project", body, as_="amy").status == 201
    new = world.get(f"{API}project/NEW/role/{viewers}", as_="amy").json
    assert actors(new) == ["Otto Outsider"]
    assert actors(world.get(role_path(world, "Viewers"), as_="paul").json) == ["Vera Viewer"]
    assert actors(world.delete(f"{path}?user={otto}", as_="amy").json) == []
    assert world.delete(f"{path}?user={otto}", as_="amy").status == 404
