"""Dynamic webhooks of OAuth apps, registered over HTTP and sent to a real receiver."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from runtime.identity.accounts import set_account_active
from runtime.jira.webhooks import APPS_ONLY, CONNECT_ONLY, ONE_URL
from tests.fidelity.shapes import assert_shape
from tests.flows.webhook_place import DAY_S, SCOPES, HookPlace, hook_place

UPDATED = "jira:issue_updated"
CREATED = "jira:issue_created"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[HookPlace]:
    with hook_place(tmp_path) as made:
        yield made


@pytest.fixture
def dana(place: HookPlace) -> dict[str, str]:
    return place.log_in()


@pytest.fixture
def writer(place: HookPlace) -> Iterator[httpx.Client]:
    with place.script("paul") as client:
        yield client


def rename(writer: httpx.Client, key: str, summary: str) -> None:
    fields = {"fields": {"summary": summary}}
    assert writer.put(f"/rest/api/2/issue/{key}", json=fields).status_code == 204


def create(writer: httpx.Client, project: str = "TEAM", **fields: Any) -> str:
    wanted = {
        "project": {"key": project},
        "summary": "New",
        "issuetype": {"name": "Task"},
        **fields,
    }
    answer = writer.post("/rest/api/2/issue", json={"fields": wanted})
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["key"]
    return key


# --- registering ---------------------------------------------------------------------------------


def test_webhooks_are_registered_listed_refreshed_and_deleted(
    place: HookPlace, dana: dict[str, str]
) -> None:
    made = place.register(
        dana,
        {
            "jqlFilter": "project = TEAM",
            "events": [CREATED, UPDATED],
            "fieldIdsFilter": ["summary"],
        },
        {"jqlFilter": "watchCount > 3", "events": [CREATED]},
        {
            "jqlFilter": "project in (TEAM) AND status != Done",
            "events": ["issue_property_set"],
            "issuePropertyKeysFilter": ["flag"],
        },
    )
    first, third = made[0]["createdWebhookId"], made[2]["createdWebhookId"]
    assert made[1]["errors"][0] == "The clause watchCount is unsupported"
    page = place.ask("GET", "webhook", dana).json()
    ends_ms = int((place.clock.now_s() + 30 * DAY_S) * 1000)
    assert page["values"] == [
        {
            "id": first, "url": place.url, "jqlFilter": "project = TEAM",
            "events": [CREATED, UPDATED], "expirationDate": ends_ms, "fieldIdsFilter": ["summary"],
        },
        {
            "id": third, "url": place.url, "jqlFilter": "project in (TEAM) AND status != Done",
            "events": ["issue_property_set"], "expirationDate": ends_ms,
            "issuePropertyKeysFilter": ["flag"],
        },
    ]  # fmt: skip
    assert (page["total"], page["isLast"]) == (2, True)
    second_page = place.ask("GET", "webhook?startAt=1&maxResults=1", dana, version=2).json()
    assert [one["id"] for one in second_page["values"]] == [third]
    place.clock.advance(DAY_S / 48)
    refreshed = place.ask("PUT", "webhook/refresh", dana, {"webhookIds": [first, 99]}).json()
    assert refreshed["expirationDate"] == int((place.clock.now_s() + 30 * DAY_S) * 1000)
    assert place.ask("DELETE", "webhook", dana, {"webhookIds": [third, 99]}).status_code == 202
    left = place.ask("GET", "webhook", dana).json()["values"]
    assert [(one["id"], one["expirationDate"]) for one in left] == [
        (first, refreshed["expirationDate"])
    ]


def test_what_has_expired_is_gone_and_cannot_be_refreshed(
    place: HookPlace, writer: httpx.Client
) -> None:
    dana = place.log_in()
    old = place.number(dana, "project = TEAM", UPDATED)
    place.clock.advance(29 * DAY_S)
    dana = place.log_in()
    kept = place.number(dana, "project = TEAM", UPDATED)
    place.clock.advance(DAY_S)
    dana = place.log_in()
    assert place.ask("PUT", "webhook/refresh", dana, {"webhookIds": [old]}).status_code == 200
    assert [one["id"] for one in place.ask("GET", "webhook", dana).json()["values"]] == [kept]
    rename(writer, "TEAM-1", "after thirty days")
    assert [one["matchedWebhookIds"] for one in place.told(1)] == [[kept]]


def test_an_app_has_five_for_each_user_and_one_url(place: HookPlace) -> None:
    place.firebrick.oauth.clients.update(replace(place.client, distribution="shared"))
    dana, paul = place.log_in(), place.log_in("paul")
    hook = {"jqlFilter": "project = TEAM", "events": [CREATED]}
    made = place.register(dana, *[hook] * 6)
    assert [list(one) for one in made] == [["createdWebhookId"]] * 5 + [["errors"]]
    assert "5" in made[5]["errors"][0]
    assert "createdWebhookId" in place.register(paul, hook)[0]
    other = {"url": f"{place.receiver.url}/other", "webhooks": [hook]}
    refused = place.ask("POST", "webhook", paul, other)
    assert (refused.status_code, refused.json()["errorMessages"]) == (400, [ONE_URL])
    numbers = [one["createdWebhookId"] for one in made[:5]]
    place.ask("DELETE", "webhook", paul, {"webhookIds": numbers})
    assert place.ask("GET", "webhook", dana).json()["total"] == 5
    assert place.ask("GET", "webhook", paul).json()["total"] == 1


@pytest.mark.parametrize(
    ("jql", "problem"),
    [
        ("", "The JQL filter is empty."),
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
        ("project = TEAM order by key", "The clause ORDER BY is unsupported"),
        ("project = TEAM and summary ~ x", "The clause summary is unsupported"),
        ("cf[10010] = x", "The clause cf[10010] is unsupported"),
        ("status was Done", "The operator WAS is unsupported"),
        ("assignee = currentUser()", "The function currentUser is unsupported"),
        ("type = Bug", "The clause type is unsupported"),
        ("project =", None),
    ],
)
def test_a_filter_is_checked_by_the_parser_of_the_search(
    place: HookPlace, dana: dict[str, str], jql: str, problem: str | None
) -> None:
    (made,) = place.register(dana, {"jqlFilter": jql, "events": [CREATED]})
    assert made.keys() == {"errors"}
    assert problem is None or problem in made["errors"]


@pytest.mark.parametrize(
    "jql",
    [
        "issueKey = TEAM-1", "project != TEAM", "issuetype in (Bug, Task)", "status not in (Done)",
        "assignee = EMPTY", "not (reporter = EMPTY or project = TEAM)",
        "issue.property[flag].colour = red",
    ],
)  # fmt: skip
def test_the_documented_elements_may_be_used(
    place: HookPlace, dana: dict[str, str], jql: str
) -> None:
    assert place.number(dana, jql, CREATED)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"url": "https://a.example"}, {"url": "https://a.example", "webhooks": []},
        {"url": "nonsense", "webhooks": [{"jqlFilter": "project = TEAM", "events": [CREATED]}]},
        {"url": "ftp://a.example/x", "webhooks": [{"jqlFilter": "project = TEAM"}]},
        {"url": "https://u:p@a.example/", "webhooks": [{"jqlFilter": "project = TEAM"}]},
        {"url": "https://a.example/#f", "webhooks": [{"jqlFilter": "project = TEAM"}]},
        {"url": 1, "webhooks": [{}]}, {"url": "https://a.example", "webhooks": [7]},
    ],
)  # fmt: skip
def test_a_request_that_is_wrong_registers_nothing(
    place: HookPlace, dana: dict[str, str], body: object
) -> None:
    assert place.ask("POST", "webhook", dana, body).status_code == 400
    for method, path in (("DELETE", "webhook"), ("PUT", "webhook/refresh")):
        assert place.ask(method, path, dana, {}).status_code == 400
    assert place.ask("GET", "webhook", dana).json()["total"] == 0


@pytest.mark.parametrize("event", ["sprint_started", "jira:version_released", "nonsense", ""])
def test_an_event_that_is_not_told_of_is_refused(
    place: HookPlace, dana: dict[str, str], event: str
) -> None:
    (made,) = place.register(dana, {"jqlFilter": "project = TEAM", "events": [event]})
    assert made == {"errors": [f"The event {event} is unsupported"]}
    (none,) = place.register(dana, {"jqlFilter": "project = TEAM", "events": []})
    assert none == {"errors": ["At least one event must be given."]}


# --- who may -------------------------------------------------------------------------------------


def test_only_apps_register_and_only_connect_apps_see_failures(
    place: HookPlace, dana: dict[str, str], writer: httpx.Client
) -> None:
    hook = {"url": place.url, "webhooks": [{"jqlFilter": "project = TEAM", "events": [CREATED]}]}
    for method, path, key, body in (
        ("GET", "webhook", "getDynamicWebhooksForApp", None),
        ("POST", "webhook", "registerDynamicWebhooks", hook),
        ("DELETE", "webhook", "deleteWebhookById", {"webhookIds": [1]}),
        ("PUT", "webhook/refresh", "refreshWebhooks", {"webhookIds": [1]}),
    ):
        refused = writer.request(method, f"/rest/api/3/{path}", json=body)
        assert_shape(key, refused.status_code, refused.content)
        assert (refused.status_code, refused.json()["errorMessages"]) == (403, [APPS_ONLY])
        assert (
            httpx.request(method, f"{place.base}/rest/api/3/{path}", json=body).status_code == 401
        )
    failed = place.ask("GET", "webhook/failed", dana)
    assert (failed.status_code, failed.json()["errorMessages"]) == (403, [CONNECT_ONLY])


def test_both_scopes_are_needed(place: HookPlace) -> None:
    for scopes in ({"read:jira-work"}, {"manage:jira-webhook"}):
        headers = place.log_in(scopes=frozenset(scopes))
        assert place.ask("GET", "webhook", headers).status_code == 401
        assert place.ask("POST", "webhook", headers, {}).status_code == 401


# --- what is told --------------------------------------------------------------------------------


def test_an_app_is_told_what_it_asked_for_and_can_prove_it(
    place: HookPlace, dana: dict[str, str], writer: httpx.Client
) -> None:
    both = place.number(dana, "project = TEAM", CREATED, UPDATED, "comment_created")
    bugs = place.number(dana, "issuetype = Bug", CREATED)
    key = create(writer)
    rename(writer, key, "Newer")
    writer.post(f"/rest/api/2/issue/{key}/comment", json={"body": "one"})
    create(writer, issuetype={"name": "Bug"})
    found = place.told(4)
    assert [(one["webhookEvent"], one["matchedWebhookIds"]) for one in found] == [
        (CREATED, [both]), (UPDATED, [both]), ("comment_created", [both]), (CREATED, [both, bugs]),
    ]  # fmt: skip
    paul = place.firebrick.find_person("paul").account_id
    assert {one["user"]["accountId"] for one in found} == {paul}
    assert [one.get("issue_event_type_name") for one in found[:3]] == [
        "issue_created", "issue_updated", None,
    ]  # fmt: skip
    assert found[1]["issue"]["fields"]["summary"] == "Newer"
    (item,) = found[1]["changelog"]["items"]
    assert (item["fieldId"], item["fromString"], item["toString"]) == ("summary", "New", "Newer")
    assert found[2]["comment"]["body"] == "one"
    assert found[1]["timestamp"] == int(place.clock.now_s() * 1000)
    path, headers, _ = place.receiver.got[0]
    assert path == "/hook"
    assert headers["x-atlassian-webhook-flow"] == "Primary"
    assert "x-atlassian-webhook-retry" not in headers
    scheme, _, token = headers["authorization"].partition(" ")
    claims = jwt.decode(token, place.secret, algorithms=["HS256"])
    assert (scheme, claims["iss"]) == ("Bearer", place.client.client_id)
    identifiers = {one["x-atlassian-webhook-identifier"] for _, one, _ in place.receiver.got}
    assert len(identifiers) == 4


def test_filters_on_fields_and_property_keys_are_kept(
    place: HookPlace, dana: dict[str, str], writer: httpx.Client
) -> None:
    titles = place.number(dana, "project = TEAM", UPDATED, fieldIdsFilter=["summary"])
    flags = place.number(
        dana, "project = TEAM", "issue_property_set", issuePropertyKeysFilter=["flag"]
    )
    red = place.number(dana, "issue.property[flag].colour = red", UPDATED)
    writer.put("/rest/api/2/issue/TEAM-1", json={"fields": {"labels": ["x"]}})
    writer.put("/rest/api/2/issue/TEAM-1/properties/other", json=1)
    writer.put("/rest/api/2/issue/TEAM-1/properties/flag", json={"colour": "Red"})
    rename(writer, "TEAM-1", "other")
    found = place.told(2)
    assert [one["matchedWebhookIds"] for one in found] == [[flags], [titles, red]]
    assert found[0]["property"] == {"key": "flag"}


def test_a_filter_is_evaluated_at_the_event(
    place: HookPlace, dana: dict[str, str], writer: httpx.Client
) -> None:
    issue = writer.get("/rest/api/2/issue/TEAM-1").json()
    other = next(
        one
        for one in writer.get("/rest/api/2/issue/TEAM-1/transitions").json()["transitions"]
        if one["to"]["id"] != issue["fields"]["status"]["id"]
    )
    number = place.number(dana, f"status = {other['to']['id']}", UPDATED)
    rename(writer, "TEAM-1", "before")
    moved = writer.post(
        "/rest/api/2/issue/TEAM-1/transitions", json={"transition": {"id": other["id"]}}
    )
    assert moved.status_code == 204
    (told,) = place.told(1)
    assert (told["matchedWebhookIds"], told["issue_event_type_name"]) == ([number], "issue_generic")


def test_a_deletion_is_told_with_what_was_there(
    place: HookPlace, dana: dict[str, str], writer: httpx.Client
) -> None:
    place.number(dana, "project = TEAM", "jira:issue_deleted", "comment_deleted")
    key = create(writer)
    comment = writer.post(f"/rest/api/2/issue/{key}/comment", json={"body": "x"}).json()["id"]
    writer.delete(f"/rest/api/2/issue/{key}/comment/{comment}")
    assert writer.delete(f"/rest/api/2/issue/{key}").status_code == 204
    found = place.told(2)
    assert [one["webhookEvent"] for one in found] == ["comment_deleted", "jira:issue_deleted"]
    assert [one["issue"]["key"] for one in found] == [key, key]


# --- what is not told ----------------------------------------------------------------------------


def test_a_private_app_is_told_of_its_owner_alone(place: HookPlace, writer: httpx.Client) -> None:
    clients = place.firebrick.oauth.clients
    shared = clients.update(replace(place.client, distribution="shared"))
    dana = place.number(place.log_in(), "project = TEAM", UPDATED)
    paul = place.number(place.log_in("paul"), "project = TEAM", UPDATED)
    rename(writer, "TEAM-1", "shared")
    assert {tuple(one["matchedWebhookIds"]) for one in place.told(2)} == {(dana,), (paul,)}
    clients.update(replace(shared, distribution="private"))
    rename(writer, "TEAM-1", "private")
    assert [one["matchedWebhookIds"] for one in place.told(3)[2:]] == [[dana]]
    assert place.quiet() == ["app.told"] * 3


@pytest.mark.hostile
def test_nothing_is_told_that_the_user_may_not_read(place: HookPlace) -> None:
    """Vera may read VAULT-1 and not VAULT-2, which has a security level; paul sees both."""
    place.firebrick.oauth.clients.update(replace(place.client, distribution="shared"))
    place.number(place.log_in("vera"), "project = VAULT", UPDATED, "comment_created")
    with place.script("paul") as paul:
        for key in ("VAULT-2", "VAULT-7", "VAULT-1"):
            rename(paul, key, f"secret of {key}")
            comment = paul.post(f"/rest/api/2/issue/{key}/comment", json={"body": "x"})
            assert comment.status_code == 201
    assert [one["issue"]["key"] for one in place.told(2)] == ["VAULT-1", "VAULT-1"]
    assert place.quiet() == ["app.told"] * 2


@pytest.mark.hostile
def test_nothing_is_told_without_the_scopes(
    place: HookPlace, dana: dict[str, str], writer: httpx.Client
) -> None:
    place.number(dana, "project = TEAM", UPDATED)
    for scopes in (SCOPES - {"read:jira-work"}, SCOPES - {"manage:jira-webhook"}):
        place.firebrick.oauth.clients.update(replace(place.client, scopes=scopes))
        rename(writer, "TEAM-1", f"hidden {len(scopes)} {sorted(scopes)[0]}")
    place.firebrick.oauth.clients.update(place.client)
    rename(writer, "TEAM-1", "open")
    assert [one["issue"]["fields"]["summary"] for one in place.told(1)] == ["open"]


@pytest.mark.hostile
@pytest.mark.parametrize("how", ["user", "site", "organization", "deleted"])
def test_the_end_of_the_grant_is_the_end_of_its_webhooks(
    place: HookPlace, dana: dict[str, str], writer: httpx.Client, how: str
) -> None:
    place.number(dana, "project = TEAM", UPDATED)
    oauth, client_id = place.firebrick.oauth, place.client.client_id
    if how == "user":
        oauth.grants.revoke_by_user(place.firebrick.find_person("dana").account_id, client_id)
    elif how == "site":
        oauth.grants.revoke_on_site(client_id, place.cloud_id)
    elif how == "organization":
        oauth.grants.revoke_everywhere(client_id)
    else:
        oauth.clients.delete(client_id)
    rename(writer, "TEAM-1", "hidden")
    if how != "deleted":
        again = place.log_in()
        assert place.ask("GET", "webhook", again).json()["total"] == 0
        rename(writer, "TEAM-1", "hidden still")
    assert place.quiet() == []


@pytest.mark.hostile
@pytest.mark.parametrize("how", ["blocked", "inactive", "revoked"])
def test_what_waits_is_not_sent_to_whom_it_is_not_for_any_more(
    place: HookPlace, dana: dict[str, str], writer: httpx.Client, how: str
) -> None:
    place.receiver.answers = [503]
    place.number(dana, "project = TEAM", UPDATED)
    rename(writer, "TEAM-1", "once")
    place.waiting(1)
    owner = place.firebrick.find_person("dana").account_id
    if how == "blocked":
        place.firebrick.oauth.blocks.block(place.client.client_id, place.cloud_id)
        rename(writer, "TEAM-1", "hidden")
    elif how == "inactive":
        with place.firebrick.engine.begin() as connection:
            set_account_active(connection, owner, active=False)
        rename(writer, "TEAM-1", "hidden")
    else:
        place.firebrick.oauth.grants.revoke_by_user(owner)
    place.clock.advance(900)
    assert place.quiet() == ["app.not-told", "app.not-told"]
    assert len(place.receiver.got) == 1
    (kept,) = place.firebrick.webhooks.deliveries.queue.list(failed=True)
    assert (kept.state, kept.status) == ("refused", None)


def test_a_rotated_secret_signs_the_next_attempt(
    place: HookPlace, dana: dict[str, str], writer: httpx.Client
) -> None:
    place.receiver.answers = [503]
    place.number(dana, "project = TEAM", UPDATED)
    rename(writer, "TEAM-1", "once")
    place.waiting(1)
    fresh = place.firebrick.oauth.clients.rotate_secret(place.client.client_id).get_secret_value()
    place.clock.advance(900)
    (_, _, first), (_, headers, second) = place.receiver.wait(2)
    assert json.loads(first) == json.loads(second)
    token = headers["authorization"].removeprefix("Bearer ")
    jwt.decode(token, fresh, algorithms=["HS256"], options={"verify_iat": False})
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, place.secret, algorithms=["HS256"], options={"verify_iat": False})


def test_an_app_of_an_older_state_is_told_once_its_secret_is_rotated(
    place: HookPlace, dana: dict[str, str], writer: httpx.Client
) -> None:
    place.number(dana, "project = TEAM", UPDATED)
    with place.firebrick.engine.begin() as connection:
        place.firebrick.oauth.sealed.remove(connection, place.client.client_id)
    rename(writer, "TEAM-1", "unsigned")
    assert place.quiet() == ["app.not-told"]
    (kept,) = place.firebrick.webhooks.deliveries.queue.list(failed=True)
    assert "rotate" in kept.failure
    place.firebrick.oauth.clients.rotate_secret(place.client.client_id)
    rename(writer, "TEAM-1", "signed")
    assert [one["issue"]["fields"]["summary"] for one in place.told(1)] == ["signed"]


def test_what_cannot_be_signed_for_now_waits(
    place: HookPlace, dana: dict[str, str], writer: httpx.Client
) -> None:
    """A key file that went astray is brought back; nothing was lost meanwhile."""
    key = place.firebrick.settings.state / "secrets.key"
    astray = key.with_suffix(".astray")
    place.number(dana, "project = TEAM", UPDATED)
    key.rename(astray)
    rename(writer, "TEAM-1", "late")
    assert "key file" in place.waiting(1).failure
    astray.rename(key)
    place.clock.advance(900)
    assert [one["issue"]["fields"]["summary"] for one in place.told(1)] == ["late"]
