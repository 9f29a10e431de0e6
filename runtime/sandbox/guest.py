"""Run one handler of a JavaScript app in a fresh guest made from its snapshot.

A run is a few turns. In each the guest is told what happened, computes until it has nothing left to
do, and says what it wants: door calls, which run side by side on worker threads, or to be woken
when a timer is due. While it waits it holds no thread but the one that runs it.
"""

import json
from dataclasses import dataclass
from queue import SimpleQueue

import wasmtime

from runtime.sandbox.doors import DoorPool, Reply, answer
from runtime.sandbox.instance import NEAR_FULL_BYTES, Instance, out_of_memory
from runtime.sandbox.limits import Limits
from runtime.sandbox.machine import Machine
from runtime.sandbox.meter import Meter, Stopped
from runtime.sandbox.modulehost import Guarded, ModuleHost
from runtime.sandbox.quickjs import FAILED, STATUS_THREW, GuestBrokenError, QuickJs, ScriptError
from runtime.sandbox.reports import THREW_NULL, BadReportError, Busy, busy_of, fault_of_error
from runtime.sandbox.snapshot import RESERVE_BYTES, SCRATCH_BYTES
from runtime.sandbox.timebase import Timebase
from runtime.sandbox.turn import FLUSH_FAILED, STAGE_BITS, TURN, Layout, is_failure
from runtime.sandbox.values import Door, Fault, Inspect, JavaScriptSource, Outcome, Start
from runtime.sandbox.wasi import MOST_RANDOM_BYTES

ESCAPED = 6  # bytes that one byte can take in JSON: a control character becomes backslash-u-XXXX
SLACK_BYTES = 65_536  # of a report, beside the texts in it
MOST_LENGTH = 0xFFFF_FFFF
HOST_FAILED = b"The host failed."


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that the runs of one JavaScript app share.

    Attributes:
        machine: Where its guests live.
        doors: Who calls doors.
        pre: The snapshot's module with its imports resolved.
        layout: Where things are in the snapshot.
        source: For modules that the app imports only when it runs.
        limits: With which the snapshot was taken.
    """

    machine: Machine
    doors: DoorPool
    pre: wasmtime.InstancePre
    layout: Layout
    source: JavaScriptSource
    limits: Limits


class RunHost(ModuleHost):
    """The host's side of a guest that runs: log lines and randomness; doors go the other way."""

    natives = frozenset({b"log", b"random"})

    def answer(self, name: bytes, argument: int) -> int:
        """Answer a function that is in `natives`."""
        return self.take_log(argument) if name == b"log" else self._give_random(argument)

    def _give_random(self, argument: int) -> int:
        count = self.js.number(argument)
        if not 0 < count <= MOST_RANDOM_BYTES:
            return FAILED
        return self.js.bytes_array(self.random.take(int(count)))


