"""Raw WebAssembly guests that try to take the host down, or to reach past their memory."""

from dataclasses import replace

import pytest

from runtime.errors import ManifestError
from runtime.sandbox.limits import MIB, Limits
from runtime.sandbox.meter import TRUNCATED
from runtime.sandbox.values import Door, Outcome
from runtime.sandbox.wasm_guest import START_EXPORT, check_module
from tests.sandbox.guests import engine, fault_code, nothing, start
from tests.sandbox.raw_guests import IMPORTS, packed, run_wat, text_at, wat

pytestmark = pytest.mark.hostile

SMALL = Limits(cpu_ms=100, wall_ms=2_000, memory_bytes=4 * MIB)


def attack(body: str, extra: str = "", *, door: Door = nothing, limits: Limits = SMALL) -> Outcome:
    """Run a hostile body, then see that the next guest works."""
    outcome = run_wat(wat(body, extra), door=door, limits=limits)
    calm = run_wat(wat(packed(64, "[1]"), text_at(64, "[1]")))
    assert (calm.result, calm.fault) == (b"[1]", None)
    return outcome


def test_an_endless_loop_ends_with_the_cpu_budget() -> None:
    assert fault_code(attack("(loop $l (br $l)) (i64.const 0)")) == "CPU_LIMIT"


def test_endless_host_calls_end_with_a_budget() -> None:
    log = "(call $log (i32.const 1) (i32.const 0) (i32.const 1))"
    outcome = attack(f"(loop $l {log} (br $l)) (i64.const 0)")
    assert fault_code(outcome) == "CPU_LIMIT"
    assert len(outcome.logs) == 101
    assert outcome.logs[-1].text == TRUNCATED
    ask = "(drop (call $request (i32.const 0) (i32.const 1)))"
    made: list[bytes] = []

    def door(_name: str, body: bytes) -> bytes:
        made.append(body)
        return b""

    limits = replace(SMALL, door_calls=5)
    outcome = attack(f"(loop $l {ask} (br $l)) (i64.const 0)", door=door, limits=limits)
    assert (fault_code(outcome), len(made)) == ("DOOR_CALLS", 5)


def test_endless_recursion_ends_with_the_stack_budget() -> None:
    outcome = attack("(call $f) (i64.const 0)", "(func $f (call $f))")
    assert fault_code(outcome) == "STACK_OVERFLOW"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("unreachable", "TRAP"),
        ("(return (i64.const 0))" + ')(data (i32.const -1) "x") (func', "TRAP"),
        ("(i64.load (i32.const -8))", "TRAP"),
        ("(i64.extend_i32_u (i32.div_u (i32.const 1) (i32.const 0)))", "TRAP"),
        ("(call_indirect (type 0) (i32.const 7)) (i64.const 0)", "TRAP"),
        ("(call $request (i32.const 131072) (i32.const 1))", "TRAP"),
        ("(call $request (i32.const -1) (i32.const 1))", "TRAP"),
        ("(call $log (i32.const 0) (i32.const 131071) (i32.const 2)) (i64.const 0)", "TRAP"),
        ("(call $log (i32.const -1) (i32.const -1) (i32.const -1)) (i64.const 0)", "TRAP"),
        ("(call $request (i32.const 0) (i32.const -1))", "DOOR_BYTES"),
        ("(i64.const -1)", "RESULT_TOO_LARGE"),
        ("(i64.const 0xffffffff_00000010)", "TRAP"),
        ("(i64.const 0x0001fff8_00000009)", "TRAP"),
        ("(i64.const 0x00000000_7fffffff)", "RESULT_TOO_LARGE"),
    ],
)
def test_a_pointer_outside_the_memory_is_never_followed(body: str, code: str) -> None:
    outcome = attack(body, "(table 1 funcref) (type $t (func))" if "indirect" in body else "")
    assert fault_code(outcome) == code


@pytest.mark.parametrize("address", [-1, 131_072, 0x7FFF_FFFF, 131_071])
def test_an_alloc_that_lies_is_caught_before_anything_is_written(address: int) -> None:
    parts = (
        '(memory (export "memory") 2)'
        f'(func (export "alloc") (param i32) (result i32) (i32.const {address}))'
    )
    outcome = run_wat(wat("(i64.const 0)", parts=parts))
    assert fault_code(outcome) == "TRAP"


def test_an_alloc_that_never_returns_is_ended() -> None:
    parts = (
        '(memory (export "memory") 2)'
        '(func (export "alloc") (param i32) (result i32) (loop $l (br $l)) (i32.const 0))'
    )
    assert fault_code(run_wat(wat("(i64.const 0)", parts=parts), limits=SMALL)) == "CPU_LIMIT"


def test_an_alloc_that_traps_while_a_reply_is_delivered_ends_the_run() -> None:
    parts = """
      (memory (export "memory") 2)
      (global $calls (mut i32) (i32.const 0))
      (func (export "alloc") (param i32) (result i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (if (i32.gt_u (global.get $calls) (i32.const 1)) (then unreachable))
        (i32.const 1024))
    """
    module = wat("(call $request (i32.const 0) (i32.const 1)) (loop $l (br $l))", parts=parts)
    assert fault_code(run_wat(module, limits=SMALL)) == "TRAP"


def test_a_door_can_be_asked_again_from_inside_alloc_and_still_only_within_the_budget() -> None:
    parts = """
      (memory (export "memory") 2)
      (func (export "alloc") (param i32) (result i32)
        (drop (call $request (i32.const 0) (i32.const 1)))
        (i32.const 1024))
    """
    outcome = run_wat(wat("(i64.const 0)", parts=parts), limits=replace(SMALL, door_calls=20))
    assert fault_code(outcome) in {"DOOR_CALLS", "STACK_OVERFLOW"}
    assert outcome.usage.door_calls <= 21


