"""Threats around an app's own server: who may speak to it, and what may be done with what it gets.

The server verifies with PyJWT, as the documentation says, against the key set that is served.
"""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, update

from runtime.clock import Clock, ManualClock
from runtime.errors import InstallationError
from runtime.gateway.invocation_claims import Invocation
from runtime.identity.accounts import account_table
from runtime.ids import Ids
from runtime.jira.world import seed_default_world
from runtime.jira.world_data import SiteData
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from runtime.tokens.invocation_tokens import LIFETIME_S, InvocationTokens
from tests.flows.remote_app import APP_A, APP_B, RemoteApp, RemoteBench, remote_served, write_app
from tests.flows.serving import served

pytestmark = pytest.mark.hostile

ACME = "0acde000-0000-4000-8000-000000000001"
OTHER = SiteData("0acde000-0000-4000-8000-000000000002", "other")
STAGING = "https://api.stg.atlassian.com/ex/jira/x"
KEY = "k" * 32


def seed(connection: Connection, ids: Ids, clock: Clock) -> None:
    seed_default_world(connection, ids, clock)
    seed_default_world(connection, ids, clock, OTHER)


@pytest.fixture
def remote(tmp_path: Path, cache: Path) -> Iterator[RemoteBench]:
    settings = Settings(state=tmp_path / "state", cache=cache)
    with (
        open_firebrick(settings, seed=seed) as firebrick,
        served(firebrick) as url,
        remote_served(APP_A, url) as server,
    ):
        remote = RemoteBench(firebrick, url, server)
        remote.install(write_app(tmp_path / "remote"), ACME)
        yield remote


@pytest.fixture
def fit(remote: RemoteBench) -> str:
    """Return a token that the server has just accepted."""
    assert remote.invoke("page", cloud_id=ACME).outcome.fault is None
    return remote.server.last.headers["authorization"].removeprefix("Bearer ")


def ask(server: RemoteApp, token: str) -> int:
    """Show a token to an app's server, as anybody on its network can."""
    headers = {"authorization": f"Bearer {token}", "x-forge-oauth-system": "forged"}
    return httpx.post(f"{server.url}/page", headers=headers, json={}).status_code


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, payload, signature = token.split(".")
    return unpacked(header), unpacked(payload), signature


def unpacked(text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return value


def packed(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_21_a_token_of_one_app_is_refused_at_the_server_of_another(
    remote: RemoteBench, fit: str, tmp_path: Path
) -> None:
    assert ask(remote.server, fit) == 200
    with remote_served(APP_B, remote.url) as other:
        assert ask(other, fit) == 401
        remote.install(write_app(tmp_path / "second", APP_B), ACME)
        second = RemoteBench(remote.firebrick, remote.url, other, "second")
        assert second.invoke("page", cloud_id=ACME).outcome.fault is None
        fault = second.invoke(
            "page", cloud_id=ACME, remotes={"backend": remote.server.url}
        ).outcome.fault
    assert fault is not None
    assert fault.code == "REMOTE_UNAUTHORIZED"


def test_21_an_expired_token_is_refused(remote: RemoteBench) -> None:
    assert LIFETIME_S <= 60
    past = ManualClock(time.time() - LIFETIME_S - 1)
    tokens = InvocationTokens(remote.firebrick.remotes.keys, past, Ids())
    assert ask(remote.server, tokens.mint(APP_A, claims()).get_secret_value()) == 401
    past.advance(LIFETIME_S)
    assert ask(remote.server, tokens.mint(APP_A, claims()).get_secret_value()) == 200


def test_21_a_token_from_the_future_is_refused(remote: RemoteBench) -> None:
    soon = ManualClock(time.time() + 3600)
    tokens = InvocationTokens(remote.firebrick.remotes.keys, soon, Ids())
    assert ask(remote.server, tokens.mint(APP_A, claims()).get_secret_value()) == 401


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "HS256"])
def test_21_a_staging_address_steers_nobody_past_the_signature(
    remote: RemoteBench, fit: str, algorithm: str
) -> None:
    header, payload, signature = parts(fit)
    payload["app"]["apiBaseUrl"] = STAGING
    for kept in ("", signature):
        forged = f"{packed({**header, 'alg': algorithm})}.{packed(payload)}.{kept}"
        assert ask(remote.server, forged) == 401
    assert ask(remote.server, f"{packed(header)}.{packed(payload)}.{signature}") == 401


