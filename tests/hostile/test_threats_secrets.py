"""Row 37: after a run over all four models no log, record, answer or state holds a secret."""

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pytest

from tests.hostile.rights.connect_rules import ConnectLife, request_token, signed
from tests.hostile.rights.facts import (
    OPERATIONS,
    READ,
    READ_SCOPE,
    SITES,
    Operation,
)
from tests.hostile.rights.held import FIRST_SCHEME
from tests.hostile.rights.place import (
    APP_KEY,
    AUTH_HOST,
    HOSTS,
    IMPERSONATION_HOST,
    RightsPlace,
)

pytestmark = pytest.mark.hostile
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[RightsPlace]:
    made = RightsPlace(tmp_path)
    for site in SITES:
        made.set_scheme(site, FIRST_SCHEME)
    yield made
    made.close()


class Run:
    """One of everything, shown where it is good and where it is not; what came back is kept."""

    def __init__(self, place: RightsPlace) -> None:
        self.place = place
        self.secrets: list[str] = []
        self.seen: list[str] = []

    def script(self) -> str:
        dana = self.place.person("dana")
        _, secret = self.place.firebrick.api_tokens.create(dana, "t")
        self.secrets.append(secret.get_secret_value())
        return httpx.BasicAuth(str(dana.email), secret.get_secret_value())._auth_header

    def oauth(self) -> str:
        code = self.place.code(
            "dana", frozenset({READ_SCOPE, "offline_access"}), self.place.sites[0]
        )
        issued = self.place.exchange(code)
        renewal = issued.refresh_token
        assert renewal is not None
        kept = (issued.access_token, renewal, self.place.secret)
        self.secrets += [code, *(one.get_secret_value() for one in kept)]
        again = {"grant_type": "authorization_code", "code": code, "client_id": "x",
                 "client_secret": self.place.secret.get_secret_value()}  # fmt: skip
        self.note(self.place.send(AUTH_HOST, "POST", "/oauth/token", FORM, urlencode(again)))
        self.note(self.place.send(AUTH_HOST, "GET", f"/oauth/token?code={code}", {}))
        return f"Bearer {issued.access_token.get_secret_value()}"

    def connect(self) -> list[str]:
        done = self.place.install_connect(frozenset({"READ", "ACT_AS_USER"}), 0)
        life = ConnectLife(0, done, done.scopes)
        token = request_token(life, READ, self.place.clock.now_s())
        now_s = int(self.place.clock.now_s())
        claims: dict[str, object] = {
            "iss": f"urn:atlassian:connect:clientid:{done.oauth_client_id}",
            "sub": f"urn:atlassian:connect:useraccountid:{self.place.account_id('dana', 0)}",
            "tnt": f"http://{HOSTS[0]}", "aud": "https://auth.atlassian.io",
            "iat": now_s, "exp": now_s + 55,
        }  # fmt: skip
        assertion = signed(claims, life)
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        answer = self.place.send(IMPERSONATION_HOST, "POST", "/oauth2/token", FORM, urlencode(form))
        bearer = answer.json()["access_token"]
        self.secrets += [done.shared_secret.get_secret_value(), token, assertion, bearer]
        query = Operation(*READ._replace(path=f"{READ.path}?jwt={token}"))
        self.show(query, {})
        return [f"JWT {token}", f"Bearer {bearer}"]

    def everywhere(self, authorization: str) -> None:
        """Show a credential where it is good and where it is not, in a header and in the URL."""
        for operation in OPERATIONS:
            self.show(operation, {"authorization": authorization})
        value = quote(authorization.partition(" ")[2])
        for name in ("jwt", "code", "access_token", "token"):
            self.show(READ._replace(path=f"{READ.path}?{name}={value}"), {})
        self.show(READ._replace(path=f"/rest/api/3/issue/{value}"), {"authorization": "Basic x"})

    def show(self, operation: Operation, headers: dict[str, str]) -> None:
        for name, prefix in ((HOSTS[0], ""), (HOSTS[0], f"/ex/jira/{self.place.sites[0]}")):
            path = prefix + operation.path
            self.note(self.place.send(name, operation.method, path, headers, operation.body))

    def note(self, answer: httpx.Response) -> None:
        self.seen.append(f"{answer.status_code} {answer.headers} {answer.text}")


def test_37_nothing_that_is_kept_or_answered_holds_a_secret(
    place: RightsPlace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    run = Run(place)
    shown = [run.script(), run.oauth(), *run.connect()]
    for one in shown:
        run.everywhere(one)
    version = place.deploy(frozenset({READ_SCOPE}), 1, frozenset())
    place.install_forge(version, 0)
    place.connect_apps.uninstall(APP_KEY, place.sites[0], place.root)
    with place.firebrick.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        kept = "\n".join(raw.iterdump())
    logged = "\n".join(
        one.getMessage() + str(one.exc_text)
        for one in caplog.records
        if not one.name.startswith("http")  # the client that asks, not the server that answers
    )
    assert "a Connect token was refused" in logged
    written = [logged, kept, repr(place.firebrick.audit.read()), repr(place.firebrick)]
    secrets = {part for one in run.secrets for part in (one, quote(one))}
    assert len(run.secrets) == 9
    for text in (*written, *run.seen):
        found = [text[max(0, text.index(one) - 200) :][:300] for one in secrets if one in text]
        assert found == []
