"""Tokens of users who are not there: what an app outside gets by GraphQL, and what not."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from runtime.clock import ManualClock
from runtime.server.explain.why import Reasons
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from runtime.tokens.handed import Handing
from tests.flows.conftest import Bench
from tests.flows.forge_app import NAME, Outsider, deploy, outside

pytestmark = pytest.mark.hostile

QUERY = """
mutation forge_remote_offlineUserAuthToken($input: OfflineUserAuthTokenInput!) {
  offlineUserAuthToken(input: $input) { success errors { message } authToken { token ttl } }
}
"""
ISSUE = "/rest/api/3/issue/TEAM-1"
PER_MINUTE = 3


@dataclass(frozen=True, slots=True)
class Remote:
    """An app outside that holds its system token."""

    one: Outsider
    clock: ManualClock
    system: str

    @property
    def firebrick(self) -> Firebrick:
        return self.one.bench.firebrick

    @property
    def installation_id(self) -> str:
        context = self.one.opened.runtime["appContext"]
        assert isinstance(context, dict)
        return str(context["installationId"])

    def wish(self, user: str, *contexts: str) -> dict[str, object]:
        own = f"ari:cloud:jira::site/{self.one.bench.cloud_id}"
        return {"contextIds": list(contexts) or [own], "userId": user}

    def post(self, wish: Mapping[str, object], token: str | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {token or self.system}"}
        body = {"query": QUERY, "variables": {"input": wish}}
        return self.one.http.post("/graphql", headers=headers, json=body)

    def exchange(self, handle: str) -> dict[str, Any]:  # as JSON has it
        answer = self.post(self.wish(self.one.account(handle)))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        found: dict[str, Any] = answer.json()["data"]["offlineUserAuthToken"]
        return found

    def token(self, handle: str) -> str:
        return str(self.exchange(handle)["authToken"]["token"])

    def use(self, token: str, path: str = ISSUE, method: str = "GET") -> httpx.Response:
        url = f"/ex/jira/{self.one.bench.cloud_id}{path}"
        content = b"{}" if method == "POST" else None
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return self.one.http.request(method, url, headers=headers, content=content)

    def system_token(self, installation_id: str | None = None) -> str:
        firebrick = self.firebrick
        version = firebrick.find_app(NAME, "development")
        installation = firebrick.apps.find_installation(version, self.one.bench.cloud_id)
        handing = Handing(
            "system",
            installation_id or installation.id,
            version.app_id,
            self.one.bench.cloud_id,
            installation.app_account_id,
            installation.granted,
        )
        return firebrick.broker.handed.issue(handing, 7200).get_secret_value()


@contextmanager
def app_outside(folder: Path, cache: Path) -> Iterator[Remote]:
    clock = ManualClock()
    settings = Settings(state=folder / "state", cache=cache, offline_tokens_per_minute=PER_MINUTE)
    with (
        open_firebrick(settings, clock) as firebrick,
        outside(Bench(firebrick), folder, impersonation=True) as one,
    ):
        made = Remote(one, clock, "")
        yield Remote(one, clock, made.system_token())


@pytest.fixture
def remote(tmp_path: Path, cache: Path) -> Iterator[Remote]:
    with app_outside(tmp_path, cache) as made:
        yield made


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Remote]:
    """One app for many requests, none of which changes anything."""
    with app_outside(tmp_path_factory.mktemp("lasting"), cache) as made:
        yield made


def test_an_app_acts_as_a_user_who_is_not_there(remote: Remote) -> None:
    found = remote.exchange("vera")
    assert (found["success"], found["errors"], found["authToken"]["ttl"]) == (True, None, 3600)
    issued = remote.firebrick.audit.read(limit=1)[0]
    assert issued.detail == {"scopes": ["read:jira-work"]}
    told = Reasons(remote.firebrick).explain(issued)
    assert told.who == f"the Forge app {NAME} (development)"
    assert not any(label == "Since then" for label, _ in told.notes)
    answer = remote.use(found["authToken"]["token"])
    assert (answer.status_code, answer.json()["key"]) == (200, "TEAM-1")
    record = remote.firebrick.audit.read(limit=1)[0]
    assert (record.model, record.account_id) == ("forge", remote.one.account("vera"))
    assert remote.use(remote.system).status_code == 200  # as the app itself
    ari = remote.post(remote.wish(f"ari:cloud:identity::user/{remote.one.account('paul')}"))
    assert ari.json()["data"]["offlineUserAuthToken"]["success"]


def test_it_is_worth_the_lent_scopes_and_the_users_permissions(remote: Remote) -> None:
    token = remote.token("vera")
    comment = remote.use(token, f"{ISSUE}/comment", "POST")
    assert comment.json()["message"] == "Unauthorized; scope does not match"
    assert remote.use(token, "/rest/api/3/issue/VAULT-1").status_code in (200, 404)
    assert remote.use(remote.token("amy")).status_code == 404  # amy has no role there
    assert remote.use(token, "/rest/api/3/myself").status_code == 401
    site = {"authorization": f"Bearer {token}"}
    assert remote.one.http.get(ISSUE, headers=site).status_code == 403


@pytest.mark.parametrize("handle", ["dora", "otto"])
def test_nobody_acts_as_one_who_left_or_has_no_access(remote: Remote, handle: str) -> None:
    found = remote.exchange(handle)
    assert (found["success"], found["authToken"]) == (False, None)
    unknown = remote.post(remote.wish("712020:nobody")).json()["data"]["offlineUserAuthToken"]
    account = remote.one.account(handle)
    assert found["errors"][0]["message"].replace(account, "X") == unknown["errors"][0][
        "message"
    ].replace("712020:nobody", "X")
    assert remote.one.last_rule() == "act.impersonated-user"


def test_nobody_acts_as_an_app(remote: Remote) -> None:
    version = remote.firebrick.find_app(NAME, "development")
    found = remote.firebrick.apps.find_installation(version, remote.one.bench.cloud_id)
    answer = remote.post(remote.wish(found.app_account_id)).json()
    assert not answer["data"]["offlineUserAuthToken"]["success"]


def test_without_a_scope_that_allows_it_there_is_no_token(remote: Remote, tmp_path: Path) -> None:
    token = remote.token("vera")
    remote.firebrick.installations.set_granted(
        remote.installation_id, frozenset({"write:jira-work"})
    )
    found = remote.exchange("paul")
    assert not found["success"]
    assert remote.one.last_rule() == "act.impersonation"
    assert remote.use(token).json() == {"code": 401, "message": "Unauthorized"}
    remote.firebrick.installations.set_granted(
        remote.installation_id, frozenset({"read:jira-work"})
    )
    assert remote.use(token).status_code == 200
    deploy(remote.one.bench, tmp_path, impersonation=False)
    assert remote.use(token).status_code == 401


def test_a_context_that_is_not_the_apps_own_is_refused(remote: Remote) -> None:
    vera, own = remote.one.account("vera"), f"ari:cloud:jira::site/{remote.one.bench.cloud_id}"
    for contexts in (
        ("ari:cloud:jira::site/other",), (own, "ari:cloud:jira::site/other"), (own, own),
        (own.replace("jira", "confluence"),), (own + "x",), (remote.one.bench.cloud_id,),
    ):  # fmt: skip
        answer = remote.post(remote.wish(vera, *contexts)).json()
        assert not answer["data"]["offlineUserAuthToken"]["success"], contexts
        assert remote.one.last_rule() == "act.offline-context"


def test_an_app_gets_so_many_a_minute(remote: Remote, tmp_path: Path) -> None:
    for _ in range(PER_MINUTE):
        assert remote.exchange("vera")["success"]
    found = remote.exchange("vera")
    assert not found["success"]
    assert "Rate limited" in found["errors"][0]["message"]
    assert remote.one.last_rule() == "act.offline-rate"
    firebrick, home = remote.firebrick, remote.one.bench
    version, _ = firebrick.apps.deploy(tmp_path / NAME, "staging")  # another installation of it
    plan = firebrick.apps.plan(version, home.cloud_id)
    other = firebrick.apps.install(plan, home.cloud_id, firebrick.find_person("amy"))
    wish = remote.wish(remote.one.account("vera"))
    token = remote.system_token(other.id)
    answer = remote.post(wish, token).json()["data"]["offlineUserAuthToken"]
    assert not answer["success"]
    assert remote.one.last_rule() == "act.offline-rate"
    remote.clock.advance(60)
    assert remote.exchange("vera")["success"]


def test_it_ends_with_its_time_its_user_and_its_installation(remote: Remote) -> None:
    token = remote.token("vera")
    remote.clock.advance(3599)
    assert remote.use(token).status_code == 200
    remote.clock.advance(1)
    assert remote.use(token).status_code == 401
    token = remote.token("vera")
    firebrick = remote.firebrick
    with firebrick.engine.begin() as connection:
        connection.execute(
            text("UPDATE account SET active = :no WHERE account_id = :who"),
            {"no": False, "who": remote.one.account("vera")},
        )
    assert remote.use(token).status_code == 401
    token = remote.token("paul")
    assert remote.use(token).status_code == 200
    version = firebrick.find_app(NAME, "development")
    installation = firebrick.apps.find_installation(version, remote.one.bench.cloud_id)
    firebrick.apps.uninstall(installation, firebrick.find_person("amy"))
    assert remote.use(token).status_code == 401
    assert remote.post(remote.wish(remote.one.account("paul"))).status_code == 401


def test_only_a_live_system_token_is_exchanged(remote: Remote) -> None:
    wish = remote.wish(remote.one.account("vera"))
    offline = remote.token("vera")
    handing = Handing(
        "user", remote.installation_id, "app", remote.one.bench.cloud_id,
        remote.one.account("dana"), frozenset({"read:jira-work"}),
    )  # fmt: skip
    user = remote.firebrick.broker.handed.issue(handing, 60).get_secret_value()
    access = remote.firebrick.broker.live_tokens
    remote.one.ask(ISSUE)
    tried = [offline, user, remote.one.token, remote.system[:-1], remote.system_token("other"), "x"]
    for token in (*tried, *(one.get_secret_value() for one in access())):
        answer = remote.post(wish, token)
        assert (answer.status_code, answer.json()) == (
            401,
            {"code": 401, "message": "Unauthorized"},
        )
        assert remote.one.last_rule() == "credential.system-token"
    for headers in ({}, {"authorization": remote.system}, {"authorization": f"Basic {offline}"}):
        assert remote.one.http.post("/graphql", headers=headers, json={}).status_code == 401
    remote.clock.advance(7200)
    assert remote.post(wish).status_code == 401


def test_a_container_asks_as_the_app_and_as_nobody_else(remote: Remote) -> None:
    body = {"query": QUERY, "variables": {"input": remote.wish(remote.one.account("vera"))}}
    named = f"id={remote.one.opened.id}"
    found = remote.one.contain("/graphql", f"as=app,{named}", method="POST", json=body).json()
    token = found["data"]["offlineUserAuthToken"]["authToken"]["token"]
    assert remote.use(token).status_code == 200
    for claims in (f"as=user,{named}", named, "as=app,id=other"):
        answer = remote.one.contain("/graphql", claims, method="POST", json=body)
        assert answer.status_code == 401
    remote.firebrick.broker.handed.revoke_invocation(remote.one.opened.id)
    answer = remote.one.contain("/graphql", f"as=app,{named}", method="POST", json=body)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        None, [], {}, {"query": 1}, {"query": "x" * 9000}, {"query": "{ offlineUserAuthToken }"},
        {"query": "mutation { offlineUserAuthToken }"},
        {"query": "mutation { offlineUserAuthToken(input: {userId: 1, contextIds: []}) { a } }"},
        {"query": "mutation { offlineUserAuthToken(input: {userId: \"a\"}) { success } }"},
        {"query": QUERY}, {"query": QUERY, "variables": []},
        {"query": "mutation($input: I) { offlineUserAuthToken(input: $input) }",
         "variables": {"input": {"userId": "a", "contextIds": ["b"]}}},
        {"query": QUERY, "variables": {"input": 1}},
        {"query": QUERY, "variables": {"input": {"userId": "a", "contextIds": [1]}}},
        {"query": QUERY, "variables": {"input": {"userId": "a", "contextIds": "a"}}},
        {"query": QUERY.replace("success", "secret"),
         "variables": {"input": {"userId": "a", "contextIds": []}}},
        {"query": "mutation { a: offlineUserAuthToken b: offlineUserAuthToken }"},
        {"query": "mutation { deleteEverything }"}, {"query": "{ me { accountId } }"},
        {"query": "{ a " * 1500 + "}" * 1500},
    ],
)  # fmt: skip
def test_whatever_else_is_asked_is_refused_and_makes_no_token(
    lasting: Remote, body: object
) -> None:
    headers = {"authorization": f"Bearer {lasting.system}"}
    answer = lasting.one.http.post("/graphql", headers=headers, json=body)
    assert answer.status_code == 400
    assert answer.json()["data"] is None
    assert answer.json()["errors"][0]["message"]
    with lasting.firebrick.engine.connect() as connection:
        kinds = connection.execute(text("SELECT kind FROM handed_token")).scalars().all()
    assert "offline" not in kinds
    assert lasting.one.http.get("/graphql", headers=headers).status_code == 405
    raw = lasting.one.http.post("/graphql", headers=headers, content=b"\xff{")
    assert raw.status_code == 400


def test_no_token_stands_in_the_trail_or_the_state(remote: Remote) -> None:
    token = remote.token("vera")
    remote.use(token)
    remote.post(remote.wish(token))
    with remote.firebrick.engine.connect() as connection:
        rows = str(connection.execute(text("SELECT * FROM audit_record")).all())
        rows += str(connection.execute(text("SELECT * FROM handed_token")).all())
    for secret in (token, remote.system, token.rpartition("_")[2]):
        assert secret not in rows
