"""Libraries that sign as a Connect app, as their documentation says; the app itself is a test's."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any  # JSON
from urllib.parse import urlsplit

import httpx
import pytest

from conformance import expected
from conformance.emulator import Emulator, emulating
from conformance.environment import WHICH, Which
from conformance.running import run_node, run_python
from runtime.identity.connect.qsh import url_hash
from tests.flows.connect_app import ConnectApp, running
from tests.identity.connect.test_qsh import VECTORS

ODD = [  # what is written in two ways at least, and still one request
    ["GET", "/a/"],
    ["POST", "/rest/api/3/issue?updateHistory=false"],
    ["GET", "/p?a=1%2C2&a=3&A=0&empty="],
    ["GET", "/p?q=%C3%A4%20%2B~&jwt=left.out"],
]
PATHS = [
    "/rest/api/3/myself",
    "/rest/api/3/search/jql?jql=project%20%3D%20TEAM&fields=summary,status&maxResults=1",
    "/rest/api/3/issue/TEAM-1?fields=summary%2Cstatus&expand=names",
    "/rest/api/3/user/search?query=dana%2B%20*~!()'&maxResults=1",
]
JWT_LIBRARIES = ["atlassian-jwt", "@atlassian/atlassian-jwt"]
AS_APP = {"me": "Helper"}


@dataclass
class Tenant:
    """An app that is installed."""

    emulator: Emulator
    app: ConnectApp

    @property
    def account_id(self) -> str:
        """The account of the app."""
        answer = self.app.ask("GET", "/rest/api/3/myself")
        self.emulator.asked()  # that was no client
        account_id: str = answer.json()["accountId"]
        return account_id

    def place(self, **more: object) -> dict[str, Any]:
        """Return what a script needs to know."""
        secret, client_key = self.app.tenant["sharedSecret"], self.app.tenant["clientKey"]
        known = {"site": self.emulator.base, "key": self.app.key, "secret": secret}
        return {**known, "clientKey": client_key, **more}

    def frame(self) -> str:
        """Open the app's page as dana; return where the frame in it leads."""
        page = httpx.post(
            f"{self.emulator.base}/plugins/servlet/ac/{self.app.key}/hello",
            data={"as": "dana"},
            headers={"origin": self.emulator.base},
        )
        found = re.search(r'src="([^"]+/hello[^"]*)"', page.text)
        assert found is not None, page.text
        parts = urlsplit(unescape(found.group(1)))
        return f"{parts.path}?{parts.query}"


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    folder = tmp_path_factory.mktemp("connect")
    with emulating(folder) as emulator, running(ConnectApp()) as app:
        url = app.descriptor_url
        emulator.say("connect", "install", url, "--yes", "--base-url", emulator.base)
        yield Tenant(emulator, app)


@pytest.fixture(scope="module")
def app_account(tenant: Tenant) -> str:
    return tenant.account_id


def signing_place(tenant: Tenant, **more: object) -> dict[str, Any]:
    vectors = [[method, url] for method, url, _, _ in VECTORS] + ODD
    return tenant.place(vectors=vectors, paths=PATHS, frame=tenant.frame(), **more)


def check_signing(tenant: Tenant, said: dict[str, Any], app_account: str) -> None:
    known = [digest for _, _, _, digest in VECTORS]
    assert said["hashes"] == known + [url_hash(method, url) for method, url in ODD]
    assert said["statuses"] == [200] * len(PATHS)
    assert said["forged"] == 401
    assert said["frame"] == tenant.app.tenant["clientKey"]
    asked = tenant.emulator.asked()
    assert asked.calls[-len(PATHS) - 1 :] == [
        ("getCurrentUser", 200),
        (expected.FOUND, 200),
        ("getIssue", 200),
        ("findUsers", 200),
        ("getCurrentUser", 401),
    ]
    assert ("connect", app_account) in asked.callers


@pytest.mark.parametrize("which", WHICH)
def test_atlassian_jwt_of_pypi(tenant: Tenant, app_account: str, which: Which) -> None:
    place = signing_place(tenant)
    said = run_python("atlassian-jwt", which, "atlassian_jwt_client.py", place)
    assert said.pop("moved") == "refused"
    check_signing(tenant, said, app_account)


@pytest.mark.npm
@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("library", JWT_LIBRARIES)
def test_the_jwt_packages_of_npm(
    tenant: Tenant, app_account: str, library: str, which: Which
) -> None:
    said = run_node(which, "atlassian_jwt.cjs", signing_place(tenant, library=library))
    assert said.pop("believed") == [True, True]
    check_signing(tenant, said, app_account)


@pytest.mark.parametrize("which", WHICH)
def test_jira_as_an_app(tenant: Tenant, app_account: str, which: Which) -> None:
    said = run_python("jira", which, "jira_client.py", tenant.place())
    assert said == expected.JIRA | AS_APP
    asked = tenant.emulator.asked()
    assert asked.calls == expected.JIRA_CALLS
    assert asked.callers == {("connect", app_account)}


@pytest.mark.npm
@pytest.mark.parametrize("which", WHICH)
def test_jira_js_5_as_an_app(tenant: Tenant, app_account: str, which: Which) -> None:
    secret = tenant.app.tenant["sharedSecret"]
    authentication = {"jwt": {"issuer": tenant.app.key, "secret": secret}}
    package = "jira.js" if which == "pinned" else "jira.js-5"
    place = {"host": tenant.emulator.base, "package": package, "authentication": authentication}
    said = run_node(which, "jira_js.cjs", place)
    assert said == {name: one | AS_APP for name, one in expected.JIRA_JS_5.items()}
    asked = tenant.emulator.asked()
    assert asked.calls == expected.JIRA_JS_5_CALLS
    assert asked.callers == {("connect", app_account)}
