"""Whatever is sent to the token endpoint, or shown as a token: an answer below 500."""

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.server.net.oauth_edges import oauth_edges
from runtime.wire import JiraRequest, JiraResponse
from tests.hostile.oauth_place import CALLBACK, Place

pytestmark = pytest.mark.hostile

NAMES = ["grant_type", "client_id", "client_secret", "code", "redirect_uri", "refresh_token",
         "code_verifier", "scope", "token", "\0", ""]  # fmt: skip
KINDS = ["application/json", "application/x-www-form-urlencoded", "application/JSON; charset=x",
         "text/plain", "multipart/form-data", "", "application/json;"]  # fmt: skip
SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("state"))
    with made.firebrick:
        yield made


def ask(place: Place, request: JiraRequest) -> JiraResponse:
    answers = (edge(request) for edge in oauth_edges(place.firebrick))
    return next(answer for answer in answers if answer is not None)


def values(place: Place) -> st.SearchStrategy[object]:
    known = [place.client.client_id, place.secret.get_secret_value(), CALLBACK,
             "authorization_code", "refresh_token", "read:jira-work"]  # fmt: skip
    json_like = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
    return st.sampled_from(known) | st.text(max_size=40) | json_like


@SETTINGS
@given(data=st.data())
def test_any_token_request_gets_json_below_500(place: Place, data: st.DataObject) -> None:
    fields = data.draw(st.dictionaries(st.sampled_from(NAMES), values(place), max_size=8))
    raw = data.draw(
        st.binary(max_size=60)
        | st.just(json.dumps(fields).encode())
        | st.just(
            urlencode({key: str(value) for key, value in fields.items()}, errors="replace").encode()
        )
    )
    shown = data.draw(st.none() | st.text(max_size=40) | st.sampled_from(["Basic !", "Basic YTpi"]))
    headers = {"content-type": data.draw(st.sampled_from(KINDS))}
    if shown is not None:
        headers["authorization"] = shown
    answer = ask(place, JiraRequest(
        data.draw(st.sampled_from(["POST", "GET", "PUT", "X"])),
        data.draw(st.sampled_from(["/oauth/token", "/oauth/revoke"])),
        headers=headers, body=raw,
    ))  # fmt: skip
    assert answer.status < 500
    assert answer.header("cache-control") == "no-store"
    assert isinstance(json.loads(answer.body), dict)
    if answer.status != 200:
        assert json.loads(answer.body).keys() == {"error", "error_description"}


@SETTINGS
@given(
    shown=st.text(max_size=80), path=st.sampled_from(["/me", "/oauth/token/accessible-resources"])
)
def test_any_bearer_is_refused_with_401(place: Place, shown: str, path: str) -> None:
    for text in (shown, f"Bearer {shown}", f"bearer fbk_at_{shown}"):
        assert ask(place, JiraRequest("GET", path, headers={"authorization": text})).status == 401


@SETTINGS
@given(pairs=st.lists(st.tuples(st.sampled_from(
    ["audience", "client_id", "scope", "redirect_uri", "response_type", "state", "code_challenge",
     "code_challenge_method", "prompt"]), st.text(max_size=30)), max_size=10))  # fmt: skip
def test_no_authorize_request_leads_anywhere_but_to_a_callback_url(
    place: Place, pairs: list[tuple[str, str]]
) -> None:
    flow, dana = place.firebrick.oauth.flow, place.person("dana")
    base = dict(place.params(frozenset({"read:jira-work"})))
    for params in (pairs, list({**base, **dict(pairs)}.items())):
        found = flow.prepare_authorize(params, dana)
        location = getattr(found, "location", None)
        assert location is None or location.startswith(CALLBACK + "?")
        assert getattr(found, "redirect_uri", CALLBACK) == CALLBACK


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b"{}", b"[]", b'"x"', b"null", b"\xff\xfe", b"",
     b'{"grant_type":"refresh_token","grant_type":"x"}', b'{"grant_type":1}', b"NaN",
     b'{"grant_type":"refresh_token","client_id":"\\ud800","client_secret":"\\ud800",'
     b'"refresh_token":"\\ud800"}'],
)  # fmt: skip
def test_broken_json_is_a_400_or_a_refusal(place: Place, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = ask(place, JiraRequest("POST", "/oauth/token", headers=headers, body=body))
    assert answer.status in (400, 401)


def test_a_form_with_too_many_fields_or_one_twice_is_a_400(place: Place) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for body in (b"&".join(b"a%d=1" % at for at in range(10_000)), b"code=1&code=2"):
        answer = ask(place, JiraRequest("POST", "/oauth/token", headers=headers, body=body))
        assert answer.status == 400
