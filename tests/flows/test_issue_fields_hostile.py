"""What attacks the custom fields of apps: other apps, other sites, values that are none."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from runtime.jira.custom_fields import FieldSpec
from runtime.jira.custom_sync import sync_fields
from runtime.jira.world import seed_default_world
from runtime.jira.world_data import SiteData
from tests.fidelity.shapes import assert_shape
from tests.flows.connect_app import KEY, ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.test_issue_fields import (
    API,
    MIGRATION,
    People,
    connect_field,
    field_of,
    fields,
    flow,
    forge_app,
    forge_field,
    issue_id,
    migrate,
    modules,
    number_of,
    option,
    people,
    search,
)

__all__ = ["flow", "people"]  # fixtures
OTHER = SiteData("0acde000-0000-4000-8000-000000000002", "other")
EVIL = "<script>alert(1)</script>\"onx='{{7*7}}"


def edit(people: People, name: str, value: object, **update: Any) -> int:
    body = {"update": {name: update["steps"]}} if update else {"fields": {name: value}}
    return people.ask("dana", "PUT", f"{API}/issue/TEAM-1", body).status_code


# --- verbs ---------------------------------------------------------------------------------------


def test_verbs_add_to_a_list_and_take_from_it(
    flow: Connected, people: People, tmp_path: Path
) -> None:
    one, two = option(flow, "multi-select", "One"), option(flow, "multi-select", "Two")
    name = connect_field(people, "multi_select")
    for steps, left in (
        ([{"add": {"id": str(one)}}, {"add": {"value": "Two"}}], ["One", "Two"]),
        ([{"remove": {"value": "One"}}], ["Two"]),
        ([{"add": {"id": one}}], ["Two", "One"]),
        ([{"remove": {"id": str(two)}}, {"remove": {"value": "Nope"}}, {"remove": {}}], ["One"]),
        ([{"remove": one}], None),
    ):
        assert edit(people, name, None, steps=steps) == 204, steps
        shown = fields(people)[name]
        assert (shown and [each["value"] for each in shown]) == left
    forge_app(flow, tmp_path / "lists")
    owners = forge_field(people, "Owners")["id"]
    dana, amy = flow.account_id("dana"), flow.account_id("amy")
    assert edit(people, owners, [{"accountId": dana}]) == 204
    assert edit(people, owners, None, steps=[{"add": {"accountId": amy}}]) == 204
    assert [each["accountId"] for each in fields(people)[owners]] == [dana, amy]
    assert edit(people, owners, None, steps=[{"remove": {"accountId": dana}}]) == 204
    assert [each["accountId"] for each in fields(people)[owners]] == [amy]
    assert search(people, f"{owners} = {amy}") == ["TEAM-1"]
    assert search(people, f"{owners} = {dana}") == []


@pytest.mark.hostile
def test_a_moment_that_cannot_be_written_is_no_moment(
    flow: Connected, people: People, tmp_path: Path
) -> None:
    forge_app(flow, tmp_path / "moments")
    since = forge_field(people, "Since")["id"]
    refused: tuple[object, ...] = (
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
        *(5, "soon", {}),
    )
    for wrong in refused:
        assert edit(people, since, wrong) == 400, wrong
        assert fields(people)[since] is None
    assert edit(people, since, "2023-01-18T12:00:00.250+02:00") == 204
    assert fields(people)[since] == "2023-01-18T10:00:00.250+0000"


# --- a field's type changes ----------------------------------------------------------------------


def test_queries_follow_a_field_whose_type_changes(flow: Connected, people: People) -> None:
    name, text = connect_field(people, "number"), connect_field(people, "string")
    assert edit(people, name, 7) == edit(people, text, "Seven") == 204
    changed = modules()
    changed[3]["type"], changed[0]["type"] = "string", "text"
    flow.app.modules = {"jiraIssueFields": changed}
    flow.install()
    assert connect_field(people, "number") == name
    assert fields(people)[name] is None
    assert search(people, f"{name} is not EMPTY") == []
    assert fields(people)[text] == "Seven"
    assert search(people, f"{text} ~ seven") == ["TEAM-1"]
    flow.app.modules = {"jiraIssueFields": modules()}
    flow.install()
    assert fields(people)[name] == 7
    assert search(people, f"{name} = 7") == ["TEAM-1"]


# --- who -----------------------------------------------------------------------------------------


@pytest.mark.hostile
def test_another_connect_app_manages_no_options_though_its_account_administers(
    flow: Connected, people: People
) -> None:
    red = option(flow, "single-select", "Red")
    path = f"{API}/field/{KEY}__f-single-select/option"
    with running(ConnectApp(key="com.example.other", scopes=["ADMIN"])) as other:
        flow.install(app=other)
        answers = [
            other.ask(method, f"{where}{end}", body)
            for where in (path, path.replace("f-single-select", "nope"))
            for method, end, body in (
                ("GET", "", None), ("POST", "", {"value": "x"}), ("GET", f"/{red}", None),
                ("PUT", f"/{red}", {"id": red, "value": "x"}), ("DELETE", f"/{red}", None),
            )
        ]  # fmt: skip
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (403, answers[0].content)
    }
    assert people.ask("amy", "GET", path).json()["values"] == [
        {"id": red, "value": "Red", "properties": {}}
    ]


@pytest.mark.hostile
def test_an_app_that_may_only_read_sets_no_value_of_its_own_field(
    flow: Connected, people: People
) -> None:
    flow.app.scopes = ["READ"]
    flow.install()
    name = connect_field(people, "number")
    assert flow.app.ask("GET", f"{API}/issue/TEAM-1").status_code == 200
    body = {"fields": {name: 1}}
    assert flow.app.ask("PUT", f"{API}/issue/TEAM-1", body).status_code == 403
    assert fields(people)[name] is None


@pytest.fixture
def elsewhere(flow: Connected) -> str:
    """The id of a field that the same app has on another site."""
    firebrick = flow.bench.firebrick
    spec = FieldSpec(f"{KEY}__elsewhere", "Elsewhere", "On another site", "number")
    with firebrick.engine.begin() as connection:
        seed_default_world(connection, firebrick.ids, firebrick.clock, OTHER)
        sync_fields(connection, OTHER.cloud_id, "connect", KEY, [spec])
        found = connection.exec_driver_sql(
            "select id from custom_field where key = ?", (f"{KEY}__elsewhere",)
        ).scalar_one()
    return f"customfield_{found}"


@pytest.mark.hostile
def test_a_field_of_another_site_is_not_there(
    flow: Connected, people: People, elsewhere: str
) -> None:
    nowhere = "customfield_99999"
    found = []
    for name in (elsewhere, nowhere):
        number = number_of(name)
        row = {"_type": "NumberIssueField", "issueID": issue_id(people, "TEAM-1")}
        answers = (
            people.ask("dana", "PUT", f"{API}/issue/TEAM-1", {"fields": {name: 1}}),
            people.ask("dana", "GET", f"{API}/issue/TEAM-1?fields={name}"),
            people.ask("dana", "POST", f"{API}/search/jql", {"jql": f"{name} = 1"}),
            people.ask("amy", "GET", f"{API}/field/search?id={name}"),
            flow.app.ask("GET", f"{API}/field/{name}/option"),
            migrate(flow.app, [{**row, "fieldID": number, "number": 1}]),
        )
        texts = [(one.status_code, one.text.replace(name, "X")) for one in answers]
        found.append(texts)
    assert found[0] == found[1]
    assert [status for status, _ in found[0]] == [400, 200, 400, 200, 403, 400]
    listed = people.ask("amy", "GET", f"{API}/field").text
    assert "elsewhere" not in listed.lower()


# --- what ----------------------------------------------------------------------------------------


def nested(depth: int, inner: str = "1") -> str:
    return '{"a":' * depth + inner + "}" * depth


@pytest.mark.hostile
@pytest.mark.parametrize("depth", [90, 120, 400, 700, 850, 900, 930, 960, 990, 10_000])
def test_nested_values_are_refused_and_poison_nothing(
    flow: Connected, people: People, tmp_path: Path, depth: int
) -> None:
    forge_app(flow, tmp_path / "deep")
    facts = forge_field(people, "Facts")["id"]
    several = connect_field(people, "multi_select")
    option_path = f"{API}/field/{KEY}__f-single-select/option"
    deep = nested(depth)
    sent: tuple[tuple[str, str, str], ...] = (
        ("PUT", f"{API}/issue/TEAM-1", f'{{"fields":{{"{facts}":{deep}}}}}'),
        ("PUT", f"{API}/issue/TEAM-1", f'{{"fields":{{"{several}":[{deep}]}}}}'),
        (
            *("PUT", f"{API}/issue/TEAM-1"),
            f'{{"update":{{"{several}":[{{"add":{deep}}},{{"remove":{deep}}}]}}}}',
        ),
        ("POST", option_path, f'{{"value":"x","properties":{deep}}}'),
    )
    for method, path, text in sent:
        answer = people.raw("amy" if path == option_path else "dana", method, path, text)
        assert answer.status_code < 500, (path, answer.text)
        if depth > 100:
            assert answer.status_code == 400, (path, answer.text)
    row = f'{{"_type":"NumberIssueField","issueID":1,"fieldID":1,"number":{deep}}}'
    answer = people.raw("amy", "PUT", f"{MIGRATION}/field", f'{{"updateValueList":[{row}]}}')
    assert answer.status_code in (400, 403)
    assert people.ask("dana", "GET", f"{API}/issue/TEAM-1?expand=changelog").status_code == 200
    assert people.ask("amy", "GET", option_path).status_code == 200


@pytest.mark.hostile
@pytest.mark.parametrize(
    "given",
    ["1 or 1=1", "-1", "0", "1e1", "٣", "1.0", " 1", "99999999999", [1], {"id": [1]}, True, 0.5],
)
def test_a_forged_option_selects_nothing(flow: Connected, people: People, given: object) -> None:
    option(flow, "single-select", "Red")
    foreign = option(flow, "multi-select", "One")
    option(flow, "multi-select", "Two")
    name = connect_field(people, "single_select")
    assert edit(people, name, given) == 400
    assert edit(people, name, {"id": given}) == 400
    assert edit(people, name, {"id": foreign + 1}) == 400  # of the other field
    assert fields(people)[name] is None


@pytest.mark.hostile
def test_names_and_texts_with_markup_stay_texts(flow: Connected, people: People) -> None:
    evil = {**modules()[0], "key": "evil", "name": {"value": EVIL}}
    flow.app.modules = {"jiraIssueFields": [*modules(), evil]}
    flow.install()
    answer = people.ask("dana", "GET", f"{API}/field")
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert field_of(people, f"{KEY}__evil")["name"] == EVIL
    rich = connect_field(people, "rich_text")
    text = {"type": "text", "text": EVIL}
    document = {
        "type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [text]}],
    }  # fmt: skip
    assert edit(people, rich, document) == 204
    path = f"{API}/issue/TEAM-1?expand=renderedFields&fields={rich}"
    html = people.ask("dana", "GET", path).json()["renderedFields"][rich]
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    quoted = json.dumps(EVIL)
    assert search(people, f"{quoted} is EMPTY AND project = TEAM AND key = TEAM-1") == ["TEAM-1"]


# --- the paged list, and the work ----------------------------------------------------------------


def test_fields_are_searched_page_by_page(flow: Connected, people: People) -> None:
    path = f"{API}/field/search"
    answer = people.ask("dana", "GET", f"{path}?type=custom&maxResults=3&expand=key,isLocked")
    assert_shape("getFieldsPaginated", 200, answer.content)
    page = answer.json()
    assert (page["total"], len(page["values"]), page["isLast"]) == (7, 3, False)
    assert page["values"][0]["key"].startswith(f"{KEY}__")
    more = "lastUsed,screensCount,contextsCount,projectsCount"
    answer = people.ask("dana", "GET", f"{path}?query=RICH&type=custom&expand={more}")
    assert_shape("getFieldsPaginated", 200, answer.content)
    (one,) = answer.json()["values"]
    assert (one["name"], one["description"]) == ("F rich_text", "A field of rich_text")
    vera, amy = (people.ask(who, "GET", f"{path}?expand={more}").json() for who in ("vera", "amy"))
    assert vera["values"][0]["projectsCount"] > amy["values"][0]["projectsCount"]  # sees fewer
    names = [
        [
            one["name"]
            for one in people.ask("dana", "GET", f"{path}?orderBy={order}").json()["values"]
        ]
        for order in ("%2Bname", "-name")
    ]
    assert names[0][0] == "Affects versions"
    assert names[1][0] == "Σ Progress"
    assert people.ask("dana", "GET", f"{path}?type=system&query=summ").json()["total"] == 1
    for wrong in ("type=odd", "orderBy=nope", "orderBy=--name"):
        assert people.ask("dana", "GET", f"{path}?{wrong}").status_code == 400, wrong
    assert flow.get(path).status_code == 401


def test_an_issue_costs_no_statement_more_without_fields_of_apps(
    flow: Connected, people: People
) -> None:
    people.login("dana")
    counted: list[str] = []
    engine = flow.bench.firebrick.engine

    def count(*arguments: Any) -> None:
        counted.append(arguments[2])

    def statements(path: str) -> int:
        people.ask("dana", "GET", path)
        counted.clear()
        people.ask("dana", "GET", path)
        return len(counted)

    paths = (f"{API}/issue/TEAM-1", f"{API}/search/jql?jql=project=TEAM&fields=*all")
    flow.app.modules = {"jiraIssueFields": modules()[:4]}  # no select, no read-only field
    flow.install()
    event.listen(engine, "before_cursor_execute", count)
    try:
        with_fields = [statements(path) for path in paths]
        flow.uninstall()
        assert [statements(path) for path in paths] == with_fields
        assert not [one for one in counted if "custom_" in one]
    finally:
        event.remove(engine, "before_cursor_execute", count)
