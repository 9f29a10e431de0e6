"""Whatever stands where a token of Connect should stand: a refusal, and never a 5xx."""

import time
from collections.abc import Iterator
from urllib.parse import urlencode

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.identity.connect.impersonation import GRANT_TYPE, TOKEN_PATH
from runtime.identity.connect.installations import ConnectInstallation
from runtime.server.connect_serving import connect_edges
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from runtime.wire import JiraRequest
from tests.flows.conftest import Bench
from tests.flows.connect_app import ConnectApp, running
from tests.flows.connected import Connected

pytestmark = pytest.mark.hostile

ME = "/rest/api/3/myself"
FORM = {"content-type": "application/x-www-form-urlencoded"}
few = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

words = st.sampled_from(["HS256", "none", "context-qsh", "jwt", "0", "..", "\x00", "ü"])
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "qsh", "tnt", "jti", "context"])
changes = st.dictionaries(names | st.text(max_size=8), values, max_size=5)


class Place:
    """An installed app, and the state it is installed in."""

    def __init__(self, firebrick: Firebrick, app: ConnectInstallation) -> None:
        self.firebrick = firebrick
        self.app = app
        self.edges = connect_edges(firebrick)

    def ask(self, authorization: str, query: tuple[tuple[str, str], ...] = ()) -> int:
        headers = {"authorization": authorization} if authorization else {}
        request = JiraRequest("GET", ME, query, headers, cloud_id=self.app.cloud_id)
        return self.firebrick.jira.handle(request).status

    def exchange(self, fields: dict[str, str]) -> int:
        body = urlencode(fields).encode()
        request = JiraRequest(
            "POST", TOKEN_PATH, headers=FORM, body=body, base_url="http://127.0.0.1:1",
            cloud_id=self.app.cloud_id,
        )  # fmt: skip
        answers = [edge(request) for edge in self.edges]
        return next(answer.status for answer in answers if answer is not None)

    def sign(self, claims: dict[str, object]) -> str:
        return jwt.encode(claims, self.app.shared_secret.get_secret_value(), algorithm="HS256")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("fuzz")
    with (
        open_firebrick(Settings(state=folder / "state", cache=folder / "cache")) as firebrick,
        running(ConnectApp(answers={"/installed": [204], "/enabled": [204]})) as app,
    ):
        yield Place(firebrick, Connected(Bench(firebrick), "http://127.0.0.1:1", app).install())


@few
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_refused(place: Place, text: str) -> None:
    for scheme in ("JWT ", "jwt ", "Bearer "):
        assert place.ask(scheme + text) in (401, 403)
    assert place.ask("", (("jwt", text),)) == 401
    assert place.ask(text) in (401, 403)
    assert place.exchange({"grant_type": GRANT_TYPE, "assertion": text}) in (400, 401)
    assert place.exchange({"grant_type": text, "assertion": text}) == 400


@few
@given(changes)
def test_any_claims_with_a_genuine_signature_are_refused(
    place: Place, changed: dict[str, object]
) -> None:
    now = int(time.time())
    claims: dict[str, object] = {"iss": place.app.app_key, "iat": now, "exp": now + 60, "qsh": "x"}
    try:
        token = place.sign(claims | changed)
    except (TypeError, ValueError):
        return  # the library of an app would not have signed that either
    assert place.ask(f"JWT {token}") == 401


@few
@given(changes, st.text(max_size=20))
def test_any_assertion_with_a_genuine_signature_is_refused(
    place: Place, changed: dict[str, object], scope: str
) -> None:
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": f"urn:atlassian:connect:clientid:{place.app.oauth_client_id}",
        "sub": "urn:atlassian:connect:useraccountid:nobody",
        "tnt": place.app.host_url, "aud": "https://auth.atlassian.io", "iat": now, "exp": now + 60,
    }  # fmt: skip
    try:
        token = place.sign(claims | changed)
    except (TypeError, ValueError):
        return
    fields = {"grant_type": GRANT_TYPE, "assertion": token, "scope": scope}
    try:
        assert place.exchange(fields) in (400, 401)
    except UnicodeEncodeError:
        return  # half a surrogate pair cannot be sent


@few
@given(st.binary(max_size=300))
def test_any_body_is_refused(place: Place, body: bytes) -> None:
    request = JiraRequest("POST", TOKEN_PATH, headers=FORM, body=body)
    answers = [edge(request) for edge in place.edges]
    assert next(answer.status for answer in answers if answer is not None) == 400
