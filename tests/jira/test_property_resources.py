"""Properties of issues, projects, comments, issue types and users: who may do what to them."""

from dataclasses import dataclass

import pytest
from sqlalchemy import insert, select

from runtime.jira.app_access import set_app_rule
from runtime.jira.configuration import load_site, touch
from runtime.jira.schema import issue_type_table, property_table
from runtime.jira.site import EVERY_APP
from tests.jira.worlds import Answer, World

API = "/rest/api/3"
KINDS = ("issue", "project", "comment", "issuetype", "user")
WRITERS = {
    "issue": "dana",
    "project": "paul",
    "comment": "dana",
    "issuetype": "amy",
    "user": "dana",
}
PER_REQUEST = {"atl-request-id", "atl-traceid", "x-arequestid"}


def say(world: World, issue: str = "PUB-2", as_: str = "dana", role: str | None = None) -> str:
    text = {"type": "paragraph", "content": [{"type": "text", "text": "x"}]}
    body: dict[str, object] = {"body": {"type": "doc", "version": 1, "content": [text]}}
    if role is not None:
        body["visibility"] = {"type": "role", "value": role}
    made = world.post(f"{API}/issue/{issue}/comment", body, as_=as_)
    assert made.status == 201
    return str(made.json["id"])


def task_type(world: World) -> str:
    return str(world.get(f"{API}/issuetype", as_="amy").json[0]["id"])


@dataclass(frozen=True)
class Place:
    """Where the properties of one entity are."""

    path: str
    query: str = ""

    def __call__(self, key: str = "") -> str:
        return f"{self.path}/properties{key and f'/{key}'}{self.query}"


def place_of(world: World, kind: str, api: str = API) -> Place:
    """Return the place of the properties of an entity that its writer may change."""
    if kind == "user":
        return Place(f"{api}/user", f"?accountId={world.account_id(WRITERS[kind])}")
    named = {"issue": "PUB-2", "project": "PUB"}.get(kind)
    named = named or (say(world) if kind == "comment" else task_type(world))
    return Place(f"{api}/{kind}/{named}")


def seen(answer: Answer, without: str = "") -> tuple[object, ...]:
    """Return what a client sees of an answer, save the ids that differ by request."""
    response = answer.response
    kept = [pair for pair in response.headers if pair[0] not in PER_REQUEST]
    return response.status, kept, response.body.replace(without.encode(), b""), response.rule


# --- what all kinds have in common ---------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("api", ["/rest/api/3", "/rest/api/2"])
def test_a_property_is_created_replaced_read_listed_and_deleted(
    world: World, kind: str, api: str
) -> None:
    place, who = place_of(world, kind, api), WRITERS[kind]
    assert world.put(place("my.key"), {"a": [1, None]}, as_=who).status == 201
    assert world.put(place("my.key"), "text", as_=who).status == 200
    assert world.get(place("my.key"), as_=who).json == {"key": "my.key", "value": "text"}
    (key,) = world.get(place(), as_=who).json["keys"]
    assert key["key"] == "my.key"
    assert f"{api}/" in key["self"]
    assert world.get(place("other"), as_=who).status == 404
    assert world.delete(place("my.key"), as_=who).status == 204
    assert world.delete(place("my.key"), as_=who).status == 404
    assert world.get(place(), as_=who).json == {"keys": []}


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_leads_to_its_property_whatever_the_key(world: World, kind: str) -> None:
    place, who = place_of(world, kind), WRITERS[kind]
    for key in ("a b", "ä", "a.b:c", "q?x&y"):
        assert world.put(f"{place.path}/properties/{key.replace('?', '%3F')}{place.query}", 1,
                         as_=who).status == 201  # fmt: skip
    for one in world.get(place(), as_=who).json["keys"]:
        link = one["self"].removeprefix("https://acme.atlassian.net")
        assert world.get(link, as_=who).json == {"key": one["key"], "value": 1}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0, False, "", [], "text", 1.5])
