"""An engine that was taken over from inside: the host believes none of its words."""

import json
from dataclasses import replace

import pytest

from runtime.errors import InvocationError
from runtime.sandbox.guest import Guest, run_once
from runtime.sandbox.limits import Limits
from runtime.sandbox.live import LiveJavaScript
from runtime.sandbox.snapshot import build
from runtime.sandbox.timebase import RealTime
from runtime.sandbox.values import JavaScriptSource, Outcome
from tests.sandbox.fake_engine import (
    GIVE_HANDLE,
    NAME,
    REPORT,
    SLOT,
    fake_module,
    pre_of,
    prepared,
)
from tests.sandbox.guests import engine, fault_code, nothing, run, start

pytestmark = pytest.mark.hostile

SMALL = Limits(cpu_ms=100, wall_ms=1_000)
HOST_CALL = (
    "(i32.store (i32.const 64) (call $host_call {}))"
    f"(i32.store (i32.const {SLOT}) (i32.const 9)) (i32.const 0)"
)
COUNT = "(i32.store (i32.const 80) (i32.add (i32.load (i32.const 80)) (i32.const 1)))"
THROW_LATER = (
    f"{COUNT} (if (result i32) (i32.eq (i32.load (i32.const 80)) (i32.const 1)) "
    f"(then {GIVE_HANDLE}) (else (i32.store (i32.const {SLOT}) (i32.const 9)) (i32.const 1)))"
)
THROW = f"(i32.store (i32.const {SLOT}) (i32.const 9)) (i32.const 1)"
THROW_ONCE = (
    f"{COUNT} (if (result i32) (i32.eq (i32.load (i32.const 80)) (i32.const 1)) "
    f"(then {THROW}) (else {GIVE_HANDLE}))"
)


def run_fake(report: str = "U", names: str = "", limits: Limits = SMALL, **bodies: str) -> Outcome:
    """Run a fake engine once, then see that real guests still work."""
    guest = Guest(
        prepared(report, names, {"a": "", "b": "1"}, **bodies), start(), nothing, limits, RealTime()
    )
    outcome = run_once(guest, None)
    assert run("return 1").result == b"1"
    return outcome


def test_the_fake_is_a_working_engine_unless_it_is_told_otherwise() -> None:
    assert run_fake("U").fault is None
    assert run_fake("R[1]").result == b"[1]"


@pytest.mark.parametrize(
    ("export", "body"),
    [
        ("qjs_last_ptr", "(i32.const -1)"),
        ("qjs_last_ptr", "(i32.const 0x7fffffff)"),
        ("qjs_last_ptr", "(i32.const 1310719)"),
        ("new_string", "(i32.const 0)"),
        ("call_function", "(i32.const 2)"),
        ("call_function", "(i32.const -1)"),
        ("call_function", "unreachable"),
        ("get_string", "(i32.const 2)"),
        ("execute_pending_jobs", "unreachable"),
    ],
)
def test_an_engine_that_answers_nonsense_is_a_trap(export: str, body: str) -> None:
    bodies = {"qjs_last_len": "(i32.const 5)", export: body}
    outcome = run_fake("U", "", SMALL, **bodies)
    assert fault_code(outcome) == "TRAP"


@pytest.mark.parametrize(
    "report",
    [
        "",
        "X",
        "B",
        "B{}",
        "B[]",
        "Bnull",
        'B{"calls":[[1,2]],"mail":[],"timer":-1,"settled":false}',
        'B{"calls":[],"mail":[],"timer":"x","settled":false}',
        "E",
        'E{"code":"INTERNAL"}',
        "E" + "[" * 5000,
    ],
)
def test_a_report_that_the_kernel_never_makes_is_a_trap(report: str) -> None:
    assert fault_code(run_fake(report)) == "TRAP"


def test_a_report_that_is_longer_than_it_can_be_is_not_read() -> None:
    length = "(i32.const 0x7fffffff)"
    assert fault_code(run_fake("B{}", qjs_last_len=length)) == "TRAP"
    assert fault_code(run_fake("R1", qjs_last_len=length)) == "RESULT_TOO_LARGE"
    assert fault_code(run_fake("R1", qjs_last_len="(i32.const 1300000)")) == "TRAP"


def test_an_engine_whose_memory_does_not_hold_its_own_data_does_not_start() -> None:
    assert fault_code(run_fake("R" + "1" * (21 << 16))) == "TRAP"


