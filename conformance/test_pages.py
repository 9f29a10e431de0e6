"""Every page of the server, walked in Debian's Chromium by keyboard, most of it without scripts.

Each page is looked at in light and in dark, on a wide and on a narrow window; axe-core finds
nothing wrong with it, the browser's console nothing to complain of, and nothing outside of this
machine is asked. Pictures go to the folder that ``SCREENSHOTS`` names, or to pytest's own.
"""

import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from pydantic import SecretStr

from conformance.chromium import Chromium, chromium
from conformance.tab import Tab
from runtime.identity.oauth.values import Distribution, OAuthClient
from runtime.policy.customer_egress import Choices
from runtime.server.customer_egress import choices_of
from runtime.server.net.page_edges import PageOptions
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.flows.browser import authorize_path
from tests.flows.conftest import Bench
from tests.flows.connect_app import ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.serving import served
from tests.flows.test_customer_remotes import deploy

pytestmark = [pytest.mark.npm, pytest.mark.chromium]

AXE = "axe-core@4.14.1"
INSTALL_S = 300
ACCESS_TOKEN = "fbk_ctl_" + "7" * 64
ACCOUNT = "/_firebrick/account"
APPS = f"{ACCOUNT}/apps"
TOKENS = f"{ACCOUNT}/tokens"
ADMIN = "/_firebrick/admin"
NARROW = 320
APP_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>App</title>
<script src="{host}/all.js"></script>
<h1>Hello</h1><p id="said">…</p>
<script>
(async () => {{
  const {{ body }} = await AP.request("/rest/api/3/myself");
  const token = await AP.context.getToken();
  const refused = await AP.request("/rest/api/3/announcementBanner").catch((error) => error.err);
  AP.events.on("told", (data) => {{
    document.getElementById("said").textContent = JSON.parse(body).displayName;
    AP.flag.create({{ title: JSON.parse(body).displayName, type: "success",
      body: `${{token.split(".").length}} parts, ${{refused}}, ${{data.n}}` }});
  }});
  AP.events.emit("told", {{ n: 7 }});
}})();
</script>"""

DIALOG_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>App</title>
<script src="{host}/all.js"></script>
<h1>Hello</h1>
<script>
(async () => {{
  const say = (body) => AP.flag.create({{ title: "App", body }});
  if (location.pathname === "/ask") {{
    const {{ n }} = await AP.dialog.getCustomData();
    const {{ body }} = await AP.request("/rest/api/3/myself");
    if (n === 1) say(`asked ${{n}} by ${{JSON.parse(body).displayName}}`);
    else AP.dialog.close({{ answer: n * 21 }});
    return;
  }}
  AP.dialog.create({{ key: "ask", header: "One question", customData: {{ n: 1 }} }})
    .on("close", (first) => {{
      say(`first ${{first === undefined}}`);
      AP.dialog.create({{ key: "ask", customData: {{ n: 2 }} }})
        .on("close", (data) => say(`second ${{data.answer}}`));
    }});
}})();
</script>"""
DIALOG_MODULES = {
    "generalPages": [{"key": "hello", "url": "/hello", "name": {"value": "Hello"}}],
    "dialogs": [{"key": "ask", "url": "/ask", "name": {"value": "Ask"}}],
}


