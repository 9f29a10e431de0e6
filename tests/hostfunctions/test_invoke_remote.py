"""The door to an app's own servers: where a call goes, what goes along, what comes back."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import ManualClock
from runtime.database import open_database, sqlite_url
from runtime.gateway.invocation_claims import BACKEND_MODULE, Invocation
from runtime.gateway.outside import ExternalCall, ExternalReply, OutsideError
from runtime.gateway.remotes import (
    EVENT_TIMEOUT_S,
    MAX_TOKEN_CHARACTERS,
    TOKEN_LIFETIME_S,
    UI_TIMEOUT_S,
    RemoteCall,
    RemoteGateway,
    Tokens,
)
from runtime.gateway.values import Caller
from runtime.hostfunctions.fetch import Egress
from runtime.hostfunctions.invoke_remote import InvokeRemote, places_of, tokens_of
from runtime.hostfunctions.stubs import EgressStub
from runtime.ids import Ids
from runtime.installation.consents import ConsentStore
from runtime.installation.model import AppVersion, Installation
from runtime.installation.store import InstallationStore
from runtime.manifest.model import Remote
from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl
from runtime.tokens.broker import TokenBroker, TokenGrant
from runtime.tokens.invocation_tokens import InvocationTokens
from runtime.tokens.signing_keys import SigningKeys
from runtime.tokens.vault import Vault

APP = "ari:cloud:ecosystem::app/5f1e0000-0000-4000-8000-000000000099"
CALLER = Caller("in-vo-ca", APP, "installation", "cloud", "1:app", "1:user")
BASE = "https://backend.example.com/base"
HERE = "http://127.0.0.1:9000"
ALONG = {"appSystemToken": {"enabled": True}, "appUserToken": {"enabled": True}}
SYSTEM, USER, WORK = "read:app-system-token", "read:app-user-token", "read:jira-work"
INVOCATION = Invocation(
    app_id=APP,
    version="3.1.0",
    installation_ari="ari:cloud:ecosystem::installation/installation",
    environment_type="DEVELOPMENT",
    environment_ari="ari:cloud:ecosystem::environment/app/env",
    module_type=BACKEND_MODULE,
    module_key="ask",
    principal="1:user",
)
Answer = ExternalReply | Decision | OutsideError | Callable[[ExternalCall], ExternalReply]
OK = ExternalReply(200, (("content-type", "text/plain"),), b"hello", "127.0.0.1")


@dataclass
class Asked:
    """What the network saw."""

    call: ExternalCall
    timeout_s: float
    named: bool

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.call.headers)


class Place:
    """The door with everything around it over a state; the network is one answer."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.engine = open_database(sqlite_url(folder / "state.db"))
        self.audit = AuditTrail(self.engine, self.clock)
        self.store = InstallationStore(self.engine)
        self.consents = ConsentStore(self.engine, self.clock)
        self.broker = TokenBroker(self.engine, self.clock, Ids())
        self.keys = SigningKeys(self.engine, self.clock, Ids(), Vault(folder))
        self.network: Answer = OK
        self.asked: list[Asked] = []
        self.pauses: list[float] = []
        self.egress = Egress(remotes={"backend": HERE})
        self.auth: Mapping[str, Any] = ALONG
        self.base_urls = {"default": BASE, "EU": "https://eu.backend.example.com"}
        self.invocation = INVOCATION
        self.caller = CALLER
        self.gateway = RemoteGateway(
            installations=self.store,
            consents=self.consents,
            handed=self.broker.handed,
            tokens=InvocationTokens(self.keys, self.clock, Ids()),
            audit=self.audit,
            clock=self.clock,
            ids=Ids(),
            ask=self._ask,
            api_url="http://127.0.0.1:8080/",
        )

    def _ask(
        self, target: ExternalUrl, call: ExternalCall, timeout_s: float, named: bool
    ) -> ExternalReply | Decision:
        assert call.url == target.url
        self.asked.append(Asked(call, timeout_s, named))
        if isinstance(self.network, OutsideError):
            raise self.network
        return self.network(call) if callable(self.network) else self.network

    def install(self, *scopes: str, user_consent: bool = False) -> None:
        declared = dict.fromkeys(scopes or (SYSTEM, USER, WORK), False)
        version = self.store.add_version(
            AppVersion(0, APP, "development", "3.1.0", "app", "", declared, (), "", "", 0.0)
        )
        with self.engine.begin() as connection:
            self.store.add_installation(
                connection,
                Installation(
                    "installation", APP, "development", "cloud", version.id,
                    frozenset(declared), "1:app", "1:admin", 0.0, True, user_consent,
                ),
            )  # fmt: skip

    @property
    def remote(self) -> Remote:
        return Remote("backend", self.base_urls, properties={"auth": self.auth})

    @property
    def door(self) -> InvokeRemote:
        places = places_of(self.egress, self.pauses.append)
        remotes = {"backend": self.remote}
        return InvokeRemote(self.gateway, self.caller, self.invocation, remotes, places)

    def send(self, **more: object) -> dict[str, Any]:
        request = {"remote": "backend", "path": "/x", "method": "POST", **more}
        reply: dict[str, Any] = json.loads(self.door(json.dumps(request).encode()))
        return reply

    def refused(self, **more: object) -> tuple[str, AuditRecord]:
        before = len(self.asked)
        reply = self.send(**more)
        assert len(self.asked) == before, "a server was asked"
        assert "error" in reply, reply
        return reply["error"]["code"], self.last

    @property
    def last(self) -> AuditRecord:
        return self.audit.read(limit=1)[0]

    def claims(self) -> dict[str, Any]:
        token = self.asked[-1].headers["authorization"].removeprefix("Bearer ")
        published = jwt.PyJWKSet.from_dict({"keys": list(self.keys.published())})
        key = published[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            ["RS256"],
            audience=APP,
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
        return claims


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.install()
    return place


# --- where it goes ------------------------------------------------------------------------------


def test_a_named_address_is_asked_and_the_answer_comes_back(place: Place) -> None:
    reply = place.send(headers={"x-own": "1"}, body="{}")
    assert reply == {"status": 200, "headers": [["content-type", "text/plain"]], "body": "hello"}
    (asked,) = place.asked
    assert (asked.call.method, asked.call.url) == ("POST", f"{HERE}/x")
    assert (asked.call.body, asked.timeout_s, asked.named) == (b"{}", UI_TIMEOUT_S, True)
    assert asked.headers["x-own"] == "1"
    record = place.last
    assert (record.kind, record.allowed, record.rule) == ("remote", True, "remote.named")
    assert (record.method, record.path, record.status) == ("POST", f"{HERE}/x", 200)
    assert (record.app_id, record.account_id) == (APP, "1:user")
    assert record.detail["remote"] == "backend"


def test_a_stub_answers_at_the_manifests_address_and_gets_no_token(place: Place) -> None:
    stub = EgressStub(f"{BASE}/x", "POST", body_text="a", status=202, body=b"{}", delay_ms=250)
    place.egress = Egress((stub,))
    reply = place.send(path="/x?y=1", body="abc")
    assert (reply["status"], reply["body"]) == (202, "{}")
    assert (place.asked, place.pauses) == ([], [0.25])
    assert (place.last.rule, place.last.status) == ("remote.stubbed", 202)
    assert "credentials" not in place.last.detail
    assert place.broker.live_digests() == frozenset()
    assert place.keys.published() == ()


def test_a_named_address_wins_over_stubs(place: Place) -> None:
    place.egress = Egress((EgressStub("*"),), remotes={"backend": HERE})
    assert place.send()["body"] == "hello"


@pytest.mark.parametrize(
    ("fault", "code"), [("timeout", "REMOTE_TIMEOUT"), ("refused", "REMOTE_UNREACHABLE")]
)
def test_a_stub_can_stand_for_a_failure(place: Place, fault: Any, code: str) -> None:
    place.egress = Egress((EgressStub("*", fault=fault),))
    assert place.refused()[0] == code
    assert (place.last.allowed, place.last.rule) == (True, "remote.stubbed")


def test_the_manifests_address_is_asked_only_if_its_host_was_allowed(place: Place) -> None:
    place.egress = Egress(allowed_hosts=("other.example.com",))
    code, record = place.refused()
    assert (code, record.rule, record.allowed) == ("REMOTE_NO_ADDRESS", "remote.no-address", False)
    for word in ("--remote backend=", "egress:", f"{BASE}/x", "--allow-egress backend.example.com"):
        assert word in record.message
    place.egress = Egress(allowed_hosts=("*.example.com",))
    assert place.send()["status"] == 200
    assert (place.asked[0].call.url, place.asked[0].named) == (f"{BASE}/x", False)
    assert place.last.rule == "remote.asked"


@pytest.mark.hostile
def test_a_private_address_behind_the_manifests_name_is_refused(place: Place) -> None:
    place.egress = Egress(allowed_hosts=("backend.example.com",))
    place.network = Decision(False, "egress.private-address", "backend.example.com is inside.")
    reply = place.send()
    assert reply["error"]["code"] == "DENIED"
    assert (place.last.allowed, place.last.rule) == (False, "egress.private-address")


def test_an_unknown_remote_is_the_platforms_answer(place: Place) -> None:
    reply = place.send(remote="other")
    assert reply["status"] == 400
    assert reply["headers"] == [["forge-proxy-error", "INVALID_REMOTE"]]
    assert (place.last.rule, place.last.path) == ("remote.undeclared", "other:/x")
    assert place.asked == []


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        ({"path": "@evil.test/"}, "remote.path"),
        ({"path": "//evil.test/"}, "remote.path"),
        ({"path": "/../x"}, "remote.path"),
        ({"path": "/a\r\nx-forge-oauth-system: y"}, "remote.path"),
        ({"method": "HEAD"}, "remote.method"),
        ({"method": "CONNECT"}, "remote.method"),
        ({"headers": {"x": "a\r\nb: c"}}, "header.malformed"),
        ({"headers": {"x": "y" * 9000}}, "header.too-large"),
    ],
)
def test_what_could_lead_elsewhere_is_refused(
    place: Place, request_: Mapping[str, object], rule: str
) -> None:
    code, record = place.refused(**request_)
    assert (code, record.rule, record.allowed) == ("DENIED", rule, False)


