"""A Forge app's own server, built with atlassian-connect-express as npm has it (AC_APP_ID)."""

import json
import subprocess
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # JSON

import httpx
import pytest

from conformance.emulator import Emulator, emulating
from conformance.environment import WHICH, Which
from conformance.running import environment_with, script_of
from conformance.test_passport import free_port, wait_for
from runtime.clock import ManualClock
from runtime.ids import Ids
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from runtime.tokens.invocation_tokens import LIFETIME_S, InvocationTokens
from tests.flows.remote_app import APP_A, APP_B, write_app

pytestmark = pytest.mark.npm

API = "https://api.atlassian.com"
STAGING = "https://api.stg.atlassian.com/ex/jira/x"


@dataclass
class Servers:
    """The servers of two apps, and the emulator that both believe in."""

    emulator: Emulator
    folder: Path
    mine: str
    other: str

    def invoke(self, name: str, url: str | None = None, *more: str) -> Any:
        """Invoke something of the first app."""
        return self.emulator.tell(
            "invoke", name, "--app", "remote", "--remote", f"backend={url or self.mine}", *more
        )

    def token(self) -> str:
        """Return the token that the first app's server has just accepted."""
        assert self.invoke("page", None, "--as", "dana")["error"] is None
        shown: str = httpx.get(f"{self.mine}/last").json()
        return shown.removeprefix("Bearer ")

    def show(self, token: str, url: str | None = None) -> int:
        """Show a token to a server, as anybody on its network can."""
        headers = {"authorization": f"Bearer {token}", "x-forge-oauth-system": "forged"}
        there = f"{url or self.mine}/events/created"
        return httpx.post(there, headers=headers, json={}, timeout=60).status_code


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("remote")
    options = ("--tls-port", "0", "--proxy-port", "0")
    with emulating(folder, *options, forge_api_url=API) as emulator:
        emulator.say("deploy", str(write_app(folder / "remote")))
        emulator.say("install", "--app", "remote", "--yes")
        yield emulator


@pytest.fixture(scope="module", params=WHICH)
def servers(emulator: Emulator, request: pytest.FixtureRequest) -> Iterator[Servers]:
    which: Which = request.param
    processes, urls = [], []
    try:
        for app_id in (APP_A, APP_B):
            port = free_port()
            command = [
                "node",
                str(script_of(which, "forge_remote.cjs")),
                json.dumps({"port": port}),
            ]
            environment = environment_with({**emulator.names, "AC_APP_ID": app_id})
            quiet = subprocess.DEVNULL
            process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
            processes.append(process)
            urls.append(f"http://127.0.0.1:{port}")
            wait_for(urls[-1], process)
        yield Servers(emulator, emulator.output.parent, *urls)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def changed(token: str, algorithm: str, **app: object) -> tuple[str, str]:
    """Return head and payload of a token with another algorithm and other claims of its app."""
    head, payload, _ = token.split(".")
    header, claims = (
        json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, payload)
    )
    claims["app"] |= app
    both = ({**header, "alg": algorithm}, claims)
    packed = [urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in both]
    return packed[0], packed[1]


def test_a_page_is_believed_and_its_tokens_open_the_gateway(servers: Servers) -> None:
    said = servers.invoke("page", None, "--as", "dana", "--payload", '{"a": 1}')
    assert said["error"] is None
    told = said["result"]
    assert (told["body"], told["moduleKey"]) == ({"a": 1}, "panel")
    assert told["module"] == {"type": "jira:issuePanel", "key": "panel"}
    assert told["apiBaseUrl"] == f"{API}/ex/jira/{servers.emulator.cloud_id}"
    assert told["kept"] is True
    assert told["app"] == [200, "remote"]
    assert told["user"] == [200, "Dana Developer"]
    assert told["principal"]


def test_an_event_is_believed_and_has_no_user(servers: Servers) -> None:
    told = servers.invoke("on-created", None, "--as", "dana")["result"]
    assert (told["principal"], told["user"], told["moduleKey"]) == (None, None, None)
    assert told["module"]["type"] == "core:endpoint"
    assert told["app"][0] == 200


def test_a_function_in_the_sandbox_is_believed(servers: Servers) -> None:
    payload = json.dumps({"path": "/x", "method": "POST"})
    said = servers.invoke("ask", None, "--as", "dana", "--payload", payload, "--prove")
    assert said["result"]["status"] == 200
    assert json.loads(said["result"]["text"])["principal"]
    assert (said["proof"]["secrets"] > 0, said["proof"]["found"]) == (True, 0)


@pytest.mark.hostile
def test_another_apps_server_refuses_the_token(servers: Servers) -> None:
    token = servers.token()
    assert servers.show(token) == 200
    assert servers.show(token, servers.other) == 401


@pytest.mark.hostile
def test_an_expired_token_is_refused(servers: Servers) -> None:
    past = ManualClock(time.time() - LIFETIME_S - 1)
    claims = {"app": {"id": APP_A, "installationId": "x", "apiBaseUrl": f"{API}/ex/jira/x"}}
    with open_firebrick(Settings(state=servers.folder / "state")) as firebrick:
        tokens = InvocationTokens(firebrick.remotes.keys, past, Ids())
        expired = tokens.mint(APP_A, claims).get_secret_value()
        past.advance(LIFETIME_S)
        fresh = tokens.mint(APP_A, claims).get_secret_value()
    assert servers.show(expired) == 401
    assert servers.show(fresh) != 401


@pytest.mark.hostile
@pytest.mark.parametrize("algorithm", ["RS256", "HS256", "none", "nOnE"])
@pytest.mark.parametrize("base", [STAGING, f"{API}/ex/jira/x"])
def test_a_changed_address_steers_it_past_no_signature(
    servers: Servers, base: str, algorithm: str
) -> None:
    token = servers.token()
    head, payload = changed(token, algorithm, apiBaseUrl=base)
    for signature in ("", token.rpartition(".")[2]):
        assert servers.show(f"{head}.{payload}.{signature}") == 401


@pytest.mark.hostile
def test_the_emulator_names_what_the_server_refused(servers: Servers) -> None:
    command = ["invoke", "page", "--app", "remote", "--remote", f"backend={servers.other}"]
    with pytest.raises(AssertionError, match="REMOTE_UNAUTHORIZED"):
        servers.emulator.say(*command)
    record = servers.emulator.tell("audit", "--limit", "2")[0]
    assert (record["kind"], record["rule"]) == ("remote", "remote.unauthorized")
