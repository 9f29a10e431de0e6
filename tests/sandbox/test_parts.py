"""The small parts: meter, time, doors, reports, host functions, and the driver of QuickJS."""

import json
import re
import threading
from pathlib import Path
from queue import SimpleQueue

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from runtime import sandbox
from runtime.clock import ManualClock
from runtime.errors import StateError
from runtime.sandbox.calls import GuestFailedError
from runtime.sandbox.doors import DoorPool, Reply
from runtime.sandbox.hostlink import HostFunction, HostSide, Inside, link, may_go_on
from runtime.sandbox.instance import fault_of
from runtime.sandbox.limits import Limits
from runtime.sandbox.meter import TRUNCATED, Meter, Stopped
from runtime.sandbox.publiccalls import PublicCalls
from runtime.sandbox.quickjs import require_guest
from runtime.sandbox.reports import BadReportError, busy_of, fault_of_error
from runtime.sandbox.timebase import RealTime, VirtualTime


class FailingTime(VirtualTime):
    """A time that cannot be told."""

    def elapsed_s(self) -> float:
        """Fail."""
        if getattr(self, "broken", False):
            raise KeyboardInterrupt
        return super().elapsed_s()


def meter(limits: Limits | None = None) -> Meter:
    """A meter whose time stands still."""
    return Meter(limits or Limits(), VirtualTime())


# ------------------------------------------------------------------------------------------- meter


def test_the_first_fault_wins() -> None:
    counted = meter()
    counted.fail("ONE", "first")
    counted.fail("TWO", "second")
    assert counted.fault is not None
    assert counted.fault.code == "ONE"
    with pytest.raises(Stopped):
        counted.check()


def test_an_exception_of_the_host_is_raised_again_outside() -> None:
    counted = meter()
    counted.abort(ValueError("first"))
    counted.abort(ValueError("second"))
    with pytest.raises(ValueError, match="first"):
        counted.check()


def test_wall_time_is_over_when_it_is_used_up() -> None:
    time = VirtualTime()
    counted = Meter(Limits(wall_ms=10), time)
    counted.check_wall()
    counted.check()
    time.wait(SimpleQueue(), 0.010, expected=False)
    assert not counted.tick()
    with pytest.raises(Stopped) as caught:
        counted.check()
    assert caught.value.fault.code == "TIMEOUT"


def test_cpu_is_only_counted_while_the_guest_computes() -> None:
    counted = meter()
    counted.leave()
    counted.enter()
    sum(range(200_000))
    counted.leave()
    used = counted.cpu_ms()
    sum(range(200_000))
    assert counted.cpu_ms() == used > 0
    assert counted.computing_left_ms() == pytest.approx(10_000 - used)


@given(st.lists(st.text(max_size=30), max_size=30), st.integers(0, 20), st.integers(0, 200))
def test_a_log_never_holds_more_than_its_budget_and_one_marker(
    texts: list[str], lines: int, size: int
) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    counted = meter(Limits(log_lines=lines, log_bytes=size))
    kept = [counted.log("info", text) for text in texts]
    logs = counted.logs()
    complete = [line.text for line in logs if line.text != TRUNCATED]
    assert len(complete) <= lines
    assert sum(len(text.encode()) for text in complete) <= size
    assert [line.text for line in logs].count(TRUNCATED) == (0 if all(kept) else 1)
    assert all(text.startswith(line) for text, line in zip(texts, complete, strict=False))


def test_door_budgets_hold_exactly() -> None:
    counted = meter(Limits(door_calls=2, door_request_bytes=10, door_reply_bytes=5))
    assert counted.request(4)
    assert counted.request(6)
    assert counted.reply(5)
    assert not counted.reply(1)
    assert not counted.request(0)
    assert counted.usage(7, 8).memory_bytes == 7


# -------------------------------------------------------------------------------------------- time


def test_real_time_follows_its_clock() -> None:
    clock = ManualClock()
    time = RealTime(clock)
    clock.advance(1.5)
    assert time.elapsed_s() == 1.5
    assert time.wait(SimpleQueue(), -1, expected=True) is None


def test_virtual_time_waits_for_what_is_expected_and_jumps_over_the_rest() -> None:
    time = VirtualTime()
    replies: SimpleQueue[int] = SimpleQueue()
    replies.put(7)
    assert time.wait(replies, 1, expected=True) == 7
    assert time.elapsed_s() == 0
    assert time.wait(replies, 5, expected=False) is None
    assert time.wait(replies, 0.001, expected=True) is None
    assert time.elapsed_s() == 5.001


# ------------------------------------------------------------------------------------------- doors


def test_calls_beyond_the_most_wait_their_turn_and_all_are_answered() -> None:
    pool = DoorPool(most=2)
    replies: SimpleQueue[Reply] = SimpleQueue()
    running: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def door(_name: str, body: bytes) -> bytes:
        with lock:
            running.append(1)
            most.append(len(running))
        with lock:
            running.pop()
        return body

    for number in range(20):
        pool.submit(door, number, "x", b"%d" % number, replies)
    answers = {reply.call_id: reply.body for reply in (replies.get() for _ in range(20))}
    assert answers == {number: b"%d" % number for number in range(20)}
    assert max(most) <= 2
    pool.close()


