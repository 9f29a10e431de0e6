"""A run that was written down, read back: the same bytes, without a door and without a clock."""

import threading
from dataclasses import replace

import pytest

from runtime.sandbox.journal import DIVERGED, Call, Journal, Recorder, Replayer
from runtime.sandbox.limits import Limits
from runtime.sandbox.timebase import RealTime, VirtualTime
from runtime.sandbox.timing import timed
from runtime.sandbox.values import Door, Fault, Image, Outcome
from tests.sandbox.guests import anything, engine, fault_code, nothing, start
from tests.sandbox.raw_guests import wat
from tests.sandbox.test_wasi import imported


def no_door(_name: str, _body: bytes) -> bytes:
    """A door that must not be called."""
    raise AssertionError


def recorded(
    body: str, door: Door = nothing, limits: Limits | None = None, image: Image | None = None
) -> tuple[Outcome, Journal]:
    """Run a body and write down what reached it."""
    recorder = Recorder(RealTime())
    image = timed(image or anything(), lambda: recorder)
    outcome = image.run(start(body), door, limits or Limits())
    return outcome, recorder.journal(outcome)


def replayed(
    body: str, journal: Journal, limits: Limits | None = None, image: Image | None = None
) -> tuple[Outcome, Replayer]:
    """Run a body on what was written down."""
    replayer = Replayer(journal)
    image = timed(image or anything(), lambda: replayer)
    return image.run(start(body), no_door, limits or Limits()), replayer


def assert_repeats(
    body: str, door: Door = nothing, limits: Limits | None = None, image: Image | None = None
) -> Outcome:
    """Run a body twice and compare all that comes of it."""
    first, journal = recorded(body, door, limits, image)
    second, replayer = replayed(body, journal, limits, image)
    assert (second.result, second.fault, second.logs) == (first.result, first.fault, first.logs)
    asked = [(call.call_id, call.name, call.body) for call in journal.calls]
    assert [(call.call_id, call.name, call.body) for call in replayer.calls] == asked
    return first


class Gate:
    """A door whose first call is answered after its second."""

    def __init__(self) -> None:
        self._opened = threading.Event()

    def __call__(self, _name: str, body: bytes, /) -> bytes:
        """Answer with the body."""
        if body == b"slow":
            self._opened.wait(10)
        else:
            self._opened.set()
        return body


def test_replies_come_again_in_the_order_in_which_they_came() -> None:
    body = """
      const order = [];
      await Promise.all(["slow", "fast"].map((one) => door("d", one).then((x) => order.push(x))));
      log(order);
      return order;
    """
    outcome = assert_repeats(body, Gate())
    assert outcome.result == b'["fast","slow"]'


def test_identical_requests_get_their_own_replies() -> None:
    seen: list[int] = []

    def count(_name: str, _body: bytes) -> bytes:
        seen.append(1)
        return b"%d" % len(seen)

    body = 'return [await door("d", "x"), await door("d", "x"), await door("d", "x")];'
    assert assert_repeats(body, count).result == b'["1","2","3"]'
    assert len(seen) == 3


def test_what_the_clock_told_is_told_again() -> None:
    body = """
      const from = now(), told = new Set();
      while (now() < from + 30) told.add(now());
      await sleep(5);
      return [from, [...told], now()];
    """
    assert_repeats(body)


def test_a_busy_clock_is_written_in_few_numbers() -> None:
    body = "const from = now(); let n = 0; while (now() < from + 20) n += 1; return n > 100;"
    outcome, journal = recorded(body)
    assert outcome.result == b"true"
    assert len(journal.clock) < 60 < sum(count for _, count in journal.clock)


def test_timers_and_replies_mix_as_they_did() -> None:
    def slow(_name: str, _body: bytes) -> bytes:
        threading.Event().wait(0.03)
        return b"reply"

    body = """
      const order = [];
      const tick = async () => {
        for (let n = 0; n < 5; n += 1) { await sleep(3); order.push(n); }
      };
      await Promise.all([tick(), door("d", "x").then((x) => order.push(x))]);
      return order;
    """
    assert_repeats(body, slow)


def test_a_virtual_time_is_recorded_as_well() -> None:
    body = "const from = now(); await sleep(60_000); return now() - from;"
    recorder = Recorder(VirtualTime())
    outcome = timed(anything(), lambda: recorder).run(
        start(body), nothing, replace(Limits(), wall_ms=100_000)
    )
    assert outcome.result == b"60000"
    assert replayed(body, recorder.journal(outcome))[0].result == b"60000"


def test_a_call_that_nobody_awaits_is_made_again() -> None:
    assert assert_repeats('door("d", "x"); return 1').result == b"1"


