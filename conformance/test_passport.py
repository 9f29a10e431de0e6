"""passport-atlassian-oauth2 in an Express app; the person's browser goes between app and pages."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from conformance.emulator import Emulator, emulating
from conformance.environment import WHICH, Which
from conformance.oauth_desk import Desk
from conformance.running import environment_with, script_of

pytestmark = pytest.mark.npm

OPTIONS = {
    "plain": {},
    "state": {"state": True},
    "pkce": {"state": True, "pkce": True},
    "fixed": {"state": True},  # this one is not told where the emulator is
}
AUTHORIZATION_HOST = "https://auth.atlassian.com"
WAITS = 300  # of a tenth of a second


@dataclass
class Visit:
    """A person at the app."""

    url: str
    desk: Desk
    browser: httpx.Client

    def begin(self, strategy: str) -> str:
        """Press the app's log-in button; return where it leads."""
        answer = self.browser.get(f"{self.url}/auth/{strategy}")
        assert answer.status_code == 302
        location: str = answer.headers["location"]
        assert location.startswith(AUTHORIZATION_HOST) == (strategy == "fixed")
        return location.replace(AUTHORIZATION_HOST, self.desk.emulator.base)

    def come_back(self, redirect: str) -> httpx.Response:
        """Follow the redirect to the app's callback."""
        assert redirect.startswith(f"{self.url}/auth/")
        return self.browser.get(redirect)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulating(tmp_path_factory.mktemp("passport"), "--tls-port", "0") as emulator:
        yield emulator


@pytest.fixture(scope="module", params=WHICH)
def app(emulator: Emulator, request: pytest.FixtureRequest) -> Iterator[tuple[str, Desk]]:
    which: Which = request.param
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    callbacks = [f"{url}/auth/{name}/callback" for name in OPTIONS]
    desk = Desk.open(emulator, f"Passport {which}", *callbacks)
    place = {"port": port, "base": emulator.base, "options": OPTIONS, "fixed": "fixed"}
    place |= {"clientID": desk.client, "clientSecret": desk.secret}
    command = ["node", str(script_of(which, "passport.cjs")), json.dumps(place)]
    process = subprocess.Popen(command, env=environment_with(emulator.names))
    try:
        wait_for(url, process)
        yield url, desk
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def visit(app: tuple[str, Desk]) -> Iterator[Visit]:
    with httpx.Client() as browser:
        yield Visit(*app, browser)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(WAITS):
        try:
            httpx.get(f"{url}/ready")
        except httpx.TransportError:
            assert process.poll() is None
            time.sleep(0.1)
        else:
            return
    raise AssertionError(url)


def asked_of(location: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(location).query)


@pytest.mark.parametrize("strategy", OPTIONS)
def test_a_person_logs_in_and_the_app_knows_who_it_is(visit: Visit, strategy: str) -> None:
    location = visit.begin(strategy)
    asked = asked_of(location)
    assert asked["scope"] == ["offline_access read:jira-work read:me"]
    assert ("state" in asked) == (strategy != "plain")
    assert ("code_challenge" in asked) == (strategy == "pkce")
    came = visit.come_back(visit.desk.consent(location))
    assert came.status_code == 200, came.text
    told = came.json()
    profile = {name: told["profile"][name] for name in ("id", "displayName", "provider")}
    account_id = visit.desk.dana.account_id
    assert profile == {"id": account_id, "displayName": "Dana Developer", "provider": "atlassian"}
    (site,) = told["profile"]["accessibleResources"]
    assert site["id"] == visit.desk.emulator.cloud_id
    assert told["refreshToken"]
    bearer = {"authorization": f"Bearer {told['accessToken']}"}
    issue = httpx.get(f"{visit.desk.emulator.gateway}/rest/api/3/issue/TEAM-1", headers=bearer)
    assert issue.json()["key"] == "TEAM-1"
    audited = visit.desk.emulator.asked()
    assert audited.rules == ["consent.approved", "credential.token-issued", "allowed"]
    assert audited.callers == {("oauth", account_id)}


def test_a_denial_is_a_failed_login(visit: Visit) -> None:
    redirect = visit.desk.consent(visit.begin("state"), "Deny")
    assert asked_of(redirect)["error"] == ["access_denied"]
    assert visit.come_back(redirect).status_code == 401
    assert visit.desk.emulator.asked().rules == ["consent.denied"]


def test_a_code_that_another_browser_asked_for_is_refused_by_the_app(visit: Visit) -> None:
    redirect = visit.desk.consent(visit.begin("state"))
    assert httpx.get(redirect).status_code == 403
    assert visit.desk.emulator.asked().rules == ["consent.approved"]


def test_a_code_is_good_once(visit: Visit) -> None:
    redirect = visit.desk.consent(visit.begin("plain"))
    assert visit.come_back(redirect).status_code == 200
    again = visit.come_back(redirect)
    assert (again.status_code, again.json()["code"]) == (500, "invalid_grant")
    rules = ["consent.approved", "credential.token-issued", "credential.token-refused"]
    assert visit.desk.emulator.asked().rules == rules
