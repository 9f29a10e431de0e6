"""Scopes that nothing needs are told, and only where everything was read."""

from pathlib import Path

import pytest

from runtime.manifest.files import MemoryFiles
from runtime.manifest.problems import Problem
from runtime.manifest.reader import parse_manifest
from runtime.manifest.scope_sets import is_mixed, nearest_set
from runtime.server.operations import load_operations
from tests.manifest.texts import HEAD

TABLE = load_operations()
PLAIN = HEAD + (
    "modules:\n"
    "  scheduledTrigger: [{key: s, function: main, interval: day}]\n"
    "  function: [{key: main, handler: index.run}]\n"
)
TRIGGERED = PLAIN.replace(
    "  scheduledTrigger: [{key: s, function: main, interval: day}]\n",
    "  trigger: [{key: t, function: main, events: [avi:jira:created:issue]}]\n",
)
API = 'import api, { route } from "@forge/api";\nexport const run = async (x) => { %s };\n'
READ = "await api.asApp().requestJira(route`/rest/api/3/issue/${x}`);"


def scopes(method: str, path: str) -> tuple[frozenset[str], ...] | None:
    operation = TABLE.resolve(method, path).operation
    return operation.scopes if operation else None


def lint(manifest: str, files: dict[str, str | None]) -> tuple[Problem, ...]:
    return parse_manifest(manifest, files=MemoryFiles(files), operations=scopes).problems


def unused(
    *declared: str, source: str = API % READ, manifest: str = PLAIN, **files: str
) -> list[str]:
    text = manifest + f"permissions:\n  scopes: [{', '.join(declared)}]\n"
    found = lint(text, {"src/index.js": source, **files})
    return [p.message.split("`")[1] for p in found if p.rule == "firebrick/unused-scope"]


def test_a_scope_that_no_call_needs_is_told_in_its_place() -> None:
    text = PLAIN + "permissions:\n  scopes: [read:jira-work, write:jira-work]\n"
    (problem,) = lint(text, {"src/index.js": API % READ})
    assert (problem.rule, problem.level) == ("firebrick/unused-scope", "warning")
    assert (problem.path, problem.line, problem.column) == ("manifest.yml", 9, 28)
    assert problem.fix is None


def test_scopes_of_either_set_of_a_call_and_of_an_event_are_needed() -> None:
    assert unused("read:jira-work", "read:issue:jira") == []
    detail = "read:issue-details:jira"
    search = API % "await api.asApp().requestJira(route`/rest/api/3/search/jql`);"
    assert unused("read:jira-work", detail, source=search) == []
    nothing = "export const run = () => 1;"
    assert unused("read:jira-work", source=nothing, manifest=TRIGGERED) == []
    assert unused("write:jira-work", "read:jira-work", source=nothing, manifest=TRIGGERED) == [
        "write:jira-work"
    ]


def test_storage_needs_its_scope_by_a_package_or_by_entities() -> None:
    assert unused("storage:app", source="export const run = () => 1;") == ["storage:app"]
    kvs = "import { kvs } from '@forge/kvs';\nexport const run = () => kvs.get('a');"
    assert unused("storage:app", source=kvs) == []
    entities = PLAIN.replace(
        "  runtime:",
        "  storage: {entities: [{name: e, attributes: {a: {type: string}}}]}\n  runtime:",
    )
    assert unused("storage:app", source="export const run = () => 1;", manifest=entities) == []


def test_scopes_that_cannot_be_judged_are_not() -> None:
    assert unused("read:jira-work", "read:page:confluence", "report:personal-data") == []


@pytest.mark.parametrize(
    "code",
    [
        "await api.asApp().requestJira(x);",
        "await api.asApp().requestJira(route`/rest/api/3/issue`, x);",
        "await api.asApp().requestJira(assumeTrustedRoute(`/rest/api/3/issue/${x}`));",
        "await api.asApp().requestJira(route`/rest/api/3/${x}`);",
        "const { requestJira } = api.asApp(); await requestJira(x);",
        "await help(api);",
        "await help(api.asUser());",
        "const as = api.asUser(); await as.requestJira(route`/rest/api/3/myself`);",
        "await api.asApp()[x](route`/rest/api/3/myself`);",
        "await api.asApp().requestGraph(x);",
        "await api[x]();",
        "await import(x);",
        "const y = [api];",
    ],
)
def test_one_call_that_is_not_known_and_nothing_is_said(code: str) -> None:
    assert unused("write:jira-work", "read:jira-work", source=API % (READ + code)) == []


