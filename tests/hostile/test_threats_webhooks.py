"""Threats to webhooks of every kind, by their row in the threat list, over real sockets."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import jwt
import pytest
from sqlalchemy import delete

from runtime.jira.configuration import touch
from runtime.jira.schema import permission_grant_table
from runtime.server.webhooks.rights import CLOSED, UNREADABLE
from tests.flows.conftest import Bench
from tests.flows.connect_app import ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.webhook_app import receiving
from tests.flows.webhook_place import HookPlace, hook_place
from tests.hostile.oauth_place import Place

pytestmark = pytest.mark.hostile

ADMIN = "/rest/webhooks/1.0/webhook"
UPDATED = "jira:issue_updated"
IDENTIFIER = "x-atlassian-webhook-identifier"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[HookPlace]:
    with hook_place(tmp_path) as made:
        yield made


def update(place: HookPlace, summary: str = "new") -> None:
    with place.script("paul") as paul:
        answer = paul.put("/rest/api/2/issue/TEAM-1", json={"fields": {"summary": summary}})
        assert answer.status_code == 204


def define(place: HookPlace, url: str, **more: object) -> None:
    with place.script("amy") as amy:
        body = {"name": "Mine", "url": url, "events": [UPDATED], **more}
        assert amy.post(ADMIN, json=body).status_code == 201


# --- 7: redirect following leaks credentials -----------------------------------------------------


@pytest.mark.parametrize("kind", ["oauth", "admin", "connect", "descriptor"])
def test_07_a_redirect_of_a_receiver_is_not_followed(place: HookPlace, kind: str) -> None:
    with receiving() as thief:
        if kind in ("oauth", "admin"):
            place.receiver.redirect_to = f"{thief.url}/stolen"
        if kind == "oauth":
            place.number(place.log_in(), "project = TEAM", UPDATED)
        elif kind == "admin":
            define(place, place.url, secret="s")
        else:
            _connect(place, thief.url, kind)
        update(place)
        if kind in ("oauth", "admin"):
            place.receiver.wait(1)
        assert place.quiet() == ["app.not-told"]
        (kept,) = place.firebrick.webhooks.deliveries.queue.list(failed=True)
        assert (kept.state, kept.status) == ("refused", 302 if kind in ("oauth", "admin") else 307)
        place.clock.advance(9000)
        assert thief.got == []


def _connect(place: HookPlace, stolen: str, kind: str) -> None:
    hooks = [{"event": UPDATED, "url": "/hook"}] if kind == "descriptor" else []
    with running(ConnectApp(modules={"webhooks": hooks})) as app:
        flow = Connected(Bench(place.firebrick), place.base, app)
        flow.install()
        if kind == "connect":
            hook = {"jqlFilter": "project = TEAM", "events": [UPDATED]}
            body = {"url": f"{app.url}/hook", "webhooks": [hook]}
            assert app.ask("POST", "/rest/api/3/webhook", body).status_code == 200
        app.redirect_to = f"{stolen}/stolen"
        update(place, "told while the app is there")
        place.quiet()
        assert [path.partition("?")[0] for path, _, _ in app.raw][-1] == "/hook"
        admin = place.firebrick.find_person("amy")
        app.redirect_to = ""
        place.firebrick.connect_apps.uninstall(app.key, place.cloud_id, admin)


# --- 38: SSRF by webhook URLs --------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest", "https://10.0.0.1/hook", "http://example.com/hook",
        "https://example.com:22/", "http://[::ffff:169.254.169.254]/", "http://0.0.0.0:1/x",
        "https://192.168.1.1/", "http://2852039166/",
    ],
)  # fmt: skip
def test_38_a_webhook_leads_into_no_network_and_to_no_other_port(
    place: HookPlace, url: str
) -> None:
    made = place.register(
        place.log_in(), {"jqlFilter": "project = TEAM", "events": [UPDATED]}, url=url
    )
    assert "createdWebhookId" in made[0]
    define(place, url)
    update(place)
    assert place.quiet() == ["app.not-told"] * 2
    found = place.firebrick.webhooks.deliveries.queue.list(failed=True)
    assert [(one.state, one.status) for one in found] == [("refused", None)] * 2
    for one in found:  # what was tried and not reached would say so, and wait
        assert "ETIMEDOUT" not in one.failure
        assert "ECONNREFUSED" not in one.failure


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://", "//x", "http://u@127.0.0.1/"]
)
def test_38_what_is_no_address_of_a_receiver_is_not_registered(place: HookPlace, url: str) -> None:
    hook = {"jqlFilter": "project = TEAM", "events": [UPDATED]}
    asked = place.ask("POST", "webhook", place.log_in(), {"url": url, "webhooks": [hook]})
    assert asked.status_code == 400


# --- 43: webhook forgery -------------------------------------------------------------------------


def test_43_the_signature_of_an_administrators_webhook_is_that_of_its_body(
    place: HookPlace,
) -> None:
    """The published vector first, then a message: recomputed by hand, and changed."""
    key = "It's a Secret to Everybody"
    vector = hmac.new(key.encode(), b"Hello World!", hashlib.sha256).hexdigest()
    assert vector == "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    define(place, place.url, secret=key)
    update(place)
    ((_, headers, body),) = place.receiver.wait(1)
    signature = headers["x-hub-signature"]
    assert signature == "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    forged = body.replace(b"TEAM-1", b"TEAM-2")
    assert forged != body
    assert signature != "sha256=" + hmac.new(key.encode(), forged, hashlib.sha256).hexdigest()
    assert signature != "sha256=" + hmac.new(b"other", body, hashlib.sha256).hexdigest()


def test_43_a_retry_keeps_identifier_and_body_and_counts(place: HookPlace) -> None:
    place.receiver.answers = [500, 429]
    define(place, place.url, secret="s")
    update(place)
    for retries in (1, 2):
        place.waiting(retries)
        place.clock.advance(900)
        place.receiver.wait(retries + 1)
    got = place.receiver.got
    assert len({headers[IDENTIFIER] for _, headers, _ in got}) == 1
    assert len({(headers["x-hub-signature"], body) for _, headers, body in got}) == 1
    counts = [headers.get("x-atlassian-webhook-retry") for _, headers, _ in got]
    assert counts == [None, "1", "2"]


def test_43_the_token_to_an_oauth_app_is_by_its_secret_and_short(place: HookPlace) -> None:
    place.number(place.log_in(), "project = TEAM", UPDATED)
    update(place)
    ((_, headers, _),) = place.receiver.wait(1)
    scheme, _, token = headers["authorization"].partition(" ")
    assert scheme == "Bearer"
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    claims = jwt.decode(token, place.secret, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] <= 180
    for wrong in (place.secret[:-1] + "x", "fbk_sec_" + "0" * 64):
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, wrong, algorithms=["HS256"])
    # and it opens nothing here
    for base in (place.base, place.gateway):
        shown = httpx.get(
            f"{base}/rest/api/3/myself", headers={"authorization": headers["authorization"]}
        )
        assert shown.status_code in (401, 403)


# --- 37: secrets in records ----------------------------------------------------------------------


def test_37_no_record_and_no_list_holds_what_signed(place: HookPlace) -> None:
    define(place, f"{place.url}?jwt=abc&code=def", secret="s3cret-of-amy")
    place.number(place.log_in(), "project = TEAM", UPDATED)
    update(place)
    place.receiver.wait(2)
    place.quiet()
    text = json.dumps([repr(one) for one in place.firebrick.audit.read(limit=1000)])
    tokens = [headers.get("authorization", "-" * 9) for _, headers, _ in place.receiver.got]
    for secret in ("s3cret-of-amy", place.secret, *(one.split()[-1] for one in tokens)):
        if set(secret) != {"-"}:
            assert secret not in text
    assert "jwt=abc" not in text


# --- 33: stale rights after revoke ---------------------------------------------------------------


def test_33_a_site_that_was_lost_and_granted_anew_has_no_webhooks(tmp_path: Path) -> None:
    place = Place(tmp_path)
    scopes = frozenset({"read:jira-work", "manage:jira-webhook"})
    with place.firebrick as firebrick:
        firebrick.oauth.clients.update(replace(place.client, scopes=scopes))
        codes = [place.code("dana", scopes, site) for site in place.sites]
        token = place.exchange(codes[-1]).access_token
        hook = {"jqlFilter": "project = TEAM", "events": [UPDATED]}
        body = json.dumps({"url": "https://a.example/", "webhooks": [hook]}).encode()
        for site in place.sites:
            made = place.call(token, site, "POST", "/rest/api/3/webhook", body)
            assert b"createdWebhookId" in made.body
        firebrick.oauth.grants.revoke_on_site(place.client.client_id, place.sites[1])
        assert place.call(token, place.sites[1], "GET", "/rest/api/3/webhook").status == 401
        token = place.exchange(place.code("dana", scopes, place.sites[1])).access_token
        totals = [
            json.loads(place.call(token, site, "GET", "/rest/api/3/webhook").body)["total"]
            for site in place.sites
        ]
    assert totals == [1, 0]


# --- 33 and 41: between the event and the attempt -------------------------------------------------

ISSUE, COMMENT = "/rest/api/2/issue/TEAM-1", "/rest/api/2/issue/TEAM-1/comment"


def _rule(place: HookPlace) -> None:
    place.firebrick.app_access.set(place.cloud_id, "TEAM", blocked=True)


def _rule_of_the_app(place: HookPlace) -> None:
    place.firebrick.app_access.set(place.cloud_id, "TEAM", place.client.client_id, blocked=True)


def _permission(place: HookPlace) -> None:
    """Nobody browses TEAM any more."""
    with place.firebrick.engine.begin() as connection:
        table = permission_grant_table
        connection.execute(delete(table).where(table.c.permission == "BROWSE_PROJECTS"))
        touch(connection, place.cloud_id)


def _scope(place: HookPlace) -> None:
    scopes = frozenset({"manage:jira-webhook", "read:me"})
    place.firebrick.oauth.clients.update(replace(place.client, scopes=scopes))


def _role_of_the_comment(place: HookPlace) -> None:
    with place.script("paul") as paul:
        (first, *_) = paul.get(COMMENT).json()["comments"][::-1]
        body = {"body": "x", "visibility": {"type": "role", "value": "Administrators"}}
        assert paul.put(f"{COMMENT}/{first['id']}", json=body).status_code == 200


def _issue_and_rule(place: HookPlace) -> None:
    with place.script("paul") as paul:
        assert paul.delete(f"{ISSUE}?deleteSubtasks=true").status_code == 204
    _rule(place)


def _issue_and_permission(place: HookPlace) -> None:
    with place.script("paul") as paul:
        assert paul.delete(f"{ISSUE}?deleteSubtasks=true").status_code == 204
    _permission(place)


@pytest.mark.parametrize(
    ("take_away", "why"),
    [
        (_rule, CLOSED),
        (_rule_of_the_app, CLOSED),
        (_permission, UNREADABLE),
        (_scope, UNREADABLE),
        (_role_of_the_comment, UNREADABLE),
        (_issue_and_rule, CLOSED),
        (_issue_and_permission, UNREADABLE),
    ],
)
@pytest.mark.parametrize("retried", [True, False], ids=["a retry", "the first attempt"])
def test_33_what_waits_is_not_told_to_whom_may_not_read_it_any_more(
    place: HookPlace, take_away: Callable[[HookPlace], None], why: str, retried: bool
) -> None:
    place.receiver.answers = [503]
    place.number(place.log_in(), "project = TEAM", "comment_created")
    sender = place.firebrick.webhooks.deliveries
    if not retried:
        sender.close()
    with place.script("paul") as paul:
        assert paul.post(COMMENT, json={"body": "told later"}).status_code == 201
    place.waiting(1 if retried else 0)
    take_away(place)
    place.clock.advance(900)
    if not retried:
        assert sender.run_due() == 1
    assert place.quiet() == ["app.not-told"] * (2 if retried else 1)
    assert len(place.receiver.got) == (1 if retried else 0)
    *_, record = (one for one in place.firebrick.audit.read() if one.kind == "webhook")
    assert (record.allowed, record.message) == (False, why)
    (kept,) = sender.queue.list(failed=True)
    assert (kept.state, kept.status, kept.failure) == ("refused", None, why)


@pytest.mark.parametrize("body", [True, False])
def test_33_a_descriptors_webhook_is_asked_for_again_with_a_body_or_without(
    place: HookPlace, body: bool
) -> None:
    hooks = [{"event": UPDATED, "url": "/hook", "excludeBody": not body}]
    with running(ConnectApp(modules={"webhooks": hooks})) as app:
        flow = Connected(Bench(place.firebrick), place.base, app)
        flow.install()
        sender = place.firebrick.webhooks.deliveries
        sender.close()
        update(place)
        place.firebrick.app_access.set(place.cloud_id, "TEAM", app.key, blocked=True)
        before = len(app.raw)
        assert sender.run_due() == 1
        assert len(app.raw) == before
        assert place.quiet() == ["app.not-told"]
        place.firebrick.app_access.set(place.cloud_id, "TEAM", app.key, blocked=False)
        update(place, "newer")
        assert sender.run_due() == 1
        assert len(app.raw) == before + 1


def test_33_what_may_still_be_read_is_told_also_when_it_is_gone(place: HookPlace) -> None:
    """A rule that came and went between the attempts, and a deletion, keep nothing back."""
    place.receiver.answers = [503]
    place.number(place.log_in(), "project = TEAM", UPDATED, "jira:issue_deleted")
    update(place)
    place.waiting(1)
    place.firebrick.app_access.set(place.cloud_id, "TEAM", blocked=True)
    place.firebrick.app_access.set(place.cloud_id, "TEAM", blocked=False)
    with place.script("paul") as paul:
        assert paul.delete(f"{ISSUE}?deleteSubtasks=true").status_code == 204
    place.receiver.wait(2)
    place.clock.advance(900)
    bodies = [json.loads(body)["webhookEvent"] for _, _, body in place.receiver.wait(3)]
    assert bodies == [UPDATED, "jira:issue_deleted", UPDATED]


def test_41_an_administrators_own_webhook_is_no_apps(place: HookPlace) -> None:
    define(place, place.url)
    place.firebrick.app_access.set(place.cloud_id, "TEAM", blocked=True)
    update(place)
    place.receiver.wait(1)
    assert place.quiet() == ["app.told"]
