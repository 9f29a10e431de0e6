import pytest

from runtime.jira.permissions import HOLDER_TYPES
from tests.jira.worlds import World

API = "/rest/api/3/"
SCHEMES = API + "permissionscheme"


def scheme_of(world: World, key: str) -> int:
    site = world.site()
    return site.projects[site.project_ids[key]].permission_scheme_id


def test_every_user_of_the_product_reads_the_schemes(world: World) -> None:
    names = [one["name"] for one in world.get(SCHEMES, as_="vera").json["permissionSchemes"]]
    assert names == ["Default scheme", "Open scheme", "Team scheme", "Vault scheme"]
    assert world.get(SCHEMES).status == 401
    assert world.get(SCHEMES, as_="otto").rule == "permission.product-access"


def test_expand_adds_the_grants(world: World) -> None:
    path = f"{SCHEMES}/{scheme_of(world, 'VAULT')}"
    assert "permissions" not in world.get(path, as_="vera").json
    grants = world.get(path + "?expand=permissions", as_="vera").json["permissions"]
    holders = {grant["holder"]["type"] for grant in grants}
    assert holders == {"projectRole", "projectLead", "user"}
    user = next(grant["holder"] for grant in grants if grant["holder"]["type"] == "user")
    dana = world.account("dana").account_id
    assert user == {"type": "user", "parameter": dana, "value": dana, "expand": "user"}


def test_a_scheme_is_created_changed_and_deleted(world: World) -> None:
    grant = {"holder": {"type": "group", "parameter": "site-admins"}, "permission": "EDIT_ISSUES"}
    body = {"name": "Mine", "description": "d", "permissions": [grant, grant]}
    made = world.post(SCHEMES + "?expand=all", body, as_="amy")
    assert made.status == 201
    (shown,) = made.json["permissions"]
    assert shown["holder"]["parameter"] == "site-admins"
    assert shown["holder"]["value"] == world.site().find_group("site-admins").group_id  # type: ignore[union-attr]
    path = f"{SCHEMES}/{made.json['id']}"
    changed = world.put(path + "?expand=all", {"name": "Ours", "permissions": []}, as_="amy").json
    assert (changed["name"], changed["description"], changed["permissions"]) == ("Ours", "d", [])
    assert world.put(path, {"name": "Ours", "description": ""}, as_="amy").status == 200
    assert world.delete(path, as_="amy").status == 204
    assert world.get(path, as_="amy").status == 404


@pytest.mark.parametrize("name", ["", " ", "Open scheme", None])
def test_a_scheme_needs_a_name_of_its_own(world: World, name: str | None) -> None:
    assert world.post(SCHEMES, {"name": name}, as_="amy").status == 400


def test_a_scheme_in_use_cannot_be_deleted(world: World) -> None:
    assert world.delete(f"{SCHEMES}/{scheme_of(world, 'PUB')}", as_="amy").status == 400


def test_only_administrators_write_schemes(world: World) -> None:
    path = f"{SCHEMES}/{scheme_of(world, 'PUB')}"
    grant = {"holder": {"type": "anyone"}, "permission": "EDIT_ISSUES"}
    for answer in (
        world.post(SCHEMES, {"name": "x"}, as_="paul"),
        world.put(path, {"name": "x"}, as_="paul"),
        world.delete(path, as_="paul"),
        world.post(path + "/permission", grant, as_="paul"),
        world.delete(path + "/permission/10100", as_="paul"),
    ):
        assert (answer.status, answer.rule) == (403, "permission.ADMINISTER")


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("anyone", None),
        ("applicationRole", None),
        ("applicationRole", "jira-software"),
        ("assignee", None),
        ("reporter", None),
        ("projectLead", None),
        ("group", "jira-software-users"),
        ("projectRole", "10001"),
        ("user", "712020:acc00000-0000-4000-8000-000000000004"),
        ("userCustomField", "customfield_10000"),
        ("groupCustomField", "customfield_10000"),
        ("sd.customer.portal.only", None),
    ],
)
def test_each_type_of_holder_can_be_granted_and_taken_back(
    world: World, kind: str, named: str | None
) -> None:
    assert kind in HOLDER_TYPES
    path = f"{SCHEMES}/{scheme_of(world, 'TEAM')}/permission"
    body = {"holder": {"type": kind, "parameter": named}, "permission": "ARCHIVE_ISSUES"}
    made = world.post(path, body, as_="amy")
    assert made.status == 201
    assert made.json["holder"]["type"] == kind
    assert made.json["holder"].get("parameter") == named
    one = f"{path}/{made.json['id']}"
    assert world.get(one, as_="vera").json == made.json
    assert world.post(path, body, as_="amy").status == 400
    assert world.delete(one, as_="amy").status == 204
    assert world.get(one, as_="vera").status == 404
    assert world.delete(one, as_="amy").status == 400


