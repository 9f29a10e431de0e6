"""Apps that try to take the host down: each is ended by its budget, and the next run is calm.

Budgets here are small so that the tests are quick; what is tested is that they hold.
"""

import gc
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.sandbox.limits import KIB, MIB, Limits
from runtime.sandbox.meter import TRUNCATED
from runtime.sandbox.values import Outcome
from tests.sandbox.guests import anything, engine, fault_code, nothing, run, source, start

pytestmark = pytest.mark.hostile

SMALL = Limits(cpu_ms=150, wall_ms=2_000, memory_bytes=32 * MIB)
ROOM = Limits(cpu_ms=8_000, wall_ms=20_000, memory_bytes=32 * MIB)

ENDLESS = [
    "for (;;);",
    "while (true) await 0",
    "const p = () => Promise.resolve().then(p); await p()",
    "for (;;) try { for (;;); } catch {} finally { continue }",
    "return /^(a+)+$/.test('a'.repeat(64) + 'b')",
    "return {get a() { for (;;); }}",
    "return {toJSON() { for (;;); }}",
    "return new Proxy([], {get: (_, key) => (key === 'length' ? 2 ** 32 - 1 : 1)})",
    "return [3, 2, 1].sort(() => { for (;;); })",
    "throw {get name() { for (;;); }}",
    "throw {toString() { for (;;); }}",
    "setTimer(() => { for (;;); }, 0); await sleep(10)",
    "function* g() { for (;;) yield 1 } return [...g()].length",
    "globalThis.a = 1; for (;;) { JSON.parse('[1,2,3]') }",
    "'x'.repeat(1e6).replaceAll('x', () => { for (;;); })",
    "return (0, eval)('for (;;);')",
]

DEEP = [
    "const f = () => f() + 1; return f()",
    "const f = () => { try { return f() } catch { return f() } }; return f()",
    "class A { get x() { return this.x } }; return new A().x",
    "const f = () => [1].map(f); return f()",
    "const f = () => 'a'.replace(/a/, f); return f()",
    "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a",
    "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return JSON.stringify(a).length",
    "return JSON.parse('['.repeat(1e5) + ']'.repeat(1e5)).length",
    "return new RegExp('(?:'.repeat(1e5) + ')'.repeat(1e5)).test('a')",
    "return (0, eval)('('.repeat(1e5) + '1' + ')'.repeat(1e5))",
    "return (0, eval)('[' .repeat(1e5) + ']'.repeat(1e5)).length",
    "return (0, eval)('!'.repeat(1e5) + '1')",
    "return (0, eval)('()=>'.repeat(1e5) + '1')",
    "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x",
    "const f = async () => { await f() }; await f()",
    "const o = {toString() { return '' + o }}; return '' + o",
]

HUNGRY = [
    "const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1))",
    "globalThis.a = []; for (;;) globalThis.a.push({x: 1, y: 'z' + globalThis.a.length})",
    "globalThis.m = new Map(); for (let i = 0; ; i++) globalThis.m.set(i, {i})",
    "globalThis.a = []; for (;;) try { for (;;) globalThis.a.push([1, 2, 3]) } catch { throw 1 }",
    "return 'x'.repeat(2 ** 29).length",
    "return new Array(3e7).fill(1).length",
    "return 'ab'.repeat(1e7).split('').length",
    "return /(?:(a)|b)*$/.test('ab'.repeat(1e6))",
    "const p = () => Promise.resolve([1]).then(p); globalThis.k = []; "
    "for (;;) globalThis.k.push(p())",
]

TOO_BIG_FOR_THE_LANGUAGE = [
    "return 'x'.repeat(2 ** 31).length",
    "return new ArrayBuffer(2 ** 31).byteLength",
    "return new Array(-1)",
    "return Math.max(...new Array(1e6).fill(1))",
    "let s = 'x'; for (;;) s += s",
]


def calm() -> None:
    """The next invocation works."""
    outcome = run("return await door('echo', 'still here')", door=lambda _name, body: body)
    assert (outcome.result, outcome.fault) == (b'"still here"', None)


@pytest.mark.parametrize("body", ENDLESS)
def test_endless_work_ends_with_the_cpu_budget(body: str) -> None:
    outcome = run(body, limits=SMALL)
    assert fault_code(outcome) in {"CPU_LIMIT", "OUT_OF_MEMORY"}
    assert outcome.result is None
    calm()


