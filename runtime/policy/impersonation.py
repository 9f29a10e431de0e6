"""May this app act as that account?"""

from collections.abc import Mapping, Sequence
from typing import Literal

from runtime.policy.decision import Decision
from runtime.policy.operations import Operation

ActAs = Literal["app", "user", "none"]


def decide_impersonation(
    act_as: ActAs,
    invoking_account_id: str | None,
    wanted_account_id: str | None,
    impersonation_scopes: Mapping[str, bool],
) -> Decision:
    """Decide as whom a product request may go out.

    ``asApp()`` is the app's own account. ``asUser()`` is whoever invoked the function, and nobody
    where no user did (a trigger, a schedule, a queue). ``asUser(accountId)`` of another account
    needs a scope declared with ``allowImpersonation: true``.

    Args:
        act_as: What the guest asked for.
        invoking_account_id: Who invoked the function; None if no user did.
        wanted_account_id: The argument of ``asUser(…)``; None if it had none.
        impersonation_scopes: Each declared scope and whether it allows impersonation.

    Source:
        Forge API reference, "asUser"; manifest reference, "allowImpersonation".
    """
    if act_as == "none":
        return Decision(True, "act.none")
    if act_as == "app":
        return Decision(True, "act.app")
    if wanted_account_id is None or wanted_account_id == invoking_account_id:
        if invoking_account_id is None:
            return Decision(
                False, "act.no-user", "asUser() needs a user, and none invoked this function."
            )
        return Decision(True, "act.user")
    if not any(impersonation_scopes.values()):
        return Decision(
            False,
            "act.impersonation",
            "asUser(accountId) of another account needs a scope declared with "
            "allowImpersonation: true.",
        )
    return Decision(True, "act.impersonated")


def impersonable(scopes: Mapping[str, bool]) -> frozenset[str]:
    """Return the scopes with which an app may act as somebody who did not invoke it.

    Args:
        scopes: Each scope in force and its ``allowImpersonation``.
    """
    return frozenset(scope for scope, allowed in scopes.items() if allowed)


def decide_lent_scopes(operation: Operation | None, scopes: Mapping[str, bool]) -> Decision:
    """Decide whether an operation is within what impersonation may use.

    Only scopes that are declared with ``allowImpersonation: true`` lend themselves to it: one such
    scope does not open all others to a call in somebody else's name.

    Args:
        operation: What is asked for; its scopes have been decided before.
        scopes: Each scope in force and its ``allowImpersonation``.
    """
    lent = impersonable(scopes)
    if operation is not None and any(need <= lent for need in operation.scopes):
        return Decision(True, "act.impersonated")
    return Decision(
        False,
        "act.impersonation-scope",
        "The scopes of this operation are not all declared with allowImpersonation: true.",
    )


def decide_impersonated(account_id: str, *, may_use: bool) -> Decision:
    """Decide whether an account is one that may be impersonated at all.

    Nobody acts as a deactivated account, as an app, or as one without access to the product; an
    unknown account is answered alike.

    Args:
        account_id: Whom the app wants to act as.
        may_use: Whether that is an active person with access to the product.

    Source:
        Forge documentation, conditions of offline user impersonation.
    """
    if may_use:
        return Decision(True, "act.impersonated")
    return Decision(
        False, "act.impersonated-user", f"There is no active user {account_id} of the product."
    )


def decide_offline_context(context_ids: Sequence[str], cloud_id: str) -> Decision:
    """Decide whether a token of a user who is not there is asked for where the app is installed.

    Args:
        context_ids: ARIs of the contexts that the token is to be for.
        cloud_id: The site of the app's installation.

    Source:
        "Offline user impersonation": ``contextIds`` holds the context ARI of the installation.
    """
    own = f"ari:cloud:jira::site/{cloud_id}"
    if list(context_ids) == [own]:
        return Decision(True, "act.impersonated")
    return Decision(
        False, "act.offline-context", f"contextIds must name the installation's own: {own}."
    )


def decide_offline_rate(made: int, limit: int) -> Decision:
    """Decide whether an app may have one more token of a user who is not there.

    Args:
        made: How many it got within this minute.
        limit: How many it may get in one.

    Source:
        "Calling Atlassian app APIs from a remote", "Offline user impersonation": 10,000 requests a
        minute for each app.
    """
    if made < limit:
        return Decision(True, "act.offline-token")
    return Decision(
        False, "act.offline-rate", f"Rate limited: {limit} tokens of users a minute are made."
    )


def decide_impersonation_rate(made: int, limit: int) -> Decision:
    """Decide whether an installation may act as a user who did not invoke it once more.

    Args:
        made: How often it did within this minute.
        limit: How often it may in one.

    Source:
        Forge documentation of offline user impersonation: about 1,000 tokens a minute from
        functions.

    Differs:
        Each call is counted. Whether the platform makes a token for each is not known.
    """
    if made < limit:
        return Decision(True, "act.impersonated")
    return Decision(
        False,
        "act.impersonation-rate",
        f"Rate limited: {limit} calls a minute with asUser(accountId) of another account.",
    )
