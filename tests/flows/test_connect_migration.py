"""A Forge app that took the key of a Connect app over, with real guests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx import Response
from sqlalchemy import delete, select, update

from runtime.jira.schema import (
    global_permission_table,
    issue_table,
    permission_grant_table,
    site_table,
)
from tests.flows.conftest import Bench
from tests.flows.connect_app import KEY, ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.serving import served

FORGE = "/rest/forge/1/app/properties"
TRANSFER = "9e1f6c1a-2b34-4c5d-8e9f-0a1b2c3d4e5f"
MIGRATION = "/rest/atlassian-connect/1/migration"
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
  scopes: [read:jira-work, read:app-data:jira, write:app-data:jira]
"""
SOURCE = """
import api, { assumeTrustedRoute } from "@forge/api";
export const ask = async ({ path, init, as }) => {
  const who = as === "user" ? api.asUser() : api.asApp();
  const answer = await who.requestJira(assumeTrustedRoute(path), init ?? {});
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


class Heir:
    """A Forge app with a key, as it asks."""

    def __init__(self, flow: Connected, folder: Path, key: str, number: int) -> None:
        self.flow = flow
        self.name = forge_app(flow, folder, key, number)

    def ask(self, method: str, path: str, body: object = None, as_: str = "app") -> tuple[int, Any]:
        init = {"method": method} | ({} if body is None else {"body": json.dumps(body)})
        payload = {"path": path, "init": init, "as": as_}
        result = self.flow.bench.invoke(self.name, "ask", payload, as_="dana")
        assert isinstance(result.value, dict), result.outcome.fault
        text = result.value["text"]
        return int(result.value["status"]), json.loads(text) if text else None


def test_the_heir_and_the_app_have_one_set_of_properties(flow: Connected, tmp_path: Path) -> None:
    flow.install()
    flow.app.ask("PUT", f"{PROPERTIES}/colour", "blue")
    heir = Heir(flow, tmp_path / "heir", KEY, 1)
    assert heir.ask("GET", f"{FORGE}/colour") == (200, {"key": "colour", "value": "blue"})
    assert heir.ask("PUT", f"{FORGE}/size", {"n": 1})[0] == 201
    assert heir.ask("PUT", f"{FORGE}/size", {"n": 2}) == (
        200, {"message": "Property updated.", "statusCode": 200},
    )  # fmt: skip
    assert flow.app.ask("GET", f"{PROPERTIES}/size").json()["value"] == {"n": 2}
    flow.uninstall()  # what the app leaves behind is the heir's
    status, body = heir.ask("GET", FORGE)
    assert (status, [one["key"] for one in body["keys"]]) == (200, ["colour", "size"])
    assert body["keys"][0]["self"].endswith("/rest/forge/1/app/properties/colour")
    assert heir.ask("DELETE", f"{FORGE}/colour")[0] == 204
    assert heir.ask("DELETE", f"{FORGE}/colour") == (
        404, {"message": "Property with key not found.", "statusCode": 404},
    )  # fmt: skip
    flow.install()  # and when it returns it finds what the heir left
    assert flow.app.ask("GET", PROPERTIES).json()["keys"][0]["key"] == "size"


def test_a_forge_app_of_its_own_has_properties_of_its_own(flow: Connected, tmp_path: Path) -> None:
    flow.install()
    flow.app.ask("PUT", f"{PROPERTIES}/colour", "blue")
    one = Heir(flow, tmp_path / "one", "com.example.none", 2)
    two = Heir(flow, tmp_path / "two", "com.example.nothing", 3)
    assert one.ask("PUT", f"{FORGE}/colour", "red")[0] == 201
    assert one.ask("GET", f"{FORGE}/colour")[1]["value"] == "red"
    assert two.ask("GET", f"{FORGE}/colour")[0] == 404
    assert two.ask("GET", FORGE) == (200, {"keys": []})
    assert flow.app.ask("GET", f"{PROPERTIES}/colour").json()["value"] == "blue"
    assert one.ask("PUT", f"{FORGE}/{'k' * 128}", 1)[0] == 400
    assert one.ask("PUT", f"{FORGE}/big", "x" * 32_767)[0] == 400


@pytest.mark.hostile
def test_app_properties_of_forge_are_for_the_app_as_itself(flow: Connected, tmp_path: Path) -> None:
    flow.install()
    heir = Heir(flow, tmp_path / "heir", KEY, 1)
    heir.ask("PUT", f"{FORGE}/colour", "blue")
    said = ["Access to this resource must be authenticated as an app."]
    for method, path, body in (("GET", FORGE, None), ("GET", f"{FORGE}/colour", None),
                               ("PUT", f"{FORGE}/colour", 1),
                               ("DELETE", f"{FORGE}/colour", None)):  # fmt: skip
        assert heir.ask(method, path, body, as_="user") == (403, {"errorMessages": said})
    assert flow.app.ask("GET", f"{FORGE}/colour").status_code == 403  # closed to Connect
    amy = flow.bench.firebrick.find_person("amy")
    _, secret = flow.bench.firebrick.api_tokens.create(amy, "x")
    login = (str(amy.email), secret.get_secret_value())
    assert httpx.get(f"{flow.base}{FORGE}/colour", auth=login).status_code == 403
    assert heir.ask("GET", f"{FORGE}/colour")[1]["value"] == "blue"


# --- from a server to the cloud ------------------------------------------------------------------


def migrate(flow: Connected, method: str, path: str, body: object, **headers: str) -> Response:
    url = f"{flow.base}{MIGRATION}/{path}"
    named = {"atlassian-transfer-id": TRANSFER, **headers}
    sent = {"authorization": f"JWT {flow.app.token(method, url)}"} | named
    return httpx.request(method, url, json=body, headers=sent)


def test_properties_are_written_all_or_none(flow: Connected) -> None:
    flow.install()
    issue = flow.app.ask("GET", "/rest/api/3/issue/TEAM-1").json()["id"]
    other = flow.app.ask("GET", "/rest/api/3/issue/TEAM-2").json()["id"]
    good = [{"entityId": int(one), "key": "moved", "value": "yes"} for one in (issue, other)]
    bad = [*good, {"entityId": 99_999, "key": "moved", "value": "no"}]
    properties = "/rest/api/3/issue/TEAM-1/properties"
    assert migrate(flow, "PUT", "properties/IssueProperty", bad).status_code == 404
    assert flow.app.ask("GET", properties).json() == {"keys": []}
    assert migrate(flow, "PUT", "properties/IssueProperty", good).status_code == 200
    assert flow.app.ask("GET", f"{properties}/moved").json()["value"] == "yes"
    project = flow.app.ask("GET", "/rest/api/3/project/TEAM").json()["id"]
    change = [{"entityId": int(project), "key": "moved", "value": {"n": 1}}]
    assert migrate(flow, "PUT", "properties/ProjectProperty", change).status_code == 200
    read = flow.app.ask("GET", "/rest/api/3/project/TEAM/properties/moved")
    assert read.json()["value"] == {"n": 1}
    for nothing in ("Sprint", "Board", "Worklog", "DashboardItem", "User"):
        assert migrate(flow, "PUT", f"properties/{nothing}Property", change).status_code == 404
    body = {"body": {"type": "doc", "version": 1, "content": []}}
    body["body"]["content"] = [{"type": "paragraph", "content": [{"type": "text", "text": "x"}]}]
    said = flow.app.ask("POST", "/rest/api/3/issue/TEAM-1/comment", body).json()["id"]
    task = flow.app.ask("GET", "/rest/api/3/issuetype").json()[0]["id"]
    for kind, path, one in (("Comment", "comment", said), ("IssueType", "issuetype", task)):
        change = [{"entityId": int(one), "key": "moved", "value": "yes"}]
        assert migrate(flow, "PUT", f"properties/{kind}Property", change).status_code == 200
        read = flow.app.ask("GET", f"/rest/api/3/{path}/{one}/properties/moved")
        assert read.json()["value"] == "yes"


def test_the_rules_of_a_workflow_cannot_be_found(flow: Connected) -> None:
    flow.install()
    asked = {"workflowEntityId": TRANSFER, "ruleIds": [TRANSFER, TRANSFER]}
    answer = migrate(flow, "POST", "workflow/rule/search", asked)
    assert answer.json() == {
        "workflowEntityId": TRANSFER, "invalidRules": [TRANSFER], "validRules": [],
    }  # fmt: skip
    odd: list[object] = [{}, [], asked | {"ruleIds": []}, asked | {"ruleIds": ["x"]},
                         asked | {"workflowEntityId": "x"},
                         asked | {"ruleIds": [TRANSFER] * 11}]  # fmt: skip
    for wrong in odd:
        assert migrate(flow, "POST", "workflow/rule/search", wrong).status_code == 400


def hidden_issue(flow: Connected) -> int:
    """The id of an issue that there is, and that the app's account cannot see."""
    with flow.bench.firebrick.engine.connect() as connection:
        found = [int(one) for one in connection.execute(select(issue_table.c.id)).scalars()]
    ask = flow.app.ask
    return next(one for one in found if ask("GET", f"/rest/api/3/issue/{one}").status_code == 404)


