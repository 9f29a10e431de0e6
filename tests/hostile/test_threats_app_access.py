"""Row 41 of the threats: an administrator's app access rule holds for every kind of app.

Each kind really asks over HTTP; what its user does without it is asked beside it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runtime.errors import InstallationError
from runtime.jira.site import EVERY_APP
from tests.flows.webhook_place import hook_place
from tests.hostile.rights.place import APP_ID, APP_KEY
from tests.server.explaining_place import COMMENT, Ask, ExplainingPlace, everybody

pytestmark = pytest.mark.hostile

MARK = "atlassian-datasecuritypolicy"
APPS = ("oauth of paul", "connect as paul", "connect as itself", "forge as paul", "forge as itself")
ISSUE = Ask("GET", "/rest/api/3/issue/TEAM-1")
PUBLIC = Ask("GET", "/rest/api/3/issue/PUB-2")
CONTENT = (
    ISSUE,
    Ask("PUT", "/rest/api/3/issue/TEAM-1", '{"fields":{"summary":"taken"}}'),
    Ask("GET", "/rest/api/3/issue/TEAM-1/comment"),
    Ask("POST", "/rest/api/3/issue/TEAM-1/comment", COMMENT),
    Ask("GET", "/rest/api/3/issue/TEAM-1/transitions"),
    Ask("GET", "/rest/api/3/issue/TEAM-1/properties"),
)
SEARCH = Ask("GET", "/rest/api/3/search/jql?fields=key&maxResults=100&jql=created%20%3E%20-900w")


@pytest.fixture
def everyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExplainingPlace]:
    made = everybody(tmp_path_factory.mktemp("access"))
    yield made
    made.place.close()


def block(everyone: ExplainingPlace, app_id: str = EVERY_APP, *, blocked: bool = True) -> bool:
    place = everyone.place
    return place.firebrick.app_access.set(place.sites[0], "TEAM", app_id, blocked=blocked)


def answers(everyone: ExplainingPlace, ask: Ask) -> dict[str, httpx.Response]:
    """What apps on the wire get: an OAuth app of Paul's, and the owner's token beside it."""
    return {name: everyone.answer(name, ask) for name in ("oauth of paul", "paul's token")}


@pytest.mark.parametrize("name", APPS)
def test_41_no_app_reaches_the_content_whoever_it_acts_as(
    everyone: ExplainingPlace, name: str
) -> None:
    assert everyone.ask(name, ISSUE).status == 200
    block(everyone)
    for ask in CONTENT:
        got = everyone.ask(name, ask)
        assert got.status in (403, 404), ask
        assert (got.record.allowed, got.record.rule) == (False, "app-access.blocked")
    assert everyone.ask(name, PUBLIC).status == 200
    assert everyone.ask("paul's token", ISSUE).status == 200
    assert everyone.ask("dana's token", CONTENT[1]).status == 204
    block(everyone, blocked=False)
    assert everyone.ask(name, ISSUE).status == 200


def test_41_the_answer_says_so_and_only_to_who_would_have_seen_it(
    everyone: ExplainingPlace,
) -> None:
    everyone.add_oauth("oauth of an outsider", "vera", frozenset({"read:jira-work"}))
    everyone.place.set_member("vera", "Viewers", 0, member=False)
    hidden = everyone.answer("oauth of an outsider", ISSUE)
    block(everyone)
    told = everyone.answer("oauth of paul", ISSUE)
    assert (told.status_code, told.headers[MARK]) == (404, "app_access_blocked")
    still_hidden = everyone.answer("oauth of an outsider", ISSUE)
    missing = everyone.answer("oauth of paul", Ask("GET", "/rest/api/3/issue/TEAM-999"))
    for answer in (still_hidden, missing):
        assert answer.status_code == 404
        assert MARK not in answer.headers
        assert answer.content == hidden.content
    assert MARK not in everyone.answer("paul's token", ISSUE).headers


def test_41_a_security_level_stays_hidden_behind_the_rule(everyone: ExplainingPlace) -> None:
    everyone.add_oauth("oauth of dana too", "dana", frozenset({"read:jira-work"}))
    place = everyone.place
    place.firebrick.app_access.set(place.sites[0], "VAULT", blocked=True)
    seen = everyone.answer("oauth of dana too", Ask("GET", "/rest/api/3/issue/VAULT-8"))
    hidden = everyone.answer("oauth of dana too", Ask("GET", "/rest/api/3/issue/VAULT-7"))
    assert seen.headers[MARK] == "app_access_blocked"
    assert MARK not in hidden.headers
    assert seen.content == hidden.content


def test_41_a_search_leaves_out_what_is_blocked_and_counts_without_it(
    everyone: ExplainingPlace,
) -> None:
    before = {name: keys(answer) for name, answer in answers(everyone, SEARCH).items()}
    assert before["oauth of paul"] == before["paul's token"]
    block(everyone)
    after = {name: keys(answer) for name, answer in answers(everyone, SEARCH).items()}
    assert after["paul's token"] == before["paul's token"]
    assert after["oauth of paul"] == {
        key for key in before["paul's token"] if not key.startswith("TEAM-")
    }
    named = everyone.answer(
        "oauth of paul", Ask("GET", "/rest/api/3/search/jql?jql=project%3DTEAM")
    )
    unknown = everyone.answer(
        "oauth of paul", Ask("GET", "/rest/api/3/search/jql?jql=project%3DNOP")
    )
    assert named.status_code == unknown.status_code
    assert named.text.replace("TEAM", "NOP") == unknown.text


def keys(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200
    return {one["key"] for one in answer.json()["issues"]}


def test_41_what_is_no_content_is_not_touched(everyone: ExplainingPlace) -> None:
    block(everyone)
    for path in ("project/TEAM", "project/TEAM/role", "project/search"):
        answer = everyone.answer("oauth of paul", Ask("GET", f"/rest/api/3/{path}"))
        assert answer.status_code == 200
        assert MARK not in answer.headers


def test_41_nothing_is_created_in_it(everyone: ExplainingPlace) -> None:
    block(everyone)
    body = {"fields": {"project": {"key": "TEAM"}, "issuetype": {"name": "Task"}, "summary": "x"}}
    ask = Ask("POST", "/rest/api/3/issue", json.dumps(body))
    refused = everyone.answer("oauth of paul", ask)
    assert refused.status_code in (400, 403, 404)
    assert refused.headers[MARK] == "app_access_blocked"
    assert everyone.answer("paul's token", ask).status_code == 201


@pytest.mark.parametrize(
    ("app_id", "blocked", "others"),
    [
        (APP_ID, ("forge as paul", "forge as itself"), ("oauth of paul", "connect as paul")),
        (APP_KEY, ("connect as paul", "connect as itself"), ("oauth of paul", "forge as paul")),
    ],
)
def test_41_a_rule_may_name_one_app(
    everyone: ExplainingPlace, app_id: str, blocked: tuple[str, ...], others: tuple[str, ...]
) -> None:
    block(everyone, app_id)
    assert {everyone.ask(name, ISSUE).record.rule for name in blocked} == {"app-access.blocked"}
    assert {everyone.ask(name, ISSUE).status for name in others} == {200}


def test_41_a_rule_may_spare_one_app(everyone: ExplainingPlace) -> None:
    client_id = everyone.place.client.client_id
    block(everyone)
    assert block(everyone, client_id, blocked=False)
    assert not block(everyone, client_id, blocked=False)
    assert everyone.ask("oauth of paul", ISSUE).status == 200
    assert everyone.ask("connect as paul", ISSUE).status == 404
    assert block(everyone, client_id)
    assert everyone.ask("oauth of paul", ISSUE).status == 404
    block(everyone, client_id, blocked=False)
    assert block(everyone)  # what is said of every app counts for each again
    assert everyone.ask("oauth of paul", ISSUE).status == 404
    assert block(everyone, blocked=False)
    assert not block(everyone, blocked=False)


def test_41_an_app_is_told_what_binds_it(everyone: ExplainingPlace) -> None:
    def policies(name: str, ids: str = "10000,10001,77") -> object:
        answer = everyone.answer(name, Ask("GET", f"/rest/api/3/data-policy/project?ids={ids}"))
        assert answer.status_code == 200
        return {
            one["id"]: one["dataPolicy"]["anyContentBlocked"]
            for one in answer.json()["projectDataPolicies"]
        }

    def any_blocked(name: str) -> object:
        return everyone.answer(name, Ask("GET", "/rest/api/3/data-policy")).json()

    team = everyone.answer("paul's token", Ask("GET", "/rest/api/3/project/TEAM")).json()["id"]
    assert any_blocked("oauth of paul") == {"anyContentBlocked": False}
    block(everyone)
    assert any_blocked("oauth of paul") == {"anyContentBlocked": True}
    assert any_blocked("paul's token") == {"anyContentBlocked": False}
    assert policies("oauth of paul", team) == {int(team): True}
    assert policies("paul's token", team) == {int(team): False}
    many = ",".join(map(str, range(51)))
    too_many = everyone.answer(
        "oauth of paul", Ask("GET", f"/rest/api/3/data-policy/project?ids={many}")
    )
    assert too_many.status_code == 400
    assert policies("oauth of dana", "77") == {}


def test_41_each_change_leaves_a_record_and_each_explanation_its_rule(
    everyone: ExplainingPlace,
) -> None:
    block(everyone, APP_KEY)
    record = everyone.place.firebrick.audit.read(limit=1)[0]
    assert (record.rule, record.app_id, record.path) == (
        "app-access.closed", APP_KEY, "project TEAM",
    )  # fmt: skip
    told = everyone.told("connect as paul", ISSUE)
    assert (told.verdict, told.rule) == ("refused", "app-access.blocked")
    assert told.resource == "paul sees TEAM-1"
    assert "Data security policy" in told.source
    with pytest.raises(InstallationError, match="NOPE"):
        everyone.place.firebrick.app_access.set(everyone.place.sites[0], "NOPE", blocked=True)


def test_41_the_rule_is_for_one_site(everyone: ExplainingPlace) -> None:
    place = everyone.place
    place.firebrick.app_access.set(place.sites[1], "TEAM", blocked=True)
    assert everyone.ask("oauth of paul", ISSUE).status == 200


def test_41_no_webhook_tells_an_app_of_it(tmp_path: Path) -> None:
    with hook_place(tmp_path) as place, place.script("paul") as paul:
        app = place.log_in()
        for key in ("TEAM", "PUB"):
            place.number(app, f"project = {key}", "jira:issue_updated")
        place.firebrick.app_access.set(place.cloud_id, "TEAM", blocked=True)
        for key in ("TEAM-1", "PUB-1"):
            change = {"fields": {"summary": "changed"}}
            assert paul.put(f"/rest/api/2/issue/{key}", json=change).status_code == 204
        (told,) = place.told(1)
        place.quiet()
        assert told["issue"]["key"] == "PUB-1"
        assert len(place.receiver.wait(1)) == 1
