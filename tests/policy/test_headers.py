import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.policy.decision import Decision
from runtime.policy.headers import (
    MAX_HEADER_CHARACTERS,
    REQUEST_HEADERS,
    filter_request_headers,
    filter_response_headers,
)

DROPPED = [
    "Authorization", "authorization", "AUTHORIZATION", "Proxy-Authorization", "Host", "Cookie",
    "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Connection", "Transfer-Encoding", "TE",
    "Upgrade", "Content-Length", "X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL",
    "X-Rewrite-URL", "forge-proxy-authorization", "forge-proxy-target", "x-forge-oauth-user",
    "x-forge-oauth-system", "Origin", "Referer", "User-Agent", "atl-paas-anything",
]  # fmt: skip


@pytest.mark.hostile
@pytest.mark.parametrize("name", DROPPED)
def test_a_header_that_could_change_who_asks_never_crosses(name: str) -> None:
    result = filter_request_headers([(name, "x"), ("Accept", "application/json")])
    assert result == ({"accept": "application/json"}, (name.lower(),))


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("name", "value"),
    [("Accept", "a\r\nX: y"), ("Accept", "a\0"), ("Acc ept", "a"), ("", "a"), ("A:b", "c"),
     ("Accept\n", "x"), ("Accept", "日"), ("Authorization ", "x"), ("\uff41uthorization", "x")],
)  # fmt: skip
def test_a_malformed_header_refuses_the_request(name: str, value: str) -> None:
    result = filter_request_headers([(name, value)])
    assert isinstance(result, Decision)
    assert result.rule == "header.malformed"


@pytest.mark.hostile
def test_too_many_or_too_large_headers_are_refused() -> None:
    for pairs in ([("a", "b")] * 101, [("accept", "x" * MAX_HEADER_CHARACTERS)]):
        result = filter_request_headers(pairs)
        assert isinstance(result, Decision)
        assert result.rule == "header.too-large"


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=8))
def test_whatever_comes_in_only_listed_headers_go_out(pairs: list[tuple[str, str]]) -> None:
    result = filter_request_headers(pairs)
    if not isinstance(result, Decision):
        assert result[0].keys() <= REQUEST_HEADERS
        assert not any("\r" in value or "\n" in value for value in result[0].values())


def test_cookies_and_account_headers_of_an_answer_stay_behind() -> None:
    pairs = [("Set-Cookie", "a=b"), ("X-AAccountId", "1"), ("Content-Type", "application/json")]
    assert filter_response_headers(pairs) == (("Content-Type", "application/json"),)
