"""Webhooks of administrators: defined over HTTP, signed if they have a secret."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from runtime.identity.webhook_signing import hub_signature
from runtime.jira.failures import ADMIN_ONLY
from tests.flows.webhook_place import HookPlace, hook_place

ROOT = "/rest/webhooks/1.0/webhook"
UPDATED = "jira:issue_updated"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[HookPlace]:
    with hook_place(tmp_path) as made:
        yield made


@pytest.fixture
def amy(place: HookPlace) -> Iterator[httpx.Client]:
    with place.script("amy") as client:
        yield client


@pytest.fixture
def paul(place: HookPlace) -> Iterator[httpx.Client]:
    """Who changes things; amy administers Jira and sees little of it."""
    with place.script("paul") as client:
        yield client


def wanted(place: HookPlace, **more: object) -> dict[str, object]:
    return {"name": "Mine", "url": place.url, "events": [UPDATED], **more}


def rename(client: httpx.Client, key: str, summary: str) -> None:
    answer = client.put(f"/rest/api/2/issue/{key}", json={"fields": {"summary": summary}})
    assert answer.status_code == 204


def test_a_webhook_is_defined_changed_switched_off_and_deleted(
    place: HookPlace, amy: httpx.Client, paul: httpx.Client
) -> None:
    made = amy.post(ROOT, json=wanted(place, secret="s3cret"))
    assert made.status_code == 201
    bean = made.json()
    assert "s3cret" not in made.text
    number = bean["self"].rpartition("/")[2]
    admin = place.firebrick.find_person("amy")
    assert bean == {
        "name": "Mine", "url": place.url, "excludeBody": False, "filters": {}, "events": [UPDATED],
        "enabled": True, "isSigned": True, "self": f"{place.base}{ROOT}/{number}",
        "lastUpdatedUser": admin.account_id, "lastUpdatedDisplayName": admin.display_name,
        "lastUpdated": int(place.clock.now_s() * 1000),
    }  # fmt: skip
    assert amy.get(ROOT).json() == [bean]
    assert amy.get(f"{ROOT}/{number}").json() == bean
    changed = amy.put(f"{ROOT}/{number}", json={"name": "Other", "enabled": False}).json()
    assert (changed["name"], changed["enabled"], changed["isSigned"]) == ("Other", False, True)
    rename(paul, "TEAM-1", "switched off")
    assert amy.put(f"{ROOT}/{number}", json={"secret": None, "enabled": True}).json() == {
        **bean, "name": "Other", "isSigned": False,
    }  # fmt: skip
    rename(paul, "TEAM-1", "switched on")
    (told,) = place.told(1)
    assert told["issue"]["fields"]["summary"] == "switched on"
    assert "x-hub-signature" not in place.receiver.got[0][1]
    assert amy.delete(f"{ROOT}/{number}").status_code == 204
    assert amy.delete(f"{ROOT}/{number}").status_code == 404
    assert amy.get(ROOT).json() == []
    rename(paul, "TEAM-1", "deleted")
    assert place.quiet() == ["app.told"]


def test_a_secret_signs_what_is_sent(
    place: HookPlace, amy: httpx.Client, paul: httpx.Client
) -> None:
    amy.post(ROOT, json=wanted(place, secret="s3cret"))
    amy.post(
        ROOT, json=wanted(place, secret="s3cret", excludeBody=True, events=["comment_created"])
    )
    rename(paul, "TEAM-1", "signed")
    (_, first, body) = place.receiver.wait(1)[0]  # two webhooks have no order between them
    paul.post("/rest/api/2/issue/TEAM-1/comment", json={"body": "x"})
    (_, second, empty) = place.receiver.wait(2)[1]
    mine = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert first["x-hub-signature"] == f"sha256={mine}"
    assert "authorization" not in first
    assert json.loads(body)["webhookEvent"] == UPDATED
    assert empty == b""
    assert (
        second["x-hub-signature"]
        == f"sha256={hmac.new(b's3cret', b'', hashlib.sha256).hexdigest()}"
    )


def test_a_filter_of_all_of_jql_narrows_it(
    place: HookPlace, amy: httpx.Client, paul: httpx.Client
) -> None:
    section = "issue-related-events-section"
    bad = amy.post(ROOT, json=wanted(place, filters={section: "project = NOPE"}))
    assert bad.status_code == 400
    assert "NOPE" in bad.json()["errorMessages"][0]
    amy.post(ROOT, json=wanted(place, filters={section: "summary ~ loud"}))
    rename(paul, "TEAM-1", "quiet")
    rename(paul, "TEAM-1", "loud")
    assert [one["issue"]["fields"]["summary"] for one in place.told(1)] == ["loud"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""}, {"name": "x" * 256}, {"url": "nonsense"}, {"events": []},
        {"events": ["sprint_started"]}, {"events": "all"}, {"filters": []}, {"filters": {"a": 1}},
        {"enabled": "yes"}, {"excludeBody": 1}, {"secret": 7},
    ],
)  # fmt: skip
def test_what_is_wrong_is_not_kept(
    place: HookPlace, amy: httpx.Client, change: dict[str, object]
) -> None:
    refused = amy.post(ROOT, json=wanted(place) | change)
    assert refused.status_code == 400
    assert refused.json()["errorMessages"]
    for body in (b"", b"[]", b"{", b"null"):
        assert amy.post(ROOT, content=body).status_code == 400
    assert amy.get(ROOT).json() == []


@pytest.mark.hostile
def test_only_administrators_with_basic_auth_define_them(place: HookPlace) -> None:
    bearer = place.log_in()
    with place.script("dana") as dana:
        refused = dana.get(ROOT)
        assert (refused.status_code, refused.json()["errorMessages"]) == (403, [ADMIN_ONLY])
        assert dana.post(ROOT, json=wanted(place)).status_code == 403
    assert httpx.get(place.base + ROOT).status_code == 401
    unread = httpx.get(place.base + ROOT, headers=bearer)
    assert (unread.status_code, unread.json()) == (
        403, {"error": "Failed to parse Connect Session Auth Token"},
    )  # fmt: skip
    assert httpx.get(place.gateway + ROOT, headers=bearer).status_code == 401
    wrong = httpx.get(place.base + ROOT, auth=("amy@acme.example", "wrong"))
    assert (wrong.status_code, wrong.headers["x-seraph-loginreason"]) == (
        401, "AUTHENTICATED_FAILED",
    )  # fmt: skip
    assert "x-seraph-loginreason" not in httpx.get(place.base + ROOT).headers
    password = httpx.get(place.base + ROOT, auth=("amy@acme.example", "password"))
    assert password.text.startswith("Basic authentication with passwords is deprecated.")
    records = place.firebrick.audit.read(limit=200)
    rules = [one.rule for one in records if (one.path or "") == ROOT and one.kind == "http"]
    assert rules[:2] == ["permission.ADMINISTER"] * 2


@pytest.mark.hostile
def test_a_browser_on_a_foreign_page_defines_none(place: HookPlace, amy: httpx.Client) -> None:
    foreign = {"user-agent": "Mozilla/5.0", "origin": "https://evil.example"}
    assert amy.post(ROOT, json=wanted(place), headers=foreign).status_code == 403
    assert amy.get(ROOT, headers=foreign).json() == []


@pytest.mark.hostile
@pytest.mark.parametrize("path", ["/0", "/-1", "/x", f"/{'9' * 40}", "/1/2", "/"])
def test_a_number_that_names_nothing_is_not_found(amy: httpx.Client, path: str) -> None:
    assert amy.get(ROOT + path).status_code in (400, 404)


def test_methods_that_are_not_there_are_refused(place: HookPlace, amy: httpx.Client) -> None:
    number = amy.post(ROOT, json=wanted(place)).json()["self"].rpartition("/")[2]
    assert amy.delete(ROOT).status_code == 405
    assert amy.post(f"{ROOT}/{number}", json={}).status_code == 405


def test_it_is_the_sites_own_and_sees_everything(place: HookPlace, amy: httpx.Client) -> None:
    """Amy may see neither project; a comment for a role and an issue with a level are told."""
    section = "issue-related-events-section"
    amy.post(ROOT, json=wanted(place, filters={section: "project in (TEAM, VAULT)"}))
    amy.post(ROOT, json=wanted(place, events=["comment_created", "comment_deleted"]))
    assert amy.get("/rest/api/2/issue/VAULT-2").status_code == 404
    with place.script("paul") as paul:
        rename(paul, "VAULT-2", "secured")
        role = {"type": "role", "value": "Administrators"}
        comment = {"body": "for a role", "visibility": role}
        made = paul.post("/rest/api/2/issue/TEAM-1/comment", json=comment)
        paul.delete(f"/rest/api/2/issue/TEAM-1/comment/{made.json()['id']}")
    told = place.told(3)  # each webhook's in order, the two webhooks side by side
    (first,) = (one for one in told if one["webhookEvent"] == "jira:issue_updated")
    second, third = (one for one in told if one is not first)
    assert (first["issue"]["key"], first["issue"]["fields"]["summary"]) == ("VAULT-2", "secured")
    assert second["comment"]["body"] == third["comment"]["body"] == "for a role"
    assert third["webhookEvent"] == "comment_deleted"
    assert "@acme.example" not in json.dumps(first)


@pytest.mark.hostile
def test_its_secret_is_in_the_state_encrypted_alone(place: HookPlace, amy: httpx.Client) -> None:
    amy.post(ROOT, json=wanted(place, secret="plain-to-see"))
    (kept,) = place.firebrick.webhooks.admin.list(place.cloud_id)
    assert "plain-to-see" not in repr(kept)
    secret = place.firebrick.webhooks.admin.secret_of(kept)
    assert secret == SecretStr("plain-to-see")
    for path in place.firebrick.settings.state.rglob("*"):
        if path.is_file():
            assert b"plain-to-see" not in path.read_bytes(), path
            assert place.secret.encode() not in path.read_bytes(), path


def test_the_published_vector_is_met() -> None:
    secret = SecretStr("It's a Secret to Everybody")
    assert hub_signature(secret, b"Hello World!") == (
        "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    )
