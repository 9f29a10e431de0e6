"""The known names that stand nearest to an unknown one."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

CANDIDATES = 16  # names that are compared in full
NAME_LIMIT = 100  # longer names are no typing mistakes, and distance costs length squared


def nearest(name: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Return up to `count` known names by edit distance, the nearest first.

    A name counts as near if at most half of its characters would have to change.

    Args:
        name: What the author wrote.
        known: What could have been meant.
        count: How many to return at most.
    """
    return _nearest(name, tuple(known), count) if len(name) <= NAME_LIMIT else ()


@lru_cache(maxsize=256)
def _nearest(name: str, known: tuple[str, ...], count: int) -> tuple[str, ...]:
    limit = max(2, len(name) // 2)
    best: list[tuple[int, str]] = []
    for other in _likeliest(name, known):
        distance = edit_distance(name, other, limit)
        if distance <= limit:
            best = sorted([*best, (distance, other)])[:count]
            limit = best[-1][0] if len(best) == count else limit
    return tuple(other for _, other in best)


def _likeliest(name: str, known: tuple[str, ...]) -> list[str]:
    """Return the names that share most characters with `name`; distance is too slow for all."""
    letters = Counter(name)

    def different(other: str) -> int:
        return max(len(name), len(other)) - (letters & _letters(other)).total()

    return sorted(known, key=lambda other: (different(other), other))[:CANDIDATES]


@lru_cache(maxsize=1024)
def _letters(name: str) -> Counter[str]:
    return Counter(name)


def edit_distance(left: str, right: str, limit: int) -> int:
    """Return the Levenshtein distance, or `limit` + 1 as soon as it must be greater."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)
