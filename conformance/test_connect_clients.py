"""Libraries of PyPI and npm that sign as a Connect app, as their documentation says."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.flows.conftest import Bench
from tests.flows.connect_app import ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.serving import served

HERE = Path(__file__).parent / "connect_clients"
PYPI = ("atlassian-jwt==3.0.0", "jira==3.10.5", "requests-jwt")
INSTALL_S = 300


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with (
        open_firebrick(Settings(state=tmp_path_factory.mktemp("state"))) as firebrick,
        served(firebrick) as base,
        running(ConnectApp()) as app,
    ):
        flow = Connected(Bench(firebrick), base, app)
        flow.install()
        yield flow


def run(*command: object, cwd: Path | None = None) -> str:
    arguments = [str(part) for part in command]
    done = subprocess.run(
        arguments, check=False, cwd=cwd, capture_output=True, text=True, timeout=INSTALL_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def place(flow: Connected, **more: str) -> str:
    tenant = flow.app.tenant
    known = {"site": flow.base, "key": flow.app.key, "secret": tenant["sharedSecret"]}
    return json.dumps(known | {"clientKey": tenant["clientKey"]} | more)


def frame(flow: Connected) -> str:
    page = httpx.post(
        f"{flow.base}/plugins/servlet/ac/{flow.app.key}/hello",
        data={"as": "dana"},
        headers={"origin": flow.base},
    )
    found = re.search(r'src="([^"]+/hello[^"]*)"', page.text)
    assert found is not None
    parts = urlsplit(unescape(found.group(1)))
    return f"{parts.path}?{parts.query}"


def test_the_packages_of_pypi(flow: Connected, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYPI)
    output = run(python, HERE / "clients.py", place(flow, frame=frame(flow)))
    said: dict[str, Any] = json.loads(output)
    assert said["atlassian-jwt"] == [200, 200, 200]
    assert said["frame"] == flow.app.tenant["clientKey"]
    assert said["jira"] == ["TEAM-1", 2]


@pytest.mark.npm
def test_the_packages_of_npm(flow: Connected, tmp_path: Path) -> None:
    folder = tmp_path / "clients"
    shutil.copytree(HERE, folder)
    run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", cwd=folder)
    said = json.loads(run("node", "clients.cjs", place(flow), cwd=folder))
    assert said["jira.js"] == {"me": "Helper", "issue": "TEAM-1", "found": 2}
    assert said["atlassian-jwt"] == [200, 200, 200, 200]
    assert said["@atlassian/atlassian-jwt"] == [200, 200, 200, 200]
