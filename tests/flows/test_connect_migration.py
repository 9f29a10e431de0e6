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
    comment_table,
    global_permission_table,
    issue_table,
    permission_grant_table,
    role_table,
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


def comment_of(flow: Connected) -> int:
    """The id of a comment that the app made."""
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "x"}]}
    body = {"body": {"type": "doc", "version": 1, "content": [paragraph]}}
    return int(flow.app.ask("POST", "/rest/api/3/issue/TEAM-1/comment", body).json()["id"])


def entity(flow: Connected, kind: str) -> tuple[int, str]:
    """The id of an entity of a kind of properties, and the path of its properties."""
    if kind == "CommentProperty":
        number = comment_of(flow)
        return number, f"/rest/api/3/comment/{number}/properties"
    thing = {"IssueProperty": "issue/TEAM-1", "ProjectProperty": "project/TEAM",
             "IssueTypeProperty": "issuetype/10001"}[kind]  # fmt: skip
    number = int(flow.app.ask("GET", f"/rest/api/3/{thing}").json()["id"])
    return number, f"/rest/api/3/{thing}/properties"


SERVED = ("IssueProperty", "ProjectProperty", "CommentProperty", "IssueTypeProperty")


@pytest.mark.parametrize("kind", SERVED)
def test_properties_are_written_all_or_none(flow: Connected, kind: str) -> None:
    flow.install()
    number, properties = entity(flow, kind)
    good = [{"entityId": number, "key": "moved", "value": "yes"},
            {"entityId": number, "key": "too", "value": {"n": [1]}}]  # fmt: skip
    odd: list[dict[str, object]] = [
        {"entityId": 99_999, "key": "moved", "value": "no"},
        {"entityId": 10**30, "key": "moved", "value": "no"},
        {"entityId": number, "key": "k" * 256, "value": "no"},
        {"entityId": number, "key": "big", "value": "x" * 32_767},
        {"entityId": number, "key": "none", "value": None},
    ]
    for one in odd:
        assert migrate(flow, "PUT", f"properties/{kind}", [*good, one]).status_code == 400
        assert flow.app.ask("GET", properties).json() == {"keys": []}
    assert migrate(flow, "PUT", f"properties/{kind}", good).status_code == 200
    assert flow.app.ask("GET", f"{properties}/moved").json()["value"] == "yes"
    assert flow.app.ask("GET", f"{properties}/too").json()["value"] == {"n": [1]}
    again = [{"entityId": number, "key": "moved", "value": "again"}]
    assert migrate(flow, "PUT", f"properties/{kind}", again).status_code == 200
    assert flow.app.ask("GET", f"{properties}/moved").json()["value"] == "again"


@pytest.mark.parametrize("kind", ["Sprint", "Board", "Worklog", "DashboardItem", "User"])
def test_of_what_a_site_does_not_have_every_number_is_missing(flow: Connected, kind: str) -> None:
    flow.install()
    path, number = f"properties/{kind}Property", comment_of(flow)
    for entity_id in (number, 10000, 1):
        change = [{"entityId": entity_id, "key": "k", "value": "v"}]
        answer = migrate(flow, "PUT", path, change)
        assert answer.status_code == 400
        assert kind in answer.json()["errorMessages"][0]
    odd: list[object] = [[], [{"entityId": "x", "key": "k", "value": 1}], [1] * 51]
    for wrong in odd:
        assert migrate(flow, "PUT", path, wrong).status_code == 400


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
def test_a_migration_finds_no_comment_that_is_hidden_from_the_app(flow: Connected) -> None:
    flow.install()
    number = comment_of(flow)
    table = comment_table.c
    with flow.bench.firebrick.engine.begin() as connection:
        role = connection.execute(
            select(role_table.c.id).where(role_table.c.name == "Developers")
        ).scalar_one()
        connection.execute(
            update(comment_table)
            .where(table.id == number)
            .values(visibility_type="role", visibility_id=str(role))
        )
    answers = {
        migrate(flow, "PUT", "properties/CommentProperty",
                [{"entityId": one, "key": "k", "value": "v"}]).text.replace(str(one), "")
        for one in (number, 99_999_999)
    }  # fmt: skip
    assert answers == {'{"errorMessages":["Can not find a comment for the id: ."],"errors":{}}'}


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("kind", "permission"),
    [("IssueProperty", "EDIT_ISSUES"), ("IssueTypeProperty", "ADMINISTER"),
     ("CommentProperty", "EDIT_ALL_COMMENTS"), ("ProjectProperty", "ADMINISTER_PROJECTS")],
)  # fmt: skip
def test_a_migration_writes_nothing_that_the_app_may_not(
    flow: Connected, kind: str, permission: str
) -> None:
    flow.install()
    number, properties = entity(flow, kind)
    column = permission_grant_table.c.permission
    lost = {permission, permission.replace("_ALL_", "_OWN_")}
    with flow.bench.firebrick.engine.begin() as connection:
        connection.execute(delete(permission_grant_table).where(column.in_(lost)))
        for name in ("ADMINISTER", "SYSTEM_ADMIN"):
            right = global_permission_table.c.permission
            connection.execute(delete(global_permission_table).where(right == name))
        connection.execute(update(site_table).values(revision=site_table.c.revision + 1))
    change = [{"entityId": number, "key": "k", "value": "v"}]
    assert migrate(flow, "PUT", f"properties/{kind}", change).status_code == 403
    assert flow.app.ask("GET", properties).json() == {"keys": []}


@pytest.mark.hostile
def test_an_app_has_properties_of_its_own_account_and_its_scopes_bound_it(flow: Connected) -> None:
    flow.install()  # READ and WRITE, and an account that is an administrator
    mine = flow.app.ask("GET", "/rest/api/3/myself").json()["accountId"]
    dana = flow.bench.firebrick.find_person("dana").account_id
    path = "/rest/api/3/user/properties"
    for account_id in (mine, dana):
        assert flow.app.ask("PUT", f"{path}/k?accountId={account_id}", 1).status_code == 201
        keys = flow.app.ask("GET", f"{path}?accountId={account_id}").json()["keys"]
        assert [one["key"] for one in keys] == ["k"]
        gone = flow.app.ask("DELETE", f"{path}/k?accountId={account_id}")
        assert gone.status_code == 403  # takes DELETE
    written = flow.app.ask("PUT", "/rest/api/3/issuetype/10001/properties/k", 1)
    assert written.status_code == 403  # takes ADMIN
