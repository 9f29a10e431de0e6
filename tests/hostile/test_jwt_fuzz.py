"""Whatever stands where a web token should stand, at every door that takes one: never a 5xx.

The tokens are put together byte by byte, and most are signed as they should be: what is attacked is
all that comes before and after the signature. Requests go through the HTTP application.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.rights.connect_rules import ConnectLife, request_token
from tests.hostile.rights.facts import READ, READ_SCOPE
from tests.hostile.rights.place import (
    APP_KEY,
    AUTH_HOST,
    GATEWAY_HOST,
    HOSTS,
    IMPERSONATION_HOST,
    RightsPlace,
)

pytestmark = pytest.mark.hostile

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
few = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

words = st.sampled_from(
    ["HS256", "RS256", "none", "context-qsh", "jwt", "0", "..", "\x00", "ü", "\ud800", APP_KEY,
     "forge/invocation-token", "9" * 400, "urn:atlassian:connect:useraccountid:\ud800", "https://auth.atlassian.io"]
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20) | words
    | st.sampled_from([10**400, -(10**400), 2**63, 1e308]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
claim_names = st.sampled_from(
    ["iss", "sub", "aud", "exp", "iat", "nbf", "qsh", "tnt", "jti", "context", "app", "principal"]
)
header_names = st.sampled_from(["alg", "typ", "kid", "jku", "jwk", "x5u", "crit", "b64", "zip"])
changed_claims = st.dictionaries(claim_names | st.text(max_size=8), values, max_size=4)
changed_headers = st.dictionaries(header_names | st.text(max_size=4), values, max_size=3)
broken_json = st.sampled_from(
    [b"", b"null", b"[]", b'"x"', b"[" * 20_000, b'{"a":' * 5_000, b"{}", b"\xff\xfe", b"NaN",
     b'{"alg":"HS256","alg":"none"}', b'{"iss":"a","iss":"b"}', b"1" * 6_000, b'{"exp":1e999}',
     b'{"iss":"\\ud800"}', b"{'iss':1}", b'\xef\xbb\xbf{"alg":"HS256"}', b" " * 9_000]
) | st.binary(max_size=60)  # fmt: skip


def packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Doors:
    """A world with an installed app of each model, and every place that takes a web token."""

    def __init__(self, place: RightsPlace) -> None:
        self.place = place
        self.app = place.install_connect(frozenset({"ADMIN", "ACT_AS_USER"}), 0)
        place.install_forge(place.deploy(frozenset({READ_SCOPE}), 1, frozenset()), 0)
        self.secret = self.app.shared_secret.get_secret_value().encode()
        gateway = f"/ex/jira/{place.sites[0]}"
        addon = "/rest/atlassian-connect/1/"
        self.requests = (
            (HOSTS[0], "GET", READ.path), (HOSTS[0], "GET", "/rest/api/3/role"),
            (HOSTS[0], "PUT", f"{addon}addons/{APP_KEY}/properties/x"),
            (HOSTS[0], "POST", f"{addon}app/module/dynamic"),
            (HOSTS[0], "GET", "/rest/plugins/1.0/"),
            (HOSTS[0], "POST", "/_firebrick/connect/request"),
            (HOSTS[0], "POST", f"/plugins/servlet/ac/{APP_KEY}/page"),
            (GATEWAY_HOST, "GET", gateway + READ.path), (GATEWAY_HOST, "POST", "/graphql"),
            (GATEWAY_HOST, "GET", "/me"), ("127.0.0.1", "POST", "/fpp/provider/app/remote/jira/x"),
            (AUTH_HOST, "GET", "/authorize"),
        )  # fmt: skip

    def claims(self) -> dict[str, object]:
        now_s = int(self.place.clock.now_s())
        return {"iss": APP_KEY, "iat": now_s, "exp": now_s + 60, "qsh": "x", "aud": APP_KEY}

    def assertion(self) -> dict[str, object]:
        client = f"urn:atlassian:connect:clientid:{self.app.oauth_client_id}"
        subject = "urn:atlassian:connect:useraccountid:nobody"
        more = {"iss": client, "sub": subject, "tnt": f"http://{HOSTS[0]}", "aud": AUDIENCE}
        return self.claims() | more

    def sign(self, header: bytes, payload: bytes) -> str:
        unsigned = f"{packed(header)}.{packed(payload)}"
        return f"{unsigned}.{packed(hmac.digest(self.secret, unsigned.encode(), hashlib.sha256))}"

    def show(self, token: str) -> None:
        """Show a token at every door, each way it can be shown."""
        for host, method, path in self.requests:
            for headers, query in (
                ({"authorization": f"JWT {token}"}, ""), ({"authorization": f"Bearer {token}"}, ""),
                ({"forge-proxy-authorization": f"Bearer {token}", "x-firebrick-page": token}, ""),
                ({}, f"?jwt={quote(token[:4000])}"),
            ):  # fmt: skip
                body = "{}" if method != "GET" else ""
                answer = self.place.send(host, method, path + query, JSON | headers, body)
                assert answer.status_code < 500, (host, path, answer.text)
                assert not answer.is_success or (headers == {} and path == "/authorize"), path
        assert self.exchange(assertion=token) in (400, 401)

    def exchange(self, **fields: str) -> int:
        form = urlencode({"grant_type": GRANT_TYPE, **fields}, errors="replace")
        answer = self.place.send(IMPERSONATION_HOST, "POST", "/oauth2/token", FORM, form)
        return answer.status_code


AUDIENCE = "https://auth.atlassian.io"
HEADER = {"alg": "HS256", "typ": "JWT"}


def text_of(value: object) -> bytes:
    return json.dumps(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    made = Doors(RightsPlace(tmp_path_factory.mktemp("doors")))
    yield made
    made.place.close()


def test_a_token_as_it_should_be_opens_its_own_door(doors: Doors) -> None:
    life = ConnectLife(0, doors.app, doors.app.scopes)
    token = request_token(life, READ, doors.place.clock.now_s())
    header, payload = (base64.urlsafe_b64decode(part + "==") for part in token.split(".")[:2])
    for one in (token, doors.sign(header, payload)):
        authorization = {"authorization": f"JWT {one}"}
        assert doors.place.ask(READ, 0, "site", authorization)[0] == READ.done


@few
@given(changed_headers, changed_claims)
def test_any_claims_and_headers_with_a_genuine_signature_open_nothing(
    doors: Doors, header: dict[str, object], claims: dict[str, object]
) -> None:
    doors.show(doors.sign(text_of(HEADER | header), text_of(doors.claims() | claims)))


@few
@given(broken_json, st.booleans())
def test_what_is_no_json_object_opens_nothing(doors: Doors, raw: bytes, first: bool) -> None:
    parts = (raw, text_of(doors.claims())) if first else (text_of(HEADER), raw)
    doors.show(doors.sign(*parts))


@few
@given(
    st.lists(st.binary(max_size=30).map(packed) | st.text("ab.=+/_- ", max_size=9), max_size=6),
    st.sampled_from([".", "..", "", "=.", "\t"]),
)
def test_any_text_opens_nothing(doors: Doors, parts: list[str], between: str) -> None:
    doors.show(between.join(parts))


@few
@given(changed_headers, changed_claims, st.text(max_size=20))
def test_any_assertion_with_a_genuine_signature_is_refused(
    doors: Doors, header: dict[str, object], claims: dict[str, object], scope: str
) -> None:
    token = doors.sign(text_of(HEADER | header), text_of(doors.assertion() | claims))
    assert doors.exchange(assertion=token, scope=scope) in (400, 401)
    assert doors.exchange(assertion=token, grant_type=scope) == 400


@few
@given(st.binary(max_size=300), st.sampled_from([FORM, JSON, {"content-type": "text/plain"}, {}]))
def test_any_body_at_the_impersonation_server_is_refused(
    doors: Doors, body: bytes, kind: dict[str, str]
) -> None:
    answer = doors.place.send(
        IMPERSONATION_HOST, "POST", "/oauth2/token", kind, body.decode("latin-1")
    )
    assert answer.status_code in (400, 401)
