"""What one guest uses of its budgets, and the first fault that ends it."""

import time

from runtime.sandbox.limits import Limits
from runtime.sandbox.timebase import Timebase
from runtime.sandbox.values import Fault, LogLine, Usage

LOG_LEVELS = ("debug", "info", "warn", "error")
TRUNCATED = "[log truncated: the invocation's log budget is used up]"
_NS_PER_MS = 1_000_000


class Stopped(Exception):  # noqa: N818  # a verdict, not an error of the host
    """A guest must not go on; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Meter:
    """Counts for one budget period: an invocation, or one message to a live guest.

    The first fault wins: what happens to a guest that is being stopped is of no interest.
    """

    def __init__(self, limits: Limits, timebase: Timebase) -> None:
        self.limits = limits
        self.timebase = timebase
        self.fault: Fault | None = None
        self.raised: BaseException | None = None
        self._begin_s = timebase.elapsed_s()
        self._cpu_ns = 0
        self._entered_ns: int | None = None
        self._lines: list[LogLine] = []
        self._log_bytes = 0
        self._log_full = False
        self.door_calls = 0
        self._request_bytes = 0
        self._reply_bytes = 0

    def fail(self, code: str, message: str) -> Fault:
        """Note a fault, unless there is one already, and return the one that counts."""
        if self.fault is None:
            self.fault = Fault(code, message)
        return self.fault

    def abort(self, error: BaseException) -> None:
        """Note an exception of the host: it stops the guest and is raised again outside wasm."""
        self.raised = self.raised or error
        self.fail("INTERNAL", "The host failed.")

    def check(self) -> None:
        """Raise if the guest must not go on."""
        if self.raised is not None:
            raise self.raised
        if self.fault is not None:
            raise Stopped(self.fault)

    # ------------------------------------------------------------------------------------- time

    def enter(self) -> None:
        """Start to count CPU: the guest computes on this thread from here on."""
        self._entered_ns = time.thread_time_ns()

    def leave(self) -> None:
        """Stop to count CPU: the guest waits."""
        if self._entered_ns is not None:
            self._cpu_ns += time.thread_time_ns() - self._entered_ns
            self._entered_ns = None

    def cpu_ms(self) -> float:
        """Return how long the guest computed."""
        running = 0 if self._entered_ns is None else time.thread_time_ns() - self._entered_ns
        return (self._cpu_ns + running) / _NS_PER_MS

    def computing_left_ms(self) -> float:
        """Return how long the guest may compute before a budget of time is used up."""
        return min(self.limits.cpu_ms - self.cpu_ms(), self.left_s() * 1000)

    def wall_ms(self) -> float:
        """Return how long this budget period lasts by now."""
        return (self.timebase.elapsed_s() - self._begin_s) * 1000

    def left_s(self) -> float:
        """Return how much of the wall time is left."""
        return (self.limits.wall_ms - self.wall_ms()) / 1000

    def tick(self) -> bool:
        """Return whether a computing guest may go on; called about every 10 ms."""
        if self.fault is None and self.cpu_ms() > self.limits.cpu_ms:
            self.fail("CPU_LIMIT", f"The app computed for more than {self.limits.cpu_ms} ms.")
        self.check_wall()
        return self.fault is None

    def check_wall(self) -> None:
        """Note a fault if the wall time is used up, or the time itself ends the run."""
        if self.fault is None:
            self.fault = self.timebase.halt()
        if self.fault is None and self.left_s() <= 0:
            self.fail("TIMEOUT", f"The app ran for more than {self.limits.wall_ms} ms.")

    # ------------------------------------------------------------------------------------- door

    def request(self, size: int) -> bool:
        """Count one call out; return whether it may go."""
        self.door_calls += 1
        self._request_bytes += size
        if self.door_calls > self.limits.door_calls:
            self.fail("DOOR_CALLS", f"The app made more than {self.limits.door_calls} host calls.")
        elif self._request_bytes > self.limits.door_request_bytes:
            most = self.limits.door_request_bytes
            self.fail("DOOR_BYTES", f"The app sent more than {most} bytes in host calls.")
        return self.fault is None

    def reply(self, size: int) -> bool:
        """Count one reply; return whether it may come in."""
        self._reply_bytes += size
        if self._reply_bytes > self.limits.door_reply_bytes:
            most = self.limits.door_reply_bytes
            self.fail("DOOR_BYTES", f"Replies to the app's host calls exceed {most} bytes.")
        return self.fault is None

    # -------------------------------------------------------------------------------------- log

    def log(self, level: str, text: str) -> bool:
        """Keep one line; return whether the next one may still be kept."""
        at_ms = None if self._log_full else self.timebase.stamp_ms(self.wall_ms())
        if at_ms is None:
            return False
        size = len(text.encode())
        left = self.limits.log_bytes - self._log_bytes
        if len(self._lines) >= self.limits.log_lines or size > left:
            return self._close_log(level, text.encode()[:left].decode(errors="ignore"), at_ms)
        self._log_bytes += size
        self._lines.append(LogLine(level, text, at_ms))
        return True

    def _close_log(self, level: str, rest: str, at_ms: float) -> bool:
        self._log_full = True
        if rest and len(self._lines) < self.limits.log_lines:
            self._log_bytes += len(rest.encode())
            self._lines.append(LogLine(level, rest, at_ms))
        self._lines.append(LogLine("warn", TRUNCATED, at_ms))
        return False

    def logs(self) -> tuple[LogLine, ...]:
        """Return the lines kept so far."""
        return tuple(self._lines)

    def usage(self, memory_bytes: int, result_bytes: int) -> Usage:
        """Return what was used by now."""
        return Usage(
            wall_ms=self.wall_ms(),
            cpu_ms=self.cpu_ms(),
            memory_bytes=memory_bytes,
            door_calls=self.door_calls,
            door_request_bytes=self._request_bytes,
            door_reply_bytes=self._reply_bytes,
            log_lines=len(self._lines),
            log_bytes=self._log_bytes,
            result_bytes=result_bytes,
        )
