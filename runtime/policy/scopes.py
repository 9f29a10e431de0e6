"""Do the scopes suffice?"""

from collections.abc import Set

from runtime.policy.decision import Decision
from runtime.policy.operations import Operation

_DECLARE = "the app author can declare it under permissions.scopes and deploy again"
_APPROVE = "a site admin can approve it with 'firebrick install'"


def decide_scopes(operation: Operation | None, declared: Set[str], granted: Set[str]) -> Decision:
    """Decide whether an app's scopes cover one REST operation.

    An operation lists alternatives: sets of scopes, any one of which suffices if it is whole. It
    must lie inside both what the manifest declares and what the installation was granted; halves of
    two sets do not add up, and no scope implies another. An unknown operation is refused.

    Args:
        operation: What the method and path resolve to; None if nothing does.
        declared: ``permissions.scopes`` of the deployed manifest version.
        granted: Scopes consented to for this installation.

    Source:
        Forge manifest reference, "Permissions"; Jira Cloud REST API v3, "OAuth 2.0 scopes required"
        of each operation.
    """
    if operation is None:
        return Decision(False, "operation.unknown", "No such REST operation.")
    if not operation.scopes:
        return Decision(
            False, "operation.closed", f"{operation.key} is closed to OAuth and Forge tokens."
        )
    if not any(need <= declared for need in operation.scopes):
        return Decision(False, "scope.undeclared", _missing(operation, declared, _DECLARE))
    effective = declared & granted
    if not any(need <= effective for need in operation.scopes):
        return Decision(False, "scope.ungranted", _missing(operation, effective, _APPROVE))
    return Decision(True, "scope.covered")


def missing_scopes(operation: Operation, held: Set[str]) -> tuple[frozenset[str], ...]:
    """Return what each alternative lacks, the shortest first; empty sets mean covered."""
    lacking = (frozenset(need - held) for need in operation.scopes)
    return tuple(sorted(lacking, key=lambda names: (len(names), sorted(names))))


SHOWN_IN_FULL = 4  # scopes of one alternative that a message lists by name


def _missing(operation: Operation, held: Set[str], remedy: str) -> str:
    ways = " or ".join(_listed(names) for names in missing_scopes(operation, held))
    return f"{operation.key} lacks {ways}; {remedy}."


def _listed(names: Set[str]) -> str:
    if len(names) > SHOWN_IN_FULL:
        return f"{len(names)} scopes of another set"
    return "[" + ", ".join(sorted(names)) + "]"
