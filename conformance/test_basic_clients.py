"""Clients that log in with an e-mail address and an API token, at the site's own address."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from conformance import expected
from conformance.emulator import Emulator, Login, emulating
from conformance.environment import WHICH, Which
from conformance.running import run_node, run_python


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


@pytest.mark.parametrize("which", WHICH)
def test_jira(emulator: Emulator, dana: Login, place: dict[str, str], which: Which) -> None:
    assert run_python("jira", which, "jira_client.py", place) == expected.JIRA
    asked = emulator.asked()
    assert asked.calls == expected.JIRA_CALLS
    assert asked.callers == {("basic", dana.account_id)}


@pytest.mark.parametrize("which", WHICH)
def test_atlassian_python_api(
    emulator: Emulator, dana: Login, place: dict[str, str], which: Which
) -> None:
    said = run_python("atlassian-python-api", which, "atlassian_python_api.py", place)
    assert said == expected.ATLASSIAN
    asked = emulator.asked()
    assert asked.calls == expected.ATLASSIAN_CALLS
    assert asked.callers == {("basic", dana.account_id)}


@pytest.mark.npm
@pytest.mark.parametrize("which", WHICH)
def test_jira_js_5(emulator: Emulator, dana: Login, which: Which) -> None:
    authentication = {"basic": {"email": dana.email, "apiToken": dana.secret}}
    package = "jira.js" if which == "pinned" else "jira.js-5"
    place = {"host": emulator.base, "package": package, "authentication": authentication}
    assert run_node(which, "jira_js.cjs", place) == expected.JIRA_JS_5
    asked = emulator.asked()
    assert asked.calls == expected.JIRA_JS_5_CALLS
    assert asked.callers == {("basic", dana.account_id)}


@pytest.mark.npm
def test_jira_js_from_6_on_finds_every_answer_of_the_right_shape(
    emulator: Emulator, dana: Login
) -> None:
    auth = {"type": "basic", "email": dana.email, "apiToken": dana.secret}
    place = {"host": emulator.base, "auth": auth}
    assert run_node("newest", "jira_js_6.mjs", place) == expected.JIRA_JS_6
    asked = emulator.asked()
    assert asked.calls == expected.JIRA_JS_6_CALLS
    assert asked.callers == {("basic", dana.account_id)}


@pytest.mark.npm
@pytest.mark.parametrize("which", WHICH)
def test_jira_client(emulator: Emulator, dana: Login, which: Which) -> None:
    said = run_node(which, "jira_client.cjs", jira_client_place(emulator, dana))
    assert said == expected.jira_client(legacy=False)
    asked = emulator.asked()
    assert asked.calls == expected.jira_client_calls(legacy=False)
    assert asked.callers == {("basic", dana.account_id)}


@pytest.mark.npm
@pytest.mark.parametrize("which", WHICH)
def test_jira_client_finds_issues_where_the_old_search_is_on(
    legacy: Emulator, which: Which
) -> None:
    said = run_node(which, "jira_client.cjs", jira_client_place(legacy, legacy.login("dana")))
    assert said == expected.jira_client(legacy=True)
    assert legacy.asked().calls == expected.jira_client_calls(legacy=True)


def jira_client_place(emulator: Emulator, login: Login) -> dict[str, object]:
    parts = urlsplit(emulator.base)
    pair = {"username": login.email, "password": login.secret}
    return {"options": {"host": parts.hostname, "port": str(parts.port), **pair}}