@pytest.mark.hostile
def test_a_base_url_without_https_is_not_asked(place: Place) -> None:
    place.base_urls = {"default": "http://backend.example.com"}
    place.egress = Egress((EgressStub("*"),), ("*",))
    assert place.refused()[1].rule == "remote.base-url"
    place.base_urls = {"EU": BASE}
    assert place.refused()[1].rule == "remote.unconfigured"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b'{"remote":"backend"}', b'{"remote":"backend","path":"/","x":1}', b"\xff"],
)
def test_other_bytes_are_no_request(place: Place, raw: bytes) -> None:
    reply = json.loads(place.door(raw))
    assert reply["error"]["code"] == "BAD_REQUEST"
    assert place.asked == []


# --- what goes along ----------------------------------------------------------------------------


def test_the_token_says_who_invoked_what_where(place: Place) -> None:
    place.invocation = replace(INVOCATION, licence={"isActive": True}, context={"cloudId": "cloud"})
    place.send()
    claims = place.claims()
    api = "http://127.0.0.1:8080/ex/jira/cloud"
    assert claims["app"] == {
        "id": APP,
        "version": "3",
        "appVersion": "3.1.0",
        "installationId": INVOCATION.installation_ari,
        "apiBaseUrl": api,
        "environment": {"type": "DEVELOPMENT", "id": INVOCATION.environment_ari},
        "module": {"type": "core:endpoint", "key": "ask"},
        "installation": {
            "id": INVOCATION.installation_ari,
            "contexts": [{"name": "jira", "apiBaseUrl": api}],
        },
        "license": {"isActive": True},
    }
    assert (claims["principal"], claims["context"]) == ("1:user", {"cloudId": "cloud"})
    headers = place.asked[0].headers
    assert headers["x-b3-traceid"] == "invoca"
    assert len(headers["x-b3-spanid"]) == 16


