from hypothesis import given
from hypothesis import strategies as st

from runtime.policy.impersonation import (
    ActAs,
    decide_impersonated,
    decide_impersonation,
    decide_lent_scopes,
)
from runtime.server.operations import load_operations

accounts = st.sampled_from([None, "anna", "bert"])
scopes = st.dictionaries(st.sampled_from(["read:jira-work", "write:jira-work"]), st.booleans())


def test_as_app_is_always_the_app_itself() -> None:
    assert decide_impersonation("app", None, None, {}).rule == "act.app"


def test_as_user_without_a_user_is_refused() -> None:
    decision = decide_impersonation("user", None, None, {"read:jira-work": True})
    assert (decision.allowed, decision.rule) == (False, "act.no-user")


def test_as_user_is_the_invoking_user() -> None:
    assert decide_impersonation("user", "anna", None, {}).rule == "act.user"
    assert decide_impersonation("user", "anna", "anna", {}).rule == "act.user"


def test_acting_as_another_account_needs_an_impersonating_scope() -> None:
    plain = {"read:jira-work": False}
    assert decide_impersonation("user", "anna", "bert", plain).rule == "act.impersonation"
    allowed = decide_impersonation("user", "anna", "bert", {"read:jira-work": True})
    assert (allowed.allowed, allowed.rule) == (True, "act.impersonated")


def test_an_operation_needs_a_whole_alternative_of_scopes_that_allow_impersonation() -> None:
    read = load_operations().resolve("GET", "/rest/api/3/issue/TEAM-1").operation
    assert decide_lent_scopes(read, {"read:jira-work": True}).allowed
    for scopes in ({}, {"read:jira-work": False, "write:jira-work": True}):
        decision = decide_lent_scopes(read, scopes)
        assert (decision.allowed, decision.rule) == (False, "act.impersonation-scope")
    assert not decide_lent_scopes(None, {"read:jira-work": True}).allowed


def test_only_an_active_user_of_the_product_is_impersonated() -> None:
    assert decide_impersonated("bert", may_use=True).allowed
    assert decide_impersonated("bert", may_use=False).rule == "act.impersonated-user"


def test_a_call_as_nobody_needs_nothing_here() -> None:
    assert decide_impersonation("none", None, None, {}).allowed


@given(st.sampled_from(["app", "user", "none"]), accounts, accounts, scopes)
def test_withdrawing_impersonation_never_allows_more(
    act_as: ActAs, invoking: str | None, wanted: str | None, held: dict[str, bool]
) -> None:
    without = dict.fromkeys(held, False)
    if decide_impersonation(act_as, invoking, wanted, without).allowed:
        assert decide_impersonation(act_as, invoking, wanted, held).allowed
