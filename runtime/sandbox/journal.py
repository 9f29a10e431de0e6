"""What reached one run from outside of its guest, written down and read back.

A guest computes the same from the same start. What differs from run to run is what its clock tells,
which reply or timer comes next, and where the host stops it. `Recorder` is a time that notes these;
`Replayer` is one that gives them again, without a door. Neither looks at what the bytes mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeVar

from runtime.sandbox.doors import Reply
from runtime.sandbox.timebase import PlainTime, Timebase
from runtime.sandbox.values import Fault, Outcome

T = TypeVar("T")

TURN, TIMER = "t", "w"
"""Steps of a journal: the guest computes; nothing came while it waited. Beside these ``a1``, the
guest makes call 1, and ``w1``, the reply to call 1 is handed over."""

HOST_STOPS = frozenset({"BUSY", "CPU_LIMIT", "INTERNAL", "TIMEOUT"})
"""Faults by which the host ends a run at a moment that only its clocks know."""

DIVERGED = "REPLAY_DIVERGED"
FAR_AHEAD_S = 1e9  # later than any budget of time ends


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a guest and what came of it.

    Attributes:
        call_id: Counts the guest's calls from 1.
        name: The door.
        body: What went out.
        reply: What came back; None if nothing did, or the host failed.
        answered: Whether anything was handed over, be it that the host failed.
    """

    call_id: int
    name: str
    body: bytes
    reply: bytes | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Journal:
    """One run as it was seen at the guest's border.

    Attributes:
        steps: What happened, in order.
        calls: The calls, in the order in which they were made.
        clock: Readings of the guest's clock, as (milliseconds, how many readings in a row).
        stamps: The times that log lines bear, in milliseconds.
        halt: Where the host stopped the run, why; None if it ended by itself.
    """

    steps: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    clock: tuple[tuple[int, int], ...] = ()
    stamps: tuple[float, ...] = ()
    halt: Fault | None = None


class Recorder:
    """A time that tells what another tells, and notes it.

    Args:
        time: The other.
    """

    def __init__(self, time: Timebase) -> None:
        self._time = time
        self._steps: list[str] = []
        self._calls: dict[int, Call] = {}
        self._replies: dict[int, bytes | None] = {}
        self._clock: list[list[int]] = []
        self._stamps: list[float] = []

    def elapsed_s(self) -> float:
        """Return seconds since the invocation began."""
        return self._time.elapsed_s()

    def told_ms(self) -> int:
        """Note one reading of the guest's clock."""
        told = self._time.told_ms()
        if self._clock and self._clock[-1][0] == told:
            self._clock[-1][1] += 1
        else:
            self._clock.append([told, 1])
        return told

    def stamp_ms(self, wall_ms: float) -> float | None:
        """Note the time of one log line."""
        stamp = self._time.stamp_ms(wall_ms)
        if stamp is not None:
            self._stamps.append(stamp)
        return stamp

    def begin_turn(self) -> None:
        """Note that the guest computes."""
        self._steps.append(TURN)
        self._time.begin_turn()

    def asks(self, call_id: int, name: str, body: bytes) -> bool:
        """Note one call."""
        self._steps.append(f"a{call_id}")
        self._calls[call_id] = Call(call_id, name, body)
        return self._time.asks(call_id, name, body)

    def wait(self, replies: "SimpleQueue[T]", seconds: float, *, expected: bool) -> T | None:
        """Note what comes next."""
        reply = self._time.wait(replies, seconds, expected=expected)
        if isinstance(reply, Reply):
            self._steps.append(f"{TIMER}{reply.call_id}")
            self._replies[reply.call_id] = reply.body
        else:
            self._steps.append(TIMER)
        return reply

    def halt(self) -> Fault | None:
        """Leave the run to the other."""
        return self._time.halt()

    def journal(self, outcome: Outcome) -> Journal:
        """Return what was noted of a run that came to `outcome`."""
        fault = outcome.fault
        return Journal(
            steps=tuple(self._steps),
            calls=tuple(
                Call(call.call_id, call.name, call.body, self._replies[call.call_id], True)
                if call.call_id in self._replies
                else call
                for call in self._calls.values()
            ),
            clock=tuple((told, count) for told, count in self._clock),
            stamps=tuple(self._stamps),
            halt=fault if fault is not None and fault.code in HOST_STOPS else None,
        )


