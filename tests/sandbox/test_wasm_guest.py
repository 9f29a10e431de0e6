"""Raw WebAssembly guests: the ABI, from both sides."""

import json

import pytest

from runtime.errors import InvocationError, ManifestError
from runtime.sandbox.limits import Limits
from runtime.sandbox.wasm_guest import MOST_MODULE_BYTES, RAW_FUNCTIONS, as_binary, check_module
from tests.sandbox.guests import NOW_S, engine, fault_code, nothing, start
from tests.sandbox.raw_guests import IMPORTS, PARTS, packed, run_wat, text_at, wat

ECHO = """
  (i64.or
    (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32))
    (i64.extend_i32_u (local.get $size)))
"""


def test_invoke_gets_the_start_as_json_and_its_result_comes_back() -> None:
    outcome = run_wat(wat(ECHO), 1, "é")
    assert json.loads(outcome.result or b"") == {
        "handler": "index.run",
        "args": [1, "é"],
        "seed": bytes(range(32)).hex(),
        "now": NOW_S * 1000,
        "env": {"COLOUR": "red"},
        "extra": {"place": "here"},
    }
    assert outcome.usage.result_bytes == len(outcome.result or b"")


def test_a_result_of_no_bytes_is_no_result() -> None:
    outcome = run_wat(wat("(i64.const 0)"))
    assert (outcome.result, outcome.fault) == (None, None)


@pytest.mark.parametrize("text", ["nonsense", '{"a":', "[" * 100_000])
def test_a_result_that_is_not_json_is_a_fault(text: str) -> None:
    module = wat(packed(8192, text), text_at(8192, text))
    assert fault_code(run_wat(module)) == "RESULT_NOT_JSON"


def test_a_request_goes_out_and_its_reply_comes_back_through_alloc() -> None:
    seen: list[tuple[str, bytes]] = []

    def door(name: str, body: bytes) -> bytes:
        seen.append((name, body))
        return b'{"status":200}'

    module = wat("(call $request (i32.const 0) (i32.const 5))", text_at(0, "hello"))
    outcome = run_wat(module, door=door)
    assert (outcome.result, seen) == (b'{"status":200}', [("requestJira", b"hello")])
    assert (outcome.usage.door_request_bytes, outcome.usage.door_reply_bytes) == (5, 14)


def test_a_door_that_fails_inside_the_host_ends_the_run_without_detail() -> None:
    def door(_name: str, _body: bytes) -> bytes:
        raise RuntimeError("a secret detail")

    module = wat("(call $request (i32.const 0) (i32.const 1))")
    outcome = run_wat(module, door=door)
    assert outcome.fault is not None
    assert (outcome.fault.code, outcome.fault.message) == ("INTERNAL", "The host failed.")


def test_log_lines_have_the_level_they_were_given() -> None:
    calls = "".join(
        f"(call $log (i32.const {level}) (i32.const 0) (i32.const 2))" for level in (0, 1, 2, 3, 9)
    )
    outcome = run_wat(wat(f"{calls} (i64.const 0)", text_at(0, "é")))
    levels = ["debug", "info", "warn", "error", "info"]
    assert [(line.level, line.text) for line in outcome.logs] == [(level, "é") for level in levels]


def test_a_raw_guest_cannot_stay_open() -> None:
    with pytest.raises(InvocationError) as caught:
        engine().wasm(wat("(i64.const 0)")).open(start(), nothing, Limits())
    assert caught.value.code == "NOT_LIVE"


def test_the_memory_can_be_inspected() -> None:
    seen: list[int] = []
    engine().wasm(wat("(i64.const 0)")).run(
        start(), nothing, Limits(), inspect=lambda memory: seen.append(len(memory))
    )
    assert seen == [2 * 65536]


def test_the_digest_is_the_binary_modules() -> None:
    module = wat("(i64.const 0)")
    assert engine().wasm(module).digest == engine().wasm(as_binary(module)).digest


