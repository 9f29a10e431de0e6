"""Webhooks of a descriptor: what an app is told, why it can believe it, and when again."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import jwt
import pytest

from runtime.clock import ManualClock
from runtime.jira.webhooks import OTHER_BASE
from runtime.server.connect.client import Patience
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from runtime.server.webhooks.deliveries import Deliveries
from tests.fidelity.shapes import assert_shape
from tests.flows.conftest import Bench
from tests.flows.connect_app import ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.serving import served

EVENTS = (
    "jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created",
    "comment_updated", "comment_deleted", "issue_property_set", "issue_property_deleted",
)  # fmt: skip


class Hooked(ConnectApp):
    """An app that takes what comes to its hooks and answers what it is told to."""

    def verify(self, path: str, token: str, message: dict[str, Any]) -> dict[str, Any]:
        if not path.startswith("/hook"):
            return super().verify(path, token, message)
        claims = jwt.decode(token, self.tenant["sharedSecret"], algorithms=["HS256"])
        own = jwt.decode(self.token("POST", self.url + path), options={"verify_signature": False})
        assert claims["iss"] == self.tenant["clientKey"]
        assert claims["qsh"] == own["qsh"]
        return dict(claims)


@pytest.fixture
def flow(bench: Bench) -> Iterator[Connected]:
    hooks = [{"event": event, "url": "/hook"} for event in EVENTS]
    with served(bench.firebrick) as base, running(Hooked(modules={"webhooks": hooks})) as app:
        flow = Connected(bench, base, app)
        flow.install()
        yield flow


def told(flow: Connected, count: int) -> list[dict[str, Any]]:
    """Return the first webhooks, once that many have come."""
    for _ in range(600):
        found = [message for name, message, _ in flow.app.received if name.startswith("hook")]
        if len(found) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(flow.app.received)


@pytest.fixture
def dana(flow: Connected) -> Iterator[httpx.Client]:
    owner = flow.bench.firebrick.find_person("dana")
    _, secret = flow.bench.firebrick.api_tokens.create(owner, "test")
    auth = (str(owner.email), secret.get_secret_value())
    with httpx.Client(base_url=f"{flow.base}/rest/api/2", auth=auth) as client:
        yield client


def test_an_app_is_told_what_happens_in_order(flow: Connected, dana: httpx.Client) -> None:
    fields = {"project": {"key": "TEAM"}, "summary": "New", "issuetype": {"name": "Task"}}
    key = dana.post("/issue", json={"fields": fields}).json()["key"]
    dana.put(f"/issue/{key}", json={"fields": {"summary": "Newer"}})
    comment = dana.post(f"/issue/{key}/comment", json={"body": "one"}).json()["id"]
    dana.put(f"/issue/{key}/comment/{comment}", json={"body": "two"})
    dana.delete(f"/issue/{key}/comment/{comment}")
    dana.put(f"/issue/{key}/properties/p", json=1)
    dana.delete(f"/issue/{key}/properties/p")
    found = told(flow, 7)
    assert [one["webhookEvent"] for one in found] == [
        "jira:issue_created", "jira:issue_updated", "comment_created", "comment_updated",
        "comment_deleted", "issue_property_set", "issue_property_deleted",
    ]  # fmt: skip
    assert {one["user"]["accountId"] for one in found} == {flow.account_id("dana")}
    assert [one["issue"]["fields"]["summary"] for one in found[:2]] == ["New", "Newer"]
    assert [one["comment"]["body"] for one in found[2:5]] == ["one", "two", "two"]
    assert found[5]["property"] == {"key": "p"}
    paths = {urlsplit(path).query for path, _, _ in flow.app.raw if path.startswith("/hook")}
    assert paths == {f"user_id={flow.account_id('dana').replace(':', '%3A')}"}


def test_what_fails_is_no_event(flow: Connected, dana: httpx.Client) -> None:
    assert dana.put("/issue/TEAM-1", json={"fields": {"nonsense": 1}}).status_code == 400
    assert dana.post("/issue/TEAM-99999/comment", json={"body": "x"}).status_code == 404
    dana.post("/issue/TEAM-1/comment", json={"body": "last"})
    assert [one["comment"]["body"] for one in told(flow, 1)] == ["last"]


@pytest.mark.hostile
def test_an_app_hears_nothing_that_it_may_not_read(flow: Connected, dana: httpx.Client) -> None:
    flow.app.scopes = []
    flow.install()
    dana.post("/issue/TEAM-1/comment", json={"body": "secret"})
    flow.app.scopes = ["READ"]
    flow.install()
    dana.post("/issue/TEAM-1/comment", json={"body": "open"})
    assert [one["comment"]["body"] for one in told(flow, 1)] == ["open"]


# --- what a descriptor may say of a webhook -------------------------------------------------------


def test_a_descriptor_filters_and_leaves_the_body_out(flow: Connected, dana: httpx.Client) -> None:
    flow.app.modules = {
        "webhooks": [
            {"event": "jira:issue_updated", "url": "/hook?f", "filter": "key = TEAM-2"},
            {"event": "issue_property_set", "url": "/hook?p", "propertyKeys": ["flag"]},
            {"event": "comment_created", "url": "/bare", "excludeBody": True},
        ]
    }
    flow.install()
    for key in ("TEAM-1", "TEAM-2"):
        dana.put(f"/issue/{key}", json={"fields": {"summary": f"new {key}"}})
        dana.put(f"/issue/{key}/properties/other", json=1)
    dana.put("/issue/TEAM-1/properties/flag", json=1)
    flow.app.answers["/bare?user_id=" + quote(flow.account_id("dana"), safe="")] = [204]
    dana.post("/issue/TEAM-1/comment", json={"body": "x"})
    found = told(flow, 2)
    assert [(one["webhookEvent"], one["issue"]["key"]) for one in found] == [
        ("jira:issue_updated", "TEAM-2"), ("issue_property_set", "TEAM-1"),
    ]  # fmt: skip
    for _ in range(600):
        if flow.app.raw[-1][0].startswith("/bare"):
            break
        time.sleep(0.05)
    assert flow.app.raw[-1][2] == b""


def test_each_issue_of_a_bulk_creation_is_told_of(flow: Connected, dana: httpx.Client) -> None:
    updates = [
        {"fields": {"project": {"key": "TEAM"}, "summary": name, "issuetype": {"name": "Task"}}}
        for name in ("one", "two")
    ]
    assert dana.post("/issue/bulk", json={"issueUpdates": updates}).status_code == 201
    assert [one["issue"]["fields"]["summary"] for one in told(flow, 2)] == ["one", "two"]


# --- dynamic webhooks of a Connect app ------------------------------------------------------------


def registered(flow: Connected, *hooks: dict[str, Any], url: str = "") -> httpx.Response:
    body = {"url": url or f"{flow.app.url}/hook", "webhooks": hooks}
    answer = flow.app.ask("POST", "/rest/api/3/webhook", body)
    assert_shape("registerDynamicWebhooks", answer.status_code, answer.content)
    return answer


def test_a_connect_app_registers_below_its_base_and_is_told(
    flow: Connected, dana: httpx.Client
) -> None:
    flow.app.modules = {}
    flow.install()
    hook = {"jqlFilter": "project = TEAM", "events": ["comment_created"]}
    for url in ("https://evil.example/hook", "http://127.0.0.1:1/hook"):
        refused = registered(flow, hook, url=url)
        assert (refused.status_code, refused.json()["errorMessages"]) == (400, [OTHER_BASE])
    made = registered(flow, *[hook] * 101).json()["webhookRegistrationResult"]
    assert [list(one) for one in made] == [["createdWebhookId"]] * 100 + [["errors"]]
    numbers = [one["createdWebhookId"] for one in made[:100]]
    dana.post("/issue/TEAM-1/comment", json={"body": "hear"})
    (message,) = told(flow, 1)
    assert (message["comment"]["body"], message["matchedWebhookIds"]) == ("hear", numbers)
    page = flow.app.ask("GET", "/rest/api/3/webhook?startAt=90")
    assert_shape("getDynamicWebhooksForApp", page.status_code, page.content)
    assert (page.json()["total"], len(page.json()["values"])) == (100, 10)
    ended = flow.app.ask("DELETE", "/rest/api/3/webhook", {"webhookIds": numbers[1:]})
    assert (ended.status_code, ended.content) == (202, b"")
    flow.uninstall()
    flow.install()
    assert flow.app.ask("GET", "/rest/api/3/webhook").json()["total"] == 0


@pytest.mark.hostile
def test_webhooks_of_another_app_are_not_there(flow: Connected) -> None:
    hook = {"jqlFilter": "project = TEAM", "events": ["comment_created"]}
    (made,) = registered(flow, hook).json()["webhookRegistrationResult"]
    with running(Hooked(key="com.example.other", modules={})) as other:
        flow.install(app=other)
        number = {"webhookIds": [made["createdWebhookId"]]}
        assert other.ask("GET", "/rest/api/3/webhook").json()["total"] == 0
        assert other.ask("PUT", "/rest/api/3/webhook/refresh", number).status_code == 200
        assert other.ask("DELETE", "/rest/api/3/webhook", number).status_code == 202
    assert flow.app.ask("GET", "/rest/api/3/webhook").json()["total"] == 1


@pytest.mark.hostile
def test_webhooks_of_administrators_are_not_for_apps(flow: Connected) -> None:
    """The app's account administers Jira, and yet it is no person with an API token."""
    root = "/rest/webhooks/1.0/webhook"
    body = {"name": "x", "url": flow.app.url, "events": ["comment_created"]}
    assert flow.app.ask("GET", root).status_code == 401
    assert flow.app.ask("POST", root, body).status_code == 401