class Guest:
    """One guest from its snapshot to its end; one thread at a time uses it.

    Args:
        prepared: The app.
        start: What the run is given.
        door: The way out.
        limits: Budgets of the first turn.
        timebase: The run's time.
    """

    def __init__(
        self, prepared: Prepared, start: Start, door: Door, limits: Limits, timebase: Timebase
    ) -> None:
        self._prepared = prepared
        self._door = door
        self._replies: SimpleQueue[Reply] = SimpleQueue()
        self.in_flight = 0
        self._host = RunHost(start.seed, start.now_s, prepared.source)
        self._host.meter = Meter(limits, timebase)
        self._start = start

    @property
    def meter(self) -> Meter:
        """Budgets of the current period."""
        return self._host.meter

    def renew(self) -> None:
        """Begin a new budget period."""
        self._host.meter = Meter(self.meter.limits, self.meter.timebase)

    def open(self) -> list[bytes]:
        """Make the guest and return its first event; raises Stopped."""
        with Guarded(self._host):
            prepared = self._prepared
            self._host.instance = Instance(prepared.machine, prepared.pre, self.meter)
            self._host.js = QuickJs(self._host.instance, prepared.layout.slot)
            self._set_limits(self.meter.limits, prepared.limits)
        return [b"S" + self._start_json()]

    def _set_limits(self, limits: Limits, baked: Limits) -> None:
        if limits.memory_bytes != baked.memory_bytes:
            self._host.js.call("set_memory_limit", max(1, limits.memory_bytes - RESERVE_BYTES))

    def _start_json(self) -> bytes:
        start, limits = self._start, self.meter.limits
        fields = {
            "handler": start.handler,
            "args": start.args,
            "seed": start.seed.hex(),
            "now": start.now_s * 1000,
            "env": dict(start.env),
            "extra": dict(start.extra),
            "limits": {
                "doorCalls": limits.door_calls,
                "doorRequestBytes": limits.door_request_bytes,
                "logBytes": limits.log_bytes,
                "resultBytes": limits.result_bytes,
            },
        }
        return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()

    # -------------------------------------------------------------------------------------- turns

    def turn(self, events: list[bytes]) -> tuple[bytes | None, Busy | None]:
        """Tell the guest what happened, let it compute, and return what it says.

        Returns:
            The JSON result and None once the handler has returned (empty for undefined), else None
            and what the guest wants.

        Raises:
            Stopped: The guest faulted.
        """
        self.meter.timebase.begin_turn()
        self.meter.check_wall()
        self.meter.check()
        with Guarded(self._host):
            self._host.instance.allow(self.meter)
            said = self._read(self._advance(events))
        self.meter.check_wall()
        self.meter.check()
        if isinstance(said, Fault):
            raise Stopped(self._judge(said))
        return (None, said) if isinstance(said, Busy) else (said, None)

    def _advance(self, events: list[bytes]) -> bytes:
        """Do one turn inside the guest and return what the kernel says."""
        instance = self._host.instance
        length = 0
        if len(events) == 1 and len(events[0]) <= SCRATCH_BYTES:
            instance.write(self._prepared.layout.scratch, events[0])
            length = len(events[0])
        elif events:
            self._say(events)
        packed = instance.call(TURN, length)
        if is_failure(packed):
            packed = self._again(packed)
        pointer, length = packed >> 32, packed & MOST_LENGTH
        self._check_length(instance.read(pointer, 1), length)
        return instance.read(pointer, length)

    def _read(self, report: bytes) -> bytes | Busy | Fault:
        kind, text = report[:1], report[1:]
        if kind == b"E":
            return fault_of_error(text)
        return text if kind in {b"R", b"U"} else busy_of(text)

    def _judge(self, fault: Fault) -> Fault:
        """With no memory left even for an error object, the engine throws null."""
        thrown_null = (fault.name, fault.message) == ("", THREW_NULL)
        return out_of_memory(self.meter) if thrown_null and self._nearly_full() else fault

    def _nearly_full(self) -> bool:
        return self.memory_bytes() > self.meter.limits.memory_bytes - 2 * NEAR_FULL_BYTES

    def _say(self, events: list[bytes]) -> None:
        """Hand several events over, or one that is too long for the scratch buffer."""
        js, layout = self._host.js, self._prepared.layout
        handles = [js.string(event) for event in events]
        try:
            js.call("free_value", js.invoke(layout.step, layout.undefined, *handles))
        except ScriptError as thrown:
            raise self._broken(thrown) from thrown
        for handle in handles:
            js.call("free_value", handle)

    def _again(self, packed: int) -> int:
        """Look into a turn that failed; the kernel gets a second chance to say what it wants."""
        js = self._host.js
        stage, status = divmod(packed & MOST_LENGTH, 1 << STAGE_BITS)
        if status != STATUS_THREW:
            raise GuestBrokenError(f"a turn failed at stage {stage} with status {status}")
        if stage == FLUSH_FAILED:
            js.call("set_memory_limit", 0)  # what is left is the reserve: it is for this
            packed = self._host.instance.call(TURN, 0)
            if not is_failure(packed):
                return packed
        raise self._broken(ScriptError(js.exception()))

    def _check_length(self, kind: bytes, length: int) -> None:
        limits = self.meter.limits
        if kind == b"R" and length - 1 > limits.result_bytes:
            most = limits.result_bytes
            raise Stopped(Fault("RESULT_TOO_LARGE", f"The result has more than {most} bytes."))
        texts = limits.door_request_bytes + limits.result_bytes
        if length > ESCAPED * texts + SLACK_BYTES:
            raise BadReportError("a report is longer than it can be")

    def _broken(self, thrown: ScriptError) -> Stopped | GuestBrokenError:
        """Say why the kernel itself threw: a start hook of a prelude, or there is no memory."""
        js, layout = self._host.js, self._prepared.layout
        js.call("set_memory_limit", 0)
        try:
            shown = js.invoke(layout.describe, layout.undefined, thrown.error or layout.undefined)
        except ScriptError:
            return GuestBrokenError("the guest cannot say what it threw")
        return Stopped(fault_of_error(js.text(shown)))

    # --------------------------------------------------------------------------------------- door

    def submit(self, busy: Busy) -> None:
        """Make the door calls that the guest asks for; raises Stopped over a budget."""
        alone = len(busy.calls) == 1 and not self.in_flight and busy.timer_ms is None
        prompt = alone and getattr(self._door, "prompt", False)
        for call_id, name, text in busy.calls:
            body = text.encode()
            if not self.meter.request(len(body)):
                self.meter.check()
            self.in_flight += 1
            if not self.meter.timebase.asks(call_id, name, body):
                continue
            if prompt:
                self._replies.put(Reply(call_id, answer(self._door, name, body)))
            else:
                self._prepared.doors.submit(self._door, call_id, name, body, self._replies)

    def wait(self, seconds: float) -> list[bytes]:
        """Return what happens next within `seconds`: replies, or a timer."""
        reply = self._reply(max(0.0, min(seconds, self.meter.left_s())))
        self.meter.check_wall()
        self.meter.check()
        events = []
        while reply is not None:
            events.append(self._event(reply))
            reply = self._reply(0.0) if self.in_flight else None
        return events or [b"T"]

    def _reply(self, seconds: float) -> Reply | None:
        return self.meter.timebase.wait(self._replies, seconds, expected=self.in_flight > 0)

    def _event(self, reply: Reply) -> bytes:
        self.in_flight -= 1
        if reply.body is None:
            return b"F%d\n%b" % (reply.call_id, HOST_FAILED)
        if not self.meter.reply(len(reply.body)):
            self.meter.check()
        return b"D%d\n%b" % (reply.call_id, as_utf8(reply.body))

    def finish_calls(self) -> None:
        """Wait for calls that the app did not await: once made, a call is made."""
        while self.in_flight and self.meter.left_s() > 0:
            if self.meter.timebase.wait(self._replies, self.meter.left_s(), expected=True):
                self.in_flight -= 1

    # ---------------------------------------------------------------------------------------- end

    def never_settles(self) -> Stopped:
        """Say why a guest that waits for nothing has no result."""
        if self._nearly_full():
            return Stopped(out_of_memory(self.meter))
        message = "The handler's promise can never settle: it waits for nothing that can happen."
        return Stopped(Fault("NEVER_SETTLED", message))

    def memory_bytes(self) -> int:
        """Return the size of the guest's memory; 0 without a guest."""
        return self._host.instance.memory_bytes() if hasattr(self._host, "instance") else 0

    def show(self, inspect: Inspect) -> None:
        """Show a copy of the whole memory, if there is one."""
        if self.memory_bytes():
            inspect(memoryview(self._host.instance.memory_image()))

    def close(self) -> None:
        """Drop the guest; calls that are still in flight are answered into the void."""
        if hasattr(self._host, "instance"):
            self._host.instance.close()


def as_utf8(body: bytes) -> bytes:
    """Return bytes that are UTF-8, whatever a door answered."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace").encode()
    return body


def run_once(guest: Guest, inspect: Inspect | None) -> Outcome:
    """Run a guest to its end and drop it."""
    result, fault = None, None
    try:
        try:
            result = _result(guest)
        except Stopped as stopped:
            fault = stopped.fault
        usage = guest.meter.usage(guest.memory_bytes(), len(result or b""))
        if inspect is not None:
            guest.show(inspect)
    finally:
        guest.close()
    return Outcome(result or None, fault, guest.meter.logs(), usage)


def _result(guest: Guest) -> bytes:
    events = guest.open()
    while True:
        result, busy = guest.turn(events)
        if busy is None:
            guest.finish_calls()
            return result or b""
        guest.submit(busy)
        if busy.settled:
            events = []
            continue
        if busy.timer_ms is None and not guest.in_flight:
            raise guest.never_settles()
        events = guest.wait(float("inf") if busy.timer_ms is None else busy.timer_ms / 1000)
