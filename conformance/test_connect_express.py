"""atlassian-connect-express as npm has it: registers, serves a page, asks, acts as a user."""

import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from conformance.emulator import Emulator, emulating
from conformance.environment import WHICH, Which, modules_of
from conformance.running import environment_with

pytestmark = pytest.mark.npm

HERE = Path(__file__).parent
KEY = "com.example.express"
WAITS = 600  # of a tenth of a second


class Express:
    """A running app, and the site it is installed on."""

    def __init__(self, emulator: Emulator, url: str) -> None:
        self.emulator = emulator
        self.base = emulator.base
        self.url = url
        people = {handle: emulator.login(handle) for handle in ("dana", "vera")}
        self.logins = people
        dora = people["dana"].account_id[:-1] + "6"  # who is deactivated, and cannot log in
        self.accounts = {name: one.account_id for name, one in people.items()} | {"dora": dora}

    def ask(self, method: str, path: str, body: object = None, as_: str = "") -> dict[str, Any]:
        route = f"/ask-as/{quote(self.accounts[as_])}" if as_ else "/ask"
        asked = {"method": method, "path": path, "body": body}
        answer: dict[str, Any] = httpx.post(self.url + route, json=asked, timeout=60).json()
        return answer

    def installed(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.emulator.tell("connect", "list")
        return told

    def frame(self, query: str = "") -> str:
        page = httpx.post(
            f"{self.base}/plugins/servlet/ac/{KEY}/hello{query}",
            data={"as": "dana"},
            headers={"origin": self.base},
        )
        found = re.search(r'src="([^"]+/hello[^"]*)"', page.text)
        assert found is not None, page.text
        return unescape(found.group(1))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module", params=WHICH)
def express(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Express]:
    folder = tmp_path_factory.mktemp("express")
    with emulating(folder, "--tls-port", "0") as emulator:
        with running(emulator, request.param) as url:
            express = Express(emulator, url)
            yield express
        (gone,) = express.installed()
        assert gone["state"] == "uninstalled"  # the framework takes itself from the site


@contextmanager
def running(emulator: Emulator, which: Which) -> Iterator[str]:
    """Start the app, let it install itself, and stop it as a person does."""
    folder = modules_of(which) / "express"
    shutil.copytree(HERE / "connect_express", folder, dirs_exist_ok=True)
    amy = emulator.login("amy")
    login = f"{quote(amy.email, safe='')}:{amy.secret}"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    development = {
        "port": port,
        "store": {"adapter": "map"},
        "hosts": [emulator.base.replace("http://", f"http://{login}@")],
    }
    (folder / "config.json").write_text(json.dumps({"development": development, "product": "jira"}))
    environment = {**emulator.names, "AC_LOCAL_BASE_URL": url}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["node", "app.js"], cwd=folder, env=environment_with(environment),
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _wait_until_installed(process, url, folder / "log")
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _wait_until_installed(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    for _ in range(WAITS):
        try:
            if httpx.get(f"{url}/state").json()["clientKey"]:
                return
        except httpx.HTTPError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace"))


def test_it_registers_itself(express: Express) -> None:
    (one,) = express.installed()
    assert (one["key"], one["state"]) == (KEY, "enabled")
    assert set(one["scopes"].split()) == {"READ", "WRITE", "ACT_AS_USER"}


def test_its_page_believes_the_sites_token_and_no_other(express: Express) -> None:
    url = express.frame("?issue.key=TEAM-1")
    page = httpx.get(url)
    assert page.json() == {"user": express.accounts["dana"], "issue": "TEAM-1"}
    assert "x-acpt" in page.headers
    assert httpx.get(url.replace("TEAM-1", "TEAM-2")).status_code == 401
    assert httpx.get(f"{url}&x=1").status_code == 401
    assert httpx.get(f"{express.url}/hello").status_code == 401
    session = httpx.get(f"{express.url}/loose", headers={"x-acpt": page.headers["x-acpt"]})
    assert session.status_code in (200, 401)
    reflected = {"authorization": f"JWT {page.headers['x-acpt']}"}
    assert httpx.get(f"{express.base}/rest/api/3/myself", headers=reflected).status_code == 401


def test_it_asks_as_itself(express: Express) -> None:
    me = express.ask("GET", "/rest/api/3/myself")
    assert (me["status"], me["body"]["displayName"]) == (200, "Express")
    found = express.ask(
        "GET", "/rest/api/3/search/jql?jql=project+%3D+TEAM&fields=summary,status&maxResults=2"
    )
    assert len(found["body"]["issues"]) == 2
    comment = express.ask("POST", "/rest/api/2/issue/TEAM-1/comment", {"body": "hello"})
    assert comment["status"] == 201
    refused = express.ask("PUT", "/rest/api/3/project/TEAM", {"name": "x"})
    assert refused["status"] == 403


def test_it_acts_as_a_user(express: Express) -> None:
    me = express.ask("GET", "/rest/api/3/myself", as_="dana")
    assert (me["status"], me["body"]["displayName"]) == (200, "Dana Developer")
    assert express.ask("GET", "/rest/api/3/issue/VAULT-7", as_="vera")["status"] == 404
    assert "status" not in express.ask("GET", "/rest/api/3/myself", as_="dora")


def test_it_believes_the_sites_webhooks(express: Express) -> None:
    fields = {"project": {"key": "TEAM"}, "summary": "Told", "issuetype": {"name": "Task"}}
    made = httpx.post(
        f"{express.base}/rest/api/2/issue",
        json={"fields": fields},
        auth=express.logins["dana"].pair,
    )
    assert made.status_code == 201
    for _ in range(WAITS):
        hooks = httpx.get(f"{express.url}/state").json()["hooks"]
        if hooks:
            break
        time.sleep(0.1)
    assert hooks[0]["webhookEvent"] == "jira:issue_created"
    assert hooks[0]["issue"]["key"] == made.json()["key"]