def test_a_closed_pool_starts_again_when_it_is_needed() -> None:
    pool = DoorPool()
    replies: SimpleQueue[Reply] = SimpleQueue()
    for _ in range(2):
        pool.submit(lambda _name, body: body, 1, "x", b"a", replies)
        assert replies.get().body == b"a"
        pool.close()


# ----------------------------------------------------------------------------------------- reports


@pytest.mark.hostile
@given(st.binary(max_size=100) | st.sampled_from([b"[" * 200_000, b"[]", b"1", b"{}", b"null"]))
def test_any_report_is_read_or_is_the_one_error(text: bytes) -> None:
    for read in (busy_of, fault_of_error):
        try:
            read(text)
        except BadReportError:
            continue


@pytest.mark.hostile
@pytest.mark.parametrize(
    "changed",
    [
        {"calls": 1},
        {"calls": [[1, "x"]]},
        {"calls": [["one", "x", "y"]]},
        {"mail": None},
        {"timer": "soon"},
        {"timer": None},
    ],
)
def test_a_report_with_an_odd_field_is_the_one_error(changed: dict[str, object]) -> None:
    fields: dict[str, object] = {"calls": [], "mail": [], "timer": -1, "settled": False}
    assert busy_of(json.dumps(fields).encode()).timer_ms is None
    with pytest.raises(BadReportError):
        busy_of(json.dumps(fields | changed).encode())


@pytest.mark.parametrize(
    ("name", "message", "code"),
    [
        ("InternalError", "out of memory", "OUT_OF_MEMORY"),
        ("InternalError", "out of memory in regexp execution", "OUT_OF_MEMORY"),
        ("Error", "out of memory", "APP_ERROR"),
    ],
)
def test_the_engines_own_words_for_no_memory_are_known(name: str, message: str, code: str) -> None:
    text = json.dumps({"code": "APP_ERROR", "name": name, "message": message}).encode()
    assert fault_of_error(text).code == code


@pytest.mark.hostile
def test_a_guest_cannot_report_a_fault_that_is_the_hosts_to_find() -> None:
    with pytest.raises(BadReportError):
        fault_of_error(b'{"code": "INTERNAL", "message": "x"}')


# ----------------------------------------------------------------------------------------- linking


class Broken(HostSide):
    """A host side whose one method fails."""

    def __init__(self) -> None:
        self.meter = meter()

    def break_down(self) -> int:
        """Fail."""
        raise RuntimeError("inside")


def test_an_exception_never_travels_through_wasm() -> None:
    config = wasmtime.Config()
    engine = wasmtime.Engine(config)
    functions = {("h", "f"): HostFunction((), "i32", "break_down", 77)}
    linker = link(engine, PublicCalls(), functions)
    module = wasmtime.Module(
        engine, '(module (import "h" "f" (func (result i32))) (export "f" (func 0)))'
    )
    store = wasmtime.Store(engine)
    function = linker.instantiate(store, module).exports(store)["f"]
    assert isinstance(function, wasmtime.Func)
    broken = Broken()
    with Inside(broken):
        assert function(store) == 77
    with pytest.raises(RuntimeError, match="inside"):
        broken.meter.check()
    assert function(store) == 77  # nobody is inside: nothing to ask, nothing to break


def test_the_epoch_answer_never_raises() -> None:
    assert may_go_on()
    broken = Broken()
    time = FailingTime()
    broken.meter = Meter(Limits(), time)
    with Inside(broken):
        assert may_go_on()
        time.broken = True  # type: ignore[attr-defined]  # a switch of this test
        assert not may_go_on()
    with pytest.raises(KeyboardInterrupt):
        broken.meter.check()


# ------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize(
    ("code", "memory", "expected"),
    [
        ("INTERRUPT", 0, "CPU_LIMIT"),
        ("STACK_OVERFLOW", 0, "STACK_OVERFLOW"),
        ("UNREACHABLE", 0, "TRAP"),
        ("UNREACHABLE", 127 << 20, "OUT_OF_MEMORY"),
        ("", 0, "TRAP"),
    ],
)
def test_a_trap_means_the_budget_that_ran_out(code: str, memory: int, expected: str) -> None:
    assert fault_of(GuestFailedError("why\nmore", code), meter(), memory).code == expected


def test_a_fault_that_is_known_already_is_the_one_that_counts() -> None:
    counted = meter()
    counted.fail("DOOR_CALLS", "too many")
    assert fault_of(GuestFailedError("x", "UNREACHABLE"), counted, 0).code == "DOOR_CALLS"


def test_the_sandbox_knows_no_product_word() -> None:
    folder = Path(sandbox.__path__[0])
    for path in [*folder.rglob("*.py"), *folder.rglob("*.js")]:
        text = path.read_text("utf-8").replace("requestJira", "")
        assert not re.search(r"jira|\bforge\b|atlassian", text, re.IGNORECASE), path.name


def test_another_build_of_the_guest_is_refused_by_name() -> None:
    engine = wasmtime.Engine()
    empty = wasmtime.Module(engine, "(module)")
    with pytest.raises(StateError, match="qjs_alloc"):
        require_guest(empty)
