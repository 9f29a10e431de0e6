"""OAuth clients: the whole flow by those that have it, the gateway by those that bring a token."""

from collections.abc import Iterator
from typing import Any  # JSON
from urllib.parse import urlsplit

import httpx
import pytest

from conformance import expected
from conformance.emulator import Emulator, emulating
from conformance.environment import WHICH, Which
from conformance.oauth_desk import Desk
from conformance.running import run_node, run_python

SITE = "https://acme.atlassian.net"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulating(tmp_path_factory.mktemp("oauth")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def desk(emulator: Emulator) -> Desk:
    return Desk.open(emulator, "Clients")


@pytest.fixture(scope="module")
def unattended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with emulating(tmp_path_factory.mktemp("unattended"), "--auto-consent", "dana") as emulator:
        yield Desk.open(emulator, "Clients")


@pytest.fixture(scope="module")
def tokens(desk: Desk) -> dict[str, Any]:
    return desk.tokens()


def said_as_dana(desk: Desk, calls: object) -> None:
    """Check what was asked, and that it was asked as dana, by OAuth."""
    asked = desk.emulator.asked()
    assert asked.calls == calls
    assert asked.callers == {("oauth", desk.dana.account_id)}


@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize(("pkce", "include"), [(False, None), (True, True)])
def test_requests_oauthlib(desk: Desk, which: Which, pkce: bool, include: bool | None) -> None:
    place = desk.place(pkce=pkce, include=include)
    script = "requests_oauthlib_client.py"
    said = run_python(
        "requests-oauthlib", which, script, place, desk.consent, OAUTHLIB_INSECURE_TRANSPORT="1"
    )
    assert said == {
        "state": True,
        "me": "Dana Developer",
        "site": SITE,
        "issue": "TEAM-1",
        "rotated": 3,
        "renewed": [200, "TEAM-2"],
        "refused": 401,
    }
    asked = desk.emulator.asked()
    assert asked.rules == [
        "consent.approved",
        "credential.token-issued",
        "allowed",
        "credential.token-issued",
        "credential.token-issued",
        "allowed",
        "scope.unconsented",
    ]
    assert asked.callers == {("oauth", desk.dana.account_id)}


@pytest.mark.parametrize("which", WHICH)
def test_no_page_is_needed_where_somebody_consents_to_everything(
    unattended: Desk, which: Which
) -> None:
    def opened(url: str) -> str:
        location: str = httpx.get(url).headers["location"]
        return location

    said = run_python("Authlib", which, "authlib_client.py", unattended.place(), opened)
    assert {one["me"] for one in said.values()} == {"Dana Developer"}
    assert unattended.emulator.asked().rules.count("consent.approved") == len(said)


@pytest.mark.parametrize("which", WHICH)
def test_authlib(desk: Desk, which: Which) -> None:
    said = run_python("Authlib", which, "authlib_client.py", desk.place(), desk.consent)
    assert said == {
        f"{kind} client_secret_{method}": {
            "me": "Dana Developer",
            "site": SITE,
            "scope": ["offline_access", "read:jira-work", "read:me"],
            "rotated": True,
            "issue": [200, "TEAM-1"],
        }
        for kind in ("requests_client", "httpx_client")
        for method in ("basic", "post")
    }
    asked = desk.emulator.asked()
    talk = ["consent.approved", "credential.token-issued", "credential.token-issued", "allowed"]
    assert asked.rules == talk * 4
    assert asked.callers == {("oauth", desk.dana.account_id)}


@pytest.mark.parametrize("which", WHICH)
def test_jira_at_the_gateway(desk: Desk, tokens: dict[str, Any], which: Which) -> None:
    place = {"gateway": desk.emulator.gateway, "bearer": tokens["access_token"]}
    assert run_python("jira", which, "jira_client.py", place) == expected.JIRA
    said_as_dana(desk, expected.JIRA_CALLS)


@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("way", ["token", "oauth2"])
def test_atlassian_python_api_at_the_gateway(
    desk: Desk, tokens: dict[str, Any], which: Which, way: str
) -> None:
    session = {"client_id": desk.client, "token": tokens}
    shown = {"oauth2": session} if way == "oauth2" else {"bearer": tokens["access_token"]}
    place = {"gateway": desk.emulator.gateway, **shown}
    script = "atlassian_python_api.py"
    said = run_python("atlassian-python-api", which, script, place, OAUTHLIB_INSECURE_TRANSPORT="1")
    assert said == expected.ATLASSIAN
    said_as_dana(desk, expected.ATLASSIAN_CALLS)


@pytest.mark.npm
@pytest.mark.parametrize("which", WHICH)
def test_jira_js_5_at_the_gateway(desk: Desk, tokens: dict[str, Any], which: Which) -> None:
    authentication = {"oauth2": {"accessToken": tokens["access_token"]}}
    package = "jira.js" if which == "pinned" else "jira.js-5"
    place = {"host": desk.emulator.gateway, "package": package, "authentication": authentication}
    assert run_node(which, "jira_js.cjs", place) == expected.JIRA_JS_5
    said_as_dana(desk, expected.JIRA_JS_5_CALLS)


@pytest.mark.npm
def test_jira_js_from_6_on_at_the_gateway(desk: Desk, tokens: dict[str, Any]) -> None:
    auth = {"type": "bearer", "token": tokens["access_token"]}
    place = {"host": desk.emulator.gateway, "auth": auth}
    assert run_node("newest", "jira_js_6.mjs", place) == expected.JIRA_JS_6
    said_as_dana(desk, expected.JIRA_JS_6_CALLS)


@pytest.mark.npm
@pytest.mark.parametrize("which", WHICH)
def test_jira_client_at_the_gateway(desk: Desk, tokens: dict[str, Any], which: Which) -> None:
    parts = urlsplit(desk.emulator.gateway)
    where = {"host": parts.hostname, "port": str(parts.port), "base": parts.path.strip("/")}
    options = {**where, "bearer": tokens["access_token"]}
    said = run_node(which, "jira_client.cjs", {"options": options})
    assert said == expected.jira_client(legacy=False)
    said_as_dana(desk, expected.jira_client_calls(legacy=False))
