"""May this app act as that account?"""

from collections.abc import Mapping
from typing import Literal

from runtime.policy.decision import Decision

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
