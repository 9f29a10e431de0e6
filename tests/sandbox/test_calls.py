"""The two ways into wasmtime: same guests, same answers, same bounds."""

from functools import cache

import pytest
import wasmtime

from runtime.sandbox.calls import Calls, GuestAccessError, GuestTrapError
from runtime.sandbox.engine import Engine, JavaScriptImage
from runtime.sandbox.limits import Limits
from runtime.sandbox.publiccalls import PublicCalls
from runtime.sandbox.rawcalls import RawCalls, choose_calls, use_pooling
from runtime.sandbox.values import Outcome
from tests.sandbox.guests import anything, engine, nothing, source, start
from tests.sandbox.raw_guests import packed, run_wat, text_at, wat

BODIES = [
    "return {args, r: random(8)}",
    "log('a'); logAs('error', 'b'); return 'é😀'",
    "return [await door('x', 'one'), await Promise.all([door('y', '2'), door('z', '3')])]",
    "await sleep(1); return 1",
    "throw new TypeError('no')",
    "return 'x'.repeat(6e6)",
    "const f = () => f() + 1; return f()",
    "for (;;);",
    "await new Promise(() => {})",
    "return 'x'.repeat(2 ** 29).length",
    "return (await import('index')).run.name",
    "return random(0).length + random(100000).length",
]

RAW_BODIES = [
    (packed(64, "[1]"), text_at(64, "[1]")),
    ("(call $request (i32.const 64) (i32.const 3))", text_at(64, "[1]")),
    ("(call $log (i32.const 2) (i32.const 64) (i32.const 3)) (i64.const 0)", text_at(64, "[1]")),
    ("unreachable", ""),
    ("(i64.const -1)", ""),
    ("(call $request (i32.const -1) (i32.const 1))", ""),
    ("(loop $l (br $l)) (i64.const 0)", ""),
    ("(i64.load (i32.const -1))", ""),
]


@cache
def public_engine() -> Engine:
    """An engine without anything that only C gives."""
    return Engine(None, raw=False, pooling=False)


@cache
def public_image() -> JavaScriptImage:
    """The app of `anything` on the public path."""
    return public_engine().javascript(anything().prepared.source)


def seen(outcome: Outcome) -> object:
    """What both paths must agree on."""
    fault = outcome.fault and (outcome.fault.code, outcome.fault.name, outcome.fault.message)
    logs = [(line.level, line.text) for line in outcome.logs]
    usage = outcome.usage
    return outcome.result, fault, logs, usage.door_calls, usage.memory_bytes, usage.result_bytes


@pytest.mark.parametrize("body", BODIES)
def test_both_paths_run_javascript_to_the_same_outcome(body: str) -> None:
    limits = Limits(cpu_ms=400)
    outcomes = [
        image.run(start(body, 1), lambda name, sent: name.encode() + sent, limits)
        for image in (anything(), public_image())
    ]
    assert seen(outcomes[0]) == seen(outcomes[1])


@pytest.mark.parametrize(("body", "extra"), RAW_BODIES)
def test_both_paths_run_raw_guests_to_the_same_outcome(body: str, extra: str) -> None:
    limits = Limits(cpu_ms=150)
    outcomes = [
        run_wat(wat(body, extra), limits=limits, on=chosen)
        for chosen in (engine(), public_engine())
    ]
    assert seen(outcomes[0]) == seen(outcomes[1])


def test_an_engine_says_which_path_and_allocator_run() -> None:
    assert engine().describe()["calls"] == "raw"
    assert engine().describe()["allocator"] == "pooling"
    assert public_engine().describe()["calls"] == "public"
    assert public_engine().describe()["allocator"] == "on demand"


def test_a_long_wait_is_not_computing_on_the_public_path() -> None:
    image = public_engine().javascript(source({"run": "await sleep(120); return 1"}))
    assert image.run(start(), nothing, Limits(cpu_ms=60)).result == b"1"


class NoFunctions:
    """A C library that lacks what the raw path needs."""

    def __getitem__(self, name: str) -> object:
        raise AttributeError(name)


def test_a_library_without_the_c_functions_is_driven_the_public_way() -> None:
    assert choose_calls(dll=NoFunctions()).name == "public"
    assert choose_calls(raw=False).name == "public"
    assert choose_calls().name == "raw"


def test_a_library_without_a_pool_allocates_on_demand() -> None:
    assert not use_pooling(wasmtime.Config(), 1, 65536, library=object())


