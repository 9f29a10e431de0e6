from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.policy.customer_approval import Approved, approved_by, find_approved
from runtime.policy.customer_egress import (
    BACKEND,
    Choices,
    EgressEntry,
    EgressGroup,
    check_group,
    configurable_remotes,
    find_configurable,
    is_configurable,
    read_domain,
)
from runtime.policy.customer_remotes import endpoint_of, read_endpoint
from runtime.policy.decision import Decision

OPEN = {"configurable": {"enabled": True}}
REMOTE = {"key": "own", "configurable": {"name": "n", "description": "d"}}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["permissions", "external", "configurable", "enabled", "remotes", "modules",
                         "remote", "key", "fetch", "backend"]), inner, max_size=4),
)  # fmt: skip


@given(st.text(max_size=80) | st.from_regex(r"(https://)?(\*\.)?[a-z0-9.-]{1,30}(:\d{1,6})?"))
def test_a_domain_that_was_read_reads_the_same_again(text: str) -> None:
    read = read_domain(text)
    if read is not None:
        assert read_domain(read) == read
        assert check_group(EgressGroup("k", "d", (EgressEntry(read),)), []) is None


@given(st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){1,3}", fullmatch=True), st.integers(1, 65_535))
def test_a_domain_admits_its_own_host_and_port_alone(host: str, port: int) -> None:
    read = read_domain(f"{host}:{port}")
    assert read is not None
    approved = [Approved("egress_group", "k", (read,))]
    assert find_approved(approved, f"https://{host}:{port}/x") is not None
    assert find_approved(approved, f"https://{host}:{port % 65_535 + 1}/x") is None
    assert find_approved(approved, f"https://x{host}:{port}/x") is None


@given(ANYTHING)
def test_whatever_stands_in_a_manifest_nothing_breaks(document: object) -> None:
    if isinstance(document, dict):
        choices = Choices((EgressGroup("k", "d", (EgressEntry("*"),)),), {"own": "https://a.b"})
        admitted = list(approved_by(choices, document))
        assert bool(admitted) == is_configurable(document)
        assert endpoint_of(choices, document, "own") is None or is_configurable(document)
        assert is_configurable(document) or configurable_remotes(document) == ()


def test_a_remote_may_stand_among_the_modules_too() -> None:
    for document in (
        {"permissions": {"external": OPEN}, "remotes": ["x", {"key": "x"}, REMOTE]},
        {"permissions": {"external": OPEN}, "modules": {"remote": (MappingProxyType(REMOTE),)}},
    ):
        assert find_configurable(document, "own") == REMOTE["configurable"]
        assert find_configurable(document, "x") is None
        assert configurable_remotes(document) == (REMOTE,)
        assert endpoint_of(Choices(endpoints={"own": "https://a.b"}), document, "own")
        assert endpoint_of(Choices(), document, "own") is None


def test_the_first_word_that_fits_is_told_and_other_entries_are_passed_over() -> None:
    external = {**OPEN, "fetch": {"backend": ["x.example", {"address": "y"}, {"remote": "own"}]}}
    document = {"permissions": {"external": external}, "remotes": [REMOTE]}
    groups = (
        EgressGroup("a", "d", (EgressEntry("https://pages.example", ("IMAGES",)),)),
        EgressGroup("b", "d", (EgressEntry("https://c.example", (BACKEND,)),)),
    )
    choices = Choices(groups, {"own": "https://d.example:8443/base"})
    for url, key in (
        ("https://pages.example/", None),
        ("https://c.example/", "b"),
        ("https://d.example:8443/other", "own"),
        ("https://d.example/base", None),
    ):
        found = find_approved(approved_by(choices, document), url)
        assert (found and found.key) == key


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("*.b.example", "https://a.b.example", True),
        ("*.B.example", "https://a.b.example/x", True),
        ("*.b.example", "https://b.example", False),
        ("*", "https://anything.example", True),
        ("b.example", "https://b.example:8443", True),
        ("b.*", "https://b.example", True),
        ("a.*.example", "https://a.b.example", True),
        ("a.*a.example", "https://a.example", False),
        ("*.*.example", "https://a.b.example", False),
        ("https://*.b.example", "https://a.b.example", True),
        ("http://*.b.example", "https://a.b.example", False),
        ("", "https://b.example", False),
    ],
)
def test_a_pattern_has_one_star_and_is_held_against_the_host(
    pattern: str, url: str, fits: bool
) -> None:
    found = read_endpoint(url, {"supportedPatterns": [pattern]})
    assert isinstance(found, str) == fits


def test_what_is_no_pattern_fits_nothing() -> None:
    assert isinstance(read_endpoint("https://b.example", {"supportedPatterns": [7]}), Decision)
    assert read_endpoint("https://b.example", {"supportedPatterns": None}) == "https://b.example/"


@pytest.mark.parametrize("description", ["", "  ", "x" * 201])
def test_a_description_says_something_short(description: str) -> None:
    fault = check_group(EgressGroup("k", description, (EgressEntry("*"),)), [])
    assert fault is not None
    assert "description" in fault
