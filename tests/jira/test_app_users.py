from dataclasses import replace
from typing import Any

from runtime.identity.accounts import Account, add_account, set_account_active
from runtime.jira.app_users import ADDON_GROUP, add_app_user, remove_app_user
from runtime.jira.permission_keys import PROJECT_PERMISSIONS
from runtime.jira.permissions import ADDON_ROLE, Permissions
from tests.jira.worlds import World

API = "/rest/api/3/"
APP = Account("557058:app-1", "app", "app-1", None, "Helper App")


def install(world: World) -> None:
    with world.engine.begin() as connection:
        add_account(connection, APP)
        add_app_user(connection, world.cloud_id, APP)


def test_an_app_holds_every_permission_in_every_project(world: World) -> None:
    install(world)
    site = world.site()
    who = Permissions(site, APP)
    assert who.is_admin()
    assert who.uses_product()
    for project in site.live_projects():
        assert all(who.holds(key, project=project) for key in PROJECT_PERMISSIONS)


def test_an_app_is_shown_as_an_app(world: World) -> None:
    install(world)
    me = world.get(API + "myself", as_="app-1").json
    assert (me["accountType"], me["displayName"]) == ("app", "Helper App")
    assert "emailAddress" not in me


def test_an_app_is_in_the_role_of_projects_created_later(world: World) -> None:
    install(world)
    lead = world.account("amy").account_id
    body = {"key": "NEW", "name": "New", "leadAccountId": lead}
    assert world.post(API + "project", body, as_="amy").status == 201
    path = f"{API}project/NEW/role/{world.role_id(ADDON_ROLE)}"
    actors = [actor["displayName"] for actor in world.get(path, as_="amy").json["actors"]]
    assert actors == ["Helper App"]


def test_an_administrator_can_blind_the_apps_of_a_scheme(world: World) -> None:
    install(world)
    role_id = str(world.role_id(ADDON_ROLE))
    scheme = world.site().permission_schemes[10002]
    grant = next(
        one
        for one in scheme.grants
        if one.permission == "BROWSE_PROJECTS" and one.holder.parameter == role_id
    )
    path = f"{API}permissionscheme/{scheme.id}/permission/{grant.id}"
    assert world.delete(path, as_="amy").status == 204
    team = world.site().projects[10001]
    assert not Permissions(world.site(), APP).holds("BROWSE_PROJECTS", project=team)
    with world.engine.begin() as connection:
        add_app_user(connection, world.cloud_id, APP)  # a new version is no reason to undo that
    assert not Permissions(world.site(), APP).holds("BROWSE_PROJECTS", project=team)


def test_a_scheme_that_never_heard_of_apps_gets_the_role_at_install(world: World) -> None:
    made = world.post(API + "permissionscheme", {"name": "Bare"}, as_="amy").json["id"]
    install(world)
    grants = world.site().permission_schemes[made].grants
    assert {grant.permission for grant in grants} == set(PROJECT_PERMISSIONS)


def test_a_security_level_stops_an_app(world: World) -> None:
    install(world)
    path = API + "mypermissions?permissions=BROWSE_PROJECTS&issueKey="
    assert world.get(path + "VAULT-1", as_="app-1").status == 200
    assert world.get(path + "VAULT-2", as_="app-1").status == 404


def test_installing_twice_changes_nothing(world: World) -> None:
    install(world)
    before = world.site()
    with world.engine.begin() as connection:
        add_app_user(connection, world.cloud_id, APP)
    after = world.site()
    assert after.role_actors == before.role_actors
    assert after.permission_schemes == before.permission_schemes
    assert after.group_ids == before.group_ids


def test_an_uninstalled_app_holds_what_anonymous_holds(world: World) -> None:
    install(world)
    with world.engine.begin() as connection:
        remove_app_user(connection, world.cloud_id, APP.account_id)
    site = world.site()
    who, nobody = Permissions(site, replace(APP, active=False)), Permissions(site, None)
    for project in site.live_projects():
        held = [key for key in PROJECT_PERMISSIONS if who.holds(key, project=project)]
        anonymous = [key for key in PROJECT_PERMISSIONS if nobody.holds(key, project=project)]
        assert held == anonymous


def test_a_site_without_the_role_gets_it(world: World) -> None:
    guests = world.post(API + "role", {"name": "Guests"}, as_="amy").json["id"]
    old = world.role_id(ADDON_ROLE)
    assert world.delete(f"{API}role/{old}?swap={guests}", as_="amy").status == 204
    install(world)
    assert Permissions(world.site(), APP).in_role(
        world.site().projects[10000], world.role_id(ADDON_ROLE)
    )


def test_the_account_of_an_app_can_be_left_out_of_pickers(world: World) -> None:
    install(world)
    assert picked(world, "user/picker?query=helper") == ["Helper App"]
    assert picked(world, "user/picker?query=helper&excludeConnectUsers=true") == []
    both = world.get(f"{API}groupuserpicker?query=a", as_="dana").json
    assert "Amy Admin" in users_of(both["users"])
    assert "Helper App" in users_of(both["users"])
    assert ADDON_GROUP in [one["name"] for one in both["groups"]["groups"]]
    query = "groupuserpicker?query=a&excludeConnectAddons="
    people = world.get(f"{API}{query}true", as_="dana").json
    assert "Amy Admin" in users_of(people["users"])
    assert "Helper App" not in users_of(people["users"])
    assert ADDON_GROUP not in [one["name"] for one in people["groups"]["groups"]]
    assert world.get(f"{API}{query}maybe", as_="dana").json == both
    with world.engine.begin() as connection:
        remove_app_user(connection, world.cloud_id, APP.account_id)
        set_account_active(connection, APP.account_id, active=False)
    assert picked(world, "user/picker?query=helper") == []


def picked(world: World, path: str) -> list[str]:
    answer = world.get(API + path, as_="dana")
    assert answer.status == 200, answer.body
    return users_of(answer.json)


def users_of(found: Any) -> list[str]:
    return [one["displayName"] for one in found["users"]]