@pytest.mark.parametrize(
    "head",
    [
        "import helper from 'helper';",
        "import helper from '../outside';",
        "import { requestJira as r } from '@forge/bridge';",
        "import { useIssueProperty } from '@forge/react';",
        "import { something } from '@forge/unheard-of';",
        "const helper = require('helper');",
    ],
)
def test_one_import_that_was_not_read_and_nothing_is_said(head: str) -> None:
    source = head + "\n" + API % READ
    assert unused("write:jira-work", "read:jira-work", source=source) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/raw.wasm", "x"),
        ("src/huge.js", "x" * 300_000),
        ("src/node_modules/a/index.js", "1"),
        ("src/other.mts", "1"),
        ("src/" + "d/" * 9 + "deep.js", "1"),
    ],
)
def test_one_file_that_was_not_read_and_nothing_is_said(path: str, text: str) -> None:
    assert unused("write:jira-work", "read:jira-work", **{path: text}) == []
    assert unused("write:jira-work", "read:jira-work") == ["write:jira-work"]


def test_files_that_hold_no_calls_do_not_hide_anything() -> None:
    files = {
        "src/a.test.js": "api.asApp().requestJira(x)",
        "src/data.json": "{}",
        "src/__tests__/b.js": "requestJira(x)",
        "src/lib/c.ts": "export const c = 1;",
        "src/types.d.ts": "declare const x: number;",
    }
    assert unused("write:jira-work", "read:jira-work", **files) == ["write:jira-work"]


def test_a_package_beside_the_app_that_never_asks_the_product_hides_nothing() -> None:
    source = "import pad from '@scope/pad/lib';\nimport fs from 'node:fs';\n" + API % READ
    package = "node_modules/@scope/pad/package.json"
    declared = ("write:jira-work", "read:jira-work")
    assert unused(*declared, source=source, **{package: "{}"}) == ["write:jira-work"]
    needy = '{"dependencies": {"@forge/api": "*"}}'
    assert unused(*declared, source=source, **{package: needy}) == []


PAGE = PLAIN.replace(
    "  scheduledTrigger: [{key: s, function: main, interval: day}]\n",
    "  jira:globalPage: [{key: p, title: t, resource: r, resolver: {function: main}}]\n",
)
PAGE += "resources: [{key: r, path: %s}]\n"


@pytest.mark.parametrize(
    ("page", "is_told"),
    [
        ({"static/index.html": "<p>plain</p>"}, True),
        ({"static/index.html": "<SCRIPT src=a></SCRIPT>"}, False),
        ({"static/index.html": "<p>", "static/a.js": "1"}, False),
        ({"static/index.html": "<p>", "static/sub/a.css": "1"}, False),
        ({"static/index.html": "<p>", **{f"static/{n}.txt": "" for n in range(60)}}, False),
    ],
)
def test_pages_with_code_of_their_own_may_need_any_scope(
    page: dict[str, str], is_told: bool
) -> None:
    found = unused("write:jira-work", "read:jira-work", manifest=PAGE % "static", **page)
    assert found == (["write:jira-work"] if is_told else [])


def test_a_page_of_ui_kit_is_a_source_like_any_other() -> None:
    page = {
        "src/page.jsx": "import { requestJira } from '@forge/bridge';\n"
        "requestJira(`/rest/api/3/issue/${key}`, { method: 'PUT' });"
    }
    manifest = (PAGE % "src/page.jsx").replace("resource: r", "resource: r, render: native")
    declared = ("write:jira-work", "read:jira-work", "read:jira-user")
    assert unused(*declared, manifest=manifest, **page) == []  # the key may hold more than a key
    page["src/page.jsx"] = page["src/page.jsx"].replace("${key}", "A-1")
    assert unused(*declared, manifest=manifest, **page) == ["read:jira-user"]


