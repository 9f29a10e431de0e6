"""Custom fields of Forge apps: who they belong to, how they are named, their configurations."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from sqlalchemy import delete, select, update

from runtime.identity.oauth.values import AuthorizeFault
from runtime.invocation.invoker import Order
from runtime.jira.schema import global_permission_table, group_table, site_table
from runtime.jira.world import seed_default_world
from runtime.jira.world_data import SiteData
from runtime.server.explain.asking import Names, find_asker
from runtime.server.explain.explaining import Explainer
from runtime.server.explain.rehearsing import Question
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from tests.fidelity.shapes import assert_shape
from tests.flows.serving import served

API = "/rest/api/3"
LIST = f"{API}/app/field/context/configuration/list"
OTHER = SiteData("0acde000-0000-4000-8000-000000000002", "other")
UUID = "7b0f4a10-3c1f-4a53-9a0e-1f5b8f4f0c0"
CALLBACK = "http://localhost:9999/callback"
MANIFEST = """
app:
  id: ari:cloud:ecosystem::app/{uuid}{number}
  runtime: {{name: nodejs22.x}}
modules:
  jira:customField:
    - {{key: size, name: Size {number}, description: How large, type: number, readOnly: true}}
    - {{key: tags, name: Tags {number}, description: Which, type: string, collection: list}}
    - {{key: facts, name: Facts {number}, description: What, type: object,
        formatter: {{expression: "'x'"}}}}
  function: [{{key: ask, handler: index.ask}}]
permissions:
  scopes: [{scopes}]