class Replayer(PlainTime):
    """A time that gives a run what its journal says, and the door nothing to do.

    Where the guest does something else than it did, the run ends with the fault
    ``REPLAY_DIVERGED``; a request that differs is kept, and its recorded reply is given all the
    same, for what follows from it is of interest.

    Args:
        journal: What was noted.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known = {f"{TIMER}{call.call_id}": call for call in journal.calls}
        self._open: set[str] = set()  # the steps that hand over a reply the guest waits for
        self._at = 0
        self._clock = [reading for reading in journal.clock if reading[1] > 0]
        self._read = 0  # readings of the first entry of the clock that are used up
        self._clock_at = 0
        self._stamp_at = 0
        self._diverged: Fault | None = None
        self._over = False
        self._asked: list[Call] = []

    @property
    def calls(self) -> Sequence[Call]:
        """What the guest asked this time, without replies."""
        return tuple(self._asked)

    @property
    def complete(self) -> bool:
        """Whether everything in the journal has happened again."""
        return (
            self._at == len(self._journal.steps)
            and self._clock_at == len(self._clock)
            and self._stamp_at == len(self._journal.stamps)
        )

    def elapsed_s(self) -> float:
        """Stand still, so that no budget of time runs out; far ahead once the journal is over."""
        return FAR_AHEAD_S if self._over else 0.0

    def told_ms(self) -> int:
        """Return the next reading; the last one for ever once all are used up."""
        if self._clock_at == len(self._clock):
            if self._journal.halt is None:
                self._differs("the guest reads its clock more often")
            return self._clock[-1][0] if self._clock else 0
        told, count = self._clock[self._clock_at]
        self._read += 1
        if self._read == count:
            self._clock_at, self._read = self._clock_at + 1, 0
        return told

    def stamp_ms(self, wall_ms: float) -> float | None:
        """Return the next recorded stamp; a line too many is kept, unless the host stopped here."""
        del wall_ms
        if self._stamp_at < len(self._journal.stamps):
            self._stamp_at += 1
            return self._journal.stamps[self._stamp_at - 1]
        return None if self._journal.halt is not None else 0.0

    def begin_turn(self) -> None:
        """Compare: the guest computes."""
        self._step(TURN, "the guest computes once more")

    def asks(self, call_id: int, name: str, body: bytes) -> bool:
        """Compare one call, and keep it from the door."""
        if self._step(f"a{call_id}", f"the guest makes call {call_id}"):
            self._asked.append(Call(call_id, name, body))
            self._open |= self._known.keys() & {f"{TIMER}{call_id}"}
        return False

    def wait(self, replies: "SimpleQueue[T]", seconds: float, *, expected: bool) -> T | None:
        """Return what came next when it was recorded."""
        del replies, seconds, expected
        step = self._next()
        if step is None:
            self._over = True
            if self._journal.halt is None:
                self._differs("the guest waits once more")
        elif step in self._open:
            self._at += 1
            self._open.remove(step)
            call = self._known[step]
            return Reply(call.call_id, call.reply)  # type: ignore[return-value]  # T is Reply
        elif step == TIMER:
            self._at += 1
        else:
            self._differs("the guest waits")
        return None

    def halt(self) -> Fault | None:
        """Return the fault by which the host ended the run, once everything before has happened."""
        if self._diverged is not None:
            return self._diverged
        return self._journal.halt if self.complete else None

    def _next(self) -> str | None:
        steps = self._journal.steps
        return steps[self._at] if self._at < len(steps) else None

    def _step(self, wanted: str, what: str) -> bool:
        if self._next() == wanted:
            self._at += 1
            return True
        if self._next() is not None or self._journal.halt is None:
            self._differs(what)
        return False

    def _differs(self, what: str) -> None:
        if self._diverged is None:
            place = f"after step {self._at} of {len(self._journal.steps)}"
            self._diverged = Fault(DIVERGED, f"Unlike in the record, {what}, {place}.")
