import pytest

from runtime.manifest.calls import requests_of
from runtime.manifest.check_code import allows
from runtime.manifest.files import MemoryFiles
from runtime.manifest.model import EgressAddress
from runtime.manifest.reader import parse_manifest
from runtime.manifest.sources import Import, Sources, calls_of, source_of
from tests.manifest.texts import GOOD

TABLE = {
    ("GET", "/rest/api/3/issue/0"): (frozenset({"read:jira-work"}), frozenset({"read:issue:jira"})),
    ("POST", "/rest/api/3/issue"): (
        frozenset({"write:jira-work"}),
        frozenset({"write:issue:jira", "write:comment:jira"}),
    ),
    ("GET", "/rest/api/3/closed"): (),
}
API = 'import api, { route } from "@forge/api";\nexport const run = () => '
REMOTES = "remotes:\n  - {key: r, baseUrl: https://r.example.com, operations: [other]}\n"


def lint(source: str, manifest: str = GOOD) -> list[str]:
    files = MemoryFiles({"src/index.js": source})
    report = parse_manifest(
        manifest, files=files, operations=lambda method, path: TABLE.get((method, path))
    )
    return [f"{p.path}:{p.line}:{p.column} {p.level} {p.rule}" for p in report.problems]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("api.asUser().requestJira(route`/rest/api/3/issue/${key}`);", []),
        ("api.asUser().requestJira(route`/rest/api/3/issue/${key}?x=${a ? `b` : 'c'}`);", []),
        (
            "api.asUser().requestJira(route`/rest/api/3/issue`, { method: 'POST' });",
            ["src/index.js:2:39 error permission-scope-required"],
        ),
        (
            "{ const m = {method: 'POST'}; api.asApp().requestJira(route`/rest/api/3/issue`, m) }",
            ["src/index.js:2:68 error firebrick/operation-scope"],
        ),
        (
            "{ const p = route`/rest/api/3/issue`; api.asApp().requestJira(p, {'method':'post'}) }",
            ["src/index.js:2:76 error firebrick/operation-scope"],
        ),
        (
            "api.asUser().requestJira(assumeTrustedRoute('/rest/api/3/nothing'));",
            ["src/index.js:2:39 warning firebrick/unknown-operation"],
        ),
        (
            "api.asUser().requestJira(route`/rest/api/3/closed`);",
            ["src/index.js:2:39 error firebrick/closed-operation"],
        ),
        ("api.asUser().requestJira(route`/rest/api/3/${kind}`);", []),
        ("api.asUser().requestJira(route`/rest/api/3/issue`, options);", []),
        ("api.asUser().requestJira(route`/rest/api/3/issue`, { ...options });", []),
        ("api.asUser().requestJira(route`/rest/api/3/issue`, { method: m() });", []),
        ("api.asUser().requestJira(where);", []),
        (
            "api.fetch('https://api.example.org/x');",
            ["src/index.js:2:30 error egress-permission-required"],
        ),
        (
            "fetch(`https://api.example.org/${x}`);",
            ["src/index.js:2:26 error egress-permission-required"],
        ),
        ("fetch(`https://${host}/x`);", []),
        ("other.fetch('https://api.example.org/x');", []),
        ("fetch('/relative');", []),
        ("invokeRemote('nope', {});", ["src/index.js:2:26 error missing-remote-key"]),
        ("invokeRemote('r', {});", ["src/index.js:2:26 error missing-remote-compute"]),
        ("invokeRemote(key, {});", []),
        ("// requestJira(route`/rest/api/3/nothing`)\n1;", []),
    ],
)
def test_what_a_call_needs_must_be_declared(call: str, expected: list[str]) -> None:
    assert lint(API + call, GOOD + REMOTES) == expected


def test_one_whole_granular_set_suffices_and_half_of_one_does_not() -> None:
    call = API + "api.asUser().requestJira(route`/rest/api/3/issue`, { method: 'POST' });"
    whole = GOOD.replace("jira-work]", "jira-work, write:issue:jira, write:comment:jira]")
    assert lint(call, whole) == []
    assert lint(call, whole.replace(", write:comment:jira", "")) != []


RUN = "\nexport const run = 1;"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            'import { storage } from "@forge/api";',
            [
                "src/index.js:1:10 error permission-scope-required",
                "src/index.js:1:10 warning deprecated-api-storage",
            ],
        ),
        (
            'const { kvs } = require("@forge/kvs");',
            ["src/index.js:1:9 warning firebrick/storage-scope"],
        ),
        (
            'import sql from "@forge/sql";',
            [
                "src/index.js:1:8 error "
                "https://developer.atlassian.com/platform/forge/manifest-reference/#modules"
            ],
        ),
        ('import { useState } from "react";', []),
    ],
)
def test_storage_needs_its_scope_and_its_module(source: str, expected: list[str]) -> None:
    assert lint(source + RUN) == expected