def test_memory_grows_to_its_limit_and_no_further() -> None:
    grow = "(i64.extend_i32_s (memory.grow (i32.const {})))"
    refused = "(if (i64.ne {} (i64.const -1)) (then unreachable)) (i64.const 0)"
    assert attack(refused.format(grow.format(64))).fault is None
    assert attack(refused.format(grow.format(65535))).fault is None
    filled = (
        "(loop $l (br_if $l (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) (i64.const 0)"
    )
    outcome = attack(filled)
    assert outcome.fault is None
    assert outcome.usage.memory_bytes == 4 * MIB
    trap_when_full = filled.replace("(i64.const 0)", "unreachable")
    assert fault_code(attack(trap_when_full)) == "OUT_OF_MEMORY"


def test_a_memory_that_starts_too_large_does_not_start() -> None:
    parts = """
      (memory (export "memory") 1000)
      (func (export "alloc") (param i32) (result i32) (i32.const 0))
    """
    assert fault_code(run_wat(wat("(i64.const 0)", parts=parts), limits=SMALL)) == "OUT_OF_MEMORY"


def test_tables_do_not_grow_without_end() -> None:
    body = """
      (loop $l
        (br_if $l (i32.ge_s (table.grow $t (ref.null func) (i32.const 1000)) (i32.const 0))))
      (i64.extend_i32_u (table.size $t))
      (drop) (i64.const 0)
    """
    outcome = attack(body, "(table $t 1 funcref)")
    assert outcome.fault is None


@pytest.mark.parametrize(
    "field",
    [
        "(table 1000000 funcref)",
        "(table 1 funcref) " * 200,
        "(memory $more 1)",
        '(memory (export "more") 70000)',
    ],
)
def test_a_module_that_wants_more_than_a_place_has_is_refused_or_does_not_start(field: str) -> None:
    module = wat("(i64.const 0)", field)
    assert check_module(module) or run_wat(module).fault is not None
    assert run_wat(wat("(i64.const 0)")).fault is None


def test_the_name_under_which_the_host_calls_a_start_function_cannot_be_taken() -> None:
    taken = START_EXPORT.replace("\0", "\\00")
    wide = " ".join(["i64"] * 100)
    module = wat("(i64.const 0)", f'(func (export "{taken}") (param {wide}))')
    assert check_module(module) == ["an export has a name that is the sandbox's own"]


def test_a_result_or_request_may_be_as_large_as_the_budget_and_no_larger() -> None:
    limits = replace(SMALL, result_bytes=10, door_request_bytes=10)
    fits, over = '"12345678"', '"123456789"'
    assert attack(packed(64, fits), text_at(64, fits), limits=limits).result == fits.encode()
    outcome = attack(packed(64, over), text_at(64, over), limits=limits)
    assert fault_code(outcome) == "RESULT_TOO_LARGE"
    ask = "(call $request (i32.const 0) (i32.const {}))"
    assert attack(ask.format(10), limits=limits).fault is None
    assert fault_code(attack(ask.format(11), limits=limits)) == "DOOR_BYTES"
    outcome = attack(
        ask.format(1), door=lambda *_: b"x" * 11, limits=replace(SMALL, door_reply_bytes=10)
    )
    assert fault_code(outcome) == "DOOR_BYTES"


def test_a_door_that_hangs_ends_with_the_wall_time() -> None:
    import threading  # noqa: PLC0415  # beside its one use

    release = threading.Event()

    def door(_name: str, _body: bytes) -> bytes:
        release.wait(30)
        return b""

    limits = replace(SMALL, wall_ms=60)
    outcome = attack("(call $request (i32.const 0) (i32.const 1))", door=door, limits=limits)
    assert fault_code(outcome) == "TIMEOUT"
    release.set()


def test_a_refused_reply_cannot_be_ignored() -> None:
    ask = "(drop (call $request (i32.const 0) (i32.const 1)))"
    body = f"{ask} {ask} {packed(64, '[1]')}"
    outcome = attack(body, text_at(64, "[1]"), limits=replace(SMALL, door_calls=1))
    assert (fault_code(outcome), outcome.result) == ("DOOR_CALLS", None)


def test_two_runs_of_one_module_share_no_memory_no_global_and_no_table() -> None:
    body = """
      (global.set $g (i32.add (global.get $g) (i32.const 1)))
      (i32.store8 (i32.const 65) (i32.add (i32.load8_u (i32.const 65)) (global.get $g)))
      (i64.or (i64.shl (i64.const 64) (i64.const 32)) (i64.const 3))
    """
    image = engine().wasm(wat(body, text_at(64, "[0]") + "(global $g (mut i32) (i32.const 0))"))
    assert [image.run(start(), nothing, SMALL).result for _ in range(3)] == [b"[1]"] * 3


def test_every_import_that_is_not_offered_is_refused_by_its_name() -> None:
    for module, name in [
        ("env", "host_call"),
        ("firebrick", "fetch"),
        ("firebrick", "requestjira"),
        ("wasi_snapshot_preview1", "sock_open"),
        ("wasi_unstable", "fd_write"),
        ("wasi_snapshot_preview2", "random_get"),
        ("", ""),
        ("\\e2\\80\\aefirebrick", "\\1b[31mlog"),
    ]:
        imports = f'{IMPORTS} (import "{module}" "{name}" (func))'
        with pytest.raises(ManifestError) as caught:
            engine().wasm(wat("(i64.const 0)", imports=imports))
        shown = f"{module}.{name}".replace("\\e2\\80\\ae", "\\u202e").replace("\\1b", "\\x1b")
        assert f"import {shown} is not a host function" in caught.value.message
