from hypothesis import given
from hypothesis import strategies as st

from runtime.policy.consent import decide_consent

scopes = st.frozensets(st.sampled_from(["a", "b", "c"]))


def test_nobody_is_asked_unless_the_installation_asks_or_the_call_is_the_users() -> None:
    for asked, acting in ((False, True), (True, False)):
        decision = decide_consent(
            asked=asked, acting_as_invoker=acting, needed={"a"}, consented=None
        )
        assert decision.rule == "consent.not-asked"


def test_consent_must_cover_every_scope_in_force() -> None:
    ask = {"asked": True, "acting_as_invoker": True}
    missing = decide_consent(**ask, needed={"a"}, consented=None)
    outdated = decide_consent(**ask, needed={"a", "b"}, consented={"a"})
    given_ = decide_consent(**ask, needed={"a"}, consented={"a", "b"})
    assert [missing.rule, outdated.rule, given_.rule] == [
        "consent.missing",
        "consent.outdated",
        "consent.given",
    ]
    assert "b" in outdated.message


@given(scopes, scopes | st.none(), scopes)
def test_less_consent_never_allows_more(
    needed: frozenset[str], consented: frozenset[str] | None, lost: frozenset[str]
) -> None:
    less = None if consented is None else consented - lost
    before = decide_consent(asked=True, acting_as_invoker=True, needed=needed, consented=consented)
    after = decide_consent(asked=True, acting_as_invoker=True, needed=needed, consented=less)
    assert before.allowed or not after.allowed