def test_a_public_key_is_no_shared_secret(remote: RemoteBench, fit: str) -> None:
    header, payload, _ = parts(fit)
    (public,) = httpx.get(remote.server.keys_url).json()["keys"]
    forged = jwt.encode(payload, public["n"], "HS256", headers={"kid": header["kid"]})
    assert ask(remote.server, forged) == 401


@pytest.mark.parametrize(
    "kid",
    ["", "../x", "x", "https://evil.test/jwks.json", "' OR 1=1 --", "\x00", "0" * 9000, None],
)
def test_a_key_id_finds_no_other_key(remote: RemoteBench, fit: str, kid: str | None) -> None:
    header, payload, signature = parts(fit)
    changed = {**header, "kid": kid, "jku": "https://evil.test/", "x5u": "https://evil.test/"}
    assert ask(remote.server, f"{packed(changed)}.{packed(payload)}.{signature}") == 401


@pytest.mark.parametrize("query", ["?kid=x", "?x=../../secrets.key", "%2f..%2fjwks.json", "/x"])
def test_the_key_set_is_one_answer_and_holds_public_keys_alone(
    remote: RemoteBench, fit: str, query: str
) -> None:
    assert fit
    answer = httpx.get(remote.server.keys_url + query)
    if query.startswith("?"):
        assert answer.json() == httpx.get(remote.server.keys_url).json()
    else:
        assert answer.status_code >= 400
    assert "PRIVATE" not in answer.text
    assert '"d"' not in answer.text


def test_a_rotated_key_signs_no_more(remote: RemoteBench, fit: str) -> None:
    old = parts(fit)[0]["kid"]
    remote.firebrick.remotes.keys.rotate()
    assert ask(remote.server, fit) == 200  # it is published for another hour
    assert remote.invoke("page", cloud_id=ACME).outcome.fault is None
    fresh = remote.server.last.headers["authorization"].removeprefix("Bearer ")
    assert parts(fresh)[0]["kid"] != old


def test_an_invocation_token_opens_nothing_here(remote: RemoteBench, fit: str) -> None:
    gateway = f"{remote.url}/ex/jira/{ACME}/rest/api/3/myself"
    site = f"{remote.url}/rest/api/3/myself"
    for scheme in ("Bearer", "JWT", "bearer", "Forge"):
        headers = {"authorization": f"{scheme} {fit}"}
        assert httpx.get(gateway, headers=headers).status_code == 401
        assert httpx.get(site, headers=headers).status_code in (401, 403)
    for path in ("/graphql", "/fpp/provider/app/remote/jira"):
        answer = httpx.post(remote.url + path, headers={"authorization": f"Bearer {fit}"}, json={})
        assert answer.status_code in (400, 401, 403, 404)


@pytest.mark.parametrize("kind", ["system", "user"])
def test_a_token_that_went_along_is_for_its_own_site_alone(
    remote: RemoteBench, fit: str, kind: str
) -> None:
    assert fit
    token = {"authorization": f"Bearer {remote.server.last.token(kind)}"}
    path = "/rest/api/3/myself"
    assert httpx.get(f"{remote.url}/ex/jira/{ACME}{path}", headers=token).status_code == 200
    there = httpx.get(f"{remote.url}/ex/jira/{OTHER.cloud_id}{path}", headers=token)
    assert (there.status_code, there.json()) == (401, {"code": 401, "message": "Unauthorized"})
    assert httpx.get(f"{remote.url}{path}", headers=token).status_code in (401, 403)


@pytest.mark.parametrize("kind", ["system", "user"])
def test_a_token_that_went_along_dies_with_what_it_stands_for(
    remote: RemoteBench, fit: str, kind: str
) -> None:
    assert fit
    firebrick = remote.firebrick
    token = {"authorization": f"Bearer {remote.server.last.token(kind)}"}
    url = f"{remote.url}/ex/jira/{ACME}/rest/api/3/issue/TEAM-1"
    assert httpx.get(url, headers=token).status_code == 200
    (installation,) = firebrick.installations.list_active()
    firebrick.installations.set_granted(installation.id, frozenset({"read:jira-user"}))
    narrowed = httpx.get(url, headers=token)
    assert narrowed.status_code == 401
    assert narrowed.json()["message"] == "Unauthorized; scope does not match"
    firebrick.installations.set_granted(installation.id, installation.granted)
    assert httpx.get(url, headers=token).status_code == 200
    firebrick.apps.uninstall(installation, firebrick.find_person("amy"))
    assert httpx.get(url, headers=token).json() == {"code": 401, "message": "Unauthorized"}