class Elsewhere(BaseHTTPRequestHandler):
    """Another origin of this machine: an app's callback, and a page that frames what it is told."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        of = unquote(parts.query.removeprefix("of="))
        body = f'<iframe title="framed" src="{escape(of)}"></iframe>' if of != parts.query else ""
        page = f'<!doctype html><html lang="en"><title>Elsewhere</title><h1>The app</h1>{body}'
        self.send_response(200)
        self.send_header("content-type", "text/html;charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Walk:
    """A tab, the server it is at, and where pictures go."""

    bench: Bench
    base: str
    elsewhere: str
    tab: Tab
    shots: Path

    def open(self, path: str) -> None:
        self.tab.open(self.base + path)

    def sign_in(self, name: str) -> None:
        """Pick a person by keyboard and press the button."""
        self.tab.tab_to("Amy Admin")
        for _ in range(10):
            now = self.tab.focused()
            assert now is not None
            if now["name"].startswith(name):
                break
            self.tab.press("ArrowDown")
        self.tab.press(" ")
        self.tab.activate("Sign in")

    def look(self, name: str, status: str = "") -> None:
        """Look at the page in every way; whatever is wrong with it fails here."""
        tab = self.tab
        for scheme in ("light", "dark"):
            tab.look_at(NARROW, scheme=scheme)
            assert tab.overflow() == [], f"{name} scrolls sideways"
            tab.screenshot(self.shots / f"{name}-{scheme}-narrow.png")
            tab.look_at(1280, scheme=scheme)
            tab.screenshot(self.shots / f"{name}-{scheme}.png")
            assert tab.violations() == [], f"{name} in {scheme}"
        tab.look_at(1280)
        assert tab.evaluate("document.documentElement.lang") == "en"
        assert tab.title.endswith(" - Firebrick")
        headers = tab.headers()
        for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert part in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        if status:
            assert status in tab.text

    def authorize(self, client: OAuthClient, **changes: str | None) -> None:
        self.open(authorize_path(client.client_id, **({"redirect_uri": self.callback} | changes)))

    @property
    def callback(self) -> str:
        return f"{self.elsewhere}/callback"

    def app(self, name: str = "Notes", distribution: Distribution = "shared") -> OAuthClient:
        client, _ = self.bench.firebrick.oauth.clients.create(
            name,
            self.bench.firebrick.find_person("dana").account_id,
            scopes=frozenset({"read:jira-work", "read:jira-user", "read:me"}),
            callback_urls=(self.callback,),
            distribution=distribution,
        )
        return client


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("axe")
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), AXE]
    subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_S)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def walk(
    tmp_path: Path, browser: Chromium, axe: str, elsewhere: str, shots: Path
) -> Iterator[Walk]:
    """A fresh state and a fresh tab that runs no script; after the walk, nothing was wrong."""
    with (
        open_firebrick(Settings(state=tmp_path / "state")) as firebrick,
        served(firebrick, PageOptions(SecretStr(ACCESS_TOKEN))) as base,
    ):
        browser.call("Storage.clearCookies")
        tab = Tab(browser, axe)
        yield Walk(Bench(firebrick), base, elsewhere, tab, shots)
        complaints, hosts = tab.complaints(), tab.asked_hosts()
        tab.close()
        assert complaints == []
        assert hosts == {"127.0.0.1"}


def test_the_start_page_leads_to_the_others(walk: Walk) -> None:
    walk.open("/")
    walk.look("start", "Dana Developer")
    walk.tab.activate("Connect apps")
    assert walk.tab.address == f"{walk.base}/connect"
    walk.tab.activate("Firebrick")
    assert walk.tab.address == f"{walk.base}/"


def test_consent_by_keyboard_alone_without_any_script(walk: Walk) -> None:
    walk.tab.scripts(on=False)
    client = walk.app()
    walk.authorize(client)
    walk.sign_in("Vera Viewer")
    assert "Notes asks for access" in walk.tab.text
    site = walk.tab.tab_to("acme.atlassian.net")
    assert (site["tag"], site["type"]) == ("input", "radio")
    walk.tab.activate("Accept")
    address = urlsplit(walk.tab.address)
    answer = parse_qs(address.query)
    assert walk.tab.address.startswith(f"{walk.callback}?")
    assert answer["state"] == ["s1"]
    assert answer["code"][0].startswith("fbk_")
    (grant,) = walk.bench.firebrick.oauth.grants.list()
    assert grant.account_id == walk.bench.firebrick.find_person("vera").account_id


def test_deny_and_another_account_by_keyboard_alone(walk: Walk) -> None:
    walk.tab.scripts(on=False)
    client = walk.app()
    walk.authorize(client)
    walk.sign_in("Vera Viewer")
    walk.tab.activate("Use another account")
    walk.sign_in("Dana Developer")
    assert "dana@acme.example" in walk.tab.text
    walk.tab.activate("Deny")
    answer = parse_qs(urlsplit(walk.tab.address).query)
    assert (answer["error"], answer["state"]) == (["access_denied"], ["s1"])
    assert walk.bench.firebrick.oauth.grants.list() == ()


def test_the_pages_of_consent(walk: Walk) -> None:
    private, shared = walk.app("Mine", "private"), walk.app()
    walk.authorize(shared)
    walk.look("sign-in", "Pick who you are.")
    walk.sign_in("Dana Developer")
    walk.look("consent-not-reviewed", "Not reviewed.")
    walk.authorize(private)
    walk.look("consent-developer-mode", "Developer mode.")
    walk.authorize(shared, scope="read:me")
    walk.look("consent-without-a-site", "View your name")


def test_the_pages_of_faults(walk: Walk) -> None:
    client = walk.app()
    walk.open(APPS)
    walk.sign_in("Vera Viewer")
    for name, changes, words in (
        (
            "fault-callback",
            {"redirect_uri": f"https://evil.test/{'x' * 200}"},
            "Callback URL mismatch",
        ),
        ("fault-scope", {"scope": "write:jira-work"}, "have not been added to the app"),
        ("fault-incomplete", {"audience": None}, "incomplete or invalid"),
    ):
        walk.authorize(client, **changes)
        walk.look(name, words)
    walk.open(f"{ACCOUNT}/nothing")
    walk.look("no-such-page", "There is nothing at this address.")
    walk.bench.firebrick.oauth.policy.set_user_apps_allowed(allowed=False)
    walk.authorize(client)
    walk.look("fault-organization", "admin blocks apps")


def test_connected_apps_are_seen_and_revoked_by_keyboard(walk: Walk) -> None:
    walk.tab.scripts(on=False)
    walk.open(APPS)
    walk.sign_in("Vera Viewer")
    walk.look("apps-none", "No app is connected.")
    walk.authorize(walk.app())
    walk.tab.activate("Accept")
    walk.open(APPS)
    walk.look("apps", "acme.atlassian.net")
    walk.tab.activate("Revoke Notes")
    assert "No app is connected." in walk.tab.text
    walk.tab.activate("Sign out")
    assert "Pick who you are." in walk.tab.text


def test_an_api_token_is_made_and_revoked_by_keyboard(walk: Walk) -> None:
    walk.tab.scripts(on=False)
    walk.open(TOKENS)
    walk.sign_in("Dana Developer")
    walk.tab.fill(Label="nightly", Days="30")
    walk.tab.activate("Create token")
    assert "fbk_pat_" in walk.tab.text
    walk.look("token-made", "It is shown this once")
    walk.tab.fill(Label="narrow", Days="7", Scopes="read:jira-wrk")
    walk.tab.activate("Create token")
    walk.look("token-fault", "Near it: read:jira-work")
    walk.tab.fill(Scopes="read:jira-work")
    walk.tab.activate("Create token")
    walk.open(TOKENS)
    walk.look("tokens", "Valid on the gateway")
    walk.tab.activate("Revoke nightly")
    (left,) = [one for one in walk.bench.firebrick.api_tokens.list() if not one.revoked]
    assert (left.label, left.scopes) == ("narrow", frozenset({"read:jira-work"}))


def test_the_pages_of_admins_by_keyboard(walk: Walk) -> None:
    walk.tab.scripts(on=False)
    client = walk.app()
    firebrick = walk.bench.firebrick
    walk.authorize(client)
    walk.sign_in("Vera Viewer")
    walk.tab.activate("Accept")
    walk.open(ADMIN)
    walk.look("admin-refused", "Only admins see this page")
    walk.tab.activate("Use another account")
    walk.sign_in("Amy Admin")
    walk.look("admin-site", "Used by Vera Viewer")
    walk.tab.activate("Block Notes")
    walk.look("admin-site-blocked", "refused")
    walk.tab.activate("Unblock Notes")
    walk.tab.activate("Block every app on this site")
    walk.look("admin-site-closed", "Every OAuth app is refused on this site.")
    walk.tab.activate("Let apps in again")
    walk.tab.activate("Organization")
    walk.look("admin-organization", "May people allow OAuth apps by themselves?")
    walk.tab.tab_to("Yes")
    walk.tab.press("ArrowDown")
    walk.tab.activate("Save consent rule")
    assert not firebrick.oauth.policy.user_apps_allowed()
    walk.tab.fill(Longest_life="0")
    walk.tab.scripts(on=True)
    walk.tab.evaluate("document.querySelector('#max_days').form.noValidate = true")
    walk.tab.activate("Save token rules")
    walk.look("admin-organization-fault", "1 to 365 days")
    walk.tab.fill(Longest_life="30")
    walk.tab.activate("Save token rules")
    assert firebrick.token_policies.find().max_days == 30
    walk.tab.activate("Block every app everywhere")
    walk.look("admin-organization-closed", "refused in the whole organization")
    walk.tab.activate("Let apps in again")
    walk.tab.activate("Uninstall Notes")
    assert firebrick.oauth.grants.list() == ()
    walk.tab.activate("acme.atlassian.net")
    walk.look("admin-site-empty", "No OAuth app is in use on this site")


def test_the_page_of_what_apps_may_reach_by_keyboard(walk: Walk, tmp_path: Path) -> None:
    walk.tab.scripts(on=False)
    walk.open(ADMIN)
    walk.sign_in("Amy Admin")
    walk.tab.activate("what they may reach")
    walk.look("admin-egress-empty", "No Forge app on this site lets you add")
    version = deploy(walk.bench, tmp_path)
    walk.open(f"{ADMIN}/sites/{walk.bench.cloud_id}/egress")
    walk.look("admin-egress", "Nobody has said where it is.")
    walk.tab.fill(Key="own", Description="Our own server", Domains="10.0.0.1")
    walk.tab.activate("Approve group for roaming")
    walk.look("admin-egress-fault", "cannot be added")
    walk.tab.fill(Domains="api.example.com *.a-long-name-of-a-domain-that-one-may-add.example.com")
    walk.tab.activate("Approve group for roaming")
    walk.tab.fill(Address_of_Your_server="https://a.customer.example")
    walk.tab.activate("Set address of Your server")
    walk.look("admin-egress-set", "It is at https://a.customer.example/")
    chosen = choices_of(walk.bench.firebrick, version, walk.bench.cloud_id)
    assert [len(one.entries) for one in chosen.groups] == [2]
    assert dict(chosen.endpoints) == {"own": "https://a.customer.example/"}
    walk.tab.activate("Reset address of Your server")
    walk.tab.activate("Remove https://api.example.com from own")
    walk.tab.activate("Remove group own")
    assert choices_of(walk.bench.firebrick, version, walk.bench.cloud_id) == Choices()


def test_the_developer_console_by_keyboard(walk: Walk) -> None:
    walk.open("/console")
    walk.look("console-sign-in", "access token")
    walk.tab.fill(Access_token="wrong")
    walk.tab.activate("Open the console")
    walk.look("console-refused", "This is not the access token")
    walk.tab.fill(Access_token=ACCESS_TOKEN)
    walk.tab.activate("Open the console")
    walk.look("console-empty", "There is no app yet.")
    walk.tab.fill(Name="Notes")
    walk.tab.activate("Create")
    walk.look("console-created", "The app's secret.")
    (client,) = walk.bench.firebrick.oauth.clients.list()
    walk.tab.tab_to("read:jira-work")
    walk.tab.press(" ")
    walk.tab.activate("Save permissions")
    walk.tab.fill(Callback_URLs=f"http://evil.test/\n{walk.callback}")
    walk.tab.activate("Save callback URLs")
    walk.look("console-fault", "http on localhost")
    walk.tab.fill(Callback_URLs=walk.callback)
    walk.tab.activate("Save callback URLs")
    walk.tab.tab_to("Private")
    walk.tab.press("ArrowDown")
    walk.tab.activate("Save distribution")
    walk.look("console-app", "Authorize address")
    walk.tab.activate("Make a new secret")
    assert "fbk_sec_" in walk.tab.text
    after = walk.bench.firebrick.oauth.clients.get(client.client_id)
    assert (after.scopes, after.callback_urls) == ({"read:jira-work"}, (walk.callback,))
    assert after.distribution == "shared"
    walk.open("/console")
    walk.look("console-list", "1 scope")
    walk.open("/console/apps/" + "0" * 32)
    walk.look("console-missing", "no such app")


def test_the_pages_of_connect_apps_and_the_bridge(walk: Walk) -> None:
    walk.open("/connect")
    walk.look("connect-none", "None yet.")
    with running(ConnectApp(page=APP_PAGE.format(host=walk.base), scopes=["READ"])) as app:
        Connected(walk.bench, walk.base, app).install()
        walk.open("/connect")
        walk.look("connect-list", "Helper")
        walk.tab.activate("Hello")
        walk.look("connect-choice", "Open this page as")
        walk.tab.tab_to("Open this page as")
        walk.tab.activate("Open")
        walk.tab.wait_for("3 parts, 403, 7")
        walk.look("connect-page", "seen as Amy Admin")
        assert walk.tab.child_frames()[0].startswith(f"{app.url}/hello?")
        walk.open("/plugins/servlet/ac/com.example.helper/none")
        walk.look("connect-missing", "There is no such page")


def test_a_dialog_of_a_connect_app(walk: Walk) -> None:
    page = DIALOG_PAGE.format(host=walk.base)
    with running(ConnectApp(page=page, scopes=["READ"], modules=DIALOG_MODULES)) as app:
        Connected(walk.bench, walk.base, app).install()
        walk.open("/plugins/servlet/ac/com.example.helper/hello")
        walk.tab.tab_to("Open this page as")
        walk.tab.activate("Open")
        walk.tab.wait_for("asked 1 by Amy Admin")
        walk.look("connect-dialog", "One question")
        focused = walk.tab.focused()
        assert focused is not None
        assert (focused["name"], focused["seen"]) == ("Close", True)
        walk.tab.press("Enter")
        walk.tab.wait_for("first true")
        walk.tab.wait_for("second 42")
        assert walk.tab.evaluate("document.querySelectorAll('dialog').length") == 0


def test_no_page_lets_itself_be_framed(walk: Walk) -> None:
    client = walk.app()
    walk.open(APPS)
    walk.sign_in("Vera Viewer")
    consent = authorize_path(client.client_id, redirect_uri=walk.callback)
    own = (consent, f"{ACCOUNT}/sign-in", APPS, TOKENS, ADMIN)
    for path in ("/", *own, "/console", "/connect"):
        walk.tab.open(f"{walk.elsewhere}/frame?of={quote(walk.base + path, safe='')}")
        (complaint,) = walk.tab.take_complaints()
        assert f"Framing '{walk.base}/' violates" in complaint, path
        assert "frame-ancestors 'none'" in complaint, path
        (framed,) = walk.tab.child_frames()
        assert framed.startswith(walk.base)
