"""Clients with fixed addresses, told nothing but the variables of ``firebrick tls env``."""

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any  # JSON
from urllib.parse import quote

import httpx
import pytest

from conformance.emulator import Emulator, emulating
from conformance.environment import WHICH, Which, modules_of
from conformance.running import environment_with, run_node

pytestmark = pytest.mark.npm

HERE = Path(__file__).parent
SITE, API = "https://acme.atlassian.net", "https://api.atlassian.com"
WAITS = 600  # of a tenth of a second
BOTH = {
    "me": ["Dana Developer", "Dana Developer"], "key": "TEAM-1", "both": [API, SITE], "told": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("hosts")
    with emulating(folder, "--tls-port", "0", "--proxy-port", "0") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def variables(emulator: Emulator) -> dict[str, str]:
    told: dict[str, str] = json.loads(emulator.say("tls", "env", "--shell", "json"))
    return told


def refreshing(emulator: Emulator, name: str) -> dict[str, Any]:
    """Return what an app keeps of a person who consented: a refresh token."""
    made = emulator.tell(
        "oauth", "app", "create", name, "--owner", "dana", "--callback", "http://127.0.0.1:9/",
        "--scope", "read:jira-work read:jira-user read:me",
    )  # fmt: skip
    client, secret = made["clientId"], made["clientSecret"]
    told = emulator.tell(
        "oauth", "authorize", "--client", client, "--as", "dana",
        "--scope", "read:jira-work read:jira-user offline_access",
    )  # fmt: skip
    form = {
        "grant_type": "authorization_code", "client_id": client, "client_secret": secret,
        "code": told["code"], "redirect_uri": "http://127.0.0.1:9/",
    }  # fmt: skip
    tokens = httpx.post(f"{emulator.base}/oauth/token", data=form).json()
    login = emulator.login("dana").pair
    return {
        "refreshToken": tokens["refresh_token"], "clientId": client, "clientSecret": secret,
        "site": SITE, "login": login,
    }  # fmt: skip


@pytest.mark.parametrize("which", WHICH)
def test_jira_js_5_refreshes_at_the_address_it_has(
    emulator: Emulator, variables: dict[str, str], which: Which
) -> None:
    package = "jira.js" if which == "pinned" else "jira.js-5"
    place = refreshing(emulator, f"Five {which}") | {"package": package}
    assert run_node(which, "jira_js_refresh.cjs", place, **variables) == BOTH


def test_jira_js_from_6_on_refreshes_at_the_address_it_has(
    emulator: Emulator, variables: dict[str, str]
) -> None:
    place = refreshing(emulator, "Six")
    assert run_node("newest", "jira_js_6_refresh.mjs", place, **variables) == BOTH


def test_whatever_node_connects_with_is_led_here_and_nowhere_else(
    emulator: Emulator, variables: dict[str, str]
) -> None:
    place = {"site": SITE, "outside": f"https://127.0.0.1:{free_port()}/"}
    said = run_node("pinned", "names.mjs", place, **variables)
    here = {"cloudId": emulator.cloud_id}
    assert (said["fetched"], said["core"]) == (here, here)
    assert said["options"] == said["positional"] == [True, "acme.atlassian.net", "Firebrick"]
    assert said["another"] == 421  # a site that there is not is not asked for outside
    assert said["outside"] == "ECONNREFUSED"  # another address is the client's own affair
    assert said["proxy"] is None


@pytest.fixture(scope="module", params=WHICH)
def express(
    emulator: Emulator, variables: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[str]:
    """An app of atlassian-connect-express on the site's own address, with no option of its own."""
    folder = modules_of(request.param) / "express-hosts"
    shutil.copytree(HERE / "connect_express", folder, dirs_exist_ok=True)
    amy = emulator.login("amy")
    login = f"{quote(amy.email, safe='')}:{amy.secret}"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    development = {
        "port": port, "store": {"adapter": "map"}, "hosts": [SITE.replace("//", f"//{login}@")],
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps({"development": development, "product": "jira"}))
    own = {name: value for name, value in variables.items() if name != "CONNECT_KEYS_CDN_URL"}
    with started(folder, "app.js", {**own, "AC_LOCAL_BASE_URL": url}) as process:
        wait_until_installed(process, url, folder / "log")
        yield url


def wait_until_installed(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    for _ in range(WAITS):
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/state").json()["clientKey"]:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(
    folder: Path, script: str, variables: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["node", script], cwd=folder, env=environment_with(variables), stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def test_connect_express_lives_on_the_sites_own_address(emulator: Emulator, express: str) -> None:
    asked = {"method": "GET", "path": "/rest/api/3/myself"}
    itself = httpx.post(f"{express}/ask", json=asked, timeout=60).json()
    assert itself["body"]["displayName"] == "Express"
    assert itself["body"]["self"].startswith(f"{SITE}/rest/api/3/")
    dana = emulator.login("dana").account_id
    as_dana = httpx.post(f"{express}/ask-as/{quote(dana)}", json=asked, timeout=60).json()
    assert as_dana["body"]["displayName"] == "Dana Developer"
    rules = emulator.asked().rules
    assert "act.impersonated" in rules