def test_a_value_may_be_any_json_but_null(world: World, kind: str, value: object) -> None:
    place, who = place_of(world, kind), WRITERS[kind]
    assert world.put(place("p"), value, as_=who).status == 201
    assert world.get(place("p"), as_=who).json["value"] == value
    for body in (b"null", b" ", b"{"):
        assert world.put(place("p"), raw=body, as_=who).status == 400
    assert world.get(place("p"), as_=who).json["value"] == value


@pytest.mark.parametrize("kind", KINDS)
def test_keys_and_values_are_bounded(world: World, kind: str) -> None:
    place, who = place_of(world, kind), WRITERS[kind]
    assert world.put(place("k" * 255), "v" * 32_766, as_=who).status == 201
    assert world.put(place("k" * 256), 1, as_=who).status == 400
    assert world.put(place("k"), "v" * 32_767, as_=who).status == 400


def test_the_kinds_do_not_mix(world: World) -> None:
    places = {kind: place_of(world, kind) for kind in KINDS}
    for kind, place in places.items():
        assert world.put(place("k"), kind, as_=WRITERS[kind]).status == 201
    for kind, place in places.items():
        assert world.get(place("k"), as_=WRITERS[kind]).json["value"] == kind


@pytest.mark.hostile
def test_nobody_who_is_not_logged_in_writes(world: World) -> None:
    refusals = {"issue": 403, "project": 401, "comment": 401, "issuetype": 401, "user": 401}
    for kind, status in refusals.items():
        place = place_of(world, kind)
        for answer in (world.put(place("k"), 1), world.delete(place("k"))):
            assert answer.status == status, kind
        assert world.get(place(), as_=WRITERS[kind]).json == {"keys": []}


# --- issues --------------------------------------------------------------------------------------


@pytest.mark.hostile
@pytest.mark.parametrize("who", ["otto", "vera", None])
def test_an_issues_properties_are_for_those_who_may_edit_it(world: World, who: str | None) -> None:
    place = place_of(world, "issue")
    assert world.put(place("k"), 1, as_="dana").status == 201
    for answer in (world.put(place("k"), 2, as_=who), world.delete(place("k"), as_=who)):
        assert (answer.status, answer.rule) == (403, "permission.EDIT_ISSUES")
    assert world.get(f"{API}/issue/10001/properties/k", as_=who).json["value"] == 1


# --- comments ------------------------------------------------------------------------------------


@pytest.mark.hostile
def test_a_comments_properties_are_for_those_who_may_edit_it(world: World) -> None:
    place = place_of(world, "comment")
    for who in ("vera", "otto"):  # they read it, and edit what they said themselves
        for answer in (world.put(place("k"), 1, as_=who), world.delete(place("k"), as_=who)):
            assert (answer.status, answer.rule) == (403, "permission.EDIT_ALL_COMMENTS")
    assert world.get(place(), as_="vera").json == {"keys": []}
    assert world.put(place("k"), 1, as_="paul").status == 201  # he edits all
    assert world.get(place("k")).json["value"] == 1
    own = Place(f"{API}/comment/{say(world, as_='vera')}")
    assert world.put(own("k"), 1, as_="vera").status == 201


@pytest.mark.hostile
@pytest.mark.parametrize("who", ["vera", "paul", "otto", "amy", None])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_comment_that_is_hidden_answers_like_one_that_is_missing(
    world: World, who: str | None, method: str
) -> None:
    role = "Developers" if who in ("vera", "paul") else None  # the others see not even the issue
    hidden = say(world, "TEAM-1", role=role)
    assert world.put(f"{API}/comment/{hidden}/properties/k", 1, as_="dana").status == 201
    for path in ("/k", "/none") if method != "GET" else ("/k", "/none", ""):
        answers = {
            str(seen(world.request(method, f"{API}/comment/{one}/properties{path}",
                                   1 if method == "PUT" else None, as_=who), one))
            for one in (hidden, "99999999")
        }  # fmt: skip
        assert len(answers) == 1, answers
        assert answers.pop().startswith("(404")