def test_many_events_at_once_reach_the_kernel_in_one_call() -> None:
    guest = Guest(prepared("R1"), start(), nothing, SMALL, RealTime())
    guest.open()
    assert guest.turn([b"D1\n"] * 40) == (b"1", None)
    guest.close()


def test_one_long_event_and_one_that_the_kernel_refuses_go_the_long_way() -> None:
    app = prepared('{"code":"APP_ERROR","message":"step"}', call_function=THROW)
    guest = Guest(app, replace(start(), args=("x" * 20_000,)), nothing, SMALL, RealTime())
    assert fault_code(run_once(guest, None)) == "TRAP"


def test_endless_jobs_end_with_the_budget() -> None:
    assert fault_code(run_fake(execute_pending_jobs="(i32.const 100000)")) == "CPU_LIMIT"


def test_calls_without_end_end_with_the_budget() -> None:
    report = 'B{"calls":[[1,"x","y"]],"mail":[],"timer":-1,"settled":true}'
    assert fault_code(run_fake(report)) == "DOOR_CALLS"


def test_an_engine_that_always_throws_and_cannot_say_what_is_a_trap() -> None:
    assert fault_code(run_fake(call_function=THROW)) == "TRAP"
    assert fault_code(run_fake(call_function=THROW, last_exception="(i32.const 2)")) == "TRAP"
    only_flush = (
        "(if (result i32) (i32.eq (local.get 0) (i32.const 3)) (then (i32.const 1)) "
        f"(else {GIVE_HANDLE}))"
    )
    outcome = run_fake('{"code":"APP_ERROR","message":"flush"}', call_function=only_flush)
    assert outcome.fault is not None
    assert outcome.fault.message == "flush"


def test_a_kernel_that_had_no_memory_for_its_answer_is_asked_again_with_the_reserve() -> None:
    body = (
        f"(if (result i32) (i32.eq (local.get 0) (i32.const 3)) (then {THROW_ONCE}) "
        f"(else {GIVE_HANDLE}))"
    )
    assert run_fake("R[1]", call_function=body).result == b"[1]"


def test_a_string_that_cannot_be_encoded_is_a_trap() -> None:
    arguments = f"(i32.const {NAME}) (i32.const 3) (i32.const 1) (i32.const 1) (i32.const 0)"
    call = HOST_CALL.format(arguments)
    outcome = run_fake(names="log", call_function=call, get_string="(i32.const 2)")
    assert fault_code(outcome) == "TRAP"


def test_what_the_engine_says_on_its_way_down_is_no_log_line_but_counts() -> None:
    text = "memory allocation of 99 bytes failed\n"
    body = f"""
      (i32.store (i32.const 0) (i32.const {REPORT}))
      (i32.store (i32.const 4) (i32.const {len(text)}))
      (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
      unreachable
    """
    outcome = run_fake(text, execute_pending_jobs=body)
    assert (fault_code(outcome), outcome.logs) == ("OUT_OF_MEMORY", ())


def test_a_stack_that_ran_below_zero_is_a_stack_overflow() -> None:
    body = "(global.set 0 (i32.const -64)) (i32.load (i32.const -64))"
    assert fault_code(run_fake(execute_pending_jobs=body)) == "STACK_OVERFLOW"
    body = "(i32.load (i32.const -64))"
    assert fault_code(run_fake(execute_pending_jobs=body)) == "TRAP"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (f"(i32.const {NAME}) (i32.const 5) (i32.const 1) (i32.const 1) (i32.const 0)", "fetch"),
        (f"(i32.const {NAME}) (i32.const 3) (i32.const 1) (i32.const 0) (i32.const 0)", "log"),
        (f"(i32.const {NAME}) (i32.const 3) (i32.const 1) (i32.const -1) (i32.const 0)", "log"),
        (f"(i32.const {NAME}) (i32.const 4) (i32.const 1) (i32.const 1) (i32.const 0)", "\\ff\\fe"),
    ],
)
def test_a_native_function_that_does_not_exist_makes_the_guest_throw(
    arguments: str, names: str
) -> None:
    memory: list[bytes] = []
    app = prepared("U", names, call_function=HOST_CALL.format(arguments))
    guest = Guest(app, start(), nothing, SMALL, RealTime())
    outcome = run_once(guest, lambda view: memory.append(bytes(view[64:68])))
    assert (outcome.fault, memory) == (None, [b"\xff\xff\xff\xff"])