def test_a_module_that_follows_the_abi_has_no_problems() -> None:
    assert check_module(wat("(i64.const 0)")) == []


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        (
            b'(module (import "env" "system" (func (param i32))))',
            "import env.system is not a host function of this sandbox",
        ),
        (
            b'(module (import "wasi_snapshot_preview1" "sock_send" (func)))',
            "import wasi_snapshot_preview1.sock_send is not a host function of this sandbox",
        ),
        (
            b'(module (import "firebrick" "requestJira" (func (param i32) (result i64))))',
            "import firebrick.requestJira must have the type (i32, i32) -> i64",
        ),
        (
            b'(module (import "firebrick" "log" (func (param i32 i32 i32) (result i32 i32))))',
            "import firebrick.log must have the type (i32, i32, i32) -> ()",
        ),
        (
            b'(module (import "env" "memory" (memory 1)))',
            "import env.memory is not a function; only functions can be imported",
        ),
        (
            b'(module (import "env" "table" (table 1 funcref)))',
            "import env.table is not a function; only functions can be imported",
        ),
        (b"(module)", "export memory is missing: the guest's linear memory"),
        (b"(module)", "export alloc is missing: a function (i32) -> i32"),
        (b"(module)", "export invoke is missing: a function (i32, i32) -> i64"),
        (
            b'(module (func (export "invoke") (result i64) (i64.const 0)))',
            "export invoke must have the type (i32, i32) -> i64",
        ),
        (
            b'(module (memory (export "alloc") 1))',
            "export alloc is missing: a function (i32) -> i32",
        ),
    ],
)
def test_everything_that_is_wrong_is_named(module: bytes, problem: str) -> None:
    assert problem in check_module(module)
    with pytest.raises(ManifestError) as caught:
        engine().wasm(module)
    assert caught.value.code == "WASM_ABI"
    assert problem in caught.value.message


@pytest.mark.parametrize(
    "module",
    [
        b"",
        b"(module",
        b"not a module",
        b"\0asm",
        b"\0asm\1\0\0\0\xff",
        b"\xff\xfe",
        b"(module (memory i64 1))",
        b"(module (memory 1 2 shared))",
        b"(module (memory 1) (memory 1))",
        b"\0" * (MOST_MODULE_BYTES + 1),
    ],
)
def test_what_is_no_module_or_uses_what_is_off_is_refused(module: bytes) -> None:
    assert len(check_module(module)) == 1
    with pytest.raises(ManifestError) as caught:
        engine().wasm(module)
    assert caught.value.code == "WASM_INVALID"


def test_every_offered_function_links_and_can_be_called() -> None:
    imports, calls = [], []
    for place, ((module, name), function) in enumerate(RAW_FUNCTIONS.items()):
        if name == "proc_exit":
            continue
        params = " ".join(function.params)
        result = f"(result {function.result})" if function.result else ""
        imports.append(f'(import "{module}" "{name}" (func $f{place} (param {params}) {result}))')
        zeros = " ".join(f"({word}.const 0)" for word in function.params)
        calls.append(f"(call $f{place} {zeros}) {'drop' if function.result else ''}")
    outcome = run_wat(wat(" ".join(calls) + "(i64.const 0)", imports=" ".join(imports)))
    assert outcome.fault is None


def test_a_start_function_runs_inside_the_budgets() -> None:
    extra = "(func $begin (call $log (i32.const 1) (i32.const 0) (i32.const 2))) (start $begin)"
    outcome = run_wat(wat("(i64.const 0)", extra + text_at(0, "up")))
    assert [line.text for line in outcome.logs] == ["up"]
    endless = wat("(i64.const 0)", "(func $begin (loop $l (br $l))) (start $begin)")
    assert fault_code(run_wat(endless, limits=Limits(cpu_ms=60))) == "CPU_LIMIT"
    trap = wat("(i64.const 0)", "(func $begin unreachable) (start $begin)")
    assert fault_code(run_wat(trap)) == "TRAP"


def test_imports_are_optional() -> None:
    assert check_module(wat("(i64.const 0)", imports="", parts=PARTS)) == []
    assert "firebrick" in IMPORTS
