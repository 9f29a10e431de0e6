"""Each rule says where it comes from."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

from runtime.server.explain.rule_sources import OWN, SOURCES, source_of

RULES = Path(__file__).parents[2] / "docs" / "rules.md"
ADMINISTRATIVE = ("app.told", "app.not-told", "world.made")


def documented() -> list[str]:
    text = RULES.read_text(encoding="utf-8")
    return [one for one in re.findall(r"^\| `([^`]+)`", text, re.MULTILINE) if one != "rule"]


def test_every_rule_has_a_source_and_no_source_is_of_nothing() -> None:
    rules = documented()
    without = {rule for rule in rules if source_of(rule, "getIssue") == OWN}
    assert without <= {*ADMINISTRATIVE}
    assert not [known for known in SOURCES if not any(fnmatchcase(rule, known) for rule in rules)]


def test_a_source_names_the_operation_and_the_scopes_of_the_model() -> None:
    assert source_of("scope.undeclared", "getIssue", "connect") == (
        'Jira Cloud REST API v3, getIssue: "Connect app scope required"'
    )
    assert source_of("scope.undeclared", None) == (
        'Jira Cloud REST API v3, the operation: "OAuth 2.0 scopes required"'
    )
    assert "Manage" not in source_of("permission.ADMINISTER", "getIssue")
