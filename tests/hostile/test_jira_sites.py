"""Two sites in one database: nothing of one is seen or changed from the other."""

import json
from collections.abc import Iterator

import pytest

from runtime.ids import Ids
from runtime.jira.configuration import load_site
from runtime.jira.world import seed_default_world
from runtime.jira.world_data import SiteData
from runtime.wire import JiraRequest, JiraResponse
from tests.jira.worlds import World, make_world

pytestmark = pytest.mark.hostile

OTHER = SiteData("0acde000-0000-4000-8000-000000000002", "other")
API = "/rest/api/3/"


@pytest.fixture
def both() -> Iterator[World]:
    world = make_world()
    with world.engine.begin() as connection:
        seed_default_world(connection, Ids.seeded(2), world.clock, OTHER)
    yield world
    world.engine.dispose()


def ask(world: World, method: str, path: str, body: object = None) -> JiraResponse:
    """Send a request to the other site as its administrator, who is that of both."""
    target, _, query = path.partition("?")
    return world.jira.handle(
        JiraRequest(
            method,
            API + target,
            tuple(pair.split("=", 1) for pair in query.split("&") if pair),  # type: ignore[misc]
            {
                "content-type": "application/json",
                "authorization": json.dumps({"account_id": world.account("amy").account_id}),
            },
            b"" if body is None else json.dumps(body).encode(),
            OTHER.cloud_id,
            "site",
            OTHER.url,
        )
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "project/10000", None),
        ("PUT", "project/10000", {"name": "x"}),
        ("DELETE", "project/10000", None),
        ("POST", "project/10000/restore", None),
        ("GET", "permissionscheme/10000", None),
        ("PUT", "permissionscheme/10000", {"name": "x"}),
        ("DELETE", "permissionscheme/10000", None),
        ("DELETE", "permissionscheme/10000/permission/10000", None),
        ("GET", "role/10000", None),
        ("PUT", "role/10000", {"name": "x", "description": ""}),
        ("DELETE", "role/10000?swap=10004", None),
        ("GET", "project/PUB/role/10000", None),
        ("POST", "project/PUB/role/10000", {"group": ["site-admins"]}),
        ("PUT", "project/PUB/permissionscheme", {"id": 10000}),
        ("GET", "mypermissions?permissions=BROWSE_PROJECTS&issueId=10000", None),
    ],
)
def test_a_number_of_another_site_is_a_number_of_nothing(
    both: World, method: str, path: str, body: object
) -> None:
    before = both.site()
    assert ask(both, method, path, body).status == 404
    assert both.site() == before


def test_a_list_shows_the_things_of_its_own_site_alone(both: World) -> None:
    for path, name in (("project/search", "values"), ("permissionscheme", "permissionSchemes")):
        ours = {one["id"] for one in both.get(API + path, as_="amy").json[name]}
        theirs = {one["id"] for one in json.loads(ask(both, "GET", path).body)[name]}
        assert ours
        assert theirs
        assert not ours & theirs


def test_a_key_means_the_project_of_the_site_that_is_asked(both: World) -> None:
    ours = both.get(API + "project/PUB").json["id"]
    theirs = json.loads(ask(both, "GET", "project/PUB").body)["id"]
    assert ours != theirs


def test_a_right_on_one_site_is_none_on_the_other(both: World) -> None:
    site = both.site()
    otto = both.account("otto").account_id
    both.post(f"{API}project/TEAM/role/{both.role_id('Viewers')}", {"user": [otto]}, as_="paul")
    assert both.get(API + "project/TEAM", as_="otto").status == 200
    with both.engine.connect() as connection:
        other = load_site(connection, OTHER.cloud_id)
    assert not any(actor.parameter == otto for actor in other.role_actors)
    assert not set(site.groups) & set(other.groups)


def test_a_grant_to_a_group_of_another_site_is_refused(both: World) -> None:
    group = both.site().find_group("site-admins")
    assert group is not None
    grant = {"holder": {"type": "group", "value": group.group_id}, "permission": "EDIT_ISSUES"}
    assert ask(both, "POST", "permissionscheme/10004/permission", grant).status == 400


def test_a_change_of_one_site_leaves_the_cache_of_the_other(both: World) -> None:
    assert both.put(API + "project/PUB", {"name": "Ours"}, as_="amy").status == 200
    assert json.loads(ask(both, "GET", "project/PUB").body)["name"] == "Public Roadmap"