# --- attempts, on a clock of their own -----------------------------------------------------------


@pytest.fixture
def timed(tmp_path: Path, cache: Path) -> Iterator[tuple[Connected, ManualClock]]:
    """An app that hears of comments, and nothing of the emulator's own that sends."""
    clock = ManualClock(time.time())
    settings = Settings(state=tmp_path / "state", cache=cache)
    modules = {"webhooks": [{"event": "comment_created", "url": "/hook"}]}
    with (
        open_firebrick(settings, clock=clock) as firebrick,
        served(firebrick) as base,
        running(Hooked(modules=modules)) as app,
    ):
        flow = Connected(Bench(firebrick), base, app)
        flow.install()
        firebrick.webhooks.deliveries.close()
        yield flow, clock


def sender(flow: Connected) -> Deliveries:
    """Send by hand from now on."""
    deliveries = flow.bench.firebrick.webhooks.deliveries
    comment(flow)
    return deliveries


def comment(flow: Connected) -> None:
    person = flow.bench.firebrick.find_person("dana")
    _, secret = flow.bench.firebrick.api_tokens.create(person, "test")
    auth = (str(person.email), secret.get_secret_value())
    url = f"{flow.base}/rest/api/2/issue/TEAM-1/comment"
    assert httpx.post(url, json={"body": "x"}, auth=auth).status_code == 201


