"""Time as an argument: nothing else in Firebrick reads a clock."""

import time
from typing import Protocol


class Clock(Protocol):
    """What tells the time."""

    def now_s(self) -> float:
        """Return seconds since 1970-01-01 UTC."""

    def monotonic_s(self) -> float:
        """Return seconds from an arbitrary start that never go back."""


class SystemClock:
    """The machine's clock."""

    def now_s(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        return time.time()

    def monotonic_s(self) -> float:
        """Return seconds from an arbitrary start that never go back."""
        return time.monotonic()


class ManualClock:
    """A clock that moves only when it is told to.

    Args:
        start_s: Seconds since 1970-01-01 UTC at the beginning.
    """

    def __init__(self, start_s: float = 1_700_000_000.0) -> None:
        self._now_s = start_s

    def now_s(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        return self._now_s

    def monotonic_s(self) -> float:
        """Return the same clock: it never goes back."""
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`, which must not be negative."""
        if seconds < 0:
            raise ValueError("a clock never goes back")
        self._now_s += seconds
