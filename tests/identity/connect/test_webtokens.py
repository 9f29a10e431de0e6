"""Tokens: what is refused, whatever bytes come."""

import json
from base64 import urlsafe_b64encode
from contextlib import suppress

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from runtime.identity.connect.webtokens import (
    LEEWAY_S,
    WebTokenError,
    audience,
    check_times,
    mint_symmetric,
    peek,
    verify_symmetric,
)

SECRET = SecretStr("fbk_sec_" + "a" * 64)
NOW = 1_700_000_000.0


def test_a_token_comes_back_as_it_was_minted() -> None:
    token = mint_symmetric({"iss": "app", "exp": 1}, SECRET)
    assert (peek(token).issuer, peek(token).algorithm) == ("app", "HS256")
    assert verify_symmetric(token, SECRET) == {"iss": "app", "exp": 1}


@pytest.mark.hostile
def test_another_secret_or_byte_is_refused() -> None:
    token = mint_symmetric({"iss": "app"}, SECRET)
    with pytest.raises(WebTokenError):
        verify_symmetric(token, SecretStr("fbk_sec_" + "b" * 64))
    head, body, sign = token.split(".")
    for changed in (f"{head}.{body}.", f"{head}.{body}", f"{head}.{body}x.{sign}", token + "x"):
        with pytest.raises(WebTokenError):
            verify_symmetric(changed, SECRET)


@pytest.mark.parametrize(
    ("claims", "rule"),
    [
        ({}, "times"), ({"exp": NOW + 1}, "times"), ({"iat": NOW}, "times"),
        ({"exp": NOW - LEEWAY_S, "iat": NOW - 60}, "expired"),
        ({"exp": NOW + 60, "iat": NOW + LEEWAY_S + 1}, "early"),
        ({"exp": NOW + 60, "iat": NOW, "nbf": NOW + LEEWAY_S + 1}, "early"),
        ({"exp": NOW + 61, "iat": NOW}, "lifetime"),
        ({"exp": "x", "iat": NOW}, "times"), ({"exp": True, "iat": NOW}, "times"),
        ({"exp": float("nan"), "iat": NOW}, "times"), ({"exp": 2.0**41, "iat": NOW}, "times"),
    ],
)  # fmt: skip
def test_a_time_that_does_not_fit_is_refused(claims: dict[str, object], rule: str) -> None:
    with pytest.raises(WebTokenError) as caught:
        check_times(claims, NOW, 60.0)
    assert caught.value.rule == f"credential.jwt-{rule}"


def test_clocks_may_differ_a_little() -> None:
    check_times({"exp": NOW - LEEWAY_S + 1, "iat": NOW - 60}, NOW)
    check_times({"exp": NOW + 9e6, "iat": NOW + LEEWAY_S}, NOW)


def test_an_audience_is_a_text_a_list_or_nothing() -> None:
    assert audience({}) is None
    assert audience({"aud": "a"}) == ("a",)
    assert audience({"aud": ["a", "b"]}) == ("a", "b")
    broken: list[object] = [1, {}, [1], [None]]
    for wrong in broken:
        with pytest.raises(WebTokenError):
            audience({"aud": wrong})


def encoded(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
headers = st.fixed_dictionaries({"alg": values | st.just("HS256")}) | values
payloads = st.fixed_dictionaries({"iss": values, "exp": values, "iat": values}) | values


@pytest.mark.hostile
@given(st.text() | st.tuples(headers, payloads, st.text(max_size=8)).map(
    lambda parts: f"{encoded(parts[0])}.{encoded(parts[1])}.{parts[2]}"
))  # fmt: skip
def test_any_text_is_refused_with_a_rule(text: str) -> None:
    with suppress(WebTokenError):
        peek(text)
    with pytest.raises(WebTokenError) as caught:
        verify_symmetric(text, SECRET)
    assert caught.value.rule == "credential.jwt-signature"


@pytest.mark.hostile
@given(st.dictionaries(st.sampled_from(["exp", "iat", "nbf", "aud"]), values))
def test_any_claims_are_accepted_or_refused_with_a_rule(claims: dict[str, object]) -> None:
    with suppress(WebTokenError):
        check_times(claims, NOW)
    with suppress(WebTokenError):
        audience(claims)


@pytest.mark.hostile
def test_a_token_of_many_brackets_or_bytes_is_refused() -> None:
    deep = urlsafe_b64encode(b"[" * 9000).decode().rstrip("=")
    for token in (f"{encoded({'alg': 'HS256'})}.{deep}.x", f"{deep}.{deep}.", "a" * 20_000):
        with pytest.raises(WebTokenError):
            peek(token)
        with pytest.raises(WebTokenError):
            verify_symmetric(token, SECRET)


def test_the_library_judges_no_times_of_its_own() -> None:
    old = jwt.encode({"iss": "a", "exp": 1, "nbf": 2**40, "iat": 2**40}, SECRET.get_secret_value())
    assert verify_symmetric(old, SECRET)["iss"] == "a"