DEFINE = "const r = new Resolver(); r.define('a', () => %s);\nexport const run = 1;"


@pytest.mark.parametrize(
    ("call", "is_found"),
    [
        ("api.asApp().requestJira(x)", True),
        ("api.asUser().requestJira(x), api.asApp().requestJira(x)", False),
        ("authorize().onJira(p), api.asApp().requestJira(x)", False),
        ("api.asApp().requestJira(route`/rest/api/3/permissions/check`)", False),
        ("1", False),
    ],
)
def test_a_resolver_that_acts_as_the_app_should_ask_first(call: str, is_found: bool) -> None:
    assert any("as-app-unchecked" in one for one in lint(DEFINE % call)) == is_found


RESOLVERS = """
const r = new Resolver();
r.define('reads', async () => api.asUser().requestJira(x));
r.define('writes', async ({ payload }) => change(payload));
r.define('asks', async ({ payload }) => { if (await mayEdit(payload)) return change(payload); });
r.define('asks elsewhere', async () => { await assertAllowed(); return change(1); });
r.define('named', named);
async function mayEdit() { return api.asUser().requestJira(x); }
const change = (payload) => api.asApp().requestJira(x);
const named = async function () { return again(); };
const again = payload => { again(); return api.asApp().requestJira(y); };
const asUserLater = { named: 'asUser' };
export const run = r.getDefinitions();
"""


def test_each_resolver_must_ask_for_itself_over_the_functions_it_calls() -> None:
    source = "import { assertAllowed } from './checks';" + RESOLVERS
    files = MemoryFiles({"src/index.js": source, "src/checks.js": ""})
    problems = parse_manifest(GOOD, files=files).problems
    assert [(p.rule, p.line, p.message.split("`")[1]) for p in problems] == [
        ("firebrick/as-app-unchecked", 9, "writes"),
        ("firebrick/as-app-unchecked", 11, "named"),
    ]


def test_a_function_that_no_page_calls_may_act_as_the_app() -> None:
    assert lint("export const run = () => api.asApp().requestJira(x);") == []


@pytest.mark.parametrize(
    ("address", "url", "is_allowed"),
    [
        ("https://a.example.com", "https://a.example.com", True),
        ("a.example.com", "https://A.EXAMPLE.com", True),
        ("https://a.example.com/path", "https://a.example.com", True),
        ("*.example.com", "https://b.a.example.com", True),
        ("*.example.com", "https://example.com", False),
        ("*", "https://anything.test", True),
        ("https://a.example.com", "http://a.example.com", False),
        ("https://a.example.com", "https://b.example.com", False),
        ("api.*.example.com", "https://api.x.example.com", False),
    ],
)
def test_addresses_admit_hosts_as_measured(address: str, url: str, is_allowed: bool) -> None:
    assert allows((EgressAddress(address),), url) == is_allowed


def test_imports_are_read_in_every_form() -> None:
    source = source_of(
        "src/a.ts",
        "import a, { b, c as d } from 'p'; import * as e from 'q'; import type { F } from 'r';\n"
        "import 's'; const g = require('t'); const { h, i: j } = require('u'); import('v');",
    )
    assert {(one.package, one.name, one.local) for one in source.imports} == {
        ("p", "default", "a"), ("p", "b", "b"), ("p", "c", "d"), ("q", "*", "e"), ("r", "F", "F"),
        ("t", "default", "g"), ("u", "h", "h"), ("u", "i", "i"), ("u", "j", "j"),
    }  # fmt: skip
    assert source.imported("p")["d"] == Import("p", "c", "d", 20)


def test_a_call_knows_its_arguments_and_what_it_hangs_on() -> None:
    calls = {c.name: c for c in calls_of(source_of("a", "a.b(x).c?.d(f(1, 2), {k: [3, 4]})"))}
    assert calls["d"].chain == ("a", "b", "c")
    assert [len(argument) for argument in calls["d"].arguments] == [6, 9]


def test_a_source_of_only_brackets_has_no_requests() -> None:
    source = source_of("a", "requestJira(" * 500)
    assert list(requests_of(source, tuple(calls_of(source)))) == []


def test_only_sources_below_src_are_read() -> None:
    files = MemoryFiles(
        {
            "src/a.js": "1", "src/lib/b.ts": "1", "src/data.json": "1", "other/c.js": "1",
            "src/node_modules/d.js": "1", "src/a.test.js": "1", "src/huge.js": "x" * 300_000,
        }
    )  # fmt: skip
    assert [source.path for source in Sources(files)] == ["src/a.js", "src/lib/b.ts"]