@pytest.mark.parametrize(
    "change",
    [
        ("scheduledTrigger: [", "devops:thing: [{key: d}]\n  scheduledTrigger: ["),
        ("  runtime:", "  connect: {key: c}\n  runtime:"),
        ("modules:", "remotes: [{key: r, baseUrl: https://r.example.com}]\nmodules:"),
    ],
)
def test_back_ends_elsewhere_may_need_any_scope(change: tuple[str, str]) -> None:
    manifest = PLAIN.replace(*change)
    assert unused("write:jira-work", "read:jira-work", manifest=manifest) == []


def test_without_files_or_operations_nothing_is_said() -> None:
    text = PLAIN + "permissions:\n  scopes: [write:jira-work]\n"
    assert parse_manifest(text, operations=scopes).problems == ()
    files = MemoryFiles({"src/index.js": API % READ})
    assert parse_manifest(text, files=files).problems == ()


def test_a_call_on_a_page_needs_its_scope_as_a_plain_text_too() -> None:
    source = (
        "import { requestJira } from '@forge/bridge';\n"
        "export const run = () => requestJira('/rest/api/3/myself');"
    )
    text = PLAIN + "permissions:\n  scopes: []\n"
    assert [p.rule for p in lint(text, {"src/index.js": source})] == ["firebrick/operation-scope"]
    elsewhere = source.replace("@forge/bridge", "./own")
    assert lint(text, {"src/index.js": elsewhere}) == ()


A, B, C = frozenset({"a1", "a2"}), frozenset({"b1", "b2", "b3"}), frozenset({"c"})


@pytest.mark.parametrize(
    ("declared", "nearest", "mixed"),
    [
        (set(), C, False),
        ({"b1", "b2"}, B, False),
        ({"a1", "b1"}, A, True),
        ({"a1", "b1", "b2"}, B, True),
        ({"a1", "b1", "c"}, C, False),
    ],
)
def test_halves_of_two_sets_are_mixed_and_the_nearest_set_lacks_least(
    declared: set[str], nearest: frozenset[str], mixed: bool
) -> None:
    assert nearest_set((A, B, C), declared) == nearest
    assert is_mixed((A, B, C), declared) == mixed


def test_mixed_halves_are_told_with_what_the_nearest_set_lacks() -> None:
    code = (
        "await api.asApp().requestJira(route`/rest/api/3/dashboard/${x}/gadget`, {method: 'POST'});"
    )
    text = PLAIN + "permissions:\n  scopes: [read:jira-work, write:dashboard:jira]\n"
    warning, error = reversed(lint(text, {"src/index.js": API % code}))
    assert (warning.level, warning.rule) == ("warning", "firebrick/mixed-scopes")
    assert "add `write:jira-work` beside `read:jira-work`" in warning.hint
    assert error.rule == "permission-scope-required"


def test_mixed_halves_of_an_event_are_told_too() -> None:
    text = TRIGGERED.replace("avi:jira:created:issue", "avi:jira-software:created:board")
    declared = "permissions:\n  scopes: [read:jira-work, read:project:jira]\n"
    found = lint(text + declared, {"src/index.js": "export const run = () => 1;"})
    assert sorted((p.level, p.rule) for p in found) == [
        ("error", "permission-scope-required"),
        ("warning", "firebrick/mixed-scopes"),
    ]


def test_every_sample_app_is_judged_as_its_readme_says() -> None:
    from runtime.manifest.reader import read_manifest  # noqa: PLC0415  # beside its one use

    root = Path(__file__).parents[2] / "sample_apps"
    found = {
        folder.name: [
            (p.rule, p.line) for p in read_manifest(folder, operations=scopes).problems
        ]
        for folder in sorted(path.parent for path in root.glob("*/manifest.yml"))
    }  # fmt: skip
    assert {name: rules for name, rules in found.items() if rules} == {
        "confused-deputy": [("firebrick/as-app-unchecked", 29)],
        "issue-health": [("firebrick/as-app-unchecked", 21), ("permission-scope-required", 34)],
    }