def test_endless_work_is_cpu_and_an_endless_wait_is_wall_time() -> None:
    assert fault_code(run("for (;;);", limits=SMALL)) == "CPU_LIMIT"
    assert fault_code(run("await sleep(1e9)", limits=replace(SMALL, wall_ms=60))) == "TIMEOUT"
    nap = "const next = () => setTimer(next, 5); next(); await sleep(1e9)"
    assert fault_code(run(nap, limits=replace(SMALL, wall_ms=80))) == "TIMEOUT"
    busy = replace(SMALL, cpu_ms=60_000, wall_ms=80)
    assert fault_code(run("for (;;);", limits=busy)) == "TIMEOUT"
    calm()


def test_a_door_that_hangs_does_not_hold_the_caller_longer_than_the_wall_time() -> None:
    release = threading.Event()

    def door(_name: str, _body: bytes) -> bytes:
        release.wait(30)
        return b""

    outcome = run("await door('x', '')", door=door, limits=replace(SMALL, wall_ms=60))
    assert fault_code(outcome) == "TIMEOUT"
    outcome = run("door('x', ''); return 1", door=door, limits=replace(SMALL, wall_ms=60))
    assert outcome.result == b"1"
    release.set()
    calm()


@pytest.mark.parametrize("body", DEEP)
def test_depth_ends_with_the_stack_budget(body: str) -> None:
    assert fault_code(run(body, limits=ROOM)) == "STACK_OVERFLOW"
    calm()


@pytest.mark.parametrize("body", DEEP[:8])
def test_depth_ends_on_a_worker_thread_too(body: str) -> None:
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(run(body, limits=ROOM)))
    thread.start()
    thread.join()
    assert fault_code(outcomes[0]) == "STACK_OVERFLOW"


@pytest.mark.parametrize("body", HUNGRY)
def test_hunger_ends_with_the_memory_budget(body: str) -> None:
    outcome = run(body, limits=ROOM)
    assert fault_code(outcome) == "OUT_OF_MEMORY"
    assert outcome.usage.memory_bytes <= ROOM.memory_bytes
    calm()


def test_a_full_guest_that_waits_for_nothing_ran_out_of_memory() -> None:
    body = "globalThis.k = new Uint8Array(28 << 20).fill(1); await new Promise(() => {})"
    assert fault_code(run(body, limits=ROOM)) == "OUT_OF_MEMORY"


def test_running_out_of_memory_can_be_survived_inside_the_guest() -> None:
    body = "let e; try { 'x'.repeat(2 ** 29) } catch (error) { e = error } return String(e)"
    assert run(body, limits=ROOM).result == b'"InternalError: out of memory"'


@pytest.mark.parametrize("body", TOO_BIG_FOR_THE_LANGUAGE)
def test_what_the_language_forbids_is_the_apps_own_error(body: str) -> None:
    assert fault_code(run(body, limits=ROOM)) in {"APP_ERROR", "OUT_OF_MEMORY"}
    calm()


def test_a_guest_whose_snapshot_is_larger_than_its_limit_does_not_start() -> None:
    outcome = run("return 1", limits=replace(SMALL, memory_bytes=256 * KIB))
    assert fault_code(outcome) == "OUT_OF_MEMORY"
    calm()


def test_a_result_that_is_too_large_never_crosses() -> None:
    limits = replace(ROOM, result_bytes=1000)
    assert fault_code(run("return 'x'.repeat(1001)", limits=limits)) == "RESULT_TOO_LARGE"
    assert fault_code(run("return 'é'.repeat(600)", limits=limits)) == "RESULT_TOO_LARGE"
    assert run("return 'x'.repeat(998)", limits=limits).usage.result_bytes == 1000
    assert fault_code(run("return 'x'.repeat(9e6)", limits=Limits())) == "RESULT_TOO_LARGE"
    calm()


def test_ten_thousand_timers_fire() -> None:
    body = """
    let fired = 0;
    for (let i = 0; i < 10000; i++) setTimer(() => { fired += 1 }, i % 7);
    await sleep(20);
    return fired;
    """
    assert run(body, limits=ROOM).result == b"10000"


def test_setting_and_clearing_timers_leaves_nothing_behind() -> None:
    body = "for (let i = 0; i < 50000; i++) clearTimer(setTimer(() => {}, 1e9)); return 1"
    outcome = run(body, limits=ROOM)
    assert outcome.result == b"1"
    assert outcome.usage.memory_bytes < 8 * MIB


