"""Rewriting modules: numbers, sections, and a module that begins where another one was."""

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st
from wasmtime._instance import InstanceExports

from runtime.sandbox.quickjs import guest_bytes
from runtime.sandbox.wasmfile import (
    PAGE_BYTES,
    Reader,
    WasmFileError,
    exported_functions,
    image_segments,
    mutable_globals,
    read_globals,
    read_sections,
    signed_leb,
    unsigned_leb,
    with_exported_start,
    with_function,
    with_image,
    with_table_entry,
    write_sections,
)

COUNTER = """
(module
  (import "env" "tick" (func $tick))
  (memory (export "memory") 1 {most})
  (global $n (export "n") (mut i32) (i32.const -5))
  (global $wide (export "wide") (mut i64) (i64.const 7))
  (global $fixed i32 (i32.const 9))
  (data (i32.const 100) "before")
  (func $bump (export "bump")
    (global.set $n (i32.sub (global.get $n) (i32.const 100000)))
    (global.set $wide (i64.const -9000000000))
    (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 9)) (i32.const 77)))
  (func (export "grow") (drop (memory.grow (i32.const 1))))
  {extra})
"""


def wasm(text: str) -> bytes:
    """A binary module."""
    return bytes(wasmtime.wat2wasm(text))


def instance_of(module: bytes) -> tuple[wasmtime.Store, InstanceExports]:
    """Instantiate a module that imports a function that does nothing."""
    store = wasmtime.Store()
    tick = wasmtime.Func(store, wasmtime.FuncType([], []), lambda: None)
    made = wasmtime.Instance(store, wasmtime.Module(store.engine, module), [tick])
    return store, made.exports(store)


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_unsigned_numbers_round_trip(value: int) -> None:
    assert Reader(unsigned_leb(value)).unsigned() == value


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_signed_numbers_round_trip(value: int) -> None:
    assert Reader(signed_leb(value)).signed() == value


@given(st.binary(max_size=200))
def test_any_bytes_are_sections_or_the_one_error(data: bytes) -> None:
    for module in (data, b"\0asm\1\0\0\0" + data):
        try:
            sections = read_sections(module)
            mutable_globals(module)
        except WasmFileError:
            continue
        assert write_sections(sections)[:8] == module[:8]


def test_a_number_that_never_ends_is_an_error() -> None:
    with pytest.raises(WasmFileError, match="64 bits"):
        Reader(b"\xff" * 20).unsigned()


def test_the_packaged_guest_comes_back_byte_for_byte() -> None:
    guest = guest_bytes()
    sections = read_sections(guest)
    assert mutable_globals(guest) == ["__stack_pointer"]
    assert read_sections(write_sections(sections)) == sections


@given(st.binary(min_size=1, max_size=50), st.integers(min_value=0, max_value=2 * PAGE_BYTES - 51))
def test_segments_hold_all_of_an_image_that_is_not_zero(part: bytes, place: int) -> None:
    image = bytearray(2 * PAGE_BYTES)
    image[place : place + len(part)] = part
    rebuilt = bytearray(len(image))
    for offset, piece in image_segments(bytes(image)):
        rebuilt[offset : offset + len(piece)] = piece
    assert rebuilt == image


@pytest.mark.parametrize("most", ["", "8"])
def test_a_module_begins_where_another_one_was(most: str) -> None:
    module = wasm(COUNTER.format(most=most, extra="(start $bump)"))
    store, exports = instance_of(wasm(COUNTER.format(most=most, extra="")))
    for name in ("grow", "bump"):
        function = exports[name]
        assert isinstance(function, wasmtime.Func)
        function(store)
    memory = exports["memory"]
    assert isinstance(memory, wasmtime.Memory)
    image = bytes(memory.read(store, 0, memory.data_len(store)))
    values = {}
    for name in mutable_globals(module):
        item = exports[name]
        assert isinstance(item, wasmtime.Global)
        values[name] = item.value(store)

    store, exports = instance_of(with_image(module, image, values))
    memory = exports["memory"]
    assert isinstance(memory, wasmtime.Memory)
    assert bytes(memory.read(store, 0, memory.data_len(store))) == image
    assert len(image) == 2 * PAGE_BYTES
    assert image[100:106] == b"before"
    assert image[2 * PAGE_BYTES - 9] == 77
    for name, value in (("n", -100_005), ("wide", -9_000_000_000)):
        item = exports[name]
        assert isinstance(item, wasmtime.Global)
        assert item.value(store) == value