MODULE = """
(module
  (import "host" "mix" (func $mix (param i32 i64) (result i64)))
  (import "host" "none" (func $none (param i32)))
  (memory (export "memory") 1)
  (func (export "mix") (param i32 i64) (result i64) (call $mix (local.get 0) (local.get 1)))
  (func (export "none") (call $none (i32.const -2)))
  (func (export "less") (result i32) (i32.const -1))
  (func (export "trap") unreachable)
  (func (export "loop") (loop $l (br $l)))
  (func (export "grow") (drop (memory.grow (i32.const 1)))))
"""


@pytest.fixture(params=[RawCalls, PublicCalls], ids=["raw", "public"])
def calls(request: pytest.FixtureRequest) -> Calls:
    """Each path in turn."""
    made: Calls = request.param()
    return made


class Small:
    """One tiny guest on one path."""

    def __init__(self, calls: Calls) -> None:
        config = wasmtime.Config()
        config.epoch_interruption = True
        self.engine = wasmtime.Engine(config)
        self.heard: list[tuple[int, ...]] = []
        linker = wasmtime.Linker(self.engine)
        calls.define(linker, ("host", "mix"), ("i32", "i64"), "i64", self._mix)
        calls.define(linker, ("host", "none"), ("i32",), None, self._none)
        module = wasmtime.Module(self.engine, bytes(wasmtime.wat2wasm(MODULE)))
        self.store = wasmtime.Store(self.engine)
        self.store.set_epoch_deadline(1_000_000)
        self.instance = linker.instantiate(self.store, module)

    def _mix(self, *arguments: int) -> int:
        self.heard.append(arguments)
        return arguments[1] + arguments[0]

    def _none(self, *arguments: int) -> int:
        self.heard.append(arguments)
        return 0


def test_numbers_are_unsigned_on_both_sides(calls: Calls) -> None:
    small = Small(calls)
    mix = calls.function(small.store, small.instance, "mix")
    assert mix(2**32 - 1, 2**64 - 5) == (2**64 - 5 + 2**32 - 1) % 2**64
    calls.function(small.store, small.instance, "none")()
    assert small.heard == [(2**32 - 1, 2**64 - 5), (2**32 - 2,)]
    assert calls.function(small.store, small.instance, "less")() & 0xFFFF_FFFF == 2**32 - 1


def test_memory_is_bounds_checked_also_after_it_grew(calls: Calls) -> None:
    small = Small(calls)
    memory = calls.memory(small.store, small.instance)
    memory.write(65533, b"end")
    assert memory.read(65533, 3) == b"end"
    assert memory.read(65536, 0) == b""
    for pointer, length in ((65534, 3), (65537, 0), (-1, 1), (0, -1), (2**32 - 1, 2), (2**63, 1)):
        with pytest.raises(GuestAccessError):
            memory.read(pointer, length)
    for pointer in (65534, -1, 2**32):
        with pytest.raises(GuestAccessError):
            memory.write(pointer, b"end")
    calls.function(small.store, small.instance, "grow")()
    assert memory.size() == 131072
    memory.write(131069, b"end")
    assert memory.read(131069, 3) == b"end"


def test_a_trap_says_its_code_and_a_missing_export_its_name(calls: Calls) -> None:
    small = Small(calls)
    with pytest.raises(GuestTrapError) as caught:
        calls.function(small.store, small.instance, "trap")()
    assert caught.value.code == "UNREACHABLE"
    with pytest.raises(KeyError, match="absent"):
        calls.function(small.store, small.instance, "absent")


def test_a_guest_that_may_not_go_on_is_stopped(calls: Calls) -> None:
    small = Small(calls)
    asked: list[int] = []

    def may_go_on() -> bool:
        asked.append(1)
        return len(asked) < 3

    calls.on_epoch(small.store, may_go_on)
    calls.allow(small.store, 2)
    for _ in range(4):
        small.engine.increment_epoch()
    if calls.name == "raw":
        import threading  # noqa: PLC0415  # beside its one use

        stop = threading.Event()

        def tick() -> None:
            while not stop.wait(0.002):
                small.engine.increment_epoch()

        threading.Thread(target=tick, daemon=True).start()
    with pytest.raises(GuestTrapError):
        calls.function(small.store, small.instance, "loop")()
    if calls.name == "raw":
        stop.set()
        assert len(asked) == 3