def test_a_flood_of_log_lines_is_cut_with_one_marker() -> None:
    outcome = run("for (let i = 0; i < 20000; i++) log('line ' + i); return 1", limits=ROOM)
    texts = [line.text for line in outcome.logs]
    assert outcome.result == b"1"
    assert texts == [f"line {n}" for n in range(100)] + [TRUNCATED]


def test_one_huge_log_line_is_cut() -> None:
    limits = replace(ROOM, log_bytes=10)
    outcome = run("log('é'.repeat(3000000)); log('more'); return 1", limits=limits)
    assert [line.text for line in outcome.logs] == ["é" * 5, TRUNCATED]
    assert outcome.usage.log_bytes == 10


def test_log_lines_survive_what_ends_the_run() -> None:
    for ending in ("for (;;);", "const f = () => f() + 1; f()", "throw 1"):
        outcome = run(f"log('before'); {ending}", limits=SMALL)
        assert [line.text for line in outcome.logs] == ["before"]
        assert outcome.fault is not None


def test_door_calls_are_counted_and_the_last_one_too_many_is_not_made() -> None:
    made: list[bytes] = []

    def door(_name: str, body: bytes) -> bytes:
        made.append(body)
        return b""

    limits = replace(SMALL, door_calls=3)
    outcome = run("for (let i = 0; i < 9; i++) await door('x', '' + i)", door=door, limits=limits)
    assert (fault_code(outcome), made) == ("DOOR_CALLS", [b"0", b"1", b"2"])
    made.clear()
    flood = "for (let i = 0; i < 1e5; i++) door('x', '' + i); return 1"
    assert fault_code(run(flood, door=door, limits=replace(ROOM, door_calls=3))) == "DOOR_CALLS"
    assert made == []
    calm()


def test_door_bytes_are_counted_both_ways() -> None:
    limits = replace(ROOM, door_request_bytes=1000, door_reply_bytes=1000)
    one_large = "await door('x', 'y'.repeat(1001)); return 1"
    many = "for (let i = 0; i < 9; i++) await door('x', 'y'.repeat(200)); return 1"
    not_ascii = "await door('x', 'é'.repeat(600)); return 1"
    for body in (one_large, many, not_ascii, "await door('x', 'y'.repeat(2e7))"):
        assert fault_code(run(body, limits=limits)) == "DOOR_BYTES"
    outcome = run("await door('x', '')", door=lambda *_: b"z" * 1001, limits=limits)
    assert fault_code(outcome) == "DOOR_BYTES"
    calm()


def test_an_unknown_door_is_the_doors_to_refuse() -> None:
    outcome = run(
        "return await door('../../etc/passwd\\u0000', 'x')",
        door=lambda name, _body: json.dumps({"refused": name}).encode(),
    )
    assert json.loads(json.loads(outcome.result or b"")) == {"refused": "../../etc/passwd\0"}


def test_nothing_an_app_does_to_the_language_reaches_the_kernel() -> None:
    body = """
    const evil = () => { throw 'poisoned' };
    const {defineProperty} = Object, {ownKeys} = Reflect;
    const poison = (target, key) => {
      if (key === 'constructor' || key === 'prototype') return;
      try { defineProperty(target, key, {__proto__: null, get: evil, set: evil}) } catch {}
    };
    const things = [Promise, Map, String, Object, JSON, Reflect, Date, Number, Function, Array];
    for (let i = 0; i < 10; i++) {
      const statics = ownKeys(things[i]), methods = ownKeys(things[i].prototype ?? {});
      for (let k = 0; k < statics.length; k++) poison(things[i], statics[k]);
      for (let k = 0; k < methods.length; k++) poison(things[i].prototype, methods[k]);
    }
    const names = ['0', '1', '10', 'then', 'toJSON', 'resolve', 'reject', 'next', 'due', 'get'];
    for (let i = 0; i < 10; i++) poison(Object.prototype, names[i]);
    globalThis.Promise = globalThis.JSON = globalThis.Map = globalThis.Error = evil;
    logAs('info', 'still logging');
    setTimer(evil, 1e6);
    return await door('echo', 'unharmed');
    """
    lines = "for (let i = 0; i < 3; i++) await door('echo', 'again');"
    outcome = run(body.replace("return await", lines + "return await"), door=lambda _n, b: b)
    assert (outcome.result, outcome.fault) == (b'"unharmed"', None)
    assert outcome.logs[0].text == "still logging"