"""
SCOPES = "read:jira-work, write:jira-work, write:app-data:jira, manage:jira-configuration"
SOURCE = """
import api, { route, assumeTrustedRoute } from "@forge/api";
export const ask = async ({ path, init, as, field }) => {
  const who = as === "user" ? api.asUser() : api.asApp();
  const to = field ? route`/rest/api/3/app/field/${field}/value` : assumeTrustedRoute(path);
  const answer = await who.requestJira(to, init ?? {});
  return { status: answer.status, text: await answer.text() };
};
"""


@dataclass
class Place:
    """Two sites of one state behind a server, and Forge apps."""

    firebrick: Firebrick
    base: str
    folder: Path
    cloud_id: str
    logins: dict[str, tuple[str, str]] = field(default_factory=dict)

    def app(
        self, number: int = 1, environment: str = "development", *,
        scopes: str = SCOPES, cloud_id: str | None = None,
    ) -> str:  # fmt: skip
        folder = self.folder / f"app{number}"
        (folder / "src").mkdir(parents=True, exist_ok=True)
        (folder / "src" / "index.js").write_text(SOURCE)
        text = MANIFEST.format(uuid=UUID, number=number, scopes=scopes)
        (folder / "manifest.yml").write_text(text)
        apps = self.firebrick.apps
        version, _ = apps.deploy(folder, environment)
        site = cloud_id or self.cloud_id
        apps.install(apps.plan(version, site), site, self.firebrick.find_person("amy"))
        return folder.name

    def guest(
        self, name: str, payload: dict[str, object], environment: str = "development",
        cloud_id: str | None = None,
    ) -> tuple[int, Any]:  # fmt: skip
        firebrick, site = self.firebrick, cloud_id or self.cloud_id
        version = firebrick.find_app(name, environment)
        who = "amy" if payload.get("as") == "user" else None
        value = firebrick.invoker.invoke(
            Order(
                version=version,
                installation=firebrick.apps.find_installation(version, site),
                function="ask",
                payload=payload,
                account_id=None if who is None else firebrick.find_person(who).account_id,
                site_url=firebrick.site_url(site),
            )
        ).value
        assert isinstance(value, dict), value
        text = str(value["text"])
        return int(str(value["status"])), json.loads(text) if text else None

    def by_app(self, name: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
        return self.guest(name, {"path": path, "init": request(method, body)})

    def ask(self, who: str, method: str, path: str, body: object = None) -> httpx.Response:
        if who not in self.logins:
            person = self.firebrick.find_person(who)
            _, secret = self.firebrick.api_tokens.create(person, who)
            self.logins[who] = (str(person.email), secret.get_secret_value())
        return httpx.request(method, self.base + path, auth=self.logins[who], json=body)

    def field(self, name: str) -> dict[str, Any]:
        found = self.ask("amy", "GET", f"{API}/field").json()
        return next(one for one in found if one["name"] == name)

    def value(self, one: str) -> object:
        return self.ask("dana", "GET", f"{API}/issue/TEAM-1").json()["fields"].get(one)

    def issue_id(self) -> int:
        return int(self.ask("dana", "GET", f"{API}/issue/TEAM-1").json()["id"])

    def oauth(self, handle: str, scopes: frozenset[str]) -> dict[str, str]:
        """Return the headers of an OAuth app that somebody consented to."""
        oauth, person = self.firebrick.oauth, self.firebrick.find_person(handle)
        client, secret = oauth.clients.create(
            "Sync", person.account_id, grant_kind="account", scopes=scopes,
            callback_urls=(CALLBACK,), distribution="shared",
        )  # fmt: skip
        asked = {
            "audience": "api.atlassian.com", "client_id": client.client_id,
            "scope": " ".join(sorted(scopes)), "redirect_uri": CALLBACK,
            "response_type": "code", "state": "s",
        }  # fmt: skip
        request = oauth.flow.prepare_authorize(list(asked.items()), person)
        assert not isinstance(request, AuthorizeFault), request
        target = oauth.flow.approve(request, person, {self.cloud_id})
        form = {
            "grant_type": "authorization_code", "redirect_uri": CALLBACK,
            "code": parse_qs(urlsplit(target).query)["code"][0],
            "client_id": client.client_id, "client_secret": secret.get_secret_value(),
        }  # fmt: skip
        token = oauth.flow.exchange(form, None).access_token.get_secret_value()
        return {"authorization": f"Bearer {token}"}

    def uninstall(self, name: str) -> None:
        apps = self.firebrick.apps
        version = self.firebrick.find_app(name, "development")
        found = apps.find_installation(version, self.cloud_id)
        apps.uninstall(found, self.firebrick.find_person("amy"))


def request(method: str, body: object) -> dict[str, object]:
    if body is None:
        return {"method": method}
    text = body if isinstance(body, str) else json.dumps(body)
    return {"method": method, "body": text, "headers": {"content-type": "application/json"}}


@pytest.fixture
def place(tmp_path: Path, cache: Path) -> Iterator[Place]:
    settings = Settings(state=tmp_path / "state", cache=cache)
    with open_firebrick(settings) as firebrick:
        cloud_id = firebrick.find_site(None)
        with firebrick.engine.begin() as connection:
            seed_default_world(connection, firebrick.ids, firebrick.clock, OTHER)
        with served(firebrick) as base:
            yield Place(firebrick, base, tmp_path / "apps", cloud_id)


def values(issue_id: int, value: object) -> dict[str, object]:
    return {"updates": [{"issueIds": [issue_id], "value": value}]}


def apps_are_no_administrators(place: Place) -> None:
    """Take *Administer Jira* from apps, which they have where their scopes reach."""
    with place.firebrick.engine.begin() as connection:
        groups = select(group_table.c.group_id).where(group_table.c.name.like("atlassian-addons%"))
        connection.execute(
            delete(global_permission_table).where(
                global_permission_table.c.permission == "ADMINISTER",
                global_permission_table.c.group_id.in_(groups),
            )
        )
        connection.execute(update(site_table).values(revision=site_table.c.revision + 1))


def configuration_of(one: dict[str, Any]) -> str:
    return f"{API}/app/field/{one['id']}/context/configuration"


def number_of(one: dict[str, Any]) -> str:
    return str(one["id"]).removeprefix("customfield_")


# --- names and values ----------------------------------------------------------------------------


def test_a_field_is_found_by_its_id_its_key_and_its_ari(place: Place) -> None:
    name = place.app()
    size, issue = place.field("Size 1"), place.issue_id()
    assert size["key"] == f"{UUID}1__DEVELOPMENT__size"
    assert size["custom"] is True
    ari = size["schema"]["custom"]
    assert ari.startswith(f"ari:cloud:ecosystem::extension/{UUID}1/")
    assert ari.endswith("/static/size")
    assert size["schema"]["type"] == "number"
    for value, asked in enumerate((size["id"], size["key"])):
        init = request("PUT", values(issue, value))
        assert place.guest(name, {"field": asked, "init": init})[0] == 204, asked
        assert place.value(size["id"]) == value
    for value, asked in enumerate((ari, size["key"], size["id"])):
        many = {"updates": [{"customField": asked, "issueIds": [issue], "value": value}]}
        assert place.by_app(name, "POST", f"{API}/app/field/value", many)[0] == 204, asked
        assert place.value(size["id"]) == value


def test_a_list_has_at_most_a_hundred_values(place: Place) -> None:
    name = place.app()
    tags, issue = place.field("Tags 1")["id"], place.issue_id()
    path = f"{API}/app/field/{tags}/value"
    hundred = [str(number) for number in range(100)]
    assert place.by_app(name, "PUT", path, values(issue, [*hundred, "x"]))[0] == 400
    assert place.by_app(name, "PUT", path, values(issue, hundred))[0] == 204
    assert place.value(tags) == hundred


@pytest.mark.hostile
def test_nobody_but_the_app_writes_whatever_their_rights(place: Place) -> None:
    name, other = place.app(), place.app(2)
    size, issue = place.field("Size 1"), place.issue_id()
    path, body = f"{API}/app/field/{size['id']}/value", values(issue, 1)
    many = {"updates": [{"customField": size["id"], "issueIds": [issue], "value": 1}]}
    headers = place.oauth("amy", frozenset({"read:jira-work", "write:jira-work"}))
    gateway = f"{place.base}/ex/jira/{place.cloud_id}"
    for method, at, sent in (("PUT", path, body), ("POST", f"{API}/app/field/value", many)):
        assert place.ask("amy", method, at, sent).status_code == 403
        assert httpx.request(method, place.base + at, json=sent).status_code == 401
        answer = httpx.request(method, gateway + at, json=sent, headers=headers)
        assert answer.status_code == 403
        assert place.by_app(other, method, at, sent)[0] == 403
        as_user: dict[str, object] = {"path": at, "init": request(method, sent), "as": "user"}
        assert place.guest(name, as_user)[0] == 403
    assert place.value(size["id"]) is None


@pytest.mark.hostile
def test_an_environment_and_a_site_have_fields_of_their_own(place: Place) -> None:
    name = place.app()
    ours, issue = place.field("Size 1"), place.issue_id()
    place.app(1, "staging")
    place.app(1, cloud_id=OTHER.cloud_id)
    found = place.ask("amy", "GET", f"{API}/field").json()
    keys = {one["key"]: one for one in found if one["name"] == "Size 1"}
    assert set(keys) == {f"{UUID}1__{env}__size" for env in ("DEVELOPMENT", "STAGING")}
    theirs = keys[f"{UUID}1__STAGING__size"]
    init = request("PUT", values(issue, 1))
    for asked in (theirs["id"], theirs["key"]):
        assert place.guest(name, {"field": asked, "init": init})[0] == 403
    asked_there = {"field": ours["id"], "init": init}
    assert place.guest(name, asked_there, cloud_id=OTHER.cloud_id)[0] == 404
    assert place.guest(name, {"field": ours["key"], "init": init}, "staging")[0] == 403
    assert place.value(ours["id"]) is place.value(theirs["id"]) is None


@pytest.mark.hostile
@pytest.mark.parametrize(
    "forged",
    [
        "customfield_0", "customfield_999999999999999999999", "customfield_", "10000", "summary",
        f"{UUID}1__PRODUCTION__size", f"{UUID}1__DEVELOPMENT__nope", f"{UUID}1__development__size",
        "size", "é" * 100, f"{UUID}2__DEVELOPMENT__size",
    ],
)  # fmt: skip
def test_a_forged_name_finds_no_field(place: Place, forged: str) -> None:
    name = place.app()
    init = request("PUT", values(place.issue_id(), 1))
    assert place.guest(name, {"field": forged, "init": init})[0] == 404
    path = f"{API}/app/field/{quote(forged, safe='')}/context/configuration"
    assert place.ask("amy", "GET", path).status_code == 404
    assert place.ask("dana", "GET", path).status_code == 403


@pytest.mark.hostile
def test_json_that_is_too_deep_never_reaches_an_issue(place: Place) -> None:
    name = place.app()
    facts, issue = place.field("Facts 1"), place.issue_id()
    path = f"{API}/app/field/{facts['id']}/value"
    for depth, status in ((90, 204), (150, 400), (900, 400), (100_000, 400)):
        deep = '{"a":' + "[" * depth + "]" * depth + "}"
        body = f'{{"updates":[{{"issueIds":[{issue}],"value":{deep}}}]}}'
        assert place.by_app(name, "PUT", path, body)[0] == status, depth
        sent = f'{{"configurations":[{{"id":"{number_of(facts)}","configuration":{deep}}}]}}'
        configured = 200 if status == 204 else status
        assert place.by_app(name, "PUT", configuration_of(facts), sent)[0] == configured
        assert isinstance(place.value(facts["id"]), dict)
    huge = {"a": "x" * 40_000}
    assert place.by_app(name, "PUT", path, values(issue, huge))[0] == 400
    sent_huge = {"configurations": [{"id": number_of(facts), "configuration": huge}]}
    assert place.by_app(name, "PUT", configuration_of(facts), sent_huge)[0] == 400


# --- configurations ------------------------------------------------------------------------------


def test_an_app_configures_its_field_without_a_permission_of_jira(place: Place) -> None:
    name = place.app()
    apps_are_no_administrators(place)
    size = place.field("Size 1")
    number, path = number_of(size), configuration_of(size)
    plain = {"id": number, "fieldContextId": number}
    assert place.by_app(name, "GET", path)[1]["values"] == [plain]
    schema = {"properties": {"amount": {"type": "number"}}}
    full = {**plain, "configuration": {"maxValue": 10, "minValue": 0}, "schema": schema}
    assert place.by_app(name, "PUT", path, {"configurations": [full]}) == (200, {})
    answer = place.ask("amy", "GET", path)
    assert_shape("getCustomFieldConfiguration", 200, answer.content)
    assert answer.json()["values"] == [full]
    assert (answer.json()["maxResults"], answer.json()["total"]) == (100, 1)
    names = {"fieldIdsOrKeys": [size["key"], size["id"], place.field("Tags 1")["id"]]}
    answer = place.ask("amy", "POST", LIST, names)
    assert_shape("getCustomFieldsConfigurations", 200, answer.content)
    first, second = answer.json()["values"]
    assert first == {"customFieldId": size["id"], **full}
    assert "configuration" not in second
    assert place.by_app(name, "POST", LIST, names)[1]["values"] == [first, second]
    place.app()  # an upgrade leaves what the app configured
    assert place.by_app(name, "GET", path)[1]["values"] == [full]
    bare = {"configurations": [{"id": number}]}
    assert place.ask("amy", "PUT", path, bare).status_code == 200
    assert place.ask("amy", "GET", path).json()["values"] == [plain]


def test_configurations_are_filtered_in_one_way_at_a_time(place: Place) -> None:
    place.app()
    size = place.field("Size 1")
    number, path = number_of(size), configuration_of(size)
    team = place.ask("amy", "GET", f"{API}/project/TEAM").json()
    kind = team["issueTypes"][0]["id"]
    public = place.ask("amy", "GET", f"{API}/issue/PUB-1").json()  # TEAM-1 is hidden from her
    for query, total in {
        f"id={number}": 1, "id=1": 0, f"fieldContextId=1&fieldContextId={number}": 1,
        f"issueId={public['id']}": 1, f"issueId={place.issue_id()}": 0, "issueId=99999999": 0,
        "startAt=1": 0,
        f"projectKeyOrId=TEAM&issueTypeId={kind}": 1, "projectKeyOrId=TEAM&issueTypeId=0": 0,
        f"projectKeyOrId=NOPE&issueTypeId={kind}": 0,
    }.items():  # fmt: skip
        answer = place.ask("amy", "GET", f"{path}?{query}")
        assert len(answer.json()["values"]) == total, query
    for query in (
        f"id={number}&fieldContextId={number}", "issueId=1&id=1", "projectKeyOrId=TEAM",
        f"issueTypeId={kind}", f"projectKeyOrId=TEAM&issueTypeId={kind}&issueId=1",
        "id=x", "issueId=x", "fieldContextId=" + "9" * 30,
    ):  # fmt: skip
        assert place.ask("amy", "GET", f"{path}?{query}").status_code == 400, query


@pytest.mark.hostile
def test_only_the_app_and_administrators_configure(place: Place) -> None:
    place.app()
    other = place.app(2)
    apps_are_no_administrators(place)
    size = place.field("Size 1")
    number, path = number_of(size), configuration_of(size)
    body = {"configurations": [{"id": number, "configuration": 1}]}
    names = {"fieldIdsOrKeys": [size["id"]]}
    scope = frozenset({"read:jira-work", "manage:jira-configuration"})
    gateway = f"{place.base}/ex/jira/{place.cloud_id}"
    dana, amy = place.oauth("dana", scope), place.oauth("amy", scope)
    weak = place.oauth("amy", frozenset({"read:jira-work"}))
    for method, at, sent in (("GET", path, None), ("PUT", path, body), ("POST", LIST, names)):
        assert place.ask("dana", method, at, sent).status_code == 403
        assert httpx.request(method, place.base + at, json=sent).status_code == 401
        for headers, status in ((dana, 403), (weak, 401), (amy, 200)):
            answer = httpx.request(method, gateway + at, json=sent, headers=headers)
            assert answer.status_code == status
        assert place.by_app(other, method, at, sent)[0] == 403
    wrong_bodies: tuple[dict[str, object], ...] = (
        {}, {"configurations": []}, {"configurations": ["x"]}, {"configurations": {}},
        {"configurations": [{}]}, {"configurations": [{"id": int(number)}]},
        {"configurations": [{"id": "1"}]}, {"configurations": [{"id": number, "x": 1}]},
        {"configurations": [{"id": number, "fieldContextId": "1"}]},
        {"configurations": [{"id": number}] * 2}, {"configurations": [{"id": number}] * 1_001},
        {**body, "more": 1},
    )  # fmt: skip
    for wrong in wrong_bodies:
        assert place.ask("amy", "PUT", path, wrong).status_code == 400, wrong
    wrong_lists: tuple[dict[str, object], ...] = (
        {}, {"fieldIdsOrKeys": []}, {"fieldIdsOrKeys": [1]}, {"fieldIdsOrKeys": "x"},
        {"fieldIdsOrKeys": [size["id"]], "x": 1}, {"fieldIdsOrKeys": [size["id"]] * 1_001},
    )  # fmt: skip
    for lists in wrong_lists:
        assert place.ask("amy", "POST", LIST, lists).status_code == 400, lists
    absent = {"fieldIdsOrKeys": [size["id"], "customfield_1"]}
    assert place.ask("amy", "POST", LIST, absent).status_code == 404
    kept = place.ask("amy", "GET", path).json()["values"]
    assert kept == [{"id": number, "fieldContextId": number, "configuration": 1}]


def test_scopes_come_before_the_configuration(place: Place) -> None:
    name = place.app(scopes="read:jira-work")
    assert place.by_app(name, "GET", configuration_of(place.field("Size 1")))[0] == 401


def test_a_field_has_one_context_for_administrators(place: Place) -> None:
    place.app()
    size = place.field("Size 1")
    path = f"{API}/field/{size['id']}/context"
    answer = place.ask("amy", "GET", path)
    assert_shape("getContextsForField", 200, answer.content)
    (context,) = answer.json()["values"]
    assert context["id"] == number_of(size)
    assert context["isGlobalContext"] is context["isAnyIssueType"] is True
    for query, total in {
        f"contextId={number_of(size)}": 1, "contextId=1": 0, "isGlobalContext=false": 0,
        "isAnyIssueType=true": 1, "isAnyIssueType=false": 0,
    }.items():  # fmt: skip
        assert place.ask("amy", "GET", f"{path}?{query}").json()["total"] == total, query
    assert place.ask("dana", "GET", path).status_code == 403
    for missing in ("summary", "customfield_1", size["key"]):
        there = f"{API}/field/{quote(missing, safe='')}/context"
        assert place.ask("amy", "GET", there).status_code == 404


@pytest.mark.hostile
def test_a_field_whose_app_is_gone_is_not_there(place: Place) -> None:
    name = place.app()
    size = place.field("Size 1")
    path = configuration_of(size)
    body = {"configurations": [{"id": number_of(size), "configuration": {"kept": True}}]}
    assert place.by_app(name, "PUT", path, body)[0] == 200
    place.uninstall(name)
    missing = place.ask("amy", "GET", path.replace(size["id"], "customfield_1"))
    for method, sent in (("GET", None), ("PUT", body)):
        gone = place.ask("amy", method, path, sent)
        assert (gone.status_code, gone.text) == (404, missing.text)
    assert place.ask("amy", "GET", f"{API}/field/{size['id']}/context").status_code == 404
    other = place.app(2)
    value = f"{API}/app/field/{size['id']}/value"
    assert place.by_app(other, "PUT", value, values(place.issue_id(), 1))[0] == 404
    place.app()
    assert place.field("Size 1")["id"] == size["id"]
    kept = place.ask("amy", "GET", path).json()["values"][0]["configuration"]
    assert kept == {"kept": True}


# --- the explanation -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("app", "path", "status"),
    [("app1", "value", 204), ("app2", "value", 403), ("app1", "context/configuration", 200),
     ("app2", "context/configuration", 403)],
)  # fmt: skip
def test_explain_says_who_may(place: Place, app: str, path: str, status: int) -> None:
    place.app()
    place.app(2)
    apps_are_no_administrators(place)
    size = place.field("Size 1")
    body: object = values(place.issue_id(), 7)
    if path != "value":
        body = {"configurations": [{"id": number_of(size), "configuration": 7}]}
    firebrick = place.firebrick
    at = f"{API}/app/field/{size['id']}/{path}"
    question = Question("PUT", at, place.cloud_id, json.dumps(body).encode())
    asker = find_asker(firebrick, Names(app=app), place.cloud_id)
    told = Explainer(firebrick).explain(asker, question)
    assert told.status == status, told
    assert place.value(size["id"]) is None
    assert (
        "configuration" not in place.ask("amy", "GET", configuration_of(size)).json()["values"][0]
    )
