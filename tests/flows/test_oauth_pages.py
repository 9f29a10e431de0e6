"""The server's pages, driven as a person would: forms are read from the HTML and sent."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from runtime.clock import ManualClock
from runtime.identity.oauth.values import OAuthClient
from runtime.identity.sessions import SESSION_S, Sessions
from runtime.server.net.page_edges import PageOptions
from tests.flows.browser import Browser, authorize_path
from tests.flows.conftest import Bench
from tests.flows.serving import served

CALLBACK = "https://app.example/callback"
ACCESS_TOKEN = "fbk_ctl_" + "7" * 64
APPS = "/_firebrick/account/apps"


@pytest.fixture
def base(bench: Bench) -> Iterator[str]:
    with served(bench.firebrick, PageOptions(SecretStr(ACCESS_TOKEN))) as url:
        yield url


@pytest.fixture
def browser(base: str) -> Browser:
    return Browser(base)


def make_app(bench: Bench, **values: object) -> tuple[OAuthClient, SecretStr]:
    settings = {
        "scopes": frozenset({"read:jira-work", "read:jira-user", "read:me"}),
        "callback_urls": (CALLBACK,),
        "distribution": "shared",
    }
    owner = bench.firebrick.find_person("dana").account_id
    return bench.firebrick.oauth.clients.create("Notes", owner, **(settings | values))  # type: ignore[arg-type]  # by keyword


def code_of(browser: Browser) -> str:
    assert browser.left_for.startswith(f"{CALLBACK}?")
    (code,) = parse_qs(urlsplit(browser.left_for).query)["code"]
    return code


def exchange(base: str, client: OAuthClient, secret: SecretStr, code: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "client_secret": secret.get_secret_value(),
        "code": code,
        "redirect_uri": CALLBACK,
    }
    return httpx.post(f"{base}/oauth/token", json=form)


def test_a_person_signs_in_consents_and_the_app_asks_in_their_name(
    bench: Bench, base: str, browser: Browser
) -> None:
    client, secret = make_app(bench)
    assert "Sign in" in browser.open(authorize_path(client.client_id)).text
    page = browser.sign_in(bench, "vera").text
    for text in ("Notes asks", "Vera Viewer", "acme.atlassian.net", "Not reviewed", "Jira</h2>",
                 "View projects, issues", "Your account</h2>", CALLBACK):  # fmt: skip
        assert text in page
    browser.press("Accept")
    assert browser.page.status_code == 302
    assert parse_qs(urlsplit(browser.left_for).query)["state"] == ["s1"]
    tokens = exchange(base, client, secret, code_of(browser)).json()
    assert set(tokens["scope"].split()) == {"read:jira-work", "read:me", "offline_access"}
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    me = httpx.get(f"{base}/me", headers=headers)
    assert me.json()["account_id"] == bench.firebrick.find_person("vera").account_id


def test_whoever_has_signed_in_is_not_asked_again(bench: Bench, browser: Browser) -> None:
    client, _ = make_app(bench)
    browser.open(authorize_path(client.client_id))
    browser.sign_in(bench, "vera")
    assert "asks for access" in browser.open(authorize_path(client.client_id)).text


def test_another_account_can_be_used_for_the_same_request(bench: Bench, browser: Browser) -> None:
    client, _ = make_app(bench)
    browser.open(authorize_path(client.client_id, state="kept"))
    browser.sign_in(bench, "vera")
    browser.press("Use another account")
    assert "Amy Admin" in browser.sign_in(bench, "amy").text
    browser.press("Accept")
    assert "state=kept" in browser.left_for


def test_a_denial_goes_back_to_the_app(bench: Bench, browser: Browser) -> None:
    client, _ = make_app(bench)
    browser.open(authorize_path(client.client_id))
    browser.sign_in(bench, "vera")
    browser.press("Deny")
    answer = parse_qs(urlsplit(browser.left_for).query)
    assert (answer["error"], answer["state"]) == (["access_denied"], ["s1"])
    assert bench.firebrick.oauth.grants.list() == ()


def test_consent_without_a_site_is_not_given(bench: Bench, browser: Browser) -> None:
    client, _ = make_app(bench)
    browser.open(authorize_path(client.client_id))
    browser.sign_in(bench, "vera")
    assert browser.press("Accept", site=[]).status_code == 400
    assert bench.firebrick.oauth.grants.list() == ()


def test_what_is_about_the_account_alone_asks_for_no_site(bench: Bench, browser: Browser) -> None:
    client, _ = make_app(bench)
    browser.open(authorize_path(client.client_id, scope="read:me"))
    assert "On which site" not in browser.sign_in(bench, "vera").text
    browser.press("Accept")
    assert code_of(browser)


def test_connected_apps_are_listed_and_revoked(bench: Bench, base: str, browser: Browser) -> None:
    client, secret = make_app(bench)
    browser.open(authorize_path(client.client_id))
    browser.sign_in(bench, "vera")
    browser.press("Accept")
    access = exchange(base, client, secret, code_of(browser)).json()["access_token"]
    page = browser.open(APPS).text
    assert "Notes" in page
    assert "acme.atlassian.net" in page
    assert "No app is connected" in browser.press("Revoke").text
    refused = httpx.get(f"{base}/me", headers={"authorization": f"Bearer {access}"})
    assert refused.status_code == 401


def test_signing_out_ends_the_session_on_the_server(bench: Bench, browser: Browser) -> None:
    browser.open(APPS)
    browser.sign_in(bench, "vera")
    kept = dict(browser.cookies)
    assert "Sign in" in browser.press("Sign out").text
    path = "/_firebrick/account/"
    for name, value in kept.items():
        browser.cookies.set(name, value, domain="127.0.0.1", path=path)
    assert "<h1>Sign in</h1>" in browser.open(APPS).text


def test_a_session_ends_after_a_working_day(bench: Bench) -> None:
    clock = ManualClock()
    sessions = Sessions(bench.firebrick.engine, clock, bench.firebrick.ids)
    token = sessions.open("account", "x")
    assert sessions.find("account", token) is not None
    assert sessions.find("console", token) is None
    clock.advance(SESSION_S)
    assert sessions.find("account", token) is None
    assert sessions.live_digests() == frozenset()


def test_an_unattended_run_consents_without_a_page(bench: Bench) -> None:
    client, secret = make_app(bench)
    options = PageOptions(auto_consent=bench.firebrick.find_person("vera"))
    with served(bench.firebrick, options) as base:
        browser = Browser(base)
        browser.open(authorize_path(client.client_id))
        assert exchange(base, client, secret, code_of(browser)).status_code == 200
        browser.open(authorize_path(client.client_id, redirect_uri="https://evil.test/"))
        assert (browser.page.status_code, browser.left_for) == (400, "")


# --- the developer console -----------------------------------------------------------------------


@pytest.fixture
def console(bench: Bench, browser: Browser) -> Browser:
    browser.open("/console")
    dana = bench.firebrick.find_person("dana").account_id
    browser.press("Open the console", access_token=ACCESS_TOKEN, account=dana)
    return browser


def test_an_app_is_made_set_up_and_deleted_by_pages(bench: Bench, console: Browser) -> None:
    clients = bench.firebrick.oauth.clients
    made = console.press("Create", name="Notes", grant_kind="resource").text
    (client,) = clients.list()
    assert client.grant_kind == "resource"
    assert made.count("fbk_sec_") == 1
    assert "fbk_sec_" not in console.open(f"/console/apps/{client.client_id}").text
    console.press("Save permissions", scope=["read:jira-work", "read:issue:jira", "read:me"])
    console.press("Save callback URLs", callback_urls=f"{CALLBACK}\r\n\r\nhttp://localhost:1/x ")
    console.press(
        "Save distribution", distribution="shared", vendor_name="Acme",
        privacy_policy_url="https://acme.example/privacy",
    )  # fmt: skip
    page = console.press("Save settings", name="Better notes").text
    after = clients.get(client.client_id)
    assert after.scopes == frozenset({"read:jira-work", "read:issue:jira", "read:me"})
    assert after.callback_urls == (CALLBACK, "http://localhost:1/x")
    assert (after.distribution, after.name, after.vendor_name) == ("shared", "Better notes", "Acme")
    assert after.privacy_policy_url == "https://acme.example/privacy"
    for heading in ("<legend>Jira API", "<legend>User identity API", "Granular scopes"):
        assert heading in page
    assert f"client_id={client.client_id}" in page
    console.press("Delete the app")
    assert clients.list() == ()


def test_who_is_asked_for_consent_sees_vendor_and_privacy_policy(
    bench: Bench, browser: Browser
) -> None:
    policy = "https://acme.example/privacy"
    client, _ = make_app(bench)
    bench.firebrick.oauth.clients.update(
        replace(client, vendor_name="Acme & Sons", privacy_policy_url=policy)
    )
    browser.open(authorize_path(client.client_id))
    page = browser.sign_in(bench, "vera")
    assert "By Acme &amp; Sons" in page.text
    assert policy in [tag.get("href") for tag in browser.tags("a")]


def test_the_console_warns_of_more_than_fifty_scopes(bench: Bench, console: Browser) -> None:
    granular = sorted(
        {one for operation in bench.firebrick.operations for need in operation.scopes
         for one in need if one.count(":") == 2}
    )  # fmt: skip
    client, _ = make_app(bench, scopes=frozenset(granular[:50]))
    path = f"/console/apps/{client.client_id}"
    assert "Over 50 scopes" not in console.open(path).text
    console.press("Save permissions", scope=granular[:51])
    assert "Over 50 scopes" in console.open(path).text


def test_after_an_edit_of_scopes_people_are_asked_anew(
    bench: Bench, base: str, browser: Browser
) -> None:
    client, secret = make_app(bench, scopes=frozenset({"read:jira-work"}))
    asking = authorize_path(client.client_id, scope="read:jira-work offline_access")
    browser.open(asking)
    browser.sign_in(bench, "vera")
    browser.press("Accept")
    tokens = exchange(base, client, secret, code_of(browser)).json()
    clients = bench.firebrick.oauth.clients
    clients.update(replace(client, scopes=frozenset({"read:jira-work", "read:jira-user"})))
    form = {
        "grant_type": "refresh_token", "client_id": client.client_id,
        "client_secret": secret.get_secret_value(), "refresh_token": tokens["refresh_token"],
    }  # fmt: skip
    renewed = httpx.post(f"{base}/oauth/token", data=form).json()
    assert set(renewed["scope"].split()) == {"read:jira-work", "offline_access"}
    myself = f"{base}/ex/jira/{bench.cloud_id}/rest/api/3/myself"
    bearer = {"authorization": f"Bearer {renewed['access_token']}"}
    assert httpx.get(myself, headers=bearer).status_code == 401
    browser.open(authorize_path(client.client_id, scope="read:jira-work read:jira-user"))
    browser.press("Accept")
    newer = exchange(base, client, secret, code_of(browser)).json()["access_token"]
    assert httpx.get(myself, headers={"authorization": f"Bearer {newer}"}).status_code == 200


def test_a_new_secret_kills_the_old_one(bench: Bench, console: Browser) -> None:
    client, secret = make_app(bench)
    console.open(f"/console/apps/{client.client_id}")
    assert "fbk_sec_" in console.press("Make a new secret").text
    assert bench.firebrick.oauth.clients.authenticate(client.client_id, secret) is None


def test_what_cannot_be_is_told_on_the_page(console: Browser) -> None:
    console.press("Create", name="Notes")
    bad = console.press("Save callback URLs", callback_urls="http://evil.test/")
    assert bad.status_code == 400
    assert "http on localhost" in bad.text
    assert "http://evil.test/</textarea>" in bad.text  # what was typed can be mended
    assert console.press("Save settings", name="").text.count("<h1>Notes</h1>") == 1
    console.open("/console")
    assert console.press("Create", name=" ").status_code == 400


def test_the_console_is_closed_without_the_access_token(bench: Bench, browser: Browser) -> None:
    dana = bench.firebrick.find_person("dana").account_id
    browser.open("/console")
    for wrong in ("", "x", "fbk_ctl_" + "0" * 64):
        page = browser.press("Open the console", access_token=wrong, account=dana)
        assert page.status_code == 403
    assert "Developer console</h1>" in browser.open("/console/apps/" + "0" * 32).text


def test_apps_of_others_do_not_exist(bench: Bench, console: Browser) -> None:
    owner = bench.firebrick.find_person("amy").account_id
    client, _ = bench.firebrick.oauth.clients.create("Hers", owner)
    assert "Hers" not in console.open("/console").text
    assert console.open(f"/console/apps/{client.client_id}").status_code == 404


@pytest.fixture
def api(base: str) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {ACCESS_TOKEN}"}
    with httpx.Client(base_url=base, headers=headers) as client:
        yield client


def test_the_console_as_json(bench: Bench, api: httpx.Client) -> None:
    made = api.post(
        "/console/api/apps",
        json={"name": "CI", "owner": "dana", "scopes": ["read:jira-work"],
              "callbackUrls": [CALLBACK], "distribution": "shared"},
    )  # fmt: skip
    assert made.status_code == 201
    path = f"/console/api/apps/{made.json()['clientId']}"
    assert made.json()["clientSecret"].startswith("fbk_sec_")
    assert "clientSecret" not in api.get(path).json()
    assert api.patch(path, json={"name": "CI 2"}).json()["callbackUrls"] == [CALLBACK]
    assert [one["name"] for one in api.get("/console/api/apps").json()] == ["CI 2"]
    assert api.post(f"{path}/secret").json()["clientSecret"] != made.json()["clientSecret"]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


@pytest.mark.hostile
def test_the_consoles_json_takes_nothing_odd_and_nobody_without_the_token(
    base: str, api: httpx.Client
) -> None:
    bodies: list[object] = [{}, {"name": 1, "owner": "dana"}, {"name": "x", "owner": "nobody"}, [],
                 {"name": "x", "owner": "dana", "secret": "x"},
                 {"name": "x", "owner": "dana", "callbackUrls": ["ftp://x"]},
                 {"name": "x", "owner": "dana", "scopes": ["read:everything"]}]  # fmt: skip
    for body in bodies:
        assert api.post("/console/api/apps", json=body).status_code in (400, 404)
    assert api.post("/console/api/apps", content=b"\xff{").status_code == 400
    assert api.get("/console/api/apps").json() == []
    for shown in ("", "Bearer x", f"Basic {ACCESS_TOKEN}", "Bearer"):
        refused = httpx.get(f"{base}/console/api/apps", headers={"authorization": shown})
        assert refused.status_code == 401
