"""Clients that log in with an e-mail address and an API token, at the site's own address."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from conformance.emulator import Emulator, Login, emulating
from conformance.environment import WHICH, Which
from conformance.running import run_node, run_python

FOUND = "searchAndReconsileIssuesUsingJql"
POSTED = "searchAndReconsileIssuesUsingJqlPost"
JIRA_JS = {
    "me": "Dana Developer",
    "issue": ["By jira.js", "In Progress"],
    "found": [True, True],
    "hidden": 404,
}
JIRA_CLIENT = {
    "me": "Dana Developer",
    "issue": ["By jira-client", "In Progress", ["moved"]],
    "comments": ["hello"],
    "found": [1, True],
    "hidden": ["Issue does not exist or you do not have permission to see it."],
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulating(tmp_path_factory.mktemp("basic")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def legacy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulating(tmp_path_factory.mktemp("legacy"), legacy_search="true") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def dana(emulator: Emulator) -> Login:
    return emulator.login("dana")


@pytest.fixture(scope="module")
def place(emulator: Emulator, dana: Login) -> dict[str, str]:
    return {"site": emulator.base, "email": dana.email, "token": dana.secret}


@pytest.fixture
def before(emulator: Emulator) -> int:
    return emulator.mark()


def document(text: object) -> dict[str, object]:
    node = text if isinstance(text, dict) else {"type": "text", "text": text}
    return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [node]}]}


def jira_client_place(emulator: Emulator, login: Login) -> dict[str, object]:
    parts = urlsplit(emulator.base)
    pair = {"username": login.email, "password": login.secret}
    return {"options": {"host": parts.hostname, "port": str(parts.port), **pair}}


@pytest.mark.parametrize("which", WHICH)
def test_jira(
    emulator: Emulator, dana: Login, place: dict[str, str], before: int, which: Which
) -> None:
    said = run_python("jira", which, "jira_client.py", place)
    assert said == {
        "me": "Dana Developer",
        "issue": ["Changed by jira", "In Progress", "*bold*"],
        "comments": ["hello"],
        "found": True,
        "projects": ["PUB", "TEAM", "VAULT"],
        "hidden": 404,
    }
    calls = emulator.calls(before)
    assert calls[0] == ("getServerInfo", 200)
    assert calls.index(("createIssue", 201)) < calls.index(("getIssue", 200))
    assert {("addComment", 201), ("doTransition", 204), (FOUND, 200)} <= set(calls)
    assert calls[-1] == ("getIssue", 404)
    assert emulator.callers(before) == {("basic", dana.account_id)}


@pytest.mark.parametrize("which", WHICH)
def test_atlassian_python_api(
    emulator: Emulator, dana: Login, place: dict[str, str], before: int, which: Which
) -> None:
    said = run_python("atlassian-python-api", which, "atlassian_python_api.py", place)
    assert said == {
        "me": "Dana Developer",
        "issue": ["By atlassian", "In Progress"],
        "comments": ["hello"],
        "found": True,
        "enhanced": 2,
        "hidden": 404,
    }
    assert emulator.calls(before) == [
        ("createIssue", 201),
        ("addComment", 201),
        ("getTransitions", 200),
        ("doTransition", 204),
        ("getIssue", 200),
        ("getCurrentUser", 200),
        (FOUND, 200),
        (FOUND, 200),
        ("getIssue", 404),
    ]
    assert emulator.callers(before) == {("basic", dana.account_id)}


@pytest.mark.npm
@pytest.mark.parametrize("which", WHICH)
def test_jira_js_5(emulator: Emulator, dana: Login, before: int, which: Which) -> None:
    authentication = {"basic": {"email": dana.email, "apiToken": dana.secret}}
    package = "jira.js" if which == "pinned" else "jira.js-5"
    place = {"host": emulator.base, "package": package, "authentication": authentication}
    said = run_node(which, "jira_js.cjs", place)
    assert said["v2"] == JIRA_JS | {"description": "plain", "comments": ["hi"]}
    assert said["v3"] == JIRA_JS | {"description": document("plain"), "comments": [document("hi")]}
    talk = [
        ("getProject", 200),
        ("createIssue", 201),
        ("addComment", 201),
        ("getTransitions", 200),
        ("doTransition", 204),
        ("getIssue", 200),
        (FOUND, 200),
        (POSTED, 200),
        ("getIssue", 404),
        ("getCurrentUser", 200),
    ]
    assert emulator.calls(before) == talk * 2
    assert emulator.callers(before) == {("basic", dana.account_id)}


@pytest.mark.npm
def test_jira_js_from_6_on_finds_every_answer_of_the_right_shape(
    emulator: Emulator, dana: Login, before: int
) -> None:
    auth = {"type": "basic", "email": dana.email, "apiToken": dana.secret}
    said = run_node("newest", "jira_js_6.mjs", {"host": emulator.base, "auth": auth})
    strong = {"type": "text", "text": "hi", "marks": [{"type": "strong"}]}
    assert said == JIRA_JS | {"found": [True], "comments": [document(strong)]}
    assert ("getComment", 200) in emulator.calls(before)
    assert emulator.callers(before) == {("basic", dana.account_id)}


@pytest.mark.npm
@pytest.mark.parametrize("which", WHICH)
def test_jira_client(emulator: Emulator, dana: Login, before: int, which: Which) -> None:
    said = run_node(which, "jira_client.cjs", jira_client_place(emulator, dana))
    (removed,) = said.pop("found")
    assert "has been removed" in removed
    assert said == {name: value for name, value in JIRA_CLIENT.items() if name != "found"}
    calls = emulator.calls(before)
    assert ("searchForIssuesUsingJqlPost", 410) in calls
    assert calls[:4] == [
        ("createIssue", 201),
        ("addComment", 201),
        ("getTransitions", 200),
        ("doTransition", 204),
    ]
    assert emulator.callers(before) == {("basic", dana.account_id)}


@pytest.mark.npm
@pytest.mark.parametrize("which", WHICH)
def test_jira_client_finds_issues_where_the_old_search_is_on(
    legacy: Emulator, which: Which
) -> None:
    before, dana = legacy.mark(), legacy.login("dana")
    said = run_node(which, "jira_client.cjs", jira_client_place(legacy, dana))
    assert said == JIRA_CLIENT
    assert ("searchForIssuesUsingJqlPost", 200) in legacy.calls(before)
