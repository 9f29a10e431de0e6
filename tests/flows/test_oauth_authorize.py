"""What `/authorize` answers to whoever has signed in, as a browser sees it."""

from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from runtime.identity.oauth.values import AuthorizeFault, OAuthClient
from tests.flows.browser import Browser, authorize_path
from tests.flows.conftest import Bench
from tests.flows.serving import served

CALLBACK = "https://app.example/callback"
INCOMPLETE = "The authorize request was incomplete or invalid"


@pytest.fixture
def base(bench: Bench) -> Iterator[str]:
    with served(bench.firebrick) as url:
        yield url


@pytest.fixture
def dana(bench: Bench, base: str) -> Browser:
    browser = Browser(base)
    browser.open("/_firebrick/account/apps")
    browser.sign_in(bench, "dana")
    return browser


@pytest.fixture
def app(bench: Bench) -> OAuthClient:
    owner = bench.firebrick.find_person("dana").account_id
    client, _ = bench.firebrick.oauth.clients.create(
        "Notes", owner, scopes={"read:jira-work"}, callback_urls=(CALLBACK,)
    )
    return client


def path(client: OAuthClient, **changed: str | None) -> str:
    client_id = changed.pop("client_id", client.client_id) or ""  # an empty one is none
    return authorize_path(client_id, **{"scope": "read:jira-work", "state": "s"} | changed)


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"audience": None}, "invalid_request", INCOMPLETE),
        ({"audience": "api.example.com"}, "invalid_request", INCOMPLETE),
        ({"client_id": None}, "invalid_request", INCOMPLETE),
        ({"redirect_uri": None}, "invalid_request", INCOMPLETE),
        ({"scope": None}, "invalid_request", INCOMPLETE),
        ({"client_id": "0" * 32}, "unauthorized_client", "Failed to retrieve client"),
        (
            {"redirect_uri": "https://app.example/other"},
            "unauthorized_client",
            "Callback URL mismatch. https://app.example/other is not in the list of allowed "
            "callback URLs",
        ),
        (
            {"scope": "read:jira-work write:jira-work"},
            "invalid_scope",
            "This app has requested Jira API scopes that have not been added to the app.",
        ),
        (
            {"scope": "read:me"},
            "invalid_scope",
            "This app has requested User identity API scopes that have not been added to the app.",
        ),
        (
            {"scope": "read:me write:jira-work"},
            "invalid_scope",
            "This app has requested Jira API and User identity API scopes that have not",
        ),
        ({"scope": "openid read:jira-work"}, "invalid_scope", "Something went wrong"),
    ],
)
def test_a_fault_of_the_request_is_told_on_the_servers_own_page(
    dana: Browser, app: OAuthClient, changed: dict[str, str | None], error: str, says: str
) -> None:
    page = dana.open(path(app, **changed))
    assert (page.status_code, dana.left_for) == (400, "")
    text = unescape(page.text)
    assert says in text
    assert f"<code>{error}</code>" in text
    assert "Tracking id" in text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "x" * 43}, "invalid_request"),
    ],
)
def test_once_the_callback_is_known_to_be_the_apps_it_is_told_what_is_wrong(
    dana: Browser, app: OAuthClient, changed: dict[str, str | None], error: str
) -> None:
    dana.open(path(app, **changed))
    assert dana.left_for.startswith(f"{CALLBACK}?")
    told = dict(parse_qsl(urlsplit(dana.left_for).query))
    assert (told["error"], told["state"]) == (error, "s")
    assert "code" not in told


@pytest.mark.parametrize("left_out", ["state", "prompt"])
def test_what_clients_leave_out_is_not_missed(
    dana: Browser, app: OAuthClient, left_out: str
) -> None:
    assert dana.open(path(app, **{left_out: None})).status_code == 200
    dana.press("Accept")
    names = [name for name, _ in parse_qsl(urlsplit(dana.left_for).query)]
    assert names == (["code"] if left_out == "state" else ["code", "state"])


def test_scopes_may_be_separated_by_a_plus_and_a_denial_has_its_words(
    dana: Browser, app: OAuthClient
) -> None:
    dana.open(path(app, scope="read:jira-work offline_access"))
    assert "offline_access" in dana.page.text
    dana.press("Deny")
    assert dict(parse_qsl(urlsplit(dana.left_for).query)) == {
        "error": "access_denied",
        "error_description": "User did not authorize the request",
        "state": "s",
    }


def test_nobody_is_told_anything_before_signing_in(base: str, app: OAuthClient) -> None:
    for one in (path(app), path(app, client_id="0" * 32), path(app, redirect_uri="https://x.test")):
        browser = Browser(base)
        assert "<h1>Sign in</h1>" in browser.open(one).text


@pytest.mark.hostile
def test_nobody_consents_who_is_no_active_person(bench: Bench, app: OAuthClient) -> None:
    flow = bench.firebrick.oauth.flow
    bench.firebrick.oauth.clients.update(replace(app, distribution="shared"))
    query = parse_qsl(urlsplit(path(app)).query)
    for handle, asked in (("dora", False), ("vera", True)):
        found = flow.prepare_authorize(query, bench.firebrick.find_person(handle))
        assert isinstance(found, AuthorizeFault) is not asked