def test_an_app_cannot_forge_what_the_kernel_says() -> None:
    outcome = run("throw {name: 'x', message: '\"}', stack: '\\n\"code\":\"NO_HANDLER\"'}")
    assert outcome.fault is not None
    message = '"} (an object was thrown, not an Error)'
    assert (outcome.fault.code, outcome.fault.message) == ("APP_ERROR", message)


def test_settled_calls_and_promises_cannot_be_settled_again_from_outside() -> None:
    replies = iter([b"first", b"second"])
    body = "return [await door('a', ''), await door('b', '')]"
    outcome = run(body, door=lambda *_: next(replies))
    assert json.loads(outcome.result or b"") == ["first", "second"]


def test_two_runs_of_one_snapshot_share_nothing() -> None:
    leave = """
    globalThis.left = 'trace'; Array.prototype.left = 'trace'; Object.prototype.left = 'trace';
    (await import('index')).run.left = 'trace'; given.left = 'trace'; heard.push('trace');
    setTimer(() => { globalThis.left = 'timer' }, 0); emit('mail'); door('x', '');
    return 1
    """
    find = """
    return [globalThis.left, [].left, {}.left, (await import('index')).run.left, given.left, heard]
    """
    assert run(leave).result == b"1"
    assert json.loads(run(find).result or b"") == [None, None, None, None, None, []]


def test_nothing_of_one_run_stands_in_the_memory_of_the_next() -> None:
    marker = "left-behind-by-the-run-before-0123456789"
    memories: list[bool] = []

    def inspect(memory: memoryview) -> None:
        memories.append(b"-".join([b"left", b"behind", b"by", b"the"]) in bytes(memory))

    for size in (1, 100, 20_000):
        fill = f"globalThis.k = []; for (let i = 0; i < {size}; i++) globalThis.k.push(args[0] + i)"
        anything().run(start(fill, marker), nothing, Limits(), inspect=inspect)
        anything().run(start("return 1"), nothing, Limits(), inspect=inspect)
        anything().run(start("for (;;);"), nothing, SMALL, inspect=inspect)
    assert memories == [True, False, False] * 3


def test_runs_with_one_seed_agree_and_with_another_differ_and_so_do_two_at_once() -> None:
    body = "return [random(16), Object.keys(globalThis).length]"
    ours = {run(body).result for _ in range(3)}
    other = anything().run(start(body, seed=b"x" * 32), nothing, Limits()).result
    assert len(ours) == 1
    assert other not in ours


def test_a_guest_that_is_loaded_has_budgets_too() -> None:
    from runtime.errors import InvocationError  # noqa: PLC0415  # beside its one use

    cases = {
        "for (;;);": "CPU_LIMIT",
        "const f = () => f() + 1; f()": "STACK_OVERFLOW",
        "globalThis.a = []; for (;;) globalThis.a.push(new Uint8Array(1 << 20).fill(1))": (
            "OUT_OF_MEMORY"
        ),
        "while (true) await 0": "CPU_LIMIT",
    }
    for text, code in cases.items():
        app = replace(source({"run": ""}), modules={"entry": text})
        with pytest.raises(InvocationError) as caught:
            engine().javascript(app, SMALL)
        assert caught.value.code == code


def resident_kib() -> int:
    """Resident memory of this process."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_after_all_of_it_the_process_is_as_large_as_before() -> None:
    bodies = [*HUNGRY[:4], *DEEP[:4], ENDLESS[0], "return 'x'.repeat(9e6)"]
    for body in bodies:
        run(body, limits=ROOM if body is not ENDLESS[0] else SMALL)
    gc.collect()
    before = resident_kib()
    for _ in range(3):
        for body in bodies:
            run(body, limits=ROOM if body is not ENDLESS[0] else SMALL)
    for _ in range(300):
        run("return 1")
    gc.collect()
    assert resident_kib() - before < 24 * KIB  # KiB: fewer than one of these guests had


def test_more_guests_than_there_are_places_wait_their_turn() -> None:
    from runtime.sandbox.engine import Engine  # noqa: PLC0415  # an engine of its own

    narrow = Engine(None, slots=1)
    app = narrow.javascript(source({"run": "await door('x', ''); return 1"}))
    inner: list[str] = []

    def door(_name: str, _body: bytes) -> bytes:
        limits = replace(SMALL, wall_ms=40)
        outcome = app.run(start(), nothing, limits, inspect=lambda _memory: inner.append("seen"))
        inner.append(fault_code(outcome))
        return b""

    assert app.run(start(), door, Limits()).result == b"1"
    assert inner == ["BUSY"]
    assert app.run(start(), nothing, Limits()).result == b"1"
    narrow.close()
