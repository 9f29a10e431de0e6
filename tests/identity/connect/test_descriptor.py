"""Descriptors: what is read, and what is refused where."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ManifestError
from runtime.identity.connect.descriptor import origin_of, read_descriptor

GOOD: dict[str, Any] = {
    "key": "com.example.app_1-x",
    "baseUrl": "https://app.example.com/base",
    "authentication": {"type": "jwt"},
    "lifecycle": {"installed": "/installed"},
}


def problems(**changed: Any) -> list[str]:
    descriptor = {name: value for name, value in (GOOD | changed).items() if value is not ...}
    try:
        read_descriptor(json.dumps(descriptor), "d")
    except ManifestError as error:
        return error.message.splitlines()
    return []


def module(kind: str, **members: Any) -> dict[str, Any]:
    whole = {"key": "a", "name": {"value": "A"}} | members
    return {"modules": {kind: [{k: v for k, v in whole.items() if v is not ...}]}}


def page(**members: Any) -> dict[str, Any]:
    return module("generalPages", **({"url": "/a"} | members))


WHOLE = [
    page(location="system.top.navigation.bar", weight=10, icon={"url": "/i.png"},
         conditions=[{"condition": "user_is_logged_in"}, {"or": [{"condition": "x"}]}]),
    module("webItems", url="https://example.com/x", location="a", context="page"),
    module("webPanels", url="/p?i={issue.id}", location="a", params={"a": "b"}, layout={}),
    module("jiraIssueGlances", icon={"url": "/i"}, content={"type": "label"},
           target={"type": "web_panel", "url": "/g"}),
    module("jiraIssueFields", description={"value": "d"}, type="single_select"),
    module("jiraEntityProperties",
           keyConfigurations=[{"propertyKey": "a", "extractions": []}], entityType="issue"),
    module("jiraWorkflowPostFunctions", description={"value": "d"}, triggered={"url": "/t"}),
    module("jiraGlobalPermissions", description={"value": "d"}, anonymousAllowed=False),
    module("someOtherProducts", anything=1),
    {"modules": {"postInstallPage": {"url": "/first"}}},
]  # fmt: skip


@pytest.mark.parametrize("changed", WHOLE)
def test_modules_as_their_documentation_has_them_are_taken(changed: dict[str, Any]) -> None:
    assert problems(**changed) == []


def test_a_modules_problem_stands_at_the_modules_place() -> None:
    text = json.dumps(GOOD | page(weight="1"), indent=1)
    with pytest.raises(ManifestError) as caught:
        read_descriptor(text, "d")
    (line,) = caught.value.message.splitlines()
    number = int(line.split(":")[1])
    assert text.splitlines()[number - 1].strip() == '"weight": "1"'


def test_a_whole_descriptor_is_read() -> None:
    text = json.dumps(
        GOOD
        | {
            "name": "App",
            "scopes": ["read", "act_as_user"],
            "enableLicensing": True,
            "modules": {
                "generalPages": [{"key": "a", "url": "/a", "name": {"value": "A"}}],
                "configurePage": {"key": "b", "url": "/b", "name": {"value": "B"}},
                "webhooks": [{"event": "jira:issue_created", "url": "/hook"}],
            },
        }
    )
    found = read_descriptor(text)
    assert (found.name, found.base_url) == ("App", "https://app.example.com/base")
    assert found.scopes == {"READ", "ACT_AS_USER"}
    assert [(one.type, one.key, one.name) for one in found.modules] == [
        ("generalPages", "a", "A"), ("configurePage", "b", "B"), ("webhooks", "", ""),
    ]  # fmt: skip
    assert found.find_module("b") == found.modules[1]
    assert found.find_module("") is None
    assert [one.url for one in found.modules_of("webhooks")] == ["/hook"]
    assert (found.licensing, found.origin) == (True, "https://app.example.com")


def test_a_descriptor_needs_little() -> None:
    plain = {"key": "a", "baseUrl": "http://localhost:3000/", "authentication": {"type": "none"}}
    found = read_descriptor("\ufeff" + json.dumps(plain))
    assert (found.name, found.base_url, found.uses_jwt) == ("a", "http://localhost:3000", False)
    assert (found.scopes, found.modules, found.lifecycle) == (frozenset(), (), {})


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"key": ...}, "`key` is required"),
        ({"key": ""}, "`key` is required"),
        ({"key": "a b"}, "`key` is required"),
        ({"key": "a/b"}, "`key` is required"),
        ({"key": "k" * 65}, "`key` is required"),
        ({"key": 1}, "`key` is required"),
        ({"baseUrl": ...}, "`baseUrl` is required"),
        ({"baseUrl": "app.example.com"}, "absolute URL"),
        ({"baseUrl": "http://app.example.com"}, "https://"),
        ({"baseUrl": "ftp://localhost"}, "https://"),
        ({"baseUrl": "https://u@app.example.com"}, "user names"),
        ({"baseUrl": "https://app.example.com?x"}, "no query"),
        ({"baseUrl": "https://app.example.com/a//b"}, "empty"),
        ({"baseUrl": "https://app.example.com/%2e%2e/b"}, "'..'"),
        ({"baseUrl": "https://[::1"}, "is no URL"),
        ({"baseUrl": "https://app.example.com:99999"}, "is no URL"),
        ({"authentication": ...}, "authentication.type"),
        ({"authentication": "jwt"}, "authentication.type"),
        ({"authentication": {"type": "oauth"}}, "authentication.type"),
        ({"lifecycle": ...}, "needs `lifecycle.installed`"),
        ({"lifecycle": {}}, "needs `lifecycle.installed`"),
        ({"lifecycle": []}, "must be an object"),
        ({"lifecycle": {"installed": "https://evil.example/x"}}, "below `baseUrl`"),
        ({"lifecycle": {"installed": "//evil.example/x"}}, "below `baseUrl`"),
        ({"lifecycle": {"installed": "/x", "other": "/y"}}, "not `other`"),
        ({"lifecycle": {"installed": 1}}, "must be a text"),
        ({"lifecycle": {"installed": "/a#b"}}, "no fragment"),
        ({"scopes": "READ"}, "must be a list"),
        ({"scopes": ["READ", "write"]}, "all in upper case"),
        ({"scopes": ["READ", "ROOT"]}, "no such scope"),
        ({"scopes": [1]}, "no such scope"),
        ({"modules": []}, "must be an object"),
        ({"modules": {"generalPages": [1]}}, "must be an object"),
        ({"modules": {"generalPages": [{"url": "/x"}]}}, "needs a `key`"),
        ({"modules": {"generalPages": [{"key": "a", "url": 1}]}}, "`url` must be a text"),
        ({"modules": {"a": [{"key": "x"}], "b": [{"key": "x"}]}}, "taken"),
        ({"modules": {"webhooks": [{"url": "/x"}]}}, "`event` is required"),
        ({"modules": {"generalPages": [{"key": "a.b"}]}}, "needs a `key`"),
        ({"modules": {"generalPages": [{"key": "k" * 101}]}}, "needs a `key`"),
        ({"modules": {"generalPage": [{"key": "a"}]}}, "near it is `generalPages`"),
        ({"modules": {"configurePage": [{"key": "a"}, {"key": "b"}]}}, "has one `configurePage`"),
        (page(name=...), "`name` is required"),
        (page(name="Plain"), "with a text as its `value`"),
        (page(name={"value": ""}), "with a text as its `value`"),
        (page(url="/a/../b"), "no fragment and no"),
        (page(url="/a b"), "below `baseUrl`"),
        (page(weight="1"), "`weight` must be a number"),
        (page(weight=True), "`weight` must be a number"),
        (page(cacheable=1), "`cacheable` must be true or false"),
        (page(conditions={}), "`conditions` must be a list"),
        (page(conditions=[{"x": 1}]), "an `or` or an `and`"),
        (page(conditions=["x"]), "an `or` or an `and`"),
        (page(icon={"width": 1}), "must be an object with a `url`"),
        (page(location=""), "a text that is not empty"),
        (module("webPanels", url="/x"), "`location` is required"),
        (module("webPanels", url="/x", location="a", layout=1), "`layout` must be an object"),
        (module("webPanels", url="/x", location="a", params={"a": 1}), "an object of texts"),
        (module("webItems", url="/x", location="a", context="site"), "one of addon, page"),
        (module("jiraReports", url="/x"), "`description` is required"),
        (module("jiraIssueFields", description={"value": "d"}, type="date"), "one of string"),
        (module("jiraIssueGlances"), "`target` is required"),
        (module("jiraIssueGlances", target={"type": "web_panel"}), "an object with a `url`"),
        (module("jiraIssueGlances", target={"type": "tab"}), "web_panel or dialog"),
        (module("jiraWorkflowPostFunctions"), "`triggered` is required"),
        (module("jiraWorkflowPostFunctions", triggered={"url": "//x"}), "has a `url` that must"),
        (module("jiraEntityProperties", keyConfigurations=[]), "a list that is not empty"),
        (module("jiraEntityProperties", keyConfigurations=[{}]), "a `propertyKey` and a list"),
        ({"modules": {"webhooks": [{"event": "e", "url": "http://evil"}]}}, "below `baseUrl`"),
        ({"modules": {"webhooks": [{"event": "e"}]}}, "`url` is required"),
        ({"name": 1}, "`name` must be a text"),
        ({"apiVersion": 0}, "whole number"),
        ({"apiVersion": True}, "whole number"),
        ({"enableLicensing": "yes"}, "true or false"),
        ({"apiMigrations": []}, "an object"),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, Any], fault: str) -> None:
    found = problems(**changed)
    assert any(fault in line for line in found), found


def test_problems_have_their_places() -> None:
    lines = (
        "{",
        '  "key": "a",',
        '  "baseUrl": "http://x.example",',
        '  "scopes": [',
        '    "READ",',
    )
    text = "\n".join((*lines, '    "X"', "  ]}"))
    with pytest.raises(ManifestError) as caught:
        read_descriptor(text, "app.json")
    places = [line.split(": ")[0] for line in caught.value.message.splitlines()]
    assert places == ["app.json:3:14", "app.json:1:1", "app.json:6:5"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "d:1:1"), ("{", "d:1:2"), ('{"a": 1,\n "a": 2}', "d:2:2"), ("[1, 2", "d:1:6"),
        ('{"a" 1}', "d:1:6"), ('{"a": nul}', "d:1:7"), ('{"a": 1} x', "d:1:10"),
        ("{'a': 1}", "d:1:2"), ('{"a": "\\ud800"}', "d:1:7"), ('{"a": "x\n"}', "d:1:7"),
        ('{"a": 01}', "d:1:8"), ("[" * 100, "d:1:66"), ('{"a": NaN}', "d:1:7"),
        ('{"a": ' + "1" * 5000 + "}", "d:1:7"), ("[1]", "d:1:1"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_told_with_its_place(text: str, place: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read_descriptor(text, "d")
    assert caught.value.message.startswith(f"{place}: ")


@pytest.mark.hostile
@given(st.text() | st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from([*GOOD, "scopes", "modules", "type", "installed", "webhooks"]), inner
    ),
).map(json.dumps))  # fmt: skip
def test_any_text_is_read_or_refused(text: str) -> None:
    code = "BAD_DESCRIPTOR"
    try:
        read_descriptor(text)
    except ManifestError as error:
        code = error.code
    assert code == "BAD_DESCRIPTOR"


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
))  # fmt: skip
def test_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    from runtime.identity.connect.positions import read_json  # noqa: PLC0415

    for text in (json.dumps(value), json.dumps(value, indent=1, ensure_ascii=False)):
        try:
            text.encode()
        except UnicodeEncodeError:
            return
        assert read_json(text).value == value


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example/x", "https://a.example"),
        ("https://a.example:443/x", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://LOCALHOST:3000/x", "http://localhost:3000"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
    ],
)
def test_an_origin_is_what_a_browser_says(url: str, origin: str) -> None:
    assert origin_of(url) == origin
