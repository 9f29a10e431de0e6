"""Where a remote may be, which path stays at it, and which tokens go along."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl
from runtime.policy.remotes import (
    decide_remote_address,
    parse_remote_base,
    parse_remote_target,
    remote_tokens,
)

BASE = "https://backend.example.com/base"
HERE = ("127.0.0.1",)
OUTSIDE = ("93.184.215.14",)


def base(text: str = BASE, *, named: bool = False) -> ExternalUrl:
    found = parse_remote_base(text, named=named)
    assert isinstance(found, ExternalUrl), found
    return found


def rule_of(found: ExternalUrl | Decision) -> str:
    assert isinstance(found, Decision), found
    assert not found.allowed
    return found.rule


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:9000",
        "http://localhost:9000/x",
        "http://[::1]:9000",
        "http://10.0.0.7",
        "https://backend.example.com",
    ],
)
def test_a_person_may_name_this_machine_an_address_or_an_https_host(text: str) -> None:
    assert base(text, named=True).url.startswith(text)


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("http://backend.example.com", False),
        ("http://127.0.0.1:9000", False),
        ("http://backend.example.com", True),
        ("http://127.0.0.1.example.com", True),
        ("http://localhost.example.com", True),
        ("ws://127.0.0.1", True),
        ("wss://backend.example.com", False),
        ("file:///etc/passwd", True),
        ("https://user@backend.example.com", False),
        ("https://backend.example.com@evil.test", False),
        ("https://backend.example.com\\@evil.test", False),
        ("https://backend.example.com?x=", False),
        ("https://backend.example.com#/", False),
        ("https://backend.example.com/ x", False),
        ("backend.example.com", False),
        ("", False),
        ("", True),
    ],
)
def test_no_other_base_url_is_asked(text: str, named: bool) -> None:  # a case
    assert rule_of(parse_remote_base(text, named=named)) == "remote.base-url"


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/", f"{BASE}/"),
        ("/x?y=1&z=/../", f"{BASE}/x?y=1&z=/../"),
        ("/a;b/%2F/ü", f"{BASE}/a;b/%2F/%C3%BC"),
        ("/@evil.test/:80/", f"{BASE}/@evil.test/:80/"),
        ("/x#fragment", f"{BASE}/x"),
    ],
)
def test_a_path_is_appended_to_the_base_url(path: str, url: str) -> None:
    found = parse_remote_target(base(), path)
    assert isinstance(found, ExternalUrl)
    assert found.url == url


@pytest.mark.hostile
@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "@evil.test/",
        ".evil.test/",
        ":8443/",
        "//evil.test/",
        "/\\evil.test/",
        "\\evil.test",
        "/x\\..\\..",
        "/..",
        "/../other",
        "/x/../../other",
        "/%2e%2E/other",
        "/.%2e/other",
        "/./x",
        "/a b",
        "/a\nb",
        "/a\r\nx-forge-oauth-system: 1",
        "/a\x00",
        "http://evil.test/",
        "?x",
        "#",
        "/" + "x" * 9000,
        "/\ud800",
    ],
)
def test_no_path_leads_out_of_the_base_url(path: str) -> None:
    assert rule_of(parse_remote_target(base(), path)) == "remote.path"


@pytest.mark.hostile
@given(st.text(st.sampled_from("/\\.@:?#%2eE5cf evil.test\n\t\x00[]"), max_size=40))
def test_whatever_the_path_the_server_is_the_remote(path: str) -> None:
    for text in (BASE, "https://backend.example.com"):
        found = parse_remote_target(base(text), path)
        if isinstance(found, ExternalUrl):
            assert found.origin == base().origin
            assert urlsplit(found.url).netloc == "backend.example.com"
            assert found.url.startswith(f"{text}/")


def test_the_manifests_own_remote_is_at_a_public_address() -> None:
    assert decide_remote_address("b.test", OUTSIDE, named=False).allowed
    for addresses in (HERE, ("10.0.0.1",), ("169.254.169.254",), (*OUTSIDE, *HERE), ()):
        assert not decide_remote_address("b.test", addresses, named=False).allowed
    assert not decide_remote_address("127.0.0.1", HERE, named=False).allowed


@pytest.mark.hostile
def test_a_private_address_is_asked_only_if_a_person_named_that_address() -> None:
    for address in ("127.0.0.1", "10.0.0.7", "::1", "169.254.169.254"):
        assert decide_remote_address(address, (address,), named=True).allowed
    assert decide_remote_address("localhost", HERE, named=True).allowed
    assert not decide_remote_address("localhost", OUTSIDE, named=True).allowed
    assert decide_remote_address("b.test", OUTSIDE, named=True).allowed
    for addresses in (HERE, ("10.0.0.1",), ("169.254.169.254",), (*OUTSIDE, *HERE), ()):
        decision = decide_remote_address("b.test", addresses, named=True)
        assert not decision.allowed
        assert decision.rule in {"egress.private-address", "egress.unresolved"}


SYSTEM, USER, WORK = "read:app-system-token", "read:app-user-token", "read:jira-work"


@pytest.mark.parametrize(
    ("system", "user", "in_force", "along"),
    [
        (True, True, {SYSTEM, USER, WORK}, (True, True)),
        (False, False, {SYSTEM, USER, WORK}, (False, False)),
        (True, True, {USER, WORK}, (False, True)),
        (True, True, {SYSTEM, WORK}, (True, False)),
        (True, True, {SYSTEM, USER}, (True, False)),
        (True, True, {WORK}, (False, False)),
        (True, True, set(), (False, False)),
    ],
)
def test_a_token_needs_its_switch_its_scope_and_something_to_open(
    system: bool,
    user: bool,
    in_force: set[str],
    along: tuple[bool, bool],
) -> None:
    assert remote_tokens(system=system, user=user, in_force=in_force) == along
