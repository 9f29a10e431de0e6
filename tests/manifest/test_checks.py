"""One manifest a rule: what each check finds, by which rule, and where."""

import pytest

from tests.manifest.texts import APP_ID, GOOD, HEAD, SCOPES, TRIGGER, found, only, problems

PANEL = (
    "modules:\n"
    "  jira:issuePanel:\n"
    "    - key: panel\n"
    "      title: Panel\n"
    "      icon: https://example.com/i.svg\n"
    "      resource: ui\n"
)
UI = "resources:\n  - key: ui\n    path: static/ui\n"
PAGE = {"static/ui/index.html": "<div></div>"}
FUNCTION = "  function:\n    - {key: main, handler: index.run}\n"


def modules(text: str) -> str:
    return HEAD + "modules:\n" + text + FUNCTION


def app(text: str) -> str:
    return GOOD.replace("  runtime:", text + "  runtime:", 1)


GOOD_ONES = {
    "trigger": GOOD,
    "ui kit": HEAD + PANEL + "      render: native\n" + UI.replace("static/ui", "src/index.js"),
    "endpoint": HEAD
    + "modules:\n  trigger:\n    - {key: t, endpoint: e, events: []}\n"
    + "  endpoint:\n    - {key: e, remote: r, route: {path: /x}}\n"
    + "remotes:\n  - {key: r, baseUrl: https://r.example.com}\n",
    "object events": modules(
        "  trigger:\n    - key: t\n      function: main\n      events:\n"
        "        - {eventType: 'avi:forge:installed:app'}\n"
    ),
    "other product": modules("  confluence:globalPage:\n    - {key: p, whatever: 1}\n"),
    "granular": GOOD.replace(
        "[read:jira-work]",
        "[read:issue:jira, read:issue-type:jira, read:user:jira, read:project:jira, "
        "read:status:jira]",
    ),
    "lifecycle": GOOD.replace("avi:jira:created:issue", "avi:forge:installed:app"),
    "prompt file": HEAD
    + "modules:\n  rovo:agent:\n    - {key: a, name: A, prompt: 'resource:ui;p.txt'}\n"
    + UI,
    "conditions": HEAD + PANEL + "      displayConditions:\n        and:\n"
    "          - {isAdmin: true}\n          - not: {projectType: [software]}\n"
    "          - {canEditIssues: true, issueType: Bug, entityPropertyExists: {a: 1}}\n" + UI,
    "connect": HEAD.replace("  runtime:", "  connect: {key: c, remote: r}\n  runtime:")
    + "connectModules:\n  jira:webhooks:\n    - {key: k}\n"
    + "remotes:\n  - {key: r, baseUrl: https://r.example.com}\n",
    "time-out of a consumer": modules(
        "  consumer:\n    - {key: c, queue: q, function: main}\n"
    ).replace("index.run}", "index.run, timeoutSeconds: 900}"),
    "short time-out of a shared function": modules(
        "  consumer:\n    - {key: c, queue: q, function: main}\n"
        "  webtrigger:\n    - {key: w, function: main}\n"
    ).replace("index.run}", "index.run, timeoutSeconds: 55}"),
    "manual bundle": app("  package: {bundler: manual@2026, path: dist}\n").replace(
        "index.run", "elsewhere.run"
    ),
}


@pytest.mark.parametrize("name", GOOD_ONES)
def test_what_is_right_is_not_complained_about(name: str) -> None:
    files = {**PAGE, "static/ui/p.txt": "Help."}
    assert problems(GOOD_ONES[name], files) == ()


