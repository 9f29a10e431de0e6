"""Any header, any depth, any client: the token endpoint refuses in its own form, never by 5xx."""

import base64
import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.server.net.oauth_edges import oauth_edges
from runtime.wire import JiraRequest, JiraResponse
from tests.hostile.oauth_place import CALLBACK, Place

pytestmark = pytest.mark.hostile

ERRORS = {
    "invalid_request", "invalid_grant", "invalid_scope", "access_denied", "unauthorized_client",
    "unsupported_grant_type",
}  # fmt: skip
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
many = settings(max_examples=200, deadline=None)

NAMES = st.sampled_from(
    ["grant_type", "client_id", "client_secret", "code", "redirect_uri", "refresh_token", "scope",
     "code_verifier"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["authorization_code", "refresh_token", "client_credentials", CALLBACK, "read:jira-work", "\0",
     "\ud800", "ü" * 50, "fbk_code_" + "0" * 64, "fbk_rt_" + "0" * 64, "a" * 5000]
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("state"))
    with made.firebrick:
        yield made


def send(place: Place, kind: str, body: bytes, authorization: str | None = None) -> JiraResponse:
    headers = {"content-type": kind}
    if authorization is not None:
        headers["authorization"] = authorization
    request = JiraRequest(
        "POST", "/oauth/token", headers=headers, body=body, cloud_id=place.sites[0]
    )
    answers = (edge(request) for edge in oauth_edges(place.firebrick))
    return next(answer for answer in answers if answer is not None)


def assert_refused(answer: JiraResponse) -> None:
    assert 400 <= answer.status < 500
    body = json.loads(answer.body)
    assert set(body) == {"error", "error_description"}
    assert body["error"] in ERRORS
    assert answer.header("cache-control") == "no-store"


@many
@given(body=st.binary(max_size=300), kind=st.sampled_from([FORM, JSON, "text/plain", "", "a;b"]))
def test_any_bytes_are_refused(place: Place, body: bytes, kind: str) -> None:
    assert_refused(send(place, kind, body))


@many
@given(
    fields=st.dictionaries(NAMES, WORDS | st.text(max_size=30), max_size=8),
    known=st.booleans(),
    extra=st.none() | st.integers() | st.lists(st.integers(), max_size=2),
)
def test_any_fields_are_refused(
    place: Place, fields: dict[str, str], known: bool, extra: object
) -> None:
    if known:
        fields |= {
            "client_id": place.client.client_id,
            "client_secret": place.secret.get_secret_value(),
        }
    assert_refused(send(place, JSON, json.dumps(fields).encode()))
    assert_refused(send(place, JSON, json.dumps({**fields, "x": extra}).encode()))


@many
@given(shown=st.binary(max_size=80), scheme=st.sampled_from(["Basic", "basic", "Bearer", "JWT"]))
def test_any_authorization_is_refused(place: Place, shown: bytes, scheme: str) -> None:
    body = b"grant_type=refresh_token&refresh_token=x"
    for value in (base64.b64encode(shown).decode(), shown.decode("latin-1")):
        assert_refused(send(place, FORM, body, f"{scheme} {value}"))


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 50_000, b"null", b'"x"', b"1e999", b"{}", b"&" * 100_000,
     b"a=1&" * 10_000, b'{"grant_type":"refresh_token","grant_type":"refresh_token"}'],
)  # fmt: skip
def test_deep_long_and_double_bodies_are_refused(place: Place, body: bytes) -> None:
    for kind in (FORM, JSON):
        assert_refused(send(place, kind, body))


@pytest.mark.parametrize("path", ["/oauth/token/accessible-resources", "/me"])
@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", "Bearer \ud800", "bearer fbk_at_" + "0" * 64, "Basic eA=="]
)
def test_who_shows_no_live_token_learns_nothing(place: Place, path: str, shown: str) -> None:
    request = JiraRequest("GET", path, headers={"authorization": shown}, cloud_id=place.sites[0])
    answers = (edge(request) for edge in oauth_edges(place.firebrick))
    answer = next(one for one in answers if one is not None)
    assert (answer.status, json.loads(answer.body)) == (
        401,
        {"code": 401, "message": "Unauthorized"},
    )


def test_tokens_are_asked_for_by_post_alone(place: Place) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        request = JiraRequest(method, "/oauth/token", cloud_id=place.sites[0])
        answers = (edge(request) for edge in oauth_edges(place.firebrick))
        answer = next(one for one in answers if one is not None)
        assert (answer.status, answer.header("allow")) == (405, "POST")
