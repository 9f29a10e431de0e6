"""Scopes of Connect apps: the hierarchy, what stands alone, what is closed."""

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.policy.connect_scopes import (
    ALONE,
    HIERARCHY,
    common_scopes,
    decide_connect_scope,
    implied_scopes,
)
from runtime.policy.operations import Operation, OperationTable

TABLE = OperationTable.from_data(
    json.loads(files("runtime.policy").joinpath("operations.json").read_bytes())
)
ALL = frozenset(HIERARCHY) | ALONE
operations = st.sampled_from(list(TABLE))
scope_sets = st.frozensets(st.sampled_from(sorted(ALL)))


def needing(scope: str) -> Operation:
    return next(operation for operation in TABLE if operation.connect_scope == scope)


@pytest.mark.parametrize("held", HIERARCHY)
@pytest.mark.parametrize("needed", HIERARCHY)
def test_each_scope_implies_those_before_it(held: str, needed: str) -> None:
    allowed = decide_connect_scope(needing(needed), frozenset({held})).allowed
    assert allowed == (HIERARCHY.index(needed) <= HIERARCHY.index(held))


@pytest.mark.parametrize("alone", sorted(ALONE))
def test_two_scopes_stand_alone(alone: str) -> None:
    assert decide_connect_scope(needing(alone), frozenset({alone})).allowed
    assert not decide_connect_scope(needing(alone), ALL - {alone}).allowed
    assert not decide_connect_scope(needing("READ"), frozenset({alone})).allowed


def test_what_is_open_to_every_app_needs_no_scope() -> None:
    assert decide_connect_scope(needing("NONE"), frozenset()).allowed


@pytest.mark.hostile
def test_what_is_inaccessible_is_closed_whatever_is_held() -> None:
    verdict = decide_connect_scope(needing("INACCESSIBLE"), ALL)
    assert (verdict.allowed, verdict.rule) == (False, "operation.closed")
    assert decide_connect_scope(None, ALL).rule == "operation.unknown"


def test_every_operation_has_a_scope_that_is_known() -> None:
    found = {operation.connect_scope for operation in TABLE}
    assert found == ALL | {"INACCESSIBLE"}


@pytest.mark.hostile
@given(operations, scope_sets, scope_sets)
def test_losing_a_scope_never_allows_more(
    operation: Operation, scopes: frozenset[str], lost: frozenset[str]
) -> None:
    if decide_connect_scope(operation, scopes - lost).allowed:
        assert decide_connect_scope(operation, scopes).allowed


@given(scope_sets)
def test_implication_adds_only_what_ranks_lower(scopes: frozenset[str]) -> None:
    implied = implied_scopes(scopes)
    assert scopes <= implied
    assert implied_scopes(implied) == implied
    assert implied & ALONE == scopes & ALONE


@given(operations, scope_sets, scope_sets)
def test_what_two_sets_have_in_common_is_what_both_cover(
    operation: Operation, first: frozenset[str], second: frozenset[str]
) -> None:
    both = all(decide_connect_scope(operation, one).allowed for one in (first, second))
    assert decide_connect_scope(operation, common_scopes(first, second)).allowed == both
