import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import runtime.policy
from runtime.policy.operations import Operation, OperationTable
from runtime.policy.scopes import decide_scopes, missing_scopes

DATA = json.loads((Path(runtime.policy.__file__).parent / "operations.json").read_text())
TABLE = OperationTable.from_data(DATA)
SCOPES = sorted({name for names in DATA["scope_sets"] for name in names})
held = st.frozensets(st.sampled_from(SCOPES))
operations = st.sampled_from(list(TABLE))


def fill(template: str) -> str:
    return "/".join("X1" if part.startswith("{") else part for part in template.split("/"))


def test_the_table_holds_all_790_operations() -> None:
    assert len(TABLE) == 790


def test_every_template_resolves_to_its_own_operation() -> None:
    for operation in TABLE:
        resolved = TABLE.resolve(operation.method, fill(operation.path))
        assert resolved.operation is operation, operation


@pytest.mark.parametrize(("version", "number"), [("2", 2), ("latest", 2), ("3", 3)])
def test_older_versions_are_answered_by_the_same_operation(version: str, number: int) -> None:
    resolved = TABLE.resolve("GET", f"/rest/api/{version}/issue/A-1")
    assert resolved.operation is TABLE.find("getIssue")
    assert (resolved.version, resolved.params) == (number, {"issueIdOrKey": "A-1"})


@pytest.mark.parametrize(
    "path",
    [
        "/rest/api/3/project/",
        "/rest/api/3//project",
        "/REST/api/3/project",
        "/rest/api/3/Project",
        "/rest/api/3/%70roject",
        "/rest/api/4/project",
        "/rest/api/3",
        "/rest/api/3/issue/A-1/nope",
        "/",
        "",
    ],
)
def test_another_spelling_is_another_path_and_so_no_operation(path: str) -> None:
    assert TABLE.resolve("GET", path).operation is None


def test_a_known_path_with_another_method_names_the_methods_it_has() -> None:
    resolved = TABLE.resolve("PUT", "/rest/api/3/myself")
    assert resolved.operation is None
    assert resolved.allowed_methods == ("GET",)


def test_head_is_decided_as_get() -> None:
    assert TABLE.resolve("HEAD", "/rest/api/3/myself").operation is TABLE.find("getCurrentUser")


def test_parameters_are_decoded_exactly_once() -> None:
    resolved = TABLE.resolve("GET", "/rest/api/3/project/A%252e%20B")
    assert resolved.params == {"projectIdOrKey": "A%2e B"}


@given(operations, held, held)
def test_one_whole_alternative_must_be_declared_and_granted(
    operation: Operation, declared: frozenset[str], granted: frozenset[str]
) -> None:
    decision = decide_scopes(operation, declared, granted)
    assert decision.allowed == any(need <= declared & granted for need in operation.scopes)


@given(operations, held, held, held)
def test_losing_a_grant_never_allows_more(
    operation: Operation, declared: frozenset[str], granted: frozenset[str], lost: frozenset[str]
) -> None:
    if decide_scopes(operation, declared, granted - lost).allowed:
        assert decide_scopes(operation, declared, granted).allowed
    if decide_scopes(operation, declared - lost, granted).allowed:
        assert decide_scopes(operation, declared, granted).allowed


def test_halves_of_two_alternatives_do_not_add_up() -> None:
    issue = TABLE.find("getIssue")
    assert issue is not None
    granular = max(issue.scopes, key=len)
    for name in granular:
        assert not decide_scopes(issue, granular - {name}, granular).allowed


def test_write_does_not_imply_read() -> None:
    issue = TABLE.find("getIssue")
    decision = decide_scopes(issue, {"write:jira-work"}, {"write:jira-work"})
    assert (decision.allowed, decision.rule) == (False, "scope.undeclared")


def test_a_refusal_says_what_is_missing_and_who_can_grant_it() -> None:
    issue = TABLE.find("getIssue")
    undeclared = decide_scopes(issue, set(), {"read:jira-work"})
    assert undeclared.rule == "scope.undeclared"
    assert "[read:jira-work]" in undeclared.message
    assert "app author" in undeclared.message
    ungranted = decide_scopes(issue, {"read:jira-work"}, set())
    assert ungranted.rule == "scope.ungranted"
    assert "site admin" in ungranted.message


def test_an_unknown_operation_is_refused_whatever_is_held() -> None:
    everything = frozenset(SCOPES)
    decision = decide_scopes(None, everything, everything)
    assert (decision.allowed, decision.rule) == (False, "operation.unknown")


def test_operations_closed_to_oauth_are_refused_whatever_is_held() -> None:
    everything = frozenset(SCOPES)
    closed = [operation for operation in TABLE if not operation.scopes]
    assert len(closed) == 23
    for operation in closed:
        decision = decide_scopes(operation, everything, everything)
        assert (decision.allowed, decision.rule) == (False, "operation.closed")


def test_missing_scopes_lists_the_shortest_way_first() -> None:
    issue = TABLE.find("getIssue")
    assert issue is not None
    assert missing_scopes(issue, set())[0] == {"read:jira-work"}


def test_two_operations_with_one_key_cannot_be_built() -> None:
    issue = TABLE.find("getIssue")
    assert issue is not None
    with pytest.raises(ValueError, match="getIssue"):
        OperationTable([issue, issue])