@pytest.mark.parametrize(
    "arguments",
    [
        "(i32.const -1) (i32.const 3) (i32.const 1) (i32.const 1) (i32.const 0)",
        "(i32.const 0x7fffffff) (i32.const -1) (i32.const 1) (i32.const 1) (i32.const 0)",
        f"(i32.const {NAME}) (i32.const 3) (i32.const 1) (i32.const 1) (i32.const -1)",
    ],
)
def test_a_native_call_with_a_pointer_outside_the_memory_is_a_trap(arguments: str) -> None:
    outcome = run_fake(names="log", call_function=HOST_CALL.format(arguments))
    assert fault_code(outcome) == "TRAP"


def test_a_log_line_of_a_level_that_does_not_exist_is_kept_as_it_is() -> None:
    arguments = f"(i32.const {NAME}) (i32.const 3) (i32.const 1) (i32.const 1) (i32.const 0)"
    outcome = run_fake("Usual", names="log", call_function=HOST_CALL.format(arguments))
    assert [(line.level, line.text) for line in outcome.logs][:1] == [("info", "sual")]


@pytest.mark.parametrize(
    ("status", "number"),
    [
        ("(i32.const 1)", "0"),
        ("(i32.const 0)", "0x7ff8000000000000"),
        ("(i32.const 0)", "0xfff0000000000000"),
        ("(i32.const 0)", "0x4340000000000000"),
        ("(i32.const 0)", "0xc000000000000000"),
    ],
)
def test_a_request_for_an_odd_amount_of_randomness_gives_none(status: str, number: str) -> None:
    arguments = f"(i32.const {NAME}) (i32.const 6) (i32.const 1) (i32.const 1) (i32.const 0)"
    outcome = run_fake(
        names="random",
        call_function=HOST_CALL.format(arguments),
        get_number=f"(i64.store (local.get 1) (i64.const {number})) {status}",
    )
    assert fault_code(outcome) in {"", "TRAP"}


def test_an_engine_without_memory_for_the_hosts_texts_is_a_trap() -> None:
    load = (
        f"(i32.store (i32.const 64) (call $host_module_load (i32.const {NAME}) (i32.const 1) "
        f"(i32.const 72))) {GIVE_HANDLE}"
    )
    assert run_fake(names="b", call_function=load).fault is None
    assert run_fake(names="x", call_function=load).fault is None
    outcome = run_fake(names="b", call_function=load, qjs_alloc="(i32.const 0)")
    assert fault_code(outcome) == "TRAP"
    long_event = Guest(
        prepared(qjs_alloc="(i32.const 0)"),
        replace(start(), args=("x" * 20_000,)),
        nothing,
        SMALL,
        RealTime(),
    )
    assert fault_code(run_once(long_event, None)) == "TRAP"


def test_a_live_guest_with_a_damaged_engine_closes() -> None:
    guest = LiveJavaScript(Guest(prepared("B{}"), start(), nothing, SMALL, RealTime()))
    assert guest.opened.fault is not None
    assert guest.opened.fault.code == "TRAP"


@pytest.mark.parametrize(
    ("bodies", "code"),
    [
        ({"call_function": THROW}, "TRAP"),
        ({"call_function": THROW_LATER}, "TRAP"),
        ({"set_prop": "(i32.const 1)"}, "TRAP"),
        ({"new_object": "(i32.const 0)"}, "TRAP"),
        ({"new_function": "(i32.const 0)"}, "TRAP"),
        ({"eval_code": "(i32.const 4)"}, "TRAP"),
        ({"promise_state": "(i32.const 2)"}, "TRAP"),
        ({"execute_pending_jobs": "(i32.const 100000)"}, "CPU_LIMIT"),
    ],
)
def test_a_damaged_engine_cannot_be_loaded(bodies: dict[str, str], code: str) -> None:
    module = fake_module("U", "", turn=False, **bodies)
    source = JavaScriptSource(modules={"a": "1"}, entry="a")
    with pytest.raises(InvocationError) as caught:
        build(engine()._machine, pre_of(module), module, source, SMALL)
    assert caught.value.code == code


def test_a_damaged_engine_that_loads_only_harms_itself() -> None:
    fulfilled = "(i32.store (local.get 1) (i32.const 1)) (i32.const 0)"
    module = fake_module(promise_state=fulfilled, promise_result=GIVE_HANDLE)
    source = JavaScriptSource(modules={"a": "1"}, entry="a")
    snapshot = build(engine()._machine, pre_of(module), module, source, SMALL)
    assert json.loads(snapshot.facts())["resolved"] == []