@pytest.mark.hostile
def test_a_migration_is_the_apps_and_gives_it_no_right(flow: Connected) -> None:
    flow.install()
    path, search = "properties/IssueProperty", "workflow/rule/search"
    asked = {"workflowEntityId": TRANSFER, "ruleIds": [TRANSFER]}
    vault = hidden_issue(flow)
    change = [{"entityId": vault, "key": "k", "value": "v"}]
    missing = [{"entityId": 99_999, "key": "k", "value": "v"}]
    refused, none = migrate(flow, "PUT", path, change), migrate(flow, "PUT", path, missing)
    assert (refused.status_code, refused.content) == (none.status_code, none.content)
    bearer = flow.bearer("amy")
    for url, body in ((path, change), (search, asked)):
        method = "PUT" if url == path else "POST"
        named = {"atlassian-transfer-id": TRANSFER, **bearer}
        answer = httpx.request(method, f"{flow.base}{MIGRATION}/{url}", json=body, headers=named)
        assert answer.status_code == 403
        for transfer in ("", "x", f"{TRANSFER}x"):
            sent = migrate(flow, method, url, body, **{"atlassian-transfer-id": transfer})
            assert sent.status_code == 400
    odd: list[object] = [{}, [], [1], [{}], [{"entityId": "1", "key": "k", "value": 1}],
                         [{"entityId": 1, "key": "", "value": 1}], [{"entityId": 1, "key": "k"}],
                         [{"entityId": True, "key": "k", "value": 1}], missing * 51]  # fmt: skip
    for wrong in odd:
        assert migrate(flow, "PUT", path, wrong).status_code == 400
    assert migrate(flow, "PUT", "properties/Nothing", change).status_code == 400


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("kind", "thing", "permission"),
    [("IssueProperty", "issue/TEAM-1", "EDIT_ISSUES"),
     ("IssueTypeProperty", "issuetype/10001", "ADMINISTER"),
     ("ProjectProperty", "project/TEAM", "ADMINISTER_PROJECTS")],
)  # fmt: skip
def test_a_migration_writes_nothing_that_the_app_may_not(
    flow: Connected, kind: str, thing: str, permission: str
) -> None:
    flow.install()
    entity = int(flow.app.ask("GET", f"/rest/api/3/{thing}").json()["id"])
    column = permission_grant_table.c.permission
    with flow.bench.firebrick.engine.begin() as connection:
        connection.execute(delete(permission_grant_table).where(column == permission))
        for name in ("ADMINISTER", "SYSTEM_ADMIN"):
            right = global_permission_table.c.permission
            connection.execute(delete(global_permission_table).where(right == name))
        connection.execute(update(site_table).values(revision=site_table.c.revision + 1))
    change = [{"entityId": entity, "key": "k", "value": "v"}]
    assert migrate(flow, "PUT", f"properties/{kind}", change).status_code == 403
    assert flow.app.ask("GET", f"/rest/api/3/{thing}/properties").json() == {"keys": []}
