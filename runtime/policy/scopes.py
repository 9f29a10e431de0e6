"""Do the scopes suffice?"""

from collections.abc import Set

from runtime.policy.decision import Decision
from runtime.policy.operations import Operation


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
        return Decision(False, "scope.undeclared", _missing(operation, declared, "the app author"))
    effective = declared & granted
    if not any(need <= effective for need in operation.scopes):
        return Decision(False, "scope.ungranted", _missing(operation, effective, "a site admin"))
    return Decision(True, "scope.covered")


def missing_scopes(operation: Operation, held: Set[str]) -> tuple[frozenset[str], ...]:
    """Return what each alternative lacks, the shortest first; empty sets mean covered."""
    lacking = (frozenset(need - held) for need in operation.scopes)
    return tuple(sorted(lacking, key=lambda names: (len(names), sorted(names))))


def _missing(operation: Operation, held: Set[str], who: str) -> str:
    ways = " or ".join(
        "[" + ", ".join(sorted(names)) + "]" for names in missing_scopes(operation, held)
    )
    verb = {
        "the app author": "declare it under permissions.scopes and deploy again",
        "a site admin": "approve it with 'firebrick install --upgrade' ",
    }[who]
    return f"{operation.key} lacks {ways}; {who} can {verb.strip()}."