def test_an_uninstalled_apps_server_is_not_asked(remote: RemoteBench, fit: str) -> None:
    assert fit
    (installation,) = remote.firebrick.installations.list_active()
    remote.firebrick.apps.uninstall(installation, remote.firebrick.find_person("amy"))
    with pytest.raises(InstallationError):
        remote.invoke("page", cloud_id=ACME)
    assert len(remote.server.received) == 1


def test_a_redirect_leads_no_token_anywhere(remote: RemoteBench) -> None:
    with remote_served(APP_A, remote.url) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            remote.server.answer = (status, {"location": f"{elsewhere.url}/page"}, b"")
            for name in ("page", "ask"):
                result = remote.invoke(name, {"redirect": "follow"}, cloud_id=ACME)
                shown = str(result.outcome.fault or result.value)
                assert "REMOTE_REDIRECT" in shown
        assert elsewhere.received == []


FORGED = {
    "Authorization": "Bearer forged",
    "x-forge-oauth-system": "forged",
    "X-Forge-OAuth-User": "forged",
    "x-b3-traceid": "forged",
    "X-B3-SpanId": "forged",
    "Host": "forged",
    "forge-proxy-authorization": "forged",
    "x-own": "forged",
}


def test_a_guest_cannot_say_what_the_platform_says(remote: RemoteBench) -> None:
    remote.invoke("ask", {"headers": FORGED}, cloud_id=ACME)
    got = remote.server.last
    assert got.claims is not None
    assert [name for name, value in got.headers.items() if "forged" in value] == ["x-own"]


@pytest.mark.parametrize(
    "path",
    ["@127.0.0.1:1/", "//evil.test/", "/\\evil.test", "/..", "/%2e%2e/", "https://evil.test/", "x"],
)
def test_a_path_of_a_guest_leads_to_no_other_server(remote: RemoteBench, path: str) -> None:
    value = remote.invoke("ask", {"path": path}, cloud_id=ACME).value
    assert isinstance(value, dict)
    assert value["code"] == "DENIED"
    assert remote.server.received == []


def test_a_server_that_sends_tokens_back_tells_the_guest_nothing(remote: RemoteBench) -> None:
    remote.invoke("page", cloud_id=ACME)
    tokens = [remote.server.last.token(kind) for kind in ("system", "user")]
    tokens.append(remote.server.last.headers["authorization"])
    remote.server.answer = (200, {"x-echo": tokens[0]}, json.dumps(tokens).encode())
    result = remote.invoke("ask", cloud_id=ACME)
    assert isinstance(result.value, dict)
    assert json.loads(result.value["text"]) == ["***", "***", "Bearer ***"]
    assert result.proof is not None
    assert (result.proof.secrets > 0, result.proof.found) == (True, 0)
    told = remote.invoke("page", cloud_id=ACME)
    assert told.value == ["***", "***", "Bearer ***"]


def test_two_calls_never_share_a_token(remote: RemoteBench) -> None:
    for _ in range(2):
        remote.invoke("page", cloud_id=ACME)
    first, second = remote.server.received
    for kind in ("system", "user"):
        assert first.token(kind) != second.token(kind)
    assert first.headers["authorization"] != second.headers["authorization"]
    assert first.claims is not None
    assert second.claims is not None
    assert first.claims["jti"] != second.claims["jti"]


def test_a_deactivated_user_is_nobody_with_every_token(remote: RemoteBench, fit: str) -> None:
    assert fit
    token = SecretStr(remote.server.last.token("user"))
    url = f"{remote.url}/ex/jira/{ACME}/rest/api/3/myself"
    headers = {"authorization": f"Bearer {token.get_secret_value()}"}
    assert httpx.get(url, headers=headers).status_code == 200
    dana = remote.firebrick.find_person("dana").account_id
    with remote.firebrick.engine.begin() as connection:
        connection.execute(
            update(account_table).where(account_table.c.account_id == dana).values(active=False)
        )
    assert httpx.get(url, headers=headers).status_code == 401


def claims() -> dict[str, object]:
    """Return what a token for APP_A says beside its own claims."""
    return Invocation(
        app_id=APP_A,
        version="1.0.0",
        installation_ari="ari:cloud:ecosystem::installation/x",
        environment_type="DEVELOPMENT",
        environment_ari="ari:cloud:ecosystem::environment/x/y",
        module_type="core:endpoint",
        module_key="x",
    ).claims("https://api.atlassian.com/ex/jira/x")