ERRORS: dict[str, tuple[str, str]] = {
    "unknown top-level key": (GOOD + "colour: red\n", "15:1 error valid-document-required"),
    "unknown app key": (app("  colour: red\n"), "3:3 error valid-document-required"),
    "modules is a list": (HEAD + "modules: []\n", "5:10 error valid-document-required"),
    "modules of a type is a map": (
        HEAD + "modules:\n  trigger: {key: a}\n",
        "6:12 error valid-document-required",
    ),
    "no module of a type": (
        HEAD + "modules:\n  trigger: []\n",
        "6:12 error valid-document-required",
    ),
    "a module is a word": (
        HEAD + "modules:\n  trigger: [a]\n",
        "6:13 error valid-document-required",
    ),
    "unknown module type": (
        modules("  jira:isuePanel:\n    - {key: a}\n"),
        "6:3 error valid-module-required",
    ),
    "only functions": (modules(""), "5:1 error valid-module-required"),
    "same key in two types": (
        GOOD.replace("on-created", "main"),
        "11:12 error valid-module-required",
    ),
    "internal property": (
        HEAD + PANEL + "      unlicensedAccess: [x]\n" + UI,
        "11:7 error valid-module-required",
    ),
    "handler without export": (
        GOOD.replace("index.run", "index"),
        "12:16 error valid-module-required",
    ),
    "handler above src": (
        GOOD.replace("index.run", "../index.run"),
        "12:16 error valid-module-required",
    ),
    "handler file missing": (
        GOOD.replace("index.run", "other.run"),
        "12:16 error valid-module-required",
    ),
    "handler export missing": (
        GOOD.replace("index.run", "index.walk"),
        "12:16 warning valid-module-required",
    ),
    "function missing": (
        GOOD.replace("function: main", "function: mian"),
        "8:17 error valid-module-required",
    ),
    "nested function missing": (
        modules("  consumer:\n    - {key: c, queue: q, resolver: {function: x, method: m}}\n"),
        "7:47 error valid-module-required",
    ),
    "endpoint missing": (
        HEAD + "modules:\n  trigger:\n    - {key: t, endpoint: e, events: []}\n",
        "7:26 error valid-module-required",
    ),
    "resource missing": (
        HEAD + PANEL.replace("resource: ui", "resource: iu") + UI,
        "10:17 error valid-resource-required",
    ),
    "resource entry missing": (
        HEAD
        + PANEL.replace("resource: ui", "resource: ui/b")
        + UI
        + "    entry: {a: index.html}\n",
        "10:17 error valid-resource-required",
    ),
    "resource entry without file": (
        HEAD + PANEL.replace("resource: ui", "resource: ui/a") + UI + "    entry: {a: b.html}\n",
        "14:13 error valid-resource-required",
    ),
    "resource outside": (
        HEAD + PANEL + UI.replace("static/ui", "../ui"),
        "13:11 error firebrick/outside-folder",
    ),
    "resource nowhere": (
        HEAD + PANEL + UI.replace("static/ui", "static/iu"),
        "13:11 error valid-resource-required",
    ),
    "ui kit resource is a folder": (
        HEAD + PANEL + "      render: native\n" + UI,
        "14:11 error valid-resource-required",
    ),
    "prompt file missing": (
        HEAD
        + "modules:\n  rovo:agent:\n    - {key: a, name: A, prompt: 'resource:ui;p.txt'}\n"
        + UI,
        "7:33 error valid-resource-required",
    ),
    "skill missing": (
        HEAD + "modules:\n  rovo:agent:\n    - {key: a, name: A, prompt: p, skills: [s]}\n",
        "7:45 error valid-module-required",
    ),
    "connect remote missing": (
        app("  connect: {key: c, remote: r}\n"),
        "3:29 error valid-module-required",
    ),
    "validator without either": (
        modules("  jira:workflowValidator:\n    - {key: v, name: V, description: D}\n"),
        "7:7 error valid-module-required",
    ),
    "two databases": (
        modules("  sql:\n    - {key: a, engine: mysql}\n    - {key: b, engine: mysql}\n"),
        "8:13 error valid-module-required",
    ),
    "two pages to configure": (
        HEAD
        + "modules:\n  jira:adminPage:\n"
        + "    - {key: a, title: A, resource: ui, useAsConfig: true}\n"
        + "    - {key: b, title: B, resource: ui, useAsConfig: true}\n"
        + UI,
        "8:13 error valid-module-required",
    ),
    "one action validated twice": (
        modules(
            "  jira:actionValidator:\n"
            "    - {key: a, action: workItemMoved, expression: 'true'}\n"
            "    - {key: b, action: workItemMoved, expression: 'true'}\n"
        ),
        "8:16 error valid-module-required",
    ),
    "too many property values": (
        modules(
            "  jira:entityProperty:\n    - {key: a, propertyKey: p, values: ["
            + ", ".join("{path: p, type: string}" for _ in range(101))
            + "]}\n"
        ),
        "7:32 error valid-module-required",
    ),
    "scopes missing for an event": (
        HEAD + TRIGGER,
        "9:16 error permission-scope-required",
    ),
    "unknown scope": (
        GOOD.replace("read:jira-work", "read:jira-work, read:jira-works"),
        "14:28 error valid-permissions-required",
    ),
    "unknown scope in a map": (
        GOOD.replace("[read:jira-work]", "{read:jira-work: {}, read:jira-werk: {}}"),
        "14:32 error valid-permissions-required",
    ),
    "scope options unknown": (
        GOOD.replace("[read:jira-work]", "{read:jira-work: {allow: true}}"),
        "14:29 error valid-document-required",
    ),
    "egress without a dot": (
        GOOD + "  external: {images: [{address: localhost}]}\n",
        "15:33 error valid-permissions-required",
    ),
    "egress with a blank": (
        GOOD + "  external: {images: [{address: 'a. b'}]}\n",
        "15:33 error valid-permissions-required",
    ),
    "egress to an unknown remote": (
        GOOD + "  external: {fetch: {backend: [{remote: r}]}}\n",
        "15:41 error valid-permissions-required",
    ),
    "two products required": (
        app("  compatibility: {jira: {required: true}, confluence: {required: true}}\n"),
        "3:43 error valid-app-config-required",
    ),
    "two entities of one name": (
        app("  storage: {entities: [{name: abc, attributes: {}}, {name: abc, attributes: {}}]}\n"),
        "3:54 error valid-app-config-required",
    ),
    "entity attribute name": (
        app("  storage: {entities: [{name: abc, attributes: {9a: {type: any}}}]}\n"),
        "3:49 error valid-app-config-required",
    ),
    "entity with too many indexes": (
        app(
            "  storage: {entities: [{name: abc, attributes: {a: {type: any}}, indexes: ["
            + ", ".join(["a"] * 8)
            + "]}]}\n"
        ),
        "3:66 error valid-app-config-required",
    ),
    "entity with too many attributes": (
        app(
            "  storage: {entities: [{name: abc, attributes: {"
            + ", ".join(f"a{n}: {{type: any}}" for n in range(51))
            + "}}]}\n"
        ),
        "3:36 error valid-app-config-required",
    ),
    "customers' switch without its key": (
        GOOD + "  external: {configurable: {}}\n",
        "15:28 error valid-document-required",
    ),
    "customers' switch as a word": (
        GOOD + "  external: {configurable: {enabled: sometimes}}\n",
        "15:38 error valid-document-required",
    ),
    "remote without an address": (
        GOOD + "remotes: [{key: r, operations: [compute]}]\n",
        "15:12 error valid-app-config-required",
    ),
    "configurable remote without a name": (
        GOOD + "remotes: [{key: r, configurable: {description: d}}]\n",
        "15:34 error valid-document-required",
    ),
    "configurable remote without patterns": (
        GOOD
        + "remotes: [{key: r, configurable: {name: n, description: d, supportedPatterns: []}}]\n",
        "15:79 error valid-document-required",
    ),
    "configurable remote that nobody can configure": (
        GOOD + "remotes: [{key: r, configurable: {name: n, description: d}}]\n",
        "15:20 warning firebrick/remote-not-configurable",
    ),
    "configurable remote of two stars": (
        GOOD
        + "  external: {configurable: {enabled: true}}\n"
        + "remotes: [{key: r, configurable: {name: n, description: d, "
        + "supportedPatterns: ['*.*.example.com']}}]\n",
        "16:80 warning firebrick/remote-pattern",
    ),
    "configurable remote of a path": (
        GOOD
        + "  external: {configurable: {enabled: true}}\n"
        + "remotes: [{key: r, configurable: {name: n, description: d, "
        + "supportedPatterns: ['https://*.example.com', 'https://a.example.com/x']}}]\n",
        "16:105 warning firebrick/remote-pattern",
    ),
    "configurable remote of Connect": (
        app("  connect: {key: c, remote: r}\n")
        + "  external: {configurable: {enabled: true}}\n"
        + "remotes: [{key: r, configurable: {name: n, description: d}}]\n",
        "3:29 error valid-app-config-required",
    ),
    "configurable remote of a provider": (
        GOOD
        + "  external: {configurable: {enabled: true}}\n"
        + "remotes: [{key: r, configurable: {name: n, description: d}}]\n"
        + "providers: {auth: [{key: p, remotes: [r]}]}\n",
        "17:39 error valid-app-config-required",
    ),
    "two remotes of one key": (
        GOOD + "remotes:\n  - {key: r, baseUrl: https://a.b}\n  - {key: r, baseUrl: https://a.b}\n",
        "17:6 error valid-app-config-required",
    ),
    "a remote without https": (
        GOOD + "remotes:\n  - {key: r, baseUrl: http://a.b}\n",
        "16:23 warning firebrick/remote-base-url",
    ),
    "a region of a remote without https": (
        GOOD + "remotes:\n  - {key: r, baseUrl: {default: https://a.b, EU: '//a.b'}}\n",
        "16:50 warning firebrick/remote-base-url",
    ),
    "a token of a remote without its scope": (
        GOOD
        + "remotes:\n  - key: r\n    baseUrl: https://a.b\n    auth:\n"
        + "      appUserToken: {enabled: true}\n      appSystemToken: {enabled: false}\n",
        "19:31 warning firebrick/remote-token-scope",
    ),
    "translated text without translations": (
        HEAD + PANEL.replace("title: Panel", "title: {i18n: a}") + UI,
        "8:21 error valid-document-required",
    ),
    "deep display conditions": (
        HEAD
        + PANEL
        + "      displayConditions: "
        + "{not: " * 11
        + "{isAdmin: true}"
        + "}" * 11
        + "\n"
        + UI,
        "11:86 error valid-document-required",
    ),
    "display condition of the wrong kind": (
        HEAD + PANEL + "      displayConditions: {isAdmin: 'yes'}\n" + UI,
        "11:36 error valid-document-required",
    ),
    "time-out of a web trigger": (
        modules("  webtrigger:\n    - {key: w, function: main}\n").replace(
            "index.run}", "index.run, timeoutSeconds: 30}"
        ),
        "9:39 error https://developer.atlassian.com/platform/forge/limits-invocation/",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_wrong_is_found_by_its_rule_and_in_its_place(name: str) -> None:
    text, expected = ERRORS[name]
    assert found(text, PAGE) == [expected]


OURS: dict[str, tuple[str, str]] = {
    "id that is no uuid": (GOOD.replace(APP_ID[-36:], "x"), "2:3 warning firebrick/app-id-uuid"),
    "event that does not exist": (
        GOOD.replace("created:issue", "exploded:issue"),
        "9:16 warning firebrick/unknown-event",
    ),
    "scope declared twice": (
        GOOD.replace("[read:jira-work]", "[read:jira-work, read:jira-work]"),
        "14:28 warning firebrick/duplicate-scope",
    ),
    "scope of another product": (
        GOOD.replace("[read:jira-work]", "[read:jira-work, read:page:confluence]"),
        "14:28 warning firebrick/unchecked-scope",
    ),
    "resource without resources": (HEAD + PANEL, "10:17 error firebrick/resource-undeclared"),
    "sixth schedule": (
        modules(
            "  scheduledTrigger:\n"
            + "".join(f"    - {{key: s{n}, function: main, interval: day}}\n" for n in range(6))
        ),
        "12:7 error firebrick/schedule-limit",
    ),
    "second fast schedule": (
        modules(
            "  scheduledTrigger:\n"
            "    - {key: a, function: main, interval: fiveMinute}\n"
            "    - {key: b, function: main, interval: fiveMinute}\n"
        ),
        "8:32 error firebrick/schedule-limit",
    ),
    "more modules than an app may have": (
        modules("  webtrigger:\n").replace(FUNCTION, "")
        + "".join(f"    - {{key: w{n}, function: main}}\n" for n in range(150))
        + FUNCTION,
        "5:1 error firebrick/module-limit",
    ),
    "more entities than an app may have": (
        app(
            "  storage:\n    entities:\n"
            + "".join(f"      - {{name: abc{n}, attributes: {{}}}}\n" for n in range(21))
        ),
        "25:9 error firebrick/entity-limit",
    ),
}


@pytest.mark.parametrize("name", OURS)
def test_what_only_we_find_is_marked_as_ours(name: str) -> None:
    text, expected = OURS[name]
    assert found(text, PAGE) == [expected]


WARNINGS: dict[str, tuple[str, str]] = {
    "deprecated consent": (
        app("  features: {autoUserConsent: true}\n"),
        "3:14 warning deprecated-property",
    ),
    "egress to everywhere": (
        GOOD + "  external: {fetch: {backend: [{address: '*'}]}}\n",
        "15:42 warning valid-permissions-required",
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_a_warning_is_no_error(name: str) -> None:
    text, expected = WARNINGS[name]
    assert found(text) == [expected]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (GOOD.replace("function: main", "function: mian"), "Did you mean `main`?"),
        (GOOD.replace("function: main", "function: zzzzz"), "Declared: `main`."),
        (GOOD.replace("read:jira-work", "read:jira-works"), "`read:jira-work`"),
        (modules("  jira:isuePanel:\n    - {key: a}\n"), "`jira:issuePanel`"),
        (GOOD.replace("index.run", "indx.run"), "Did you mean `index`?"),
        (GOOD.replace("index.run", "other.run"), "`.mjs` is not looked for"),
        (GOOD.replace("created:issue", "creted:issue"), "`avi:jira:created:issue`"),
        (HEAD + TRIGGER, "Or declare all of `read:issue-type:jira`"),
        (GOOD.replace("    - key: on-created", "    - kee: on-created"), "`key`"),
    ],
)
def test_a_hint_names_what_was_probably_meant(text: str, hint: str) -> None:
    hints = [problem.hint for problem in problems(text, {"src/other.mjs": ""})]
    assert any(hint in one for one in hints), hints


@pytest.mark.parametrize(
    ("ways", "message"),
    [
        ("", "trigger `t` lacks `function` or `endpoint`."),
        ("function: main, endpoint: e", "trigger `t` may have only one of `function`, `endpoint`."),
    ],
)
def test_a_module_that_does_not_choose_is_told_its_choices(ways: str, message: str) -> None:
    text = modules(f"  trigger:\n    - {{key: t, events: [], {ways}}}\n")
    assert only(text).message == message


LOCALES = (
    "translations:\n  resources:\n    - {key: en-US, path: en.json}\n  fallback: {default: en-US}\n"
)
TRANSLATED = HEAD + PANEL.replace("title: Panel", "title: {i18n: a.b}") + UI + LOCALES


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ('{"a": {"b": "Panel"}}', []),
        ('{"a.b": "Panel"}', []),
        ('{"a": {"b": {}}}', ["8:21 error valid-document-required"]),
        ('{"a": "x"}', ["8:21 error valid-document-required"]),
        ("[1]", ["16:26 error valid-document-required"]),
        ("[" * 100_000, ["16:26 error valid-document-required"]),
        ("{", ["16:26 error valid-document-required"]),
    ],
    ids=["nested", "flat", "map", "no map", "list", "deep", "broken"],
)
def test_translated_texts_stand_in_the_default_locale(locale: str, expected: list[str]) -> None:
    assert found(TRANSLATED, {**PAGE, "en.json": locale}) == expected


def test_the_default_locale_must_have_a_file() -> None:
    text = TRANSLATED.replace("default: en-US", "default: de-DE")
    assert found(text, {**PAGE, "en.json": "{}"}) == ["17:14 error valid-document-required"]


@pytest.mark.parametrize("address", ["ftp://a.b", "data:x", "JavaScript:x", "blob:x", "ws://a.b"])
def test_addresses_of_refused_schemes_are_errors(address: str) -> None:
    text = GOOD + f"  external: {{navigation: [{{address: '{address}'}}]}}\n"
    assert only(text).rule == "valid-permissions-required"


@pytest.mark.parametrize("address", ["a.b", "https://a.b", "wss://a.b", "slack://x", "*.a.b"])
def test_other_addresses_pass(address: str) -> None:
    text = GOOD + f"  external: {{navigation: [{{address: '{address}'}}]}}\n"
    assert problems(text) == ()


def test_scopes_alone_do_not_make_the_form_wrong() -> None:
    assert found(HEAD + TRIGGER.replace("[avi:jira:created:issue]", "[]") + SCOPES) == []