@pytest.mark.parametrize(
    "grant",
    [
        {"holder": {"type": "everyone"}, "permission": "EDIT_ISSUES"},
        {"holder": {"type": "group", "parameter": "nobody"}, "permission": "EDIT_ISSUES"},
        {"holder": {"type": "projectRole", "parameter": "7"}, "permission": "EDIT_ISSUES"},
        {"holder": {"type": "projectRole", "parameter": "x"}, "permission": "EDIT_ISSUES"},
        {"holder": {"type": "user", "parameter": "nobody"}, "permission": "EDIT_ISSUES"},
        {"holder": {"type": "user"}, "permission": "EDIT_ISSUES"},
        {"holder": {"type": "applicationRole", "parameter": "x"}, "permission": "EDIT_ISSUES"},
        {"holder": {"type": "userCustomField"}, "permission": "EDIT_ISSUES"},
        {"holder": {"type": "anyone"}, "permission": "ADMINISTER"},
        {"holder": {"type": "anyone"}},
        {"permission": "EDIT_ISSUES"},
    ],
)
def test_a_grant_of_nothing_or_to_nobody_is_refused(world: World, grant: object) -> None:
    path = f"{SCHEMES}/{scheme_of(world, 'TEAM')}/permission"
    assert world.post(path, grant, as_="amy").status == 400


def test_a_grant_works_at_once_and_so_does_taking_it_away(world: World) -> None:
    path = f"{SCHEMES}/{scheme_of(world, 'TEAM')}/permission"
    body = {"holder": {"type": "anyone"}, "permission": "BROWSE_PROJECTS"}
    grant = world.post(path, body, as_="amy").json["id"]
    assert world.get(API + "project/TEAM").status == 200
    world.delete(f"{path}/{grant}", as_="amy")
    assert world.get(API + "project/TEAM").status == 404


def test_a_project_shows_its_scheme_to_who_administers_it(world: World) -> None:
    path = API + "project/PUB/permissionscheme"
    assert world.get(path, as_="paul").json["name"] == "Open scheme"
    assert world.get(path, as_="vera").status == 403
    assert world.get(path).status == 401
    assert world.get(API + "project/TEAM/permissionscheme", as_="otto").status == 404


def test_only_administrators_assign_a_scheme(world: World) -> None:
    path = API + "project/PUB/permissionscheme"
    body = {"id": scheme_of(world, "TEAM")}
    assert world.put(path, body, as_="paul").rule == "permission.ADMINISTER"
    assert world.put(path, {"id": 7}, as_="amy").status == 404
    assert world.put(path, {}, as_="amy").status == 404
    assert world.get(API + "project/PUB").status == 200
    assert world.put(path, body, as_="amy").json["name"] == "Team scheme"
    assert world.get(API + "project/PUB").status == 404


def test_the_grants_of_a_scheme_can_be_listed_alone(world: World) -> None:
    path = f"{SCHEMES}/{scheme_of(world, 'PUB')}/permission"
    first = world.get(path, as_="vera").json["permissions"][0]
    assert first["holder"] == {"type": "anyone"}
    assert world.get(f"{SCHEMES}/7/permission", as_="vera").status == 404
    assert world.get(f"{SCHEMES}/x", as_="vera").status == 400