def test_an_ari_with_something_before_it_is_the_audience_without(place: Place) -> None:
    place.invocation = replace(INVOCATION, app_id=f"x {APP}", principal=None)
    place.send()
    assert place.claims()["aud"] == APP
    assert not {"principal", "context"} & place.claims().keys()


def test_both_tokens_are_live_and_stand_for_their_accounts(place: Place) -> None:
    place.send()
    headers = place.asked[0].headers
    for kind, account in (("system", "1:app"), ("user", "1:user")):
        held = place.broker.verify(SecretStr(headers[f"x-forge-oauth-{kind}"]))
        scopes = frozenset({SYSTEM, USER, WORK})
        assert held == TokenGrant("installation", APP, "cloud", account, scopes)
    assert place.last.detail["credentials"] == [
        "authorization", "x-forge-oauth-system", "x-forge-oauth-user",
    ]  # fmt: skip
    place.clock.advance(TOKEN_LIFETIME_S)
    assert place.broker.verify(SecretStr(headers["x-forge-oauth-user"])) is None


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("scopes", "auth", "along"),
    [
        ((WORK,), ALONG, set()),
        ((SYSTEM, WORK), ALONG, {"x-forge-oauth-system"}),
        ((USER, WORK), ALONG, {"x-forge-oauth-user"}),
        ((USER, SYSTEM), ALONG, {"x-forge-oauth-system"}),
        ((USER, SYSTEM, WORK), {}, set()),
        ((USER, SYSTEM, WORK), {"appSystemToken": {"enabled": "true"}}, set()),
        ((USER, SYSTEM, WORK), {"appSystemToken": True, "appUserToken": {}}, set()),
    ],
)
def test_no_token_goes_along_without_its_switch_and_its_scope(
    tmp_path: Path, scopes: tuple[str, ...], auth: Mapping[str, Any], along: set[str]
) -> None:
    place = Place(tmp_path)
    place.install(*scopes)
    place.auth = auth
    place.send()
    assert {name for name in place.asked[0].headers if "oauth" in name} == along