def hook_path(flow: Connected) -> str:
    return "/hook?user_id=" + quote(flow.account_id("dana"), safe="")


@pytest.mark.hostile
def test_43_a_retry_keeps_its_identifier_and_signs_anew(
    timed: tuple[Connected, ManualClock],
) -> None:
    flow, clock = timed
    flow.app.answers[hook_path(flow)] = [503, 429, 204]
    made = sender(flow)
    attempts = [made.run_due()]
    assert made.run_due() == 0
    for _ in range(2):
        clock.advance(900)
        attempts.append(made.run_due())
    clock.advance(9000)
    assert (attempts, made.run_due(), made.queue.count()) == ([1, 1, 1], 0, 0)
    sent = [(token, body) for path, token, body in flow.app.raw if path == hook_path(flow)]
    assert len({token for token, _ in sent}) == 3
    assert len({body for _, body in sent}) == 1
    headers = [one for path, one in flow.app.headers if path == hook_path(flow)]
    assert len({one["x-atlassian-webhook-identifier"] for one in headers}) == 1
    assert [one.get("x-atlassian-webhook-retry") for one in headers] == [None, "1", "2"]
    assert {one["x-atlassian-webhook-flow"] for one in headers} == {"Primary"}
    records = [one for one in flow.bench.firebrick.audit.read() if one.kind == "webhook"]
    assert [record.rule for record in records] == ["app.not-told", "app.not-told", "app.told"]


