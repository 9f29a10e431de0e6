"""Webhooks inside the product: who may register, what a filter means, what is seen by the site."""

import json

import pytest

from runtime.errors import CredentialError
from runtime.identity.principal import Principal
from runtime.jira.webhook_events import EVENT_NAMES, EVENTS, delivery_headers
from runtime.jira.webhook_matching import WebhookMatcher
from runtime.jira.webhooks import APPS_ONLY, CONNECT_ONLY, is_webhook_url
from runtime.server.webhooks.reader import Tickets
from runtime.wire import JiraRequest
from tests.jira.worlds import TABLE, World

SCOPES = {"read:jira-work", "manage:jira-webhook"}
REQUESTS = (
    ("GET", "webhook", None, APPS_ONLY),
    ("POST", "webhook", {"url": "https://a.example", "webhooks": []}, APPS_ONLY),
    ("DELETE", "webhook", {"webhookIds": [1]}, APPS_ONLY),
    ("PUT", "webhook/refresh", {"webhookIds": [1]}, APPS_ONLY),
    ("GET", "webhook/failed", None, CONNECT_ONLY),
)


@pytest.fixture
def matcher(world: World) -> WebhookMatcher:
    return WebhookMatcher(world.engine, TABLE, world.clock, world.ids)


@pytest.mark.parametrize(("method", "path", "body", "text"), REQUESTS)
def test_a_forge_app_registers_none(
    world: World, method: str, path: str, body: object, text: str
) -> None:
    for version in (2, 3):
        path_of = f"/rest/api/{version}/{path}"
        answer = world.request(method, path_of, body, as_="dana", scopes=SCOPES, host="gateway")
        assert (answer.status, answer.errors, answer.rule) == (403, [text], "caller.not-the-app")


@pytest.mark.parametrize("number", range(len(REQUESTS)))
def test_credential_and_scopes_come_before_the_kind_of_app(world: World, number: int) -> None:
    method, path, body, _ = REQUESTS[number]
    assert world.request(method, f"/rest/api/3/{path}", body).status == 401
    less = {"read:jira-work"}
    asked = world.request(
        method, f"/rest/api/3/{path}", body, as_="dana", scopes=less, host="gateway"
    )
    assert asked.status == 401


def test_an_update_names_its_entry_of_the_history(world: World, matcher: WebhookMatcher) -> None:
    path = "/rest/api/3/issue/TEAM-1"
    answer = world.put(path, {"fields": {"summary": "other"}}, as_="dana")
    (number,) = answer.response.changes
    change = matcher.change(number)
    assert change is not None
    assert [item["fieldId"] for item in json.loads(json.dumps(change))["items"]] == ["summary"]
    history = world.get(f"{path}/changelog", as_="dana").json["values"]
    assert history[-1]["id"] == change["id"]
    assert matcher.change(number + 1) is None
    again = world.put(path, {"fields": {"summary": "other"}}, as_="dana")
    assert (again.status, again.response.changes) == (204, ())


# --- filters -------------------------------------------------------------------------------------

FITTING = [
    "project = TEAM", "project in (TEAM, VAULT)", "issueKey = TEAM-1", "not project = VAULT",
    "project = TEAM and not (issueKey = TEAM-2 or issueKey = TEAM-3)",
    "issue.property[flag].colour = RED", "issue.property[flag].size = 3.0",
    "issue.property[flag].tags = b", 'issue.property[flag].live = "true"',
    "issue.property[flag].colour != blue", "issue.property[flag].tags not in (c, d)",
    "not issue.property[flag].colour = blue", "issue.property[flag].deep.down in (x, y)",
]  # fmt: skip
OTHERS = [
    "project = VAULT", "project != TEAM", "issueKey in (TEAM-2)", "not project = TEAM",
    "issue.property[flag].colour = blue", "issue.property[flag].colour != red",
    "issue.property[flag].none = x", "issue.property[flag].none != x",
    "issue.property[other].colour = red", "issue.property[flag].size = big",
    "issue.property[flag].live = 1", "not issue.property[flag].none = x",
    "project = NOWHERE", "nonsense =",
]  # fmt: skip


@pytest.mark.parametrize(
    ("jql", "fits"), [*((q, True) for q in FITTING), *((q, False) for q in OTHERS)]
)
def test_a_filter_is_evaluated_for_one_issue(
    world: World, matcher: WebhookMatcher, jql: str, fits: bool
) -> None:
    value = {"colour": "red", "size": 3, "tags": ["a", "b"], "live": True, "deep": {"down": "y"}}
    world.put("/rest/api/3/issue/TEAM-1/properties/flag", value, as_="dana")
    number = int(world.get("/rest/api/3/issue/TEAM-1", as_="dana").json["id"])
    who = Principal("basic", world.account_id("dana"))
    assert matcher.fits(world.cloud_id, who, number, jql) is fits


def test_names_mean_what_they_mean_to_who_registered(world: World, matcher: WebhookMatcher) -> None:
    """Otto sees no project, so its name names nothing; the site itself sees it."""
    number = int(world.get("/rest/api/3/issue/TEAM-1", as_="dana").json["id"])
    otto = Principal("basic", world.account_id("otto"))
    dora = Principal("basic", world.account_id("dora"))
    for who, fits in ((otto, False), (dora, False), (None, True)):
        assert matcher.fits(world.cloud_id, who, number, "project = TEAM") is fits
    assert matcher.fits("nowhere", None, number, "project = TEAM") is False


def test_the_site_itself_reads_what_nobody_else_may(world: World, matcher: WebhookMatcher) -> None:
    secured = "/rest/api/2/issue/VAULT-2"
    assert world.get(secured, as_="vera").status == 404
    answer = matcher.read(world.cloud_id, "https://acme.atlassian.net", secured)
    assert answer is not None
    assert b'"key":"VAULT-2"' in answer.body
    assert matcher.read(world.cloud_id, "", "/rest/api/2/nonsense") is None
    assert matcher.read("nowhere", "", secured) is None


# --- parts ---------------------------------------------------------------------------------------


def test_a_ticket_is_believed_once(world: World) -> None:
    tickets, who = Tickets(world.ids), Principal("basic", "x")
    shown = JiraRequest("GET", "/", headers={"authorization": tickets.issue(who)})
    assert tickets.authenticate(shown) == who
    for request in (
        shown,
        JiraRequest("GET", "/"),
        JiraRequest("GET", "/", headers={"authorization": "ü"}),
    ):
        with pytest.raises(CredentialError):
            tickets.authenticate(request)


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("https://a.example/x?y=1", True), ("http://127.0.0.1:3000", True),
        ("https://a.example:99999/", False), ("https://[::1", False), ("https:///x", False),
        ("a.example/x", False), ("javascript:alert(1)", False), ("https://a b/", False),
        ("https://a.example/\r\nX: y", False), ("https://ä.example/", False), ("", False),
    ],
)  # fmt: skip
def test_only_plain_urls_of_http_are_receivers(url: str, is_one: bool) -> None:
    assert is_webhook_url(url) is is_one


def test_every_event_is_of_a_known_operation() -> None:
    assert all(TABLE.find(key) is not None for key in EVENTS)
    assert len(EVENT_NAMES) == 8
    assert delivery_headers("one", 2)[-1] == ("X-Atlassian-Webhook-Retry", "2")