@pytest.mark.hostile
def test_nobodys_call_carries_no_user_token(place: Place) -> None:
    place.caller = replace(CALLER, account_id=None)
    place.send()
    assert "x-forge-oauth-user" not in place.asked[0].headers
    assert "withheld" not in place.last.detail


@pytest.mark.hostile
def test_a_user_token_needs_the_users_consent_where_it_is_asked_for(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.install(user_consent=True)
    place.send()
    assert "x-forge-oauth-user" not in place.asked[0].headers
    assert place.last.detail["withheld"] == {"x-forge-oauth-user": "consent.missing"}
    scopes = frozenset({SYSTEM, USER, WORK})
    place.consents.grant("installation", "1:user", scopes)
    place.send()
    token = SecretStr(place.asked[1].headers["x-forge-oauth-user"])
    assert place.broker.verify(token) is not None
    place.consents.revoke("installation", "1:user")
    assert place.broker.verify(token) is None


@pytest.mark.hostile
def test_a_guest_cannot_say_what_the_platform_says(place: Place) -> None:
    forged = {
        "Authorization": "Bearer mine",
        "X-Forge-OAuth-System": "mine",
        "x-forge-oauth-user": "mine",
        "X-B3-TraceId": "mine",
        "x-b3-spanid": "mine",
        "x-b3-sampled": "mine",
        "forge-proxy-authorization": "mine",
        "Host": "evil.test",
        "Transfer-Encoding": "chunked",
        "x-own": "mine",
    }
    place.send(headers=list(forged.items()))
    headers = place.asked[0].call.headers
    assert [name for name, value in headers if value == "mine"] == ["x-own"]
    assert len({name for name, _ in headers}) == len(headers)
    dropped = place.last.detail["dropped_headers"]
    assert dropped == sorted(name.lower() for name in forged if name != "x-own")


@pytest.mark.hostile
def test_an_app_that_is_gone_asks_nobody(place: Place) -> None:
    with place.engine.begin() as connection:
        place.store.deactivate(connection, "installation")
    assert place.refused()[1].rule == "installation.ended"


@pytest.mark.hostile
def test_an_app_of_another_site_asks_nobody(place: Place) -> None:
    place.caller = replace(CALLER, cloud_id="other")
    assert place.refused()[1].rule == "installation.ended"


@pytest.mark.hostile
def test_a_context_that_no_server_would_take_is_refused(place: Place) -> None:
    place.invocation = replace(INVOCATION, context={"extension": "x" * MAX_TOKEN_CHARACTERS})
    assert place.refused()[1].rule == "remote.token-too-large"


def test_the_switches_of_an_endpoint_are_read_alike() -> None:
    assert tokens_of({"auth": ALONG}) == Tokens(system=True, user=True)
    assert tokens_of({}) == tokens_of({"auth": True}) == Tokens()


# --- what comes back ----------------------------------------------------------------------------


@pytest.mark.hostile
def test_a_redirect_is_an_error_and_is_not_followed(place: Place) -> None:
    place.network = ExternalReply(302, (("location", "https://evil.test/"),), b"")
    reply = place.send()
    assert reply["error"]["code"] == "REMOTE_REDIRECT"
    assert len(place.asked) == 1
    record = place.last
    assert (record.allowed, record.rule, record.status) == (False, "remote.redirect", 302)


def test_a_remote_that_does_not_accept_the_token_is_named(place: Place) -> None:
    place.network = ExternalReply(401, (), b"no")
    assert place.send()["status"] == 401
    record = place.last
    assert (record.allowed, record.rule, record.status) == (False, "remote.unauthorized", 401)
    assert "FIT" in record.message


def test_other_statuses_are_the_apps_to_read(place: Place) -> None:
    place.network = ExternalReply(503, (("x", "y"),), b"\xff")
    reply = place.send()
    assert (reply["status"], reply["headers"], reply["bodyEncoding"]) == (
        503,
        [["x", "y"]],
        "base64",
    )
    assert place.last.allowed


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("ETIMEDOUT: backend.example.com did not answer in time", "REMOTE_TIMEOUT"),
        ("ECONNREFUSED: backend.example.com", "REMOTE_UNREACHABLE"),
    ],
)
def test_no_answer_is_an_error_with_its_reason(place: Place, error: str, code: str) -> None:
    place.network = OutsideError(error)
    reply = place.send()
    assert reply["error"]["code"] == code
    assert error in reply["error"]["message"]
    assert (place.last.allowed, place.last.status) == (True, None)


