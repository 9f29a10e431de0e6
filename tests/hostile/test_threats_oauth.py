"""The threats to OAuth, by their row in the threat model."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from runtime.errors import OAuthError
from runtime.identity.oauth.checks import check_callback_url
from runtime.identity.oauth.values import (
    DAY_S,
    AuthorizeFault,
    AuthorizeRequest,
)
from tests.hostile.oauth_acts import (
    READ,
    again,
    asked,
    login,
    refresh_of,
    refused,
    status,
    use,
)
from tests.hostile.oauth_place import CALLBACK, Place

pytestmark = pytest.mark.hostile

VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with made.firebrick:
        yield made


def code_with_challenge(place: Place) -> str:
    request = asked(place, code_challenge=CHALLENGE, code_challenge_method="S256")
    assert isinstance(request, AuthorizeRequest)
    target = place.firebrick.oauth.flow.approve(request, place.person("dana"), {place.sites[0]})
    return parse_qs(urlsplit(target).query)["code"][0]


# --- 22: open redirect, code theft by redirect_uri -----------------------------------------------

TRICKS = [
    CALLBACK + "/", CALLBACK + "x", CALLBACK[:-1], CALLBACK + "?a=b", CALLBACK + "#f",
    CALLBACK.replace("127.0.0.1", "evil@127.0.0.1"),
    CALLBACK.replace("127.0.0.1", "127.0.0.1@evil.test"),
    CALLBACK.replace("127.0.0.1", "127.0.0.1.evil.test"), CALLBACK.replace("http:", "https:"),
    CALLBACK.replace("9999", "9998"), CALLBACK.replace("callback", "CALLBACK"),
    CALLBACK.replace("callback", "x/../callback"), CALLBACK.replace("callback", "%2f..%2fcallback"),
    CALLBACK.replace("/callback", "//callback"), CALLBACK.replace("127.0.0.1", "localhost"),
    CALLBACK + "\r\nLocation: http://evil.test", CALLBACK + " ", "javascript:alert(1)",
    "http:callback",
    "//evil.test", "",
]  # fmt: skip


@pytest.mark.parametrize("uri", TRICKS)
def test_22_another_redirect_is_told_on_our_own_page_and_never_followed(
    place: Place, uri: str
) -> None:
    fault = asked(place, redirect_uri=uri)
    assert isinstance(fault, AuthorizeFault)
    assert (fault.status, fault.location) == (400, None)
    if uri:
        assert fault.error == "unauthorized_client"
        assert fault.description == (
            f"Callback URL mismatch. {uri} is not in the list of allowed callback URLs"
        )


@pytest.mark.parametrize("uri", TRICKS)
def test_22_nor_does_a_code_open_with_another_redirect(place: Place, uri: str) -> None:
    code = place.code("dana", READ, place.sites[0])
    refusal = refused(place, **use(place, code) | {"redirect_uri": uri})
    assert refusal.error == ("invalid_grant" if uri else "invalid_request")


def test_22_a_redirect_that_was_taken_off_the_app_meanwhile_gets_no_code(place: Place) -> None:
    request = asked(place)
    assert isinstance(request, AuthorizeRequest)
    place.firebrick.oauth.clients.update(replace(place.now_client(), callback_urls=()))
    with pytest.raises(OAuthError):
        place.firebrick.oauth.flow.approve(request, place.person("dana"), {place.sites[0]})


@pytest.mark.parametrize(
    "url",
    ["http://example.com/cb", "https://", "https://u:p@example.com/", "https://example.com/#f",
     "https://example.com/\n", "javascript:alert(1)", "https://example.com:99999/", "ftp://example.com/",
     "https:\\\\example.com", "http://127.0.0.1.evil.test/", "https://exämple.com/", "x" * 3000],
)  # fmt: skip
def test_22_what_is_no_safe_address_cannot_be_registered(url: str) -> None:
    with pytest.raises(Exception, match="is no address for codes"):
        check_callback_url(url)


@pytest.mark.parametrize(
    "url", ["https://example.com/cb?x=1", "http://localhost/", "http://[::1]:8080/cb"]
)
def test_22_safe_addresses_can(url: str) -> None:
    check_callback_url(url)


@pytest.mark.parametrize("name", ["redirect_uri", "client_id", "scope", "state"])
def test_22_a_parameter_that_stands_twice_is_refused(place: Place, name: str) -> None:
    pairs = place.params(READ)
    fault = place.firebrick.oauth.flow.prepare_authorize(
        [*pairs, (name, dict(pairs)[name])], place.person("dana")
    )
    assert isinstance(fault, AuthorizeFault)
    assert fault.location is None


# --- 23: CSRF on the callback --------------------------------------------------------------------


@pytest.mark.parametrize(
    "state", ["a b+c%20&code=evil#x", "ü😀", "x" * 2000, "\r\nSet-Cookie: a=b", '"><script>', "=&?"]
)
def test_23_the_state_comes_back_as_it_was_and_adds_no_parameter(place: Place, state: str) -> None:
    request = asked(place, state=state)
    assert isinstance(request, AuthorizeRequest)
    flow, dana = place.firebrick.oauth.flow, place.person("dana")
    for target in (flow.approve(request, dana, {place.sites[0]}), flow.deny(request)):
        assert target.startswith(CALLBACK + "?")
        assert "\r" not in target
        fields = parse_qsl(urlsplit(target).query)
        assert ("state", state) in fields
        assert len(dict(fields)) == len(fields)
        assert urlsplit(target).fragment == ""


def test_23_a_denial_says_so_and_leaves_nothing(place: Place) -> None:
    request = asked(place)
    assert isinstance(request, AuthorizeRequest)
    fields = parse_qs(urlsplit(place.firebrick.oauth.flow.deny(request)).query)
    assert fields["error"] == ["access_denied"]
    assert "code" not in fields
    assert place.firebrick.oauth.grants.list() == ()


# --- 24, 25: code injection, replay, PKCE --------------------------------------------------------


def test_24_a_code_used_twice_kills_what_it_led_to(place: Place) -> None:
    code = place.code("dana", READ, place.sites[0])
    issued = place.exchange(code)
    newer = again(place, issued)
    assert status(place, newer) == 200
    refusal = refused(place, **use(place, code))
    assert (refusal.status, refusal.error) == (403, "invalid_grant")
    assert status(place, issued) == 401
    assert status(place, newer) == 401
    with pytest.raises(OAuthError):
        again(place, newer)


def test_24_a_code_lives_five_minutes(place: Place) -> None:
    code = place.code("dana", READ, place.sites[0])
    place.clock.advance(299.9)
    assert place.exchange(code).scopes == READ
    code = place.code("dana", READ, place.sites[0])
    place.clock.advance(300)
    assert refused(place, **use(place, code)).message == "Invalid authorization code"


def test_24_a_code_of_one_client_is_nothing_in_the_hands_of_another(place: Place) -> None:
    other, secret = place.firebrick.oauth.clients.create(
        "Other",
        place.person("paul").account_id,
        callback_urls=(CALLBACK,),
        scopes=READ,
        distribution="shared",
    )
    code = place.code("dana", READ, place.sites[0])
    stolen = {"client_id": other.client_id, "client_secret": secret.get_secret_value()}
    assert refused(place, **use(place, code), **stolen).error == "invalid_grant"
    assert place.exchange(code).scopes == READ, "its own client may still use it"


@pytest.mark.parametrize("verifier", ["w" * 43, "v" * 42, "", "é" * 43, CHALLENGE, "v" * 44])
def test_24_a_wrong_verifier_opens_nothing(place: Place, verifier: str) -> None:
    code = code_with_challenge(place)
    assert refused(place, **use(place, code, code_verifier=verifier)).error == "invalid_grant"


def test_24_the_right_verifier_opens(place: Place) -> None:
    form = use(place, code_with_challenge(place), code_verifier=VERIFIER)
    assert place.ask_tokens(**form).scopes == READ


def test_24_a_verifier_never_stands_for_the_secret(place: Place) -> None:
    form = use(place, code_with_challenge(place), code_verifier=VERIFIER)
    assert refused(place, **form, client_secret="x").status == 401
    assert refused(place, **form, client_secret="").error == "invalid_request"


def test_25_a_challenge_that_was_taken_out_on_the_way_is_noticed(place: Place) -> None:
    code = place.code("dana", READ, place.sites[0])
    assert refused(place, **use(place, code, code_verifier=VERIFIER)).error == "invalid_grant"
    assert refused(place, **use(place, code_with_challenge(place))).error == "invalid_grant"


@pytest.mark.parametrize(
    "fields",
    [
        {"code_challenge": CHALLENGE, "code_challenge_method": "plain"},
        {"code_challenge": CHALLENGE},
        {"code_challenge": CHALLENGE, "code_challenge_method": "s256"},
        {"code_challenge_method": "S256"},
        {"code_challenge": VERIFIER[:-1] + "=", "code_challenge_method": "S256"},
    ],
)
def test_25_only_s256_is_taken(place: Place, fields: dict[str, str]) -> None:
    fault = asked(place, **fields)
    assert isinstance(fault, AuthorizeFault)
    assert (fault.error, fault.status) == ("invalid_request", 302)
    assert str(fault.location).startswith(CALLBACK + "?error=invalid_request&")


# --- 26: theft of a refresh token ----------------------------------------------------------------


def test_26_a_used_token_works_for_ten_minutes_and_then_kills_its_family(place: Place) -> None:
    first = login(place)
    second = again(place, first)
    place.clock.advance(60)
    retried = again(place, first)
    assert status(place, retried) == 200
    place.clock.advance(600)
    with pytest.raises(OAuthError) as caught:
        again(place, first)
    assert (caught.value.status, caught.value.error) == (403, "invalid_grant")
    for issued in (second, retried):
        with pytest.raises(OAuthError):
            again(place, issued)
        assert status(place, issued) == 401


def test_26_another_family_of_the_same_person_lives_on(place: Place) -> None:
    stolen, other = login(place), login(place)
    again(place, stolen)
    place.clock.advance(601)
    with pytest.raises(OAuthError):
        again(place, stolen)
    assert status(place, other) == 200


def test_26_ninety_idle_days_end_a_token_and_each_use_begins_them_anew(place: Place) -> None:
    issued = login(place)
    for _ in range(2):
        place.clock.advance(90 * DAY_S - 1)
        issued = again(place, issued)
    place.clock.advance(90 * DAY_S)
    with pytest.raises(OAuthError, match=r"Unknown or invalid refresh token\."):
        again(place, issued)


def test_26_after_a_year_everybody_consents_again(place: Place) -> None:
    issued = login(place)
    for _ in range(4):
        place.clock.advance(80 * DAY_S)
        issued = again(place, issued)
    place.clock.advance(45 * DAY_S)
    with pytest.raises(OAuthError):
        again(place, issued)


def test_26_an_access_token_lives_an_hour(place: Place) -> None:
    issued = login(place)
    place.clock.advance(3599)
    assert status(place, issued) == 200
    place.clock.advance(1)
    assert status(place, issued) == 401


# --- 27: escalation of scopes --------------------------------------------------------------------


def test_27_a_refresh_cannot_widen_and_may_narrow(place: Place) -> None:
    issued = login(place)
    token = refresh_of(issued)
    wider = refused(
        place,
        grant_type="refresh_token",
        refresh_token=token,
        scope="read:jira-work write:jira-work",
    )
    assert wider.error == "invalid_scope"
    form = {"grant_type": "refresh_token", "refresh_token": token}
    narrow = place.ask_tokens(**form, scope="offline_access")
    assert narrow.scopes == {"offline_access"}
    assert status(place, narrow) == 401


@pytest.mark.parametrize(
    ("scope", "says"),
    [
        ("manage:jira-configuration", "have not been added to the app"),
        ("read:jira-work manage:jira-configuration", "have not been added to the app"),
        ("READ:JIRA-WORK", "have not been added to the app"),
        ("openid read:jira-work", "Something went wrong"),
        ("profile", "Something went wrong"),
        ("offline_access", "incomplete or invalid"),
        ("", "incomplete or invalid"),
    ],
)
def test_27_a_scope_that_is_not_in_the_console_gets_the_error_page(
    place: Place, scope: str, says: str
) -> None:
    fault = asked(place, scope=scope)
    assert isinstance(fault, AuthorizeFault)
    assert says in fault.description
    assert fault.location is None


def test_27_a_scope_does_not_imply_another(place: Place) -> None:
    write = frozenset({"write:jira-work"})
    issued = place.exchange(place.code("dana", write, place.sites[0]))
    assert status(place, issued) == 401
