"""Did the user agree that the app acts in their name?"""

from collections.abc import Set

from runtime.policy.decision import Decision


def decide_consent(
    *, asked: bool, acting_as_invoker: bool, needed: Set[str], consented: Set[str] | None
) -> Decision:
    """Decide whether ``asUser()`` may go out where users consent for themselves.

    Consent covers the scopes that were agreed to: an app that was granted more since must ask
    again. Acting as the app, as nobody, or as another user by impersonation is the admin's consent.

    Args:
        asked: Whether the installation asks its users at all.
        acting_as_invoker: The call is ``asUser()`` of whoever invoked the function.
        needed: Scopes in force for the installation.
        consented: Scopes the user agreed to; None if they never did, or took it back.

    Source:
        Forge documentation, user consent (``NEEDS_AUTHENTICATION_ERR``).
    """
    if not asked or not acting_as_invoker:
        return Decision(True, "consent.not-asked")
    if consented is None:
        return Decision(
            False,
            "consent.missing",
            "The user has not agreed; they can with 'firebrick consent grant'.",
        )
    if not needed <= consented:
        lacking = ", ".join(sorted(needed - consented))
        return Decision(
            False,
            "consent.outdated",
            f"The user agreed before the app got {lacking}; "
            "they can agree anew with 'firebrick consent grant'.",
        )
    return Decision(True, "consent.given")
