"""Threats to the server's own pages, one test for each row of the threat list."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from runtime.identity.oauth.values import Distribution, OAuthClient
from runtime.server.net.page_edges import PageOptions
from tests.flows.browser import Browser, authorize_path
from tests.flows.conftest import Bench
from tests.flows.serving import served

CALLBACK = "https://app.example/callback"
ACCESS_TOKEN = "fbk_ctl_" + "7" * 64
CONSENT = "/_firebrick/account/consent"
APPS = "/_firebrick/account/apps"
EVIL_NAME = "<img src=x onerror=alert(1)>\"'&{{7*7}}"

pytestmark = pytest.mark.hostile


@pytest.fixture
def base(bench: Bench) -> Iterator[str]:
    with served(bench.firebrick, PageOptions(SecretStr(ACCESS_TOKEN))) as url:
        yield url


@pytest.fixture
def vera(bench: Bench, base: str) -> Browser:
    """A browser that vera has signed in with."""
    browser = Browser(base)
    browser.open(APPS)
    browser.sign_in(bench, "vera")
    return browser


def make_app(
    bench: Bench, name: str = "Notes", distribution: Distribution = "shared", url: str = CALLBACK
) -> OAuthClient:
    client, _ = bench.firebrick.oauth.clients.create(
        name,
        bench.firebrick.find_person("dana").account_id,
        scopes=frozenset({"read:jira-work", "read:me"}),
        callback_urls=(url,),
        distribution=distribution,
    )
    return client


@pytest.mark.parametrize(
    "uri",
    ["https://app.example/callback/x", "https://app.example/callbac", "https://app.example/",
     "https://app.example@evil.test/callback", "https://app.example/callback%2f..",
     "https://APP.example/callback", "https://app.example/callback?x=1",
     "https://app.example/callback#x", "http://app.example/callback",
     "https://app.example:8443/callback", "https://u@app.example/callback",
     "https://evil.test/callback", "//evil.test", "javascript:alert(1)", " " + CALLBACK],
)  # fmt: skip
def test_22_another_redirect_gets_a_page_and_no_location(
    bench: Bench, vera: Browser, uri: str
) -> None:
    page = vera.open(authorize_path(make_app(bench).client_id, redirect_uri=uri))
    assert (page.status_code, vera.left_for) == (400, "")
    assert "location" not in page.headers
    assert "Callback URL mismatch" in page.text
    last = bench.firebrick.audit.read()[-1]
    assert (last.allowed, last.rule) == (False, "credential.authorize-redirect")


def test_22_nothing_of_a_request_is_told_before_somebody_has_signed_in(
    bench: Bench, base: str
) -> None:
    known = authorize_path(make_app(bench).client_id, redirect_uri="https://evil.test/")
    for path in (known, authorize_path("0" * 32), "/authorize"):
        stranger = Browser(base)
        assert "<h1>Sign in</h1>" in stranger.open(path).text
        assert stranger.left_for == ""


@pytest.mark.parametrize(
    "target",
    ["https://evil.test/", "//evil.test/", "/\\evil.test", "/rest/api/3/myself", "javascript:x",
     "/_firebrick/account/consent@evil", "\r\nset-cookie: x=1", f"{APPS}\r\nx: y"],
)  # fmt: skip
def test_22_signing_in_leads_to_no_other_place(bench: Bench, base: str, target: str) -> None:
    browser = Browser(base)
    browser.open(f"/_firebrick/account/sign-in?{httpx.QueryParams({'next': target})}")
    browser.sign_in(bench, "vera")
    assert browser.left_for == ""
    assert str(browser.page.url) == base + APPS


@pytest.mark.parametrize(
    "state", ["s", "a b+c&d=e#f%41", '"><script>', "ü€", "x" * 4000, "&state=2"]
)
def test_23_the_state_comes_back_byte_for_byte(bench: Bench, vera: Browser, state: str) -> None:
    for button in ("Accept", "Deny"):
        vera.open(authorize_path(make_app(bench).client_id, state=state))
        vera.press(button)
        assert parse_qs(urlsplit(vera.left_for).query)["state"] == [state]


def test_23_an_app_without_state_is_served_and_flagged_in_the_console(
    bench: Bench, base: str, vera: Browser
) -> None:
    client = make_app(bench)
    headers = {"authorization": f"Bearer {ACCESS_TOKEN}"}
    url = f"{base}/console/api/apps/{client.client_id}"
    vera.open(authorize_path(client.client_id, state=None))
    vera.press("Accept")
    assert "state" not in parse_qs(urlsplit(vera.left_for).query)
    assert httpx.get(url, headers=headers).json()["asksWithoutState"] is True
    dana = bench.firebrick.find_person("dana").account_id
    console = Browser(base)
    console.open("/console")
    page = console.press("Open the console", access_token=ACCESS_TOKEN, account=dana).text
    assert "carried no <code>state</code>" in page
    vera.open(authorize_path(client.client_id))
    assert httpx.get(url, headers=headers).json()["asksWithoutState"] is False


@pytest.mark.parametrize(
    ("distribution", "warning"),
    [("private", "Developer mode."), ("shared", "Not reviewed."), ("reviewed", None)],
)
def test_28_the_page_warns_of_what_nobody_has_looked_at(
    bench: Bench, base: str, distribution: Distribution, warning: str | None
) -> None:
    dana = Browser(base)
    dana.open(authorize_path(make_app(bench, distribution=distribution).client_id))
    page = dana.sign_in(bench, "dana").text
    assert [one for one in ("Developer mode.", "Not reviewed.") if one in page] == (
        [] if warning is None else [warning]
    )


def test_28_a_private_app_is_not_shown_to_others(bench: Bench, vera: Browser) -> None:
    client = make_app(bench, name="Secret project", distribution="private")
    page = vera.open(authorize_path(client.client_id))
    assert (page.status_code, vera.left_for) == (400, "")
    assert "Secret project" not in page.text


def test_28_what_the_organization_blocks_gets_no_consent(bench: Bench, vera: Browser) -> None:
    client = make_app(bench)
    vera.open(authorize_path(client.client_id))
    bench.firebrick.oauth.policy.set_user_apps_allowed(allowed=False)
    assert vera.press("Accept").status_code == 403
    assert vera.open(authorize_path(client.client_id)).status_code == 403
    assert bench.firebrick.oauth.grants.list() == ()


def test_29_no_page_can_be_framed_or_read_by_a_cache(bench: Bench, base: str) -> None:
    client = make_app(bench)
    browser = Browser(base)
    pages = [
        browser.open(authorize_path(client.client_id)),
        browser.sign_in(bench, "vera"),
        browser.open(APPS),
        browser.open(authorize_path("0" * 32)),
        browser.open("/_firebrick/account/nothing"),
        browser.open("/console"),
    ]
    for page in pages:
        policy = page.headers["content-security-policy"]
        for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert part in policy
        assert "unsafe" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "<script" not in page.text


def test_29_the_consent_form_leads_to_the_apps_origin_and_no_other(
    bench: Bench, vera: Browser
) -> None:
    page = vera.open(authorize_path(make_app(bench).client_id))
    assert "form-action 'self' https://app.example;" in page.headers["content-security-policy"]


def test_29_no_callback_url_adds_to_the_policy(bench: Bench, vera: Browser) -> None:
    url = "https://a.example;script-src/x"
    client = make_app(bench, url=url)
    page = vera.open(authorize_path(client.client_id, redirect_uri=url))
    assert "script-src" not in page.headers["content-security-policy"]


@pytest.mark.parametrize("token", [None, "", "0" * 64, "é"])
def test_29_consent_without_the_form_token_is_not_given(
    bench: Bench, vera: Browser, token: str | None
) -> None:
    vera.open(authorize_path(make_app(bench).client_id))
    form = next(form for form in vera.forms() if "Accept" in form.buttons)
    pairs = [pair for pair in form.fields if pair[0] != "form_token"]
    pairs += [("decision", "accept")] + ([] if token is None else [("form_token", token)])
    assert vera.send(form.action, pairs).status_code == 403
    assert bench.firebrick.oauth.grants.list() == ()


@pytest.mark.parametrize("said", ["cross-site", "same-site"])
def test_29_a_form_that_the_browser_calls_foreign_counts_for_nothing(
    bench: Bench, vera: Browser, said: str
) -> None:
    vera.open(authorize_path(make_app(bench).client_id))
    form = next(form for form in vera.forms() if "Accept" in form.buttons)
    pairs = [*form.fields, ("decision", "accept")]
    assert vera.send(form.action, pairs, sec_fetch_site=said).status_code == 403
    assert bench.firebrick.oauth.grants.list() == ()


def test_29_each_session_has_its_own_form_token(bench: Bench, base: str, vera: Browser) -> None:
    client = make_app(bench)
    amy = Browser(base)
    amy.open(authorize_path(client.client_id))
    amy.sign_in(bench, "amy")
    stolen = next(form for form in amy.forms() if "Accept" in form.buttons)
    vera.open(authorize_path(client.client_id))
    answer = vera.send(stolen.action, [*stolen.fields, ("decision", "accept")])
    assert answer.status_code == 403


def test_29_every_changing_form_needs_its_token(bench: Bench, base: str, vera: Browser) -> None:
    for path in (APPS, "/_firebrick/account/sign-out", "/_firebrick/account/sign-in"):
        assert vera.send(path, [("account", "x")]).status_code == 403
    console = Browser(base)
    console.open("/console")
    dana = bench.firebrick.find_person("dana").account_id
    console.press("Open the console", access_token=ACCESS_TOKEN, account=dana)
    app = f"/console/apps/{make_app(bench).client_id}"
    for path in ("/console/apps", "/console/sign-out", *(f"{app}/{one}" for one in (
        "secret", "delete", "scopes", "callbacks", "settings", "distribution"))):  # fmt: skip
        assert console.send(path, [("name", "x")]).status_code == 403
    assert len(bench.firebrick.oauth.clients.list()) == 1


def test_29_the_cookie_is_out_of_reach(bench: Bench, base: str) -> None:
    browser = Browser(base)
    browser.open(APPS)
    form = browser.forms()[0]
    account = bench.firebrick.find_person("vera").account_id
    answer = httpx.post(
        base + form.action,
        data=dict(form.fields) | {"account": account},
        headers={"cookie": f"firebrick_before={browser.cookies['firebrick_before']}"},
    )
    cookie = next(
        one for one in answer.headers.get_list("set-cookie") if one.startswith("firebrick_account=")
    )
    for part in ("HttpOnly", "SameSite=Lax", "Path=/_firebrick/", "Max-Age="):
        assert part in cookie
    assert not httpx.get(f"{base}/rest/api/3/myself", headers={"cookie": cookie}).is_success


def test_29_a_cookie_that_is_no_token_is_never_sent_back(base: str) -> None:
    for value in ('"a\\015\\012x: y"', "a; b", "fbk_ses_x", "\x7f"):
        headers = {"cookie": f"firebrick_before={value}"}
        page = httpx.get(f"{base}/_firebrick/account/sign-in", headers=headers)
        assert page.status_code == 200
        assert page.headers["set-cookie"].startswith("firebrick_before=fbk_ses_")
        assert "x" not in page.headers


def test_30_what_others_wrote_is_inert(bench: Bench, base: str, vera: Browser) -> None:
    client = make_app(bench, name=EVIL_NAME)
    evil = {"state": '"><script>alert(1)</script>', "prompt": "'><svg onload=x>"}
    vera.open(authorize_path(client.client_id, **evil))
    assert vera.page.status_code == 200
    for tag in ("script", "img", "svg"):
        assert vera.tags(tag) == []
    assert "&lt;img src=x onerror" in vera.page.text
    assert "49" not in vera.page.text.split("asks for")[0]
    vera.press("Accept")
    vera.open(APPS)
    assert vera.tags("img") == []
    for changes in ({"redirect_uri": '"><script>x</script>'}, {"scope": "<script>x</script>"},
                    {"client_id": "<script>x</script>"}):  # fmt: skip
        vera.open(authorize_path(**({"client_id": client.client_id} | changes)))
        assert vera.tags("script") == []
    console = Browser(base)
    console.open("/console")
    dana = bench.firebrick.find_person("dana").account_id
    console.press("Open the console", access_token=ACCESS_TOKEN, account=dana)
    assert console.tags("img") == []
    console.open(f"/console/apps/{client.client_id}")
    assert console.tags("img") == []
    assert all(not name.startswith("on") for tag in ("input", "a", "h1", "form")
               for attributes in console.tags(tag) for name in attributes)  # fmt: skip


@pytest.mark.parametrize("path", ["/authorize", APPS, "/console", "/console/api/apps", CONSENT])
def test_39_no_page_answers_under_a_name_of_someone_elses(base: str, path: str) -> None:
    for host in ("evil.test", "127.0.0.1.evil.test"):
        answer = httpx.get(base + path, headers={"host": host})
        assert answer.status_code in (400, 421)
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/authorize", APPS, CONSENT, "/console", "/console/api/apps"])
def test_39_no_foreign_page_may_read_an_answer(base: str, path: str) -> None:
    headers = {"origin": "https://evil.test", "access-control-request-method": "POST",
               "access-control-request-headers": "authorization"}  # fmt: skip
    for method in ("OPTIONS", "GET"):
        answer = httpx.request(method, base + path, headers=headers)
        assert "access-control-allow-origin" not in answer.headers
        assert "access-control-allow-credentials" not in answer.headers
