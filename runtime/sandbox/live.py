"""A JavaScript guest that stays: messages go in and out until it is closed or faults."""

import threading
from types import TracebackType
from typing import Self

from runtime.sandbox.guest import Guest
from runtime.sandbox.meter import Stopped
from runtime.sandbox.reports import Busy
from runtime.sandbox.values import Fault, Turn, Usage

CLOSED = Fault("CLOSED", "The guest is closed.")


class LiveJavaScript:
    """A live guest over the same mechanism as a one-shot run.

    Each message has budgets of its own. A message is done when the guest has nothing left to do
    and no call is in flight; a timer that is due later fires with the next message or `pump`.
    """

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._lock = threading.RLock()
        self._closed = False
        self._opened = self._turn(None, 0)

    @property
    def opened(self) -> Turn:
        """What came of the start."""
        return self._opened

    def post(self, message: str) -> Turn:
        """Hand one message over and run until the guest is idle, under fresh budgets."""
        return self._next([b"M" + message.encode("utf-8", "replace")], 0)

    def pump(self, wait_ms: int = 0) -> Turn:
        """Fire the timers that are due within `wait_ms`, under fresh budgets."""
        return self._next([], wait_ms)

    def close(self) -> None:
        """Drop the guest; closing twice is harmless."""
        with self._lock:
            self._closed = True
            self._guest.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _next(self, events: list[bytes], wait_ms: int) -> Turn:
        with self._lock:
            if self._closed:
                return Turn((), CLOSED, (), Usage())
            return self._turn(events, wait_ms)

    def _turn(self, events: list[bytes] | None, wait_ms: int) -> Turn:
        """Run until the guest is idle; None for events opens it."""
        messages: list[str] = []
        result, fault = None, None
        try:
            result = self._run(events, wait_ms, messages)
        except Stopped as stopped:
            fault = stopped.fault
        except BaseException:
            self.close()
            raise
        guest = self._guest
        usage = guest.meter.usage(guest.memory_bytes(), len(result or b""))
        if fault is not None:
            self.close()
        return Turn(tuple(messages), fault, guest.meter.logs(), usage, result or None)

    def _run(self, events: list[bytes] | None, wait_ms: int, messages: list[str]) -> bytes | None:
        guest, result = self._guest, None
        if events is None:
            todo = guest.open()
        else:
            guest.renew()
            todo = events
        while True:
            said, busy = guest.turn(todo)
            todo = []
            if busy is None:
                result = said
                continue
            messages += busy.messages
            guest.submit(busy)
            if busy.settled:
                continue
            left_ms = wait_ms - guest.meter.wall_ms()
            if not guest.in_flight and not _due(busy, left_ms):
                return result
            todo = guest.wait(_patience_s(busy))


def _due(busy: Busy, left_ms: float) -> bool:
    return busy.timer_ms is not None and busy.timer_ms <= max(0.0, left_ms)


def _patience_s(busy: Busy) -> float:
    return float("inf") if busy.timer_ms is None else busy.timer_ms / 1000
