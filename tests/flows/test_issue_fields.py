"""Issue fields of Connect apps and of Forge apps, over HTTP and with real guests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import delete, select, update

from runtime.identity.accounts import account_table
from runtime.jira.schema import global_permission_table, group_table, site_table
from runtime.jira.world_model import IssueEntry
from runtime.jira.world_read import read_site
from tests.fidelity.shapes import assert_shape
from tests.flows.conftest import Bench
from tests.flows.connect_app import KEY, ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.serving import served
from tests.flows.test_connect_migration import SOURCE, TRANSFER

API = "/rest/api/3"
MIGRATION = "/rest/atlassian-connect/1/migration"
UUID = "7b0f4a10-3c1f-4a53-9a0e-1f5b8f4f0b0"
TYPES = ("string", "text", "rich_text", "number", "single_select", "multi_select", "read_only")
MANIFEST = """
app:
  id: ari:cloud:ecosystem::app/{uuid}{number}
  runtime: {{name: nodejs22.x}}
  connect: {{key: {connect}, remote: old}}
remotes: [{{key: old, baseUrl: "https://old.example.com"}}]
connectModules: {{}}
modules:
  jira:customField:
    - {{key: f-single-select, name: Team, description: Whose, type: string}}
    - {{key: size, name: Size, description: How large, type: number, readOnly: true}}
    - {{key: owners, name: Owners, description: Who, type: user, collection: list}}
    - {{key: facts, name: Facts, description: What, type: object, formatter: {{expression: "'x'"}}}}
    - {{key: since, name: Since, description: When, type: datetime}}
    - {{key: crew, name: Crew, description: Which, type: group}}
    - {{key: day, name: Day, description: When, type: date}}
  function: [{{key: ask, handler: index.ask}}]
permissions:
  scopes: [read:jira-work, write:jira-work, read:app-data:jira, write:app-data:jira]