@pytest.mark.hostile
@pytest.mark.parametrize("odd", ["x", "1" * 30, "9" * 19, "9" * 18, "-1", "0", "1.0", "٣", "1e4"])
def test_what_is_no_id_of_a_comment_finds_none(world: World, odd: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        value = 1 if method == "PUT" else None
        answer = world.request(method, f"{API}/comment/{odd}/properties/k", value, as_="dana")
        assert answer.status == 404


@pytest.mark.hostile
def test_a_rule_that_keeps_apps_out_of_a_project_keeps_them_from_its_comments(
    world: World,
) -> None:
    place = Place(f"{API}/comment/{say(world, 'TEAM-1')}")
    scopes = {"read:jira-work", "write:jira-work"}
    assert world.put(place("k"), 1, as_="dana", scopes=scopes, host="gateway").status == 201
    with world.engine.begin() as connection:
        site = load_site(connection, world.cloud_id)
        project = site.projects[world.project_id("TEAM")]
        set_app_rule(connection, site, project, EVERY_APP, blocked=True)
    for method in ("GET", "PUT", "DELETE"):
        value = 2 if method == "PUT" else None
        answer = world.request(method, place("k"), value, as_="dana", scopes=scopes, host="gateway")
        assert (answer.status, answer.rule) == (404, "app-access.blocked")
    assert world.get(place("k"), as_="dana").json["value"] == 1


@pytest.mark.parametrize(
    ("gone", "left"),
    [("issue/TEAM-1/comment/{}", {"issue", "project"}), ("issue/TEAM-1", {"project"}),
     ("project/TEAM?enableUndo=false", set())],
)  # fmt: skip
def test_properties_go_with_what_they_hang_on(world: World, gone: str, left: set[str]) -> None:
    comment = say(world, "TEAM-1")
    for path, who in ((f"comment/{comment}", "dana"), ("issue/TEAM-1", "dana"),
                      ("project/TEAM", "paul")):  # fmt: skip
        assert world.put(f"{API}/{path}/properties/k", 1, as_=who).status == 201
    who = "amy" if gone.startswith("project") else "paul"
    assert world.delete(f"{API}/{gone.format(comment)}", as_=who).status == 204
    with world.engine.connect() as connection:
        assert set(connection.execute(select(property_table.c.entity)).scalars()) == left


# --- issue types ---------------------------------------------------------------------------------


def test_an_issue_types_properties_are_read_by_who_sees_the_type(world: World) -> None:
    place = place_of(world, "issuetype")
    assert world.put(place("k"), 1, as_="amy").status == 201
    for who in ("dana", "vera", None):
        assert world.get(place("k"), as_=who).json["value"] == 1


@pytest.mark.hostile
def test_an_issue_type_that_no_visible_project_has_is_like_one_that_is_missing(
    world: World,
) -> None:
    with world.engine.begin() as connection:
        connection.execute(
            insert(issue_type_table).values(
                id=10099, cloud_id=world.cloud_id, name="Odd", description="", subtask=False,
                hierarchy_level=0, avatar_id=10300,
            )
        )  # fmt: skip
        touch(connection, world.cloud_id)
    assert world.put(f"{API}/issuetype/10099/properties/k", 1, as_="amy").status == 201
    for path in ("", "/k"):
        there, missing = (
            seen(world.get(f"{API}/issuetype/{one}/properties{path}", as_="dana"), one)
            for one in ("10099", "99999")
        )
        assert there == missing
        assert there[0] == 404


@pytest.mark.hostile
def test_none_but_administrators_write_properties_of_issue_types(world: World) -> None:
    task = task_type(world)
    for one in (task, "99999", "x"):
        path = f"{API}/issuetype/{one}/properties/k"
        for who, status in (("dana", 403), ("paul", 403), (None, 401)):
            assert world.put(path, 1, as_=who).status == status
            assert world.delete(path, as_=who).status == status
    for one in ("99999", "x", f"0{task}", f"+{task}"):
        assert world.get(f"{API}/issuetype/{one}/properties", as_="dana").status == 404
        assert world.put(f"{API}/issuetype/{one}/properties/k", 1, as_="amy").status == 404


# --- users ---------------------------------------------------------------------------------------


@pytest.mark.hostile
@pytest.mark.parametrize("who", ["vera", "paul", "otto"])
def test_others_learn_nothing_of_a_users_properties(world: World, who: str) -> None:
    place = place_of(world, "user")
    assert world.put(place("k"), 1, as_="dana").status == 201
    for method in ("GET", "PUT", "DELETE"):
        value = 2 if method == "PUT" else None
        for key in ("k", "none", "") if method == "GET" else ("k", "none"):
            there = world.request(method, place(key), value, as_=who)
            nobody = Place(place.path, "?accountId=nobody")
            missing = world.request(method, nobody(key), value, as_=who)
            assert seen(there) == seen(missing)
            assert there.status == 403
    assert world.get(place("k"), as_="dana").json["value"] == 1


def test_administrators_read_and_write_everybodys(world: World) -> None:
    place = place_of(world, "user")
    assert world.put(place("k"), 1, as_="amy").status == 201
    assert world.get(place("k"), as_="dana").json["value"] == 1
    assert world.delete(place("k"), as_="amy").status == 204
    assert world.put(f"{API}/user/properties/k?accountId=nobody", 1, as_="amy").status == 404


@pytest.mark.hostile
def test_who_may_not_use_the_product_has_no_properties(world: World) -> None:
    path = f"{API}/user/properties/k?accountId={world.account_id('otto')}"
    for method in ("GET", "PUT", "DELETE"):
        answer = world.request(method, path, 1 if method == "PUT" else None, as_="otto")
        assert (answer.status, answer.rule) == (403, "permission.product-access")


@pytest.mark.hostile
def test_the_user_is_named_by_account_id_alone(world: World) -> None:
    mine = world.account_id("dana")
    for query in ("", "?accountId=", f"?userKey={mine}", "?username=dana", f"?accountid={mine}"):
        assert world.put(f"{API}/user/properties/k{query}", 1, as_="dana").status == 400
        assert world.get(f"{API}/user/properties/k{query}").status == 401
    twice = f"?accountId={mine}&accountId={world.account_id('amy')}"
    assert world.put(f"{API}/user/properties/k{twice}", 1, as_="dana").status == 201
    assert world.get(f"{API}/user/properties?accountId={world.account_id('amy')}",
                     as_="amy").json == {"keys": []}  # fmt: skip


@pytest.mark.hostile
def test_an_apps_scopes_bound_what_its_user_may(world: World) -> None:
    place = place_of(world, "user")
    for scopes, statuses in (
        ({"read:jira-user"}, (200, 401, 401)),
        ({"write:jira-work"}, (401, 201, 204)),
        ({"read:jira-work", "manage:jira-project"}, (401, 401, 401)),
    ):
        answers = [
            world.request(method, place(key), value, as_="dana", scopes=scopes, host="gateway")
            for method, key, value in (("GET", "", None), ("PUT", "k", 1), ("DELETE", "k", None))
        ]
        assert tuple(one.status for one in answers) == statuses
    other = Place(place.path, f"?accountId={world.account_id('vera')}")
    everything = {"read:jira-user", "write:jira-work", "manage:jira-configuration"}
    for method, value in (("GET", None), ("PUT", 1), ("DELETE", None)):
        answer = world.request(
            method, other("k"), value, as_="dana", scopes=everything, host="gateway"
        )
        assert answer.status == 403
