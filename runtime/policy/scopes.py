"""Do the scopes suffice?"""

from collections.abc import Iterable, Set
from dataclasses import dataclass

from runtime.policy.decision import Decision
from runtime.policy.operations import Operation

_DECLARE = "the app author can declare it under permissions.scopes and deploy again"
_APPROVE = "a site admin can approve it with 'firebrick install'"
_CARRY = "a new token can carry it"


@dataclass(frozen=True, slots=True)
class Bound:
    """One of the sets that all hold for a credential's scopes, and what it means to be outside.

    Attributes:
        rule: The rule that refuses what is not in it.
        scopes: The set.
        remedy: Who could widen it, and how.
    """

    rule: str
    scopes: frozenset[str]
    remedy: str


def of_token(scopes: Set[str]) -> Bound:
    """Return the bound that each credential is itself: what it carries."""
    return Bound("scope.not-in-token", frozenset(scopes), _CARRY)


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
    return decide_bounds(operation, forge_bounds(declared, granted))


def forge_bounds(declared: Set[str], granted: Set[str]) -> tuple[Bound, Bound]:
    """Return what bounds an installation: its manifest, and what an admin approved."""
    return (
        Bound("scope.undeclared", frozenset(declared), _DECLARE),
        Bound("scope.ungranted", frozenset(granted), _APPROVE),
    )


def decide_bounds(operation: Operation | None, bounds: Iterable[Bound]) -> Decision:
    """Decide whether the scopes that lie within all of some bounds cover one REST operation.

    The first bound without which they would is the one that refuses, and names the rule.

    Args:
        operation: What the method and path resolve to; None if nothing does.
        bounds: From the widest to the narrowest; together they are what is held.
    """
    if operation is None:
        return Decision(False, "operation.unknown", "No such REST operation.")
    if not operation.scopes:
        return Decision(
            False, "operation.closed", f"{operation.key} is closed to OAuth and Forge tokens."
        )
    held: frozenset[str] | None = None
    for bound in bounds:
        held = bound.scopes if held is None else held & bound.scopes
        if not any(need <= held for need in operation.scopes):
            return Decision(False, bound.rule, _missing(operation, held, bound.remedy))
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
