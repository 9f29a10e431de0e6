"""Scope sets of one operation or event: which is nearest, and whether halves were mixed.

One whole set suffices; halves of two sets do not add up to one.
"""

from collections.abc import Collection, Set

from runtime.manifest.problems import listed

ScopeNames = frozenset[str]
SHOWN = 20  # scopes of one set that a hint names


def nearest_set(sets: Collection[ScopeNames], declared: Set[str]) -> ScopeNames:
    """Return the set that lacks least; of those the one that is declared most, then the first."""
    return min(sets, key=lambda names: (len(names - declared), -len(names & declared)))


def is_mixed(sets: Collection[ScopeNames], declared: Set[str]) -> bool:
    """Return whether scopes of different sets are declared, though no set is whole."""
    held = [names & declared for names in sets]
    if any(names <= declared for names in sets):
        return False
    return any(one - other and other - one for one in held for other in held)


def mixed_message(what: str, sets: Collection[ScopeNames], declared: Set[str]) -> tuple[str, str]:
    """Return message and hint for mixed halves; the hint names what the nearest set lacks."""
    near = nearest_set(sets, declared)
    message = f"{what}: scopes of different sets are declared, and none is whole."
    hint = (
        "One whole set is needed; halves do not add up. "
        f"Nearest: add {listed(sorted(near - declared), SHOWN)} "
        f"beside {listed(sorted(near & declared), SHOWN)}."
    )
    return message, hint
