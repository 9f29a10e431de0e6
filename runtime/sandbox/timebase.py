"""The time of one invocation: the machine's, or a virtual one that jumps.

Everything that reaches a guest from outside passes here: what its clock tells, and which reply or
timer comes next. So a time that writes it down records a run, and one that reads it back repeats
the run; see `runtime.sandbox.journal`.
"""

from abc import ABC, abstractmethod
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeVar

from runtime.clock import Clock, SystemClock

if TYPE_CHECKING:
    from runtime.sandbox.values import Fault

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

    def told_ms(self) -> int:
        """Return the whole milliseconds that a guest which reads its clock is told have passed."""

    def stamp_ms(self, wall_ms: float) -> float | None:
        """Return the time that a log line bears; None if the line is not to be kept.

        Args:
            wall_ms: How long the budget period lasts by now.
        """

    def begin_turn(self) -> None:
        """A guest is about to compute."""

    def asks(self, call_id: int, name: str, body: bytes) -> bool:
        """Return whether the door is to be called for a call that a guest makes."""

    def halt(self) -> "Fault | None":
        """Return why the run must end now, whatever its budgets say; None if it may go on."""


class PlainTime(ABC):
    """What times have in common that neither write down nor read back what happens."""

    @abstractmethod
    def elapsed_s(self) -> float:
        """Return seconds since the invocation began."""

    def told_ms(self) -> int:
        """Return the whole milliseconds since the invocation began."""
        return int(self.elapsed_s() * 1000)

    def stamp_ms(self, wall_ms: float) -> float | None:
        """Return the time as it is."""
        return wall_ms

    def begin_turn(self) -> None:
        """Let it."""
        return

    def asks(self, call_id: int, name: str, body: bytes) -> bool:
        """Let it."""
        del call_id, name, body
        return True

    def halt(self) -> "Fault | None":
        """Leave the run to its budgets."""
        return None


def _get(replies: "SimpleQueue[T]", seconds: float) -> T | None:
    try:
        return replies.get(timeout=max(0.0, seconds))
    except Empty:
        return None


class RealTime(PlainTime):
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


class VirtualTime(PlainTime):
    """A time that stands still while a guest computes and jumps when it waits for a timer.

    The same invocation sees the same clock every time, and a timer of an hour costs nothing. Door
    calls still take as long as they take: nothing can jump over them.
    """

    def __init__(self) -> None:
        self._elapsed_s = 0.0

    def elapsed_s(self) -> float:
        """Return seconds that were jumped over since the invocation began."""
        return self._elapsed_s

    def told_ms(self) -> int:
        """Return the nearest whole millisecond: a sum of jumps may fall short of it by a hair."""
        return round(self._elapsed_s * 1000)

    def wait(self, replies: "SimpleQueue[T]", seconds: float, *, expected: bool) -> T | None:
        """Return the next reply if one is expected, else jump."""
        reply = _get(replies, seconds) if expected else None
        if reply is None:
            self._elapsed_s += max(0.0, seconds)
        return reply
