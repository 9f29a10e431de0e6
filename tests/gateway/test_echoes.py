"""What comes back from outside holds no credential that went there."""

import base64
import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from runtime.gateway.echoes import without_credentials
from runtime.gateway.outside import ExternalReply
from runtime.tokens.invocation_tokens import ISSUER

TOKEN = "fbk_fst_" + "0a" * 32
KEY = "k" * 32
FIT = jwt.encode({"iss": ISSUER, "aud": "app"}, KEY, "HS256")
OTHERS = jwt.encode({"iss": "https://issuer.example.com"}, KEY, "HS256")
KNOWN = (SecretStr(FIT), SecretStr(TOKEN))


def cleaned(body: bytes, *known: SecretStr) -> tuple[bytes, int]:
    reply, found = without_credentials(ExternalReply(200, (), body), known)
    return reply.body, found


def test_an_answer_without_credentials_stays_what_it_is() -> None:
    reply = ExternalReply(200, (("x", "eyJ fbk_"),), OTHERS.encode() + b"\xff\x00 fbk_x eyJ.")
    assert without_credentials(reply, KNOWN) == (reply, 0)


@pytest.mark.hostile
@pytest.mark.parametrize("token", [FIT, TOKEN])
@pytest.mark.parametrize("known", [KNOWN, ()])
def test_a_token_that_is_sent_back_is_taken_out(token: str, known: tuple[SecretStr, ...]) -> None:
    body = json.dumps({"headers": {"authorization": f"Bearer {token}"}}).encode()
    clean, found = cleaned(body, *known)
    assert json.loads(clean) == {"headers": {"authorization": "Bearer ***"}}
    assert found == 1


@pytest.mark.hostile
@pytest.mark.parametrize("token", [FIT, TOKEN])
@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
def test_encoded_tokens_are_taken_out_too(token: str, before: bytes) -> None:
    plain = before + token.encode() + b" and more"
    for form in (base64.b64encode(plain), base64.urlsafe_b64encode(plain), plain.hex().encode()):
        clean, found = cleaned(b"<" + form + b">", *KNOWN)
        assert found
        assert base64.b64encode(token.encode())[4:-8] not in clean
        assert token.encode().hex().encode() not in clean


@pytest.mark.hostile
def test_headers_are_looked_at_like_the_body() -> None:
    given_headers = (("x-a", f"{TOKEN}; {FIT}"), ("x-b", "b"))
    reply, found = without_credentials(ExternalReply(200, given_headers, b""), KNOWN)
    assert reply.headers == (("x-a", "***; ***"), ("x-b", "b"))
    assert found == 2


def test_what_only_looks_like_a_token_of_the_platform_stays() -> None:
    for text in (OTHERS, "eyJhbGciOiJSUzI1NiJ9.!!.x", "eyJ.e30.x", "eyJ.W10.", "eyJ.\u00e9.x"):
        assert cleaned(text.encode(), *KNOWN) == (text.encode(), 0)
    deep = base64.urlsafe_b64encode(b"[" * 100_000).rstrip(b"=")
    assert cleaned(b"eyJ." + deep + b".x") == (b"eyJ." + deep + b".x", 0)


@pytest.mark.hostile
@pytest.mark.parametrize("part", [b"eyJ", b"eyJ.", b"eyJa.", b"fbk_a", b"***"])
def test_a_long_answer_of_beginnings_is_read_once(part: bytes) -> None:
    assert cleaned(part * 500_000, *KNOWN)[1] == 0


@given(st.binary(max_size=64), st.binary(max_size=64), st.sampled_from([FIT, TOKEN]))
def test_whatever_stands_around_it_a_token_is_found(
    before: bytes, after: bytes, token: str
) -> None:
    clean, found = cleaned(before + token.encode() + after, *KNOWN)
    assert token.encode() not in clean
    assert found >= 1
