import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.policy.decision import Decision
from runtime.policy.egress import (
    MAX_URL_CHARACTERS,
    ExternalUrl,
    decide_egress,
    host_matches,
    parse_external,
)

WILD = ("*.example.com",)


def test_an_address_is_rebuilt_from_its_parts() -> None:
    assert parse_external("HTTPS://EXAMPLE.com:443/a/../b?x=1#frag") == ExternalUrl(
        "https://example.com/b?x=1", "https", "example.com", 443
    )


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://h/", 80), ("https://h/", 443), ("ws://h/", 80), ("wss://h:81/", 81)],
)
def test_the_port_is_always_known(url: str, port: int) -> None:
    found = parse_external(url)
    assert isinstance(found, ExternalUrl)
    assert found.origin == (url.partition(":")[0], "h", port)


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://a.example.com@evil.test/", "egress.userinfo"),
        ("https://evil.test@a.example.com/", "egress.userinfo"),
        ("https://@a.example.com/", "egress.userinfo"),
        ("https://a.example.com:x@evil.test/", "egress.userinfo"),
        ("https:/\\evil.test/.example.com", "egress.backslash"),
        ("https://evil.test\\.example.com", "egress.backslash"),
        ("https://evil\t.test/.example.com", "egress.character"),
        (" https://a.example.com/", "egress.character"),
        ("https://a.example.com/\n", "egress.character"),
        ("https://a.example.com/\x00", "egress.character"),
        ("https://evil.test\uff0f.example.com/", "egress.not-a-url"),
        ("https://evil.test%2f.example.com/", "egress.not-a-url"),
        ("https://evil.test:1.example.com/", "egress.not-a-url"),
        ("https://", "egress.not-a-url"),
        ("//a.example.com/", "egress.not-a-url"),
        ("file:///etc/passwd", "egress.scheme"),
        ("javascript:alert(1)//.example.com", "egress.scheme"),
        ("data:text/plain,x", "egress.scheme"),
        ("ftp://a.example.com/", "egress.scheme"),
        ("https://a.example.com/" + "x" * MAX_URL_CHARACTERS, "egress.too-long"),
        ("https://a.example.com./", "egress.undeclared"),
        ("https://a.example.com.evil.test/", "egress.undeclared"),
        ("https://evil.test/?.example.com", "egress.undeclared"),
        ("https://evil.test/#.example.com", "egress.undeclared"),
        ("https://a.example.com:8443/", "egress.undeclared"),
        ("http://a.example.com/", "egress.undeclared"),
        ("https://example.com/", "egress.undeclared"),
        ("https://2130706433/", "egress.undeclared"),
        ("https://0x7f.1/", "egress.undeclared"),
        ("https://0177.0.0.1/", "egress.undeclared"),
        ("https://127.1/", "egress.undeclared"),
        ("https://[::ffff:127.0.0.1]/", "egress.undeclared"),
    ],
)
def test_no_trick_passes_a_pattern(url: str, rule: str) -> None:
    decision = decide_egress(WILD, url)
    assert (decision.allowed, decision.rule) == (False, rule)


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://2130706433/", "127.0.0.1"),
        ("https://0x7f.1/", "127.0.0.1"),
        ("https://017700000001/", "127.0.0.1"),
        ("https://127.1/", "127.0.0.1"),
        ("https://[::ffff:127.0.0.1]/", "::ffff:7f00:1"),
    ],
)
def test_an_ip_address_in_disguise_is_seen_plainly(url: str, host: str) -> None:
    found = parse_external(url)
    assert isinstance(found, ExternalUrl)
    assert found.host == host
    assert not decide_egress((host,), url).allowed


def test_every_entry_may_admit_and_one_suffices() -> None:
    assert decide_egress(("https://b.test", "a.test"), "https://a.test/x").allowed
    refused = decide_egress((), "https://a.test/x")
    assert "a.test" in refused.message


@given(st.lists(st.sampled_from(["*", "a", "b", "."]), max_size=12), st.text("ab.", max_size=12))
def test_patterns_match_like_the_simplest_definition(parts: list[str], host: str) -> None:
    pattern = "".join(["*", *parts])

    def simple(left: str, right: str) -> bool:
        if not left:
            return not right
        if left[0] == "*":
            return any(simple(left[1:], right[at:]) for at in range(len(right) + 1))
        return bool(right) and left[0] == right[0] and simple(left[1:], right[1:])

    assert host_matches(pattern, host) is simple(pattern, host)


@pytest.mark.hostile
def test_an_entry_of_many_stars_costs_no_more_than_its_length() -> None:
    assert not host_matches("*a" * 4000 + "b", "a" * 8000)


@given(st.text(max_size=40), st.lists(st.text(max_size=12), max_size=3))
def test_for_any_text_there_is_a_decision_and_more_entries_never_refuse_more(
    text: str, entries: list[str]
) -> None:
    few = decide_egress(entries, text)
    more = decide_egress([*entries, "*.example.com"], text)
    assert isinstance(few, Decision)
    assert more.allowed or not few.allowed


@given(st.text(max_size=40).map(lambda text: f"https://{text}"))
def test_what_is_rebuilt_stays_as_it_is(text: str) -> None:
    found = parse_external(text)
    if isinstance(found, ExternalUrl):
        assert parse_external(found.url) == found
