"""Webhooks of a descriptor: what an app is told, why it can believe it, and when again."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from runtime.clock import ManualClock
from runtime.identity.connect.webhooks import Webhook, listening, webhook
from runtime.server.connect_client import AppClient
from runtime.server.deliveries import Deliveries
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


# --- attempts, on a clock of their own -----------------------------------------------------------


def hook(flow: Connected) -> Webhook:
    app = flow.bench.firebrick.connect.installations.find(flow.bench.cloud_id, flow.app.key)
    assert app is not None
    (module,) = listening(app.descriptor, "comment_created")
    return webhook(
        app, module, client_key=flow.app.tenant["clientKey"], account_id=None, payload={"a": 1},
        identifier="one",
    )  # fmt: skip


def deliveries(flow: Connected, clock: ManualClock) -> Deliveries:
    firebrick = flow.bench.firebrick
    return Deliveries(AppClient(clock, frozenset()), firebrick.audit, clock, firebrick.ids)


@pytest.mark.hostile
def test_43_a_retry_keeps_its_identifier_and_signs_anew(flow: Connected) -> None:
    clock = ManualClock(time.time())
    made = deliveries(flow, clock)
    flow.app.answers["/hook"] = [503, 429, 204]
    one = hook(flow)
    made.add(one, at_once=False)
    attempts = [made.run_due()]
    assert made.run_due() == 0
    for _ in range(2):
        clock.advance(900)
        attempts.append(made.run_due())
    clock.advance(9000)
    assert (attempts, made.run_due(), made.waiting()) == ([1, 1, 1], 0, 0)
    sent = [token for path, token, _ in flow.app.raw if path == "/hook"]
    assert len(set(sent)) == 3
    assert [one.headers(retry) for retry in (0, 2)] == [
        (("X-Atlassian-Webhook-Identifier", "one"), ("X-Atlassian-Webhook-Flow", "Primary")),
        (
            ("X-Atlassian-Webhook-Identifier", "one"), ("X-Atlassian-Webhook-Flow", "Primary"),
            ("X-Atlassian-Webhook-Retry", "2"),
        ),
    ]  # fmt: skip
    records = [one for one in flow.bench.firebrick.audit.read() if one.kind == "webhook"]
    assert [record.rule for record in records] == ["app.not-told", "app.not-told", "app.told"]


@pytest.mark.parametrize(("status", "attempts"), [(400, 1), (302, 1), (404, 1), (500, 6)])
def test_43_it_is_tried_again_only_where_that_may_help(
    flow: Connected, status: int, attempts: int
) -> None:
    clock = ManualClock(time.time())
    made = deliveries(flow, clock)
    flow.app.answers["/hook"] = [status] * 10
    made.add(hook(flow), at_once=False)
    done = 0
    for _ in range(10):
        done += made.run_due()
        clock.advance(900)
    assert (done, made.waiting()) == (attempts, 0)


@pytest.mark.hostile
def test_43_a_forged_webhook_is_told_by_its_signature(flow: Connected, dana: httpx.Client) -> None:
    dana.post("/issue/TEAM-1/comment", json={"body": "true"})
    told(flow, 1)
    path, token, body = next(one for one in flow.app.raw if one[0].startswith("/hook"))
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token.removeprefix("JWT "), "fbk_sec_" + "0" * 64, algorithms=["HS256"])
    with pytest.raises(AssertionError):
        flow.app.verify(f"{path}&x=1", token.removeprefix("JWT "), json.loads(body))
