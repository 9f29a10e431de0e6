"""What the benchmarks run on: a probe app, a filled world, clients of it."""

import base64
import json
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import func, insert, select

from runtime.installation.model import AppVersion
from runtime.invocation.sources import load_sources
from runtime.jira import schema
from runtime.sandbox.values import JavaScriptSource, Start
from runtime.server.runtime import Firebrick
from runtime.wire import JiraRequest

APP_ID = "ari:cloud:ecosystem::app/6e2f5a0c-6c1f-4a53-9a0e-1f5b8f4f0b01"
MANIFEST = f"""\
app:
  id: {APP_ID}
  runtime:
    name: nodejs22.x
modules:
  jira:issuePanel:
    - key: probe
      title: Probe
      icon: https://example.com/i.svg
      resource: main
      resolver:
        function: resolver
  function:
    - key: resolver
      handler: index.handler
resources:
  - key: main
    path: static
permissions:
  scopes:
    - read:jira-work
"""
SOURCE = """\
import api, { route } from "@forge/api";
import Resolver from "@forge/resolver";
const resolver = new Resolver();
resolver.define("get", async ({ payload }) => {
  const response = await api.asUser().requestJira(route`/rest/api/3/issue/${payload.issueKey}`);
  return { key: (await response.json()).key };
});
export const handler = resolver.getDefinitions();
"""
BATCH = 5_000


def start() -> Start:
    """Return the start of a bare run: the resolver, one issue."""
    request = {"call": {"functionKey": "get", "payload": {"issueKey": "TEAM-1"}}, "context": {}}
    runtime = {"appContext": {}, "proxy": {"token": "", "url": ""}, "contextAri": ""}
    return Start(
        handler="index.handler",
        args=(request, {"principal": {"accountId": "x"}}),
        seed=bytes(32),
        now_s=1_700_000_000.0,
        extra={"runtime": runtime},
    )


def probe_source() -> JavaScriptSource:
    """Return the probe on the emulator's own stand-ins, for machines without Node."""
    folder = Path(__file__).parent / "node"
    return load_sources(folder, ["index.handler"]).javascript()


def install_probe(firebrick: Firebrick, folder: Path, script: str | None) -> None:
    """Deploy and install the probe: the real packages' bundle, or our stand-ins."""
    (folder / "src").mkdir(parents=True)
    (folder / "static").mkdir()
    (folder / "static" / "index.html").write_text("<!doctype html><title>Probe</title>")
    (folder / "manifest.yml").write_text(MANIFEST)
    (folder / "src" / "index.js").write_text(SOURCE)
    version, _ = firebrick.apps.deploy(folder)
    if script is not None:
        version = _with_bundle(firebrick, version, script)
    cloud_id = firebrick.find_site(None)
    plan = firebrick.apps.plan(version, cloud_id)
    firebrick.apps.install(plan, cloud_id, firebrick.find_person("amy"))


def _with_bundle(firebrick: Firebrick, version: AppVersion, script: str) -> AppVersion:
    return firebrick.installations.add_version(
        AppVersion(
            id=0,
            app_id=version.app_id,
            environment=version.environment,
            version="1.1.0",
            name=version.name,
            manifest_text=version.manifest_text,
            scopes=version.scopes,
            egress=version.egress,
            sources=json.dumps({"bundle": script}),
            digest="bench-bundle",
            deployed_at_s=version.deployed_at_s,
        )
    )


def fill(firebrick: Firebrick, count: int) -> None:
    """Add issues until the site has `count`: copies of the seeded ones, spread over projects."""
    table = schema.issue_table
    with firebrick.engine.begin() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(table))]
        next_id = int(connection.execute(select(func.max(table.c.id))).scalar_one()) + 1
        added = []
        for number in range(count - len(rows)):
            row = dict(rows[number % len(rows)])
            row.update(
                id=next_id + number,
                number=100_000 + number,
                parent_id=None,
                rank=f"z{number:09d}",
                created_ms=row["created_ms"] + number,
                updated_ms=row["updated_ms"] + (number * 7919) % 1_000_003,
            )
            added.append(row)
            if len(added) == BATCH:
                connection.execute(insert(table), added)
                added = []
        if added:
            connection.execute(insert(table), added)
        connection.exec_driver_sql("ANALYZE")


class Clients:
    """In-process clients with a person's API token.

    Args:
        firebrick: The state.
    """

    def __init__(self, firebrick: Firebrick) -> None:
        person = firebrick.find_person("vera")
        _, secret = firebrick.api_tokens.create(person, "bench")
        self.email = str(person.email)
        self.secret = secret.get_secret_value()
        self._firebrick = firebrick
        encoded = base64.b64encode(f"{self.email}:{self.secret}".encode()).decode()
        self._headers = {"authorization": f"Basic {encoded}", "accept": "application/json"}
        self._cloud_id = firebrick.find_site(None)

    def get_issue(self) -> None:
        """GET one issue."""
        self._ask("/rest/api/3/issue/TEAM-3", ())

    def search(self) -> None:
        """Search with three clauses and an order, first page."""
        where = 'project in (PUB, TEAM) AND status = "To Do" AND priority = Medium'
        jql = f"{where} ORDER BY updated DESC"
        self._ask("/rest/api/3/search/jql", (("jql", jql), ("fields", "summary,status,assignee")))

    def _ask(self, path: str, query: tuple[tuple[str, str], ...]) -> None:
        response = self._firebrick.jira.handle(
            JiraRequest(
                method="GET",
                path=path,
                query=query,
                headers=self._headers,
                cloud_id=self._cloud_id,
                base_url="https://acme.atlassian.net",
            )
        )
        if response.status != HTTPStatus.OK:
            raise RuntimeError(f"{path}?{urlencode(query)}: {response.status} {response.body!r}")
