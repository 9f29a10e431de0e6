"""Egress decisions against the platform's filter, and where they are stricter."""

import json
import re
from pathlib import Path

import pytest

from runtime.policy.egress import decide_egress, host_matches

DATA = json.loads((Path(__file__).parent / "egress_cases.json").read_text("utf-8"))
STRICTER = {(tuple(entries), url): rule for entries, url, rule, _reason in DATA["stricter"]}
HOSTS = ["example.com", "a.example.com", ".example.com", "evilexample.com", "a.b", "axb", "", "*"]


@pytest.mark.parametrize(("entries", "url", "allowed", "_pages"), DATA["cases"])
def test_every_measured_case_is_decided_alike_or_stricter(
    entries: list[str], url: str, allowed: bool, _pages: bool
) -> None:
    decision = decide_egress(entries, url)
    rule = STRICTER.get((tuple(entries), url))
    if rule is None:
        assert decision.allowed is allowed, decision
    else:
        assert (decision.allowed, decision.rule, allowed) == (False, rule, True)


def test_every_stricter_case_is_one_of_the_measured_cases() -> None:
    measured = {(tuple(entries), url) for entries, url, *_ in DATA["cases"]}
    assert set(STRICTER) <= measured
    assert all(reason for *_, reason in DATA["stricter"])


@pytest.mark.parametrize(("glob", "expression"), DATA["globs"])
def test_patterns_mean_what_was_measured(glob: str, expression: str) -> None:
    for host in HOSTS:
        assert host_matches(glob, host) is (re.search(expression, host) is not None), host