"""


def modules() -> list[dict[str, Any]]:
    made = [
        {
            "key": f"f-{kind.replace('_', '-')}",
            "name": {"value": f"F {kind}"},
            "description": {"value": f"A field of {kind}"},
            "type": kind,
        }
        for kind in TYPES
    ]
    made[-1]["property"] = {"path": "state.level", "key": "health", "type": "string"}
    return made


@pytest.fixture
def flow(bench: Bench) -> Iterator[Connected]:
    app = ConnectApp(scopes=["READ", "WRITE"], modules={"jiraIssueFields": modules()})
    with served(bench.firebrick) as base, running(app) as running_app:
        flow = Connected(bench, base, running_app)
        flow.install()
        yield flow


class People:
    """Asks as people of the world."""

    def __init__(self, flow: Connected) -> None:
        self._flow = flow
        self._logins: dict[str, tuple[str, str]] = {}

    def login(self, who: str) -> tuple[str, str]:
        if who not in self._logins:
            person = self._flow.bench.firebrick.find_person(who)
            _, secret = self._flow.bench.firebrick.api_tokens.create(person, who)
            self._logins[who] = (str(person.email), secret.get_secret_value())
        return self._logins[who]

    def ask(self, who: str, method: str, path: str, body: object = None) -> httpx.Response:
        auth = self.login(who)
        return httpx.request(method, f"{self._flow.base}{path}", auth=auth, json=body)

    def raw(self, who: str, method: str, path: str, text: str) -> httpx.Response:
        """Send a body as it stands."""
        headers = {"content-type": "application/json"}
        url, auth = f"{self._flow.base}{path}", self.login(who)
        return httpx.request(method, url, auth=auth, content=text, headers=headers)


@pytest.fixture
def people(flow: Connected) -> People:
    return People(flow)


def field_of(people: People, key: str) -> dict[str, Any]:
    found = people.ask("amy", "GET", f"{API}/field").json()
    return next(one for one in found if one["key"] == key)


def connect_field(people: People, kind: str) -> str:
    return str(field_of(people, f"{KEY}__f-{kind.replace('_', '-')}")["id"])


def option(flow: Connected, kind: str, value: str, **more: object) -> int:
    path = f"{API}/field/{KEY}__f-{kind}/option"
    answer = flow.app.ask("POST", path, {"value": value, **more})
    assert answer.status_code == 200, answer.text
    assert_shape("createIssueFieldOption", 200, answer.content)
    return int(answer.json()["id"])


def fields(people: People, issue: str = "TEAM-1", who: str = "dana") -> dict[str, Any]:
    answer = people.ask(who, "GET", f"{API}/issue/{issue}")
    assert_shape("getIssue", 200, answer.content)
    found: dict[str, Any] = answer.json()["fields"]
    return found


def test_the_fields_are_listed_set_and_shown(flow: Connected, people: People) -> None:
    listed = people.ask("dana", "GET", f"{API}/field")
    assert_shape("getFields", 200, listed.content)
    number = field_of(people, f"{KEY}__f-number")
    assert (number["name"], number["custom"]) == ("F number", True)
    assert number["schema"]["type"] == "number"
    assert number["schema"]["custom"].endswith(f":{KEY}__f-number")
    red = option(flow, "single-select", "Red")
    one, two = option(flow, "multi-select", "One"), option(flow, "multi-select", "Two")
    document = {
        "type": "doc", "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Long words"}]}],
    }  # fmt: skip
    values = {
        connect_field(people, "string"): "short",
        connect_field(people, "text"): "a\nb",
        connect_field(people, "rich_text"): document,
        connect_field(people, "number"): 4.5,
        connect_field(people, "single_select"): {"id": str(red)},
        connect_field(people, "multi_select"): [{"value": "Two"}, {"id": one}],
    }
    edited = people.ask("dana", "PUT", f"{API}/issue/TEAM-1", {"fields": values})
    assert edited.status_code == 204, edited.text
    shown = fields(people)
    for kind in ("string", "text", "rich_text", "number"):
        assert shown[connect_field(people, kind)] == values[connect_field(people, kind)]
    assert shown[connect_field(people, "single_select")]["value"] == "Red"
    assert [one["value"] for one in shown[connect_field(people, "multi_select")]] == ["Two", "One"]
    assert two != one
    history = people.ask("dana", "GET", f"{API}/issue/TEAM-1/changelog").json()["values"][-1]
    told = {item["field"]: (item["fieldtype"], item["toString"]) for item in history["items"]}
    assert told["F single_select"] == ("custom", "Red")
    assert told["F rich_text"] == ("custom", "Long words")
    name = connect_field(people, "multi_select")
    verbs = {"update": {name: [{"remove": {"id": str(two)}}, {"set": [{"id": two}]}]}}
    assert people.ask("dana", "PUT", f"{API}/issue/TEAM-1", verbs).status_code == 204
    cleared = {"fields": dict.fromkeys(values)}
    assert people.ask("dana", "PUT", f"{API}/issue/TEAM-1", cleared).status_code == 204
    assert {fields(people)[name] for name in values} == {None}
    view = "expand=names,schema,renderedFields&fields=" + ",".join(values)
    answer = people.ask("dana", "GET", f"{API}/issue/TEAM-1?{view}").json()
    assert set(answer["names"]) == set(answer["fields"]) == set(values)
    new = {
        "project": {"key": "TEAM"}, "issuetype": {"name": "Task"}, "summary": "x",
        connect_field(people, "number"): 3,
    }  # fmt: skip
    made = people.ask("dana", "POST", f"{API}/issue", {"fields": new})
    assert made.status_code == 201, made.text
    assert fields(people, made.json()["key"])[connect_field(people, "number")] == 3


def test_the_screens_metadata_names_them(flow: Connected, people: People) -> None:
    red = option(flow, "single-select", "Red")
    option(flow, "single-select", "Old", config={"attributes": ["notSelectable"]})
    edit = people.ask("dana", "GET", f"{API}/issue/TEAM-1/editmeta")
    assert_shape("getEditIssueMeta", 200, edit.content)
    found = edit.json()["fields"]
    assert [
        one["id"] for one in found[connect_field(people, "single_select")]["allowedValues"]
    ] == [str(red)]
    assert found[connect_field(people, "multi_select")]["operations"] == ["add", "set", "remove"]
    assert connect_field(people, "read_only") not in found


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", 1), ("string", "x" * 256), ("text", "x" * 32_768), ("number", "1"),
        ("number", True), ("number", 10**400), ("rich_text", "text"), ("single_select", "Blue"),
        ("single_select", {"id": "99"}), ("single_select", {"id": True}), ("single_select", []),
        ("single_select", {"id": "9" * 40}), ("multi_select", {"id": "1"}),
        ("multi_select", [{"id": "99"}]), ("read_only", "x"),
        ("multi_select", [{"id": "1"}] * 1_001),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused(
    flow: Connected, people: People, kind: str, value: object
) -> None:
    option(flow, "multi-select", "One")
    name = connect_field(people, kind)
    answer = people.ask("dana", "PUT", f"{API}/issue/TEAM-1", {"fields": {name: value}})
    assert answer.status_code == 400, answer.text
    assert name in answer.json()["errors"]


def test_a_read_only_field_shows_a_property_of_the_issue(flow: Connected, people: People) -> None:
    name = connect_field(people, "read_only")
    assert fields(people)[name] is None
    put = flow.app.ask("PUT", f"{API}/issue/TEAM-1/properties/health", {"state": {"level": "good"}})
    assert put.status_code == 201
    assert fields(people)[name] == "good"


def search(people: People, jql: str) -> list[str] | str:
    answer = people.ask("dana", "POST", f"{API}/search/jql", {"jql": jql, "fields": ["summary"]})
    if answer.status_code != 200:
        return str(answer.json()["errorMessages"])
    return sorted(one["key"] for one in answer.json()["issues"])


def test_queries_ask_for_them(flow: Connected, people: People) -> None:
    red, blue = option(flow, "single-select", "Red"), option(flow, "single-select", "Blue")
    number, text = connect_field(people, "number"), connect_field(people, "string")
    select, several = connect_field(people, "single_select"), connect_field(people, "multi_select")
    one = option(flow, "multi-select", "One")
    for key, change in (
        ("TEAM-1", {number: 3, text: "Fast Car", select: {"id": red}, several: [{"id": one}]}),
        ("TEAM-2", {number: 5, text: "slow car", select: {"id": blue}}),
    ):
        assert people.ask("dana", "PUT", f"{API}/issue/{key}", {"fields": change}).is_success
    cf = f"cf[{number.removeprefix('customfield_')}]"
    assert search(people, f"{cf} > 3") == search(people, f"{number} = 5") == ["TEAM-2"]
    assert search(people, '"F number" <= 5') == ["TEAM-1", "TEAM-2"]
    assert search(people, '"f number" in (3, 4)') == ["TEAM-1"]
    assert search(people, f"not {cf} < 4") == ["TEAM-2"]
    assert search(people, '"F string" ~ "CAR fast"') == ["TEAM-1"]
    assert search(people, '"F single_select" = red') == ["TEAM-1"]
    assert search(people, f'"F single_select" != {red}') == ["TEAM-2"]
    assert search(people, '"F multi_select" is not EMPTY') == ["TEAM-1"]
    assert "TEAM-1" not in search(people, f"project = TEAM AND {cf} is EMPTY")
    assert "does not exist" in search(people, '"F single_select" = Green')
    assert "is invalid" in search(people, f"{cf} = many")
    for unknown in (f"{cf} ~ 3", '"F read_only" = x', '"F string" = x', f"{cf} = 1 ORDER BY {cf}"):
        assert "[" in search(people, unknown), unknown


def test_they_go_and_come_back_with_their_app(flow: Connected, people: People) -> None:
    name = connect_field(people, "number")
    assert people.ask("dana", "PUT", f"{API}/issue/TEAM-1", {"fields": {name: 7}}).is_success
    flow.uninstall()
    assert name not in fields(people)
    assert (
        people.ask("dana", "PUT", f"{API}/issue/TEAM-1", {"fields": {name: 8}}).status_code == 400
    )
    assert "not exist" in search(people, f"{name} = 7")
    flow.install()
    assert connect_field(people, "number") == name
    assert fields(people)[name] == 7
    assert search(people, f"{name} = 7") == ["TEAM-1"]


def test_their_values_are_no_part_of_a_world(flow: Connected, people: People) -> None:
    name = connect_field(people, "number")
    assert people.ask("dana", "PUT", f"{API}/issue/TEAM-1", {"fields": {name: 7}}).is_success
    with flow.bench.firebrick.engine.connect() as connection:
        accounts = connection.execute(select(account_table.c.account_id, account_table.c.handle))
        handles = {row.account_id: row.handle for row in accounts}
        site = read_site(connection, flow.bench.cloud_id, handles)
    assert "TEAM-1" in site.model_dump_json()
    assert "customfield" not in site.model_dump_json()
    with pytest.raises(ValidationError, match="custom fields belong to apps"):
        IssueEntry(key="TEAM-1", summary="x", fields={name: 7})


def test_a_dynamic_module_makes_one_too(flow: Connected, people: People) -> None:
    path = "/rest/atlassian-connect/1/app/module/dynamic"
    more = {**modules()[0], "key": "more", "name": {"value": "More"}}
    assert flow.app.ask("POST", path, {"jiraIssueFields": [more]}).status_code == 200
    name = field_of(people, f"{KEY}__more")["id"]
    assert name in fields(people)
    assert flow.app.ask("DELETE", f"{path}?moduleKey=more").status_code == 204
    assert name not in fields(people)
    assert connect_field(people, "string") in fields(people)


def test_options_are_managed_by_the_app_and_by_administrators(
    flow: Connected, people: People
) -> None:
    path = f"{API}/field/{KEY}__f-single-select/option"
    red = option(flow, "single-select", "Red", properties={"a": 1})
    listed = people.ask("amy", "GET", path)
    assert_shape("getAllIssueFieldOptions", 200, listed.content)
    assert listed.json()["values"] == [{"id": red, "value": "Red", "properties": {"a": 1}}]
    got = flow.app.ask("GET", f"{path}/{red}")
    assert_shape("getIssueFieldOption", 200, got.content)
    changed = people.ask("amy", "PUT", f"{path}/{red}", {"id": red, "value": "Crimson"})
    assert_shape("updateIssueFieldOption", 200, changed.content)
    assert flow.app.ask("PUT", f"{path}/70", {"id": 70, "value": "Far"}).status_code == 200
    assert flow.app.ask("POST", path, {"value": "Next"}).json()["id"] == 71
    team = people.ask("amy", "GET", f"{API}/project/TEAM").json()["id"]
    scope = {"projects2": [{"id": int(team), "attributes": ["notSelectable"]}]}
    here = option(flow, "single-select", "Here", config={"scope": scope})
    ends = (
        ("edit", {"Crimson", "Far", "Next"}), ("search", {"Crimson", "Far", "Next", "Here"}),
    )  # fmt: skip
    for end, wanted in ends:
        answer = people.ask("dana", "GET", f"{path}/suggestions/{end}?projectId={team}")
        key = {"edit": "getSelectableIssueFieldOptions", "search": "getVisibleIssueFieldOptions"}
        assert_shape(key[end], 200, answer.content)
        assert {one["value"] for one in answer.json()["values"]} == wanted
    name = connect_field(people, "single_select")
    refused = people.ask("dana", "PUT", f"{API}/issue/TEAM-1", {"fields": {name: {"id": here}}})
    assert refused.status_code == 400
    chosen = {"fields": {name: {"id": red}}}
    assert people.ask("dana", "PUT", f"{API}/issue/TEAM-1", chosen).status_code == 204
    assert flow.app.ask("DELETE", f"{path}/{red}").status_code == 409
    assert people.ask("dana", "PUT", f"{API}/issue/TEAM-1", {"fields": {name: None}}).is_success
    assert flow.app.ask("DELETE", f"{path}/{red}").status_code == 204
    assert flow.app.ask("GET", f"{path}/{red}").status_code == 404


def apps_are_no_administrators(flow: Connected) -> None:
    rights, groups = global_permission_table.c, group_table.c
    of_apps = select(groups.group_id).where(groups.name == "atlassian-addons-admin")
    with flow.bench.firebrick.engine.begin() as connection:
        connection.execute(delete(global_permission_table).where(rights.group_id.in_(of_apps)))
        connection.execute(update(site_table).values(revision=site_table.c.revision + 1))


@pytest.mark.hostile
def test_nobody_else_manages_options(flow: Connected, people: People) -> None:
    path = f"{API}/field/{KEY}__f-single-select/option"
    red = option(flow, "single-select", "Red")
    with running(ConnectApp(key="com.example.other", scopes=["READ", "WRITE"])) as other:
        flow.install(app=other)
        apps_are_no_administrators(flow)
        for method, end, body in (
            ("GET", "", None), ("POST", "", {"value": "x"}), ("GET", f"/{red}", None),
            ("PUT", f"/{red}", {"id": red, "value": "x"}), ("DELETE", f"/{red}", None),
        ):  # fmt: skip
            assert people.ask("dana", method, f"{path}{end}", body).status_code == 403
            assert other.ask(method, f"{path}{end}", body).status_code == 403
            missing = path.replace("f-single-select", "nope")
            assert other.ask(method, f"{missing}{end}", body).status_code == 403
    for broken in (
        {"value": ""}, {"value": 1}, {"value": "x" * 256}, {"value": "x", "properties": []},
        {"value": "x", "config": {"scope": {"nope": 1}}}, {"value": "x", "config": []},
        {"value": "x", "config": {"attributes": ["x"]}},
        {"value": "x", "config": {"scope": {"projects": ["1"]}}},
        {"value": "x", "config": {"scope": {"projects2": [{"id": True}]}}},
        {"value": "x", "config": {"scope": {"projects": 1}}},
        {"value": "x", "properties": {"a": "b" * 40_000}},
    ):  # fmt: skip
        assert flow.app.ask("POST", path, broken).status_code == 400, broken
    assert flow.app.ask("PUT", f"{path}/5", {"id": 6, "value": "x"}).status_code == 400
    assert (
        flow.app.ask("POST", path.replace("single-select", "number"), {"value": "x"}).status_code
        == 404
    )


def migrate(app: ConnectApp, values: object, transfer: str = TRANSFER) -> httpx.Response:
    url = f"{app.tenant['baseUrl']}{MIGRATION}/field"
    headers = {"authorization": f"JWT {app.token('PUT', url)}", "atlassian-transfer-id": transfer}
    return httpx.put(url, json={"updateValueList": values}, headers=headers)


def issue_id(people: People, key: str) -> int:
    return int(people.ask("dana", "GET", f"{API}/issue/{key}").json()["id"])


def number_of(name: str) -> int:
    return int(name.removeprefix("customfield_"))


def test_values_are_migrated_in_bulk(flow: Connected, people: People) -> None:
    red, one = option(flow, "single-select", "Red"), option(flow, "multi-select", "One")
    issue = issue_id(people, "TEAM-1")

    def row(kind: str, type_: str, member: str, value: object) -> dict[str, object]:
        name = connect_field(people, kind)
        return {"_type": type_, "issueID": issue, "fieldID": number_of(name), member: value}

    answer = migrate(
        flow.app,
        [
            row("string", "StringIssueField", "string", "s"),
            row("text", "TextIssueField", "text", "t"),
            row("rich_text", "RichTextIssueField", "richText", "*bold* words"),
            row("number", "NumberIssueField", "number", 54),
            row("single_select", "SingleSelectIssueField", "optionID", str(red)),
            row("multi_select", "MultiSelectIssueField", "optionID", str(one)),
        ],
    )
    assert answer.status_code == 200, answer.text
    shown = fields(people)
    assert shown[connect_field(people, "number")] == 54
    assert shown[connect_field(people, "single_select")]["value"] == "Red"
    assert shown[connect_field(people, "multi_select")][0]["value"] == "One"
    assert "bold" in json.dumps(shown[connect_field(people, "rich_text")])


@pytest.mark.hostile
def test_a_migration_writes_all_or_nothing_and_the_apps_own_fields_alone(
    flow: Connected, people: People
) -> None:
    issue, number = issue_id(people, "TEAM-1"), number_of(connect_field(people, "number"))
    good = {"_type": "NumberIssueField", "issueID": issue, "fieldID": number, "number": 1}
    for bad in (
        {**good, "number": "x"}, {**good, "fieldID": 1}, {**good, "_type": "StringIssueField"},
        {**good, "_type": "Nope"}, {**good, "fieldID": True}, {**good, "issueID": -1}, "x", {},
    ):  # fmt: skip
        assert migrate(flow.app, [good, bad]).status_code == 400, bad
        assert fields(people)[f"customfield_{number}"] is None
    assert migrate(flow.app, [good, {**good, "issueID": 99_999_999}]).status_code == 400
    assert fields(people)[f"customfield_{number}"] is None
    wrong_lists: tuple[object, ...] = ([], {}, [good] * 201)
    for wrong in wrong_lists:
        assert migrate(flow.app, wrong).status_code == 400
    assert migrate(flow.app, [good], "x").status_code == 400
    with running(ConnectApp(key="com.example.other", scopes=["READ", "WRITE"])) as other:
        flow.install(app=other)
        assert migrate(other, [good]).status_code == 400
    assert people.ask("amy", "PUT", f"{MIGRATION}/field", {}).status_code in (401, 403)
    assert fields(people)[f"customfield_{number}"] is None


# --- Forge ---------------------------------------------------------------------------------------


def forge_app(flow: Connected, folder: Path, connect: str = KEY, number: int = 1) -> str:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.js").write_text(SOURCE)
    text = MANIFEST.format(uuid=UUID, connect=connect, number=number)
    (folder / "manifest.yml").write_text(text)
    flow.bench.install(folder)
    return folder.name


def by_guest(  # noqa: PLR0917  # a request and who makes it
    flow: Connected, name: str, method: str, path: str, body: object = None, as_: str = "app"
) -> tuple[int, Any]:
    init: dict[str, object] = {"method": method}
    if body is not None:
        init |= {"body": json.dumps(body), "headers": {"content-type": "application/json"}}
    who = "dana" if as_ == "user" else None
    said = flow.bench.invoke(name, "ask", {"path": path, "init": init, "as": as_}, as_=who).value
    assert isinstance(said, dict)
    text = str(said["text"])
    return int(str(said["status"])), json.loads(text) if text else None


def forge_field(people: People, name: str) -> dict[str, Any]:
    found = people.ask("amy", "GET", f"{API}/field").json()
    return next(one for one in found if one["name"] == name)


def test_a_forge_app_writes_its_own_fields(flow: Connected, people: People, tmp_path: Path) -> None:
    name = forge_app(flow, tmp_path / "fields")
    size = forge_field(people, "Size")
    assert size["schema"]["custom"].startswith(f"ari:cloud:ecosystem::extension/{UUID}1/")
    issue = issue_id(people, "TEAM-1")
    path = f"{API}/app/field/{size['id']}/value"
    status, _ = by_guest(flow, name, "PUT", path, {"updates": [{"issueIds": [issue], "value": 4}]})
    assert status == 204
    assert fields(people)[size["id"]] == 4
    dana = flow.account_id("dana")
    group = people.ask("amy", "GET", f"{API}/groups/picker").json()["groups"][0]
    wanted = {
        "Owners": [{"accountId": dana}], "Facts": {"a": [1]}, "Crew": {"name": group["name"]},
        "Since": "2023-01-18T12:00:00-03:00", "Day": "2024-02-29", "Team": "core",
    }  # fmt: skip
    updates = [
        {"customField": forge_field(people, one)["id"], "issueIds": [issue], "value": value}
        for one, value in wanted.items()
    ]
    assert by_guest(flow, name, "POST", f"{API}/app/field/value", {"updates": updates})[0] == 204
    shown = fields(people)
    assert shown[forge_field(people, "Owners")["id"]][0]["accountId"] == dana
    assert shown[forge_field(people, "Facts")["id"]] == {"a": [1]}
    assert shown[forge_field(people, "Since")["id"]] == "2023-01-18T15:00:00.000+0000"
    assert shown[forge_field(people, "Crew")["id"]]["groupId"] == group["groupId"]
    assert search(people, '"Day" >= 2024-02-01 AND "Since" < 2023-02-01') == ["TEAM-1"]
    assert search(people, f'"Owners" = "{dana}"') == ["TEAM-1"]
    assert search(people, f'"Crew" = "{group["name"]}"') == ["TEAM-1"]
    locked = people.ask("dana", "PUT", f"{API}/issue/TEAM-1", {"fields": {size["id"]: 5}})
    assert locked.status_code == 400
    team = forge_field(people, "Team")["id"]
    assert people.ask("dana", "PUT", f"{API}/issue/TEAM-1", {"fields": {team: "x"}}).is_success
    before = people.ask("dana", "GET", f"{API}/issue/TEAM-1/changelog").json()["total"]
    quiet = {"updates": [{"issueIds": [issue], "value": 9}]}
    assert by_guest(flow, name, "PUT", f"{path}?generateChangelog=false", quiet)[0] == 204
    assert people.ask("dana", "GET", f"{API}/issue/TEAM-1/changelog").json()["total"] == before


@pytest.mark.hostile
def test_nobody_else_writes_a_forge_apps_fields(
    flow: Connected, people: People, tmp_path: Path
) -> None:
    name = forge_app(flow, tmp_path / "mine")
    other = forge_app(flow, tmp_path / "other", connect="none", number=2)
    size = next(
        one for one in people.ask("amy", "GET", f"{API}/field").json()
        if one["name"] == "Size" and f"{UUID}1" in one["key"]
    )["id"]  # fmt: skip
    issue = issue_id(people, "TEAM-1")
    body = {"updates": [{"issueIds": [issue], "value": 4}]}
    path = f"{API}/app/field/{size}/value"
    assert by_guest(flow, other, "PUT", path, body)[0] == 403
    assert by_guest(flow, name, "PUT", path, body, as_="user")[0] == 403
    assert people.ask("amy", "PUT", path, body).status_code == 403
    assert flow.app.ask("PUT", path, body).status_code == 403
    mixed = {
        "updates": [
            {"customField": size, "issueIds": [issue], "value": 4},
            {"customField": connect_field(people, "number"), "issueIds": [issue], "value": 4},
        ]
    }
    assert by_guest(flow, name, "POST", f"{API}/app/field/value", mixed)[0] == 403
    assert fields(people)[size] is None
    refused: tuple[tuple[dict[str, Any], int], ...] = (
        ({"updates": []}, 400), ({"updates": ["x"]}, 400), ({}, 400),
        ({"updates": [{"issueIds": [issue]}]}, 400),
        ({"updates": [{"issueIds": ["1"], "value": 1}]}, 400),
        ({"updates": [{"issueIds": [issue, issue], "value": 1}]}, 400),
        ({"updates": [{"issueIds": [99_999_999], "value": 1}]}, 400),
        ({"updates": [{"issueIds": [issue], "value": "x"}]}, 400),
        ({"updates": [{"issueIds": list(range(1_001)), "value": 1}]}, 400),
    )  # fmt: skip
    for wrong, status in refused:
        assert by_guest(flow, name, "PUT", path, wrong)[0] == status, wrong
    assert by_guest(flow, name, "PUT", path.replace(size, "customfield_1"), body)[0] == 404
    assert fields(people)[size] is None


def test_a_connect_fields_values_are_handed_on_to_the_forge_field(
    flow: Connected, people: People, tmp_path: Path
) -> None:
    red = option(flow, "single-select", "Red")
    former = connect_field(people, "single_select")
    assert people.ask(
        "dana", "PUT", f"{API}/issue/TEAM-1", {"fields": {former: {"id": red}}}
    ).is_success
    path = f"{MIGRATION}/{KEY}/f-single-select/task"
    assert flow.app.ask("POST", path).status_code == 404
    name = forge_app(flow, tmp_path / "heir")
    team = forge_field(people, "Team")["id"]
    assert by_guest(flow, name, "GET", path)[0] == 404
    assert by_guest(flow, name, "POST", path)[0] == 202
    status, task = by_guest(flow, name, "GET", path)
    assert (status, task["status"], task["result"]) == (
        200,
        "COMPLETE",
        {"migrated": 1, "skipped": 0},
    )
    answer = flow.app.ask("GET", path)
    assert_shape(
        "ConnectToForgeMigrationFetchTaskResource.fetchMigrationTask_get", 200, answer.content
    )
    assert fields(people)[team] == "Red"
    assert fields(people)[former]["value"] == "Red"
    flow.uninstall()
    assert by_guest(flow, name, "POST", path)[0] == 202
    assert people.ask("amy", "POST", path).status_code == 401
    stranger = forge_app(flow, tmp_path / "stranger", number=3)
    own = next(
        one for one in people.ask("amy", "GET", f"{API}/field").json()
        if one["name"] == "Team" and f"{UUID}3" in one["key"]
    )["id"]  # fmt: skip
    assert by_guest(flow, stranger, "POST", path)[0] == 202
    assert fields(people)[own] == "Red"  # it declares the same key, so it is an heir too


def test_forge_fields_go_and_come_back_with_their_app(
    flow: Connected, people: People, tmp_path: Path
) -> None:
    name = forge_app(flow, tmp_path / "going")
    team = forge_field(people, "Team")["id"]
    assert people.ask("dana", "PUT", f"{API}/issue/TEAM-1", {"fields": {team: "x"}}).is_success
    firebrick = flow.bench.firebrick
    version = firebrick.find_app(name, "development")
    found = firebrick.apps.find_installation(version, flow.bench.cloud_id)
    firebrick.apps.uninstall(found, firebrick.find_person("amy"))
    assert team not in fields(people)
    plan = firebrick.apps.plan(version, flow.bench.cloud_id)
    firebrick.apps.install(plan, flow.bench.cloud_id, firebrick.find_person("amy"))
    assert fields(people)[team] == "x"
