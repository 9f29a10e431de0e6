"""A Forge app that took the key of a Connect app over, with real guests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.conftest import Bench
from tests.flows.connect_app import KEY, ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.serving import served

PROPERTIES = f"/rest/atlassian-connect/1/addons/{KEY}/properties"
MANIFEST = """
app:
  id: ari:cloud:ecosystem::app/7b0f4a10-3c1f-4a53-9a0e-1f5b8f4f0a0{number}
  runtime: {{name: nodejs22.x}}
  connect: {{key: {key}, remote: old}}
remotes: [{{key: old, baseUrl: "https://old.example.com"}}]
connectModules: {{}}
modules:
  function: [{{key: ask, handler: index.ask}}]
permissions:
  scopes: [read:jira-work]
"""
SOURCE = """
import api, { assumeTrustedRoute } from "@forge/api";
export const ask = async ({ path, init }) => {
  const answer = await api.asApp().requestJira(assumeTrustedRoute(path), init ?? {});
  return { status: answer.status, text: await answer.text() };
};
"""


@pytest.fixture
def flow(bench: Bench) -> Iterator[Connected]:
    with served(bench.firebrick) as base, running(ConnectApp()) as app:
        yield Connected(bench, base, app)


def forge_app(flow: Connected, folder: Path, key: str, number: int) -> str:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.js").write_text(SOURCE)
    (folder / "manifest.yml").write_text(MANIFEST.format(key=key, number=number))
    flow.bench.install(folder)
    return folder.name


def test_it_may_use_the_app_properties(flow: Connected, tmp_path: Path) -> None:
    flow.install()
    flow.app.ask("PUT", f"{PROPERTIES}/colour", "blue")
    name = forge_app(flow, tmp_path / "heir", KEY, 1)
    read = flow.bench.invoke(name, "ask", {"path": f"{PROPERTIES}/colour"}).value
    assert isinstance(read, dict)
    assert read["status"] == 200
    assert '"value":"blue"' in read["text"]
    put = {"path": f"{PROPERTIES}/new", "init": {"method": "PUT", "body": "1"}}
    written = flow.bench.invoke(name, "ask", put).value
    assert isinstance(written, dict)
    assert written["status"] == 201
    assert flow.app.ask("GET", f"{PROPERTIES}/new").json()["value"] == 1


@pytest.mark.hostile
def test_any_other_forge_app_may_not(flow: Connected, tmp_path: Path) -> None:
    flow.install()
    flow.app.ask("PUT", f"{PROPERTIES}/colour", "blue")
    stranger = forge_app(flow, tmp_path / "stranger", "com.example.none", 2)
    answer = flow.bench.invoke(stranger, "ask", {"path": f"{PROPERTIES}/colour"}).value
    assert isinstance(answer, dict)
    assert answer["status"] == 401
