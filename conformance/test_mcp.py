"""mcp-atlassian: what it asks depends on the name of the host it is given."""

from collections.abc import Iterator
from typing import Any  # JSON

import pytest

from conformance import expected
from conformance.emulator import Emulator, Login, emulating
from conformance.environment import WHICH, Which
from conformance.oauth_desk import Desk
from conformance.running import run_python

SITE = "https://acme.atlassian.net"
SECURE = ("--tls-port", "0", "--proxy-port", "0")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("mcp")
    with emulating(folder, *SECURE, legacy_search="true") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def dana(emulator: Emulator) -> Login:
    return emulator.login("dana")


def check(said: dict[str, Any]) -> None:
    key = said["created"]["issue"]["key"]
    assert key.startswith("TEAM-")
    assert said["comment"]["author"] == "Dana Developer"
    assert said["comment"]["body"] == "hi"
    issue = {name: said["issue"][name] for name in ("key", "summary", "description")}
    assert issue == {"key": key, "summary": "By mcp-atlassian", "description": "plain"}
    assert said["issue"]["status"]["name"] == "In Progress"
    assert [one["key"] for one in said["found"]["issues"]] == [key]
    assert "error" in said["hidden"]


@pytest.mark.parametrize("which", WHICH)
def test_at_a_loopback_address_it_believes_to_face_data_center(
    emulator: Emulator, dana: Login, which: Which
) -> None:
    env = {"JIRA_URL": emulator.base, "JIRA_USERNAME": dana.email, "JIRA_API_TOKEN": dana.secret}
    check(run_python("mcp-atlassian", which, "mcp_client.py", {"env": env}))
    asked = emulator.asked()
    assert ("searchForIssuesUsingJql", 200) in asked.calls
    assert expected.FOUND not in dict(asked.calls)
    assert asked.callers == {("basic", dana.account_id)}


@pytest.mark.parametrize("which", WHICH)
def test_under_the_sites_own_name_it_faces_cloud(
    emulator: Emulator, dana: Login, which: Which
) -> None:
    login = {"JIRA_USERNAME": dana.email, "JIRA_API_TOKEN": dana.secret}
    env = {**emulator.names, "JIRA_URL": SITE, **login}
    said = run_python("mcp-atlassian", which, "mcp_client.py", {"env": env})
    asked = emulator.asked()
    check(said)
    assert (expected.POSTED, 200) in asked.calls
    assert "searchForIssuesUsingJql" not in dict(asked.calls)
    assert asked.callers == {("basic", dana.account_id)}


@pytest.mark.parametrize("which", WHICH)
def test_with_an_oauth_token_it_asks_the_gateway(emulator: Emulator, which: Which) -> None:
    desk = Desk.open(emulator, f"MCP {which}")
    env = {
        **emulator.names,
        "JIRA_URL": SITE,
        "ATLASSIAN_OAUTH_CLOUD_ID": emulator.cloud_id,
        "ATLASSIAN_OAUTH_ACCESS_TOKEN": desk.tokens()["access_token"],
        "JIRA_SSL_VERIFY": "false",  # it does not read where trusted authorities are
        "MCP_ALLOWED_URL_DOMAINS": "atlassian.net,atlassian.com",
    }
    said = run_python("mcp-atlassian", which, "mcp_client.py", {"env": env})
    asked = emulator.asked()
    check(said)
    assert (expected.POSTED, 200) in asked.calls
    assert asked.callers == {("oauth", desk.dana.account_id)}
