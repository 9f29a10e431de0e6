"""Do the scopes of a Connect app suffice?"""

from collections.abc import Set

from runtime.policy.decision import Decision
from runtime.policy.operations import Operation

HIERARCHY = ("NONE", "READ", "WRITE", "DELETE", "PROJECT_ADMIN", "ADMIN")
"""Each implies those before it."""
ALONE = frozenset({"ACT_AS_USER", "ACCESS_EMAIL_ADDRESSES"})
"""These imply nothing, and nothing implies them."""


def decide_connect_scope(operation: Operation | None, scopes: Set[str]) -> Decision:
    """Decide whether the scopes of a descriptor cover one REST operation.

    Each operation names one scope. It must be held, or one that implies it. What is marked
    inaccessible is closed to Connect apps whatever they hold, and so is an unknown operation.

    Args:
        operation: What the method and path resolve to; None if nothing does.
        scopes: Scopes of the descriptor that were approved, in upper case.

    Source:
        Connect documentation, "Scopes"; Jira Cloud REST API v3, "Connect app scope required" of
        each operation.
    """
    if operation is None:
        return Decision(False, "operation.unknown", "No such REST operation.")
    wanted = operation.connect_scope
    if wanted in ALONE:
        covered = wanted in scopes
    elif wanted in HIERARCHY:
        covered = wanted == "NONE" or wanted in implied_scopes(scopes)
    else:
        return Decision(False, "operation.closed", f"{operation.key} is closed to Connect apps.")
    if covered:
        return Decision(True, "scope.covered")
    held = ", ".join(sorted(scopes)) or "none"
    return Decision(
        False,
        "scope.undeclared",
        f"{operation.key} needs {wanted}, the app holds: {held}; the app author can add it to the "
        "descriptor's scopes, and an admin approves it with 'firebrick connect install'.",
    )


def implied_scopes(scopes: Set[str]) -> frozenset[str]:
    """Return scopes with all that they imply."""
    ranks = [HIERARCHY.index(scope) for scope in scopes if scope in HIERARCHY]
    return frozenset(scopes) | frozenset(HIERARCHY[: max(ranks, default=-1) + 1])


def common_scopes(first: Set[str], second: Set[str]) -> frozenset[str]:
    """Return what two sets of scopes both cover, with all that it implies.

    It is more than what stands in both: one that holds ADMIN alone covers what READ covers.
    """
    return implied_scopes(first) & implied_scopes(second)