def test_a_fixed_global_keeps_its_value() -> None:
    module = wasm(COUNTER.format(most="", extra=""))
    rewritten = with_image(module, bytes(PAGE_BYTES), {"n": 1, "wide": 2})
    values = [(item.mutable, item.value) for item in read_globals(read_sections(rewritten))]
    assert values == [(True, 1), (True, 2), (False, 9)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("(module (memory 1) (global (mut i32) (i32.const 0)))", "not exported"),
        ('(module (import "a" "b" (global i32)) (memory 1))', "imports a global"),
        ('(module (memory 1) (global (export "g") (mut f32) (f32.const 0)))', "integer constant"),
        (
            '(module (memory 1) (global (export "g") (mut i32)'
            " (i32.add (i32.const 0) (i32.const 0))))",
            "more than one instruction",
        ),
    ],
)
def test_a_module_whose_globals_cannot_be_kept_is_refused(text: str, problem: str) -> None:
    with pytest.raises(WasmFileError, match=problem):
        mutable_globals(wasm(text))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("(module)", "exactly one memory"),
        ("(module (memory 1) (memory 1))", "one plain memory"),
        ("(module (memory i64 1))", "one plain memory"),
    ],
)
def test_a_module_whose_memory_cannot_be_kept_is_refused(text: str, problem: str) -> None:
    with pytest.raises(WasmFileError, match=problem):
        with_image(wasm(text), bytes(PAGE_BYTES), {})


def test_an_image_is_whole_pages() -> None:
    with pytest.raises(WasmFileError, match="whole number"):
        with_image(wasm("(module (memory 1))"), b"x", {})


def test_a_module_that_is_cut_short_is_an_error() -> None:
    with pytest.raises(WasmFileError, match="middle"):
        read_sections(wasm("(module (memory 1))")[:-1])


def test_a_module_that_uses_passive_segments_cannot_slip_through() -> None:
    module = wasm(
        '(module (memory 1) (data $d "passive")'
        " (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $d)))"
    )
    rewritten = with_image(module, bytes(PAGE_BYTES), {})
    with pytest.raises(wasmtime.WasmtimeError):
        wasmtime.Module(wasmtime.Engine(), rewritten)


def test_a_function_can_be_added_that_calls_the_others() -> None:
    module = wasm(COUNTER.format(most="2", extra='(func (export "nine") (result i32) i32.const 9)'))
    added = with_function(
        module,
        "twice",
        params=b"\x7f",
        results=b"\x7f",
        local_types=b"\x7f",
        # $nine, tee of the local, the local, add, the parameter, add
        code=lambda functions: bytes(
            [0x10, functions["nine"], 0x22, 1, 0x20, 1, 0x6A, 0x20, 0, 0x6A]
        ),
    )
    store, exports = instance_of(added)
    twice = exports["twice"]
    assert isinstance(twice, wasmtime.Func)
    assert twice(store, 100) == 118
    assert exported_functions(read_sections(added))["nine"] == 3


def test_high_addresses_are_signed_in_the_file() -> None:
    assert Reader(signed_leb(-(2**31))).signed() == -(2**31)


def test_a_start_function_becomes_an_export() -> None:
    module = wasm(COUNTER.format(most="", extra="(start $bump)"))
    store, exports = instance_of(with_exported_start(module, "begin"))
    item = exports["n"]
    begin = exports["begin"]
    assert isinstance(item, wasmtime.Global)
    assert isinstance(begin, wasmtime.Func)
    assert item.value(store) == -5
    begin(store)
    assert item.value(store) == -100_005
    without = wasm(COUNTER.format(most="", extra=""))
    assert with_exported_start(without, "begin") is without


def test_a_function_gets_one_more_place_in_the_table() -> None:
    called = '(func (export "nine") (result i32) i32.const 9)'
    through = '(func (export "at") (param i32) (result i32) local.get 0 call_indirect (type $t))'
    module = wasm(
        '(module (type $t (func (result i32))) (import "e" "f" (func)) (table 3 3 funcref)'
        " (elem (i32.const 1) $one) (func $one (result i32) i32.const 1)"
        f" {called} {through})"
    )
    added, place = with_table_entry(module, "nine")
    store, exports = instance_of(added)
    at = exports["at"]
    assert isinstance(at, wasmtime.Func)
    assert (place, at(store, 1), at(store, place)) == (3, 1, 9)


@pytest.mark.parametrize(
    "table", ["", "(table 1 funcref)", "(table 1 2 funcref)", "(table 1 1 funcref)"]
)
def test_a_table_of_another_kind_is_refused(table: str) -> None:
    elements = "(elem (i32.const 0) $f)" if table and table != "(table 1 1 funcref)" else ""
    module = wasm(f'(module {table} (func $f (export "f")) {elements})')
    with pytest.raises(WasmFileError, match="table"):
        with_table_entry(module, "f")
