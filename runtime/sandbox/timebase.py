"""The time of one invocation: the machine's, or a virtual one that jumps."""

from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

from runtime.clock import Clock, SystemClock

T = TypeVar("T")


class Timebase(Protocol):
    """What one invocation measures its time with and waits on."""

    def elapsed_s(self) -> float:
        """Return seconds since the invocation began."""

    def wait(self, replies: "SimpleQueue[T]", seconds: float, *, expected: bool) -> T | None:
        """Return the next reply, or None when `seconds` have passed.

        Args:
            replies: Where replies of the door arrive.
            seconds: Until the next timer or the end of the budget.
            expected: Whether any call is in flight at all.
        """


def _get(replies: "SimpleQueue[T]", seconds: float) -> T | None:
    try:
        return replies.get(timeout=max(0.0, seconds))
    except Empty:
        return None


class RealTime:
    """The machine's time."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._begin_s = self._clock.monotonic_s()

    def elapsed_s(self) -> float:
        """Return seconds since the invocation began."""
        return self._clock.monotonic_s() - self._begin_s

    def wait(self, replies: "SimpleQueue[T]", seconds: float, *, expected: bool) -> T | None:
        """Return the next reply, or None when `seconds` have passed."""
        del expected
        return _get(replies, seconds)


class VirtualTime:
    """A time that stands still while a guest computes and jumps when it waits for a timer.

    The same invocation sees the same clock every time, and a timer of an hour costs nothing. Door
    calls still take as long as they take: nothing can jump over them.
    """

    def __init__(self) -> None:
        self._elapsed_s = 0.0

    def elapsed_s(self) -> float:
        """Return seconds that were jumped over since the invocation began."""
        return self._elapsed_s

    def wait(self, replies: "SimpleQueue[T]", seconds: float, *, expected: bool) -> T | None:
        """Return the next reply if one is expected, else jump."""
        reply = _get(replies, seconds) if expected else None
        if reply is None:
            self._elapsed_s += max(0.0, seconds)
        return reply
