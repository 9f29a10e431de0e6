"""Do the scopes of a Connect app suffice?"""

from collections.abc import Iterable, Set

from runtime.policy.decision import Decision
from runtime.policy.operations import Operation
from runtime.policy.scopes import Bound

HIERARCHY = ("NONE", "READ", "WRITE", "DELETE", "PROJECT_ADMIN", "ADMIN")
"""Each implies those before it."""
ALONE = frozenset({"ACT_AS_USER", "ACCESS_EMAIL_ADDRESSES"})
"""These imply nothing, and nothing implies them."""

_ADD = (
    "the app author can add it to the descriptor's scopes, and an admin approves it with "
    "'firebrick connect install'"
)


def of_descriptor(scopes: Set[str]) -> Bound:
    """Return the bound that an installed descriptor is."""
    return Bound("scope.undeclared", frozenset(scopes), _ADD)


def decide_connect_bounds(operation: Operation | None, bounds: Iterable[Bound]) -> Decision:
    """Decide whether the scopes within all of some bounds cover one REST operation.

    Args:
        operation: What the method and path resolve to; None if nothing does.
        bounds: From the widest to the narrowest: the descriptor, and what a token carries.
    """
    for bound in bounds:
        verdict = decide_connect_scope(operation, bound.scopes, bound)
        if not verdict.allowed:
            return verdict
    return Decision(True, "scope.covered")


def decide_connect_scope(
    operation: Operation | None, scopes: Set[str], bound: Bound | None = None
) -> Decision:
    """Decide whether the scopes of a descriptor cover one REST operation.

    Each operation names one scope. It must be held, or one that implies it. What is marked
    inaccessible is closed to Connect apps whatever they hold, and so is an unknown operation.

    Args:
        operation: What the method and path resolve to; None if nothing does.
        scopes: Scopes of the descriptor that were approved, in upper case.
        bound: What refuses where they do not suffice; the descriptor if None.

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
    held, bound = ", ".join(sorted(scopes)) or "none", bound or of_descriptor(scopes)
    return Decision(
        False,
        bound.rule,
        f"{operation.key} needs {wanted}, the app holds: {held}; {bound.remedy}.",
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