def test_a_failing_host_fails_again() -> None:
    def broken(_name: str, _body: bytes) -> bytes:
        raise OSError

    body = 'try { await door("d", "x"); } catch (error) { return error.message; }'
    assert assert_repeats(body, broken).result == b'"The host failed."'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("throw new Error('no')", "APP_ERROR"),
        ("log('a'); await new Promise(() => {})", "NEVER_SETTLED"),
        ("for (let n = 0; n < 3; n += 1) await door('d', 'x')", "DOOR_CALLS"),
        ("const all = []; for (;;) all.push(new Array(1000).fill(all.length))", "OUT_OF_MEMORY"),
        ("return 10n", "RESULT_NOT_JSON"),
    ],
)
def test_faults_of_the_guest_come_again(body: str, code: str) -> None:
    limits = Limits(door_calls=2, memory_bytes=32 << 20)
    assert fault_code(assert_repeats(body, limits=limits)) == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("log('before'); await sleep(60_000)", "TIMEOUT"),
        ("for (;;) { }", "TIMEOUT"),
        ("log('before'); for (let n = 0; ; n += 1) if (n % 50_000 === 0) log(n)", "TIMEOUT"),
        ("const from = now(); for (;;) if (now() < from) break", "TIMEOUT"),
        ("await door('d', 'x'); log('after'); for (;;) { }", "TIMEOUT"),
    ],
)
def test_where_the_host_stopped_a_guest_it_is_stopped_again(body: str, code: str) -> None:
    limits = Limits(wall_ms=200, log_lines=1_000_000, log_bytes=1 << 30)
    assert fault_code(assert_repeats(body, limits=limits)) == code


def test_a_guest_that_computed_too_long_is_stopped_again_at_once() -> None:
    body = "log('before'); for (;;) { }"
    first, journal = recorded(body, limits=Limits(cpu_ms=100))
    second, _ = replayed(body, journal, Limits(cpu_ms=1_000_000, wall_ms=1_000_000))
    assert (second.fault, second.logs) == (first.fault, first.logs)
    assert fault_code(first) == "CPU_LIMIT"


def test_a_guest_for_which_there_was_no_place_is_refused_again() -> None:
    fault = Fault("BUSY", "Too many guests are running; try again later.")
    outcome, _ = replayed("log('never')", Journal(halt=fault))
    assert (outcome.fault, outcome.logs) == (fault, ())


RAW = wat(
    """
    (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 0)) drop
    (i32.store8 (i32.const 512) (i32.const 123)) (i32.store8 (i32.const 513) (i32.const 125))
    (call $request (i32.const 512) (i32.const 2)) drop
    (call $request (i32.const 512) (i32.const 2))
    """,
    imports=imported("clock_time_get")
    + '(import "firebrick" "requestJira" (func $request (param i32 i32) (result i64)))',
)


def test_a_raw_guest_repeats_too() -> None:
    answers = iter([b'"one"', b'"two"'])
    outcome = assert_repeats("", lambda _name, _body: next(answers), image=engine().wasm(RAW))
    assert outcome.result == b'"two"'


# ----------------------------------------------------------------------------- what is different


def test_another_request_is_kept_and_answered_all_the_same() -> None:
    _, journal = recorded('return await door("d", "x")', lambda _name, _body: b"y")
    outcome, replayer = replayed('return await door("d", "other")', journal)
    assert outcome.result == b'"y"'
    assert replayer.calls == (Call(1, "d", b"other"),)


@pytest.mark.parametrize(
    "other",
    [
        "await door('d', 'x'); await door('d', 'x'); return 1",
        "await sleep(1); return 1",
        "await door('d', 'x'); return [now(), now(), now(), now()]",
    ],
)
def test_a_guest_that_does_something_else_is_stopped_and_told(other: str) -> None:
    _, journal = recorded("await door('d', 'x'); return 1")
    outcome, _ = replayed(other, journal)
    assert fault_code(outcome) == DIVERGED
    assert "Unlike in the record" in (outcome.fault.message if outcome.fault else "")


def test_a_line_more_or_less_is_seen_in_the_log() -> None:
    _, journal = recorded("log('a'); log('b'); return 1")
    more, _ = replayed("log('a'); log('b'); log('c'); return 1", journal)
    less, replayer = replayed("log('a'); return 1", journal)
    assert [line.text for line in more.logs] == ["a", "b", "c"]
    assert [line.text for line in less.logs] == ["a"]
    assert not replayer.complete


@pytest.mark.hostile
@pytest.mark.parametrize(
    "steps",
    [
        (),
        ("t",),
        ("x",),
        ("t", "w9"),
        ("t", "w1"),
        ("t", "a1", "w1", "t", "w1"),
        ("w", "t"),
        ("t", "a1", "t"),
    ],
)
def test_a_journal_of_nonsense_ends_the_run_and_nothing_else(steps: tuple[str, ...]) -> None:
    calls = (Call(1, "d", b"x", b"y", answered=True),)
    outcome, _ = replayed("await door('d', 'x'); await sleep(1); return 1", Journal(steps, calls))
    assert fault_code(outcome) == DIVERGED


# ----------------------------------------------------------------------------------- both at once


@pytest.mark.parametrize(
    "body",
    [
        "log('a'); await door('d', 'x'); await sleep(2); log(now()); return 1",
        "for (let n = 0; ; n += 1) if (n % 50_000 === 0) log(n)",
    ],
)
def test_the_record_of_a_replay_is_the_record(body: str) -> None:
    limits = Limits(wall_ms=200, log_lines=1_000_000, log_bytes=1 << 30)
    _, journal = recorded(body, limits=limits)
    recorder = Recorder(Replayer(journal))
    outcome = timed(anything(), lambda: recorder).run(start(body), no_door, limits)
    again = recorder.journal(outcome)
    assert (again.steps, again.clock, again.stamps) == (
        journal.steps,
        journal.clock,
        journal.stamps,
    )
    assert again.halt == journal.halt


def test_a_guest_that_waits_where_it_was_stopped_is_stopped() -> None:
    fault = Fault("TIMEOUT", "The app ran for more than 25000 ms.")
    outcome, _ = replayed("await sleep(1)", Journal(("t",), stamps=(1.0,), halt=fault))
    assert outcome.fault == fault