def test_a_call_may_have_less_time(place: Place) -> None:
    call = RemoteCall("backend", "/x", timeout_s=EVENT_TIMEOUT_S)
    places = places_of(place.egress)
    place.gateway.send(CALLER, INVOCATION, call, place.remote, Tokens(), places)
    assert place.asked[0].timeout_s == EVENT_TIMEOUT_S


@pytest.mark.hostile
def test_a_token_that_is_sent_back_does_not_reach_the_guest(place: Place) -> None:
    def echo(call: ExternalCall) -> ExternalReply:
        headers = dict(call.headers)
        sent_back = (("x-echo", headers["x-forge-oauth-user"]),)
        return ExternalReply(200, sent_back, json.dumps(headers).encode())

    place.network = echo
    reply = place.send()
    told = json.loads(reply["body"])
    assert (told["authorization"], told["x-forge-oauth-system"]) == ("Bearer ***", "***")
    assert reply["headers"] == [["x-echo", "***"]]
    assert place.last.detail["credentials_taken_out"] == 4


@pytest.mark.hostile
def test_a_server_cannot_speak_for_the_platform(place: Place) -> None:
    place.network = ExternalReply(200, (("Forge-Proxy-Error", "X"), ("x-forge-y", "z")), b"")
    assert place.send()["headers"] == []


@pytest.mark.hostile
def test_no_record_holds_a_token(place: Place, tmp_path: Path) -> None:
    place.network = OutsideError("ECONNREFUSED: backend.example.com")
    place.send()
    secrets = [value for name, value in place.asked[0].call.headers if "oauth" in name]
    secrets.append(place.asked[0].headers["authorization"].removeprefix("Bearer "))
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert len(secrets) == 3
    assert not [secret for secret in secrets if secret.encode() in files]


@pytest.mark.hostile
def test_what_fails_in_the_host_stays_there(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place.network = "no answer of any kind"  # type: ignore[assignment]  # a bug of the host
    with caplog.at_level(logging.ERROR):
        assert place.send() == {"error": {"code": "INTERNAL", "message": "The host failed."}}
    assert (place.last.allowed, place.last.rule) == (False, "remote.named")
    place.network = OK
    (tmp_path / "secrets.key").write_bytes(b"damaged")
    reply = place.send()
    assert reply == {"error": {"code": "INTERNAL", "message": "The host failed."}}
    assert "secrets.key" in caplog.text