@pytest.mark.parametrize(
    ("status", "attempts", "state"),
    [
        (400, 1, "refused"), (302, 1, "refused"), (404, 1, "refused"), (410, 1, "refused"),
        (500, 6, "failed"), (408, 6, "failed"), (409, 6, "failed"), (425, 6, "failed"),
        (429, 6, "failed"),
    ],
)  # fmt: skip
def test_it_is_tried_again_only_where_that_may_help(
    timed: tuple[Connected, ManualClock], status: int, attempts: int, state: str
) -> None:
    flow, clock = timed
    flow.app.answers[hook_path(flow)] = [status] * 10
    made, done = sender(flow), 0
    for _ in range(10):
        done += made.run_due()
        clock.advance(900)
    assert (done, made.queue.count()) == (attempts, 0)
    (kept,) = made.queue.list(failed=True)
    assert (kept.state, kept.status) == (state, status)


def test_nobody_there_is_tried_again(timed: tuple[Connected, ManualClock]) -> None:
    flow, clock = timed
    made = sender(flow)
    flow.app.stop()
    before_s = clock.now_s()
    assert (made.run_due(), made.run_due()) == (1, 0)
    (waiting,) = made.queue.list(failed=False)
    assert 300 <= waiting.due_s - before_s <= 900
    assert (waiting.retries, waiting.status) == (1, None)
    assert "ECONNREFUSED" in waiting.failure


def test_an_app_reads_what_it_did_not_take_for_three_days(
    timed: tuple[Connected, ManualClock],
) -> None:
    flow, clock = timed
    flow.app.answers[hook_path(flow)] = [500] * 12 + [404]
    made = sender(flow)
    for _ in range(6):
        made.run_due()
        clock.advance(900)
    first = made.queue.list(failed=True)[0]
    comment(flow)
    for _ in range(6):
        made.run_due()
        clock.advance(900)
    comment(flow)
    made.run_due()
    page = failures(flow, clock, "?maxResults=1")
    assert page["values"] == [
        {
            "id": first.identifier, "url": first.url, "body": first.body,
            "failureTime": int((first.ended_s or 0) * 1000),
        }
    ]  # fmt: skip
    rest = failures(flow, clock, "?" + urlsplit(page["next"]).query)
    assert len(rest["values"]) == 1
    assert failures(flow, clock, "?" + urlsplit(rest["next"]).query)["values"] == []
    assert len(failures(flow, clock)["values"]) == 2
    clock.advance(72 * 3600)
    assert failures(flow, clock)["values"] == []


def failures(flow: Connected, clock: ManualClock, query: str = "") -> dict[str, Any]:
    now = int(clock.now_s())
    answer = flow.app.ask("GET", f"/rest/api/3/webhook/failed{query}", iat=now, exp=now + 60)
    assert_shape("getFailedWebhooks", answer.status_code, answer.content)
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.hostile
@pytest.mark.parametrize("how", ["disabled", "uninstalled", "installed anew"])
def test_what_waits_is_not_sent_to_an_app_that_is_gone(
    timed: tuple[Connected, ManualClock], how: str
) -> None:
    flow, clock = timed
    flow.app.answers[hook_path(flow)] = [503]
    made = sender(flow)
    made.run_due()
    if how == "disabled":
        admin = flow.bench.firebrick.find_person("amy")
        flow.bench.firebrick.connect_apps.set_enabled(
            flow.app.key, flow.bench.cloud_id, admin, enabled=False
        )
    else:
        flow.uninstall()
    if how == "installed anew":
        flow.install()
    clock.advance(900)
    assert made.run_due() == 1
    assert len([path for path, _, _ in flow.app.raw if path == hook_path(flow)]) == 1
    (kept,) = made.queue.list(failed=True)
    assert (kept.state, kept.status) == ("refused", None)


@pytest.mark.hostile
def test_43_a_forged_webhook_is_told_by_its_signature(flow: Connected, dana: httpx.Client) -> None:
    dana.post("/issue/TEAM-1/comment", json={"body": "true"})
    told(flow, 1)
    path, token, body = next(one for one in flow.app.raw if one[0].startswith("/hook"))
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token.removeprefix("JWT "), "fbk_sec_" + "0" * 64, algorithms=["HS256"])
    with pytest.raises(AssertionError):
        flow.app.verify(f"{path}&x=1", token.removeprefix("JWT "), json.loads(body))


def test_a_receiver_has_five_seconds_to_be_reached_and_twenty_to_answer(bench: Bench) -> None:
    webhooks, apps = bench.firebrick.webhooks.deliveries.client, bench.firebrick.connect_apps
    assert webhooks.patience == Patience(connect_s=5.0, answer_s=20.0)
    assert apps.client.patience == Patience(connect_s=10.0, answer_s=10.0)
