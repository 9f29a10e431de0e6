"""What one may not see does not exist: hidden and missing answer with the same bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.jira.worlds import Answer, World, make_world

pytestmark = pytest.mark.hostile

WORLD = make_world()
API = "/rest/api/3/"
PER_REQUEST = {"atl-request-id", "atl-traceid", "x-arequestid"}
STRANGERS = st.sampled_from([None, "otto", "dora"])
CALLS: list[tuple[str, str, object]] = [
    ("GET", "project/{}", None),
    ("GET", "project/{}?expand=insight", None),
    ("PUT", "project/{}", {"name": "x"}),
    ("PUT", "project/{}", {"key": "PUB"}),
    ("PUT", "project/{}", {"nonsense": 1}),
    ("DELETE", "project/{}", None),
    ("DELETE", "project/{}?enableUndo=false", None),
    ("POST", "project/{}/restore", None),
    ("GET", "project/{}/statuses", None),
    ("GET", "project/{}/securitylevel", None),
    ("GET", "project/{}/issuesecuritylevelscheme", None),
    ("GET", "project/{}/permissionscheme", None),
    ("PUT", "project/{}/permissionscheme", {"id": 10000}),
    ("GET", "project/{}/role", None),
    ("GET", "project/{}/role/10000", None),
    ("GET", "project/{}/role/9", None),
    ("POST", "project/{}/role/10000", {"user": ["x"]}),
    ("PUT", "project/{}/role/10000", {"categorisedActors": {}}),
    ("DELETE", "project/{}/role/10000?user=x", None),
    ("GET", "project/{}/roledetails", None),
    ("GET", "project/{}/properties", None),
    ("GET", "project/{}/properties/p", None),
    ("PUT", "project/{}/properties/p", {"v": 1}),
    ("DELETE", "project/{}/properties/p", None),
    ("GET", "mypermissions?permissions=EDIT_ISSUES&projectKey={}", None),
]


def seen(answer: Answer) -> tuple[object, ...]:
    """Return what a client sees of an answer, save the ids that differ by request."""
    response = answer.response
    kept = [pair for pair in response.headers if pair[0] not in PER_REQUEST]
    return (response.status, kept, response.body, response.rule)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CALLS), STRANGERS, st.sampled_from([("TEAM", "MEAT"), ("10001", "10099")]))
def test_a_hidden_project_answers_like_a_missing_one_in_every_operation(
    call: tuple[str, str, object], who: str | None, names: tuple[str, str]
) -> None:
    method, path, body = call
    hidden, missing = (
        seen(WORLD.request(method, API + path.format(name), body, as_=who)) for name in names
    )
    body_with_one_name = bytes(str(hidden[2]).replace(names[0], names[1]), "utf-8")
    assert (hidden[0], hidden[1], hidden[3]) == (missing[0], missing[1], missing[3])
    assert body_with_one_name == bytes(str(missing[2]), "utf-8")
    assert hidden[0] in (401, 404)
    if hidden[0] == 401:
        assert hidden[2] == b"Client must be authenticated to access this resource."


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["amy", "vera", "dana", "otto", None]), st.data())
def test_a_hidden_issue_cannot_be_told_by_asking_for_permissions(
    who: str | None, data: st.DataObject
) -> None:
    hidden = {"amy": 10036, "vera": 10036, "dana": 10036, "otto": 10031, None: 10020}[who]
    key = data.draw(st.sampled_from(["BROWSE_PROJECTS", "ADD_COMMENTS", "DELETE_ISSUES"]))
    path = f"{API}mypermissions?permissions={key}&issueId="
    assert seen(WORLD.get(path + str(hidden), as_=who)) == seen(WORLD.get(path + "1", as_=who))
    check = {"projectPermissions": [{"permissions": [key], "issues": [hidden, 1]}]}
    answer = WORLD.post(API + "permissions/check", check, as_=who)
    assert answer.json["projectPermissions"][0]["issues"] == []


@pytest.mark.parametrize("who", [None, "otto", "vera", "amy"])
def test_no_listing_counts_what_it_hides(who: str | None) -> None:
    body = WORLD.get(API + "project/search?action=browse", as_=who).json
    assert body["total"] == len(body["values"])
    listed = [project["key"] for project in body["values"]]
    assert ("TEAM" in listed) == (who == "vera")


def test_a_lead_search_and_a_sort_say_nothing_of_hidden_projects() -> None:
    for query in ("query=TEAM", "keys=TEAM", "id=10001", "orderBy=-owner", "status=deleted"):
        found = WORLD.get(f"{API}project/search?{query}", as_="otto").json["values"]
        assert "TEAM" not in [project["key"] for project in found]


def test_a_taken_key_is_told_to_administrators_only() -> None:
    body = {"key": "TEAM", "name": "Mine", "leadAccountId": WORLD.account("otto").account_id}
    assert WORLD.post(API + "project", body, as_="otto").status == 403
    assert WORLD.post(API + "project", body, as_="amy").status == 400


def test_the_same_world_is_not_changed_by_any_of_these_attacks() -> None:
    before = make_world()
    assert isinstance(before, World)
    assert before.site().projects == WORLD.site().projects
    assert before.site().role_actors == WORLD.site().role_actors
    before.engine.dispose()
