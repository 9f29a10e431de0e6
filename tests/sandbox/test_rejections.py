"""Promises that are rejected with nobody listening are reported, and no others."""

# ruff: noqa: E501  # JavaScript reads better on its own lines

import pytest
import wasmtime

from runtime.errors import StateError
from runtime.sandbox.limits import Limits
from runtime.sandbox.quickjs import guest_bytes
from runtime.sandbox.rejections import with_tracker
from runtime.sandbox.values import JavaScriptSource, Outcome
from tests.sandbox.guests import PRELUDE, engine, fault_code, nothing, run, start

UNHANDLED = "Unhandled promise rejection: "


def told(outcome: Outcome) -> list[str]:
    """What the log says of rejections, without stacks."""
    assert all(line.level == "error" for line in outcome.logs)
    assert all(line.text.startswith(UNHANDLED) for line in outcome.logs)
    return [line.text.removeprefix(UNHANDLED).partition("\n")[0] for line in outcome.logs]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Promise.reject(new Error('lost')); return 1", ["Error: lost"]),
        ("(async () => { throw new TypeError('in f') })(); return 1", ["TypeError: in f"]),
        ("new Promise((_, reject) => reject(new Error('given'))); return 1", ["Error: given"]),
        ("new Promise(() => { throw new Error('maker') }); return 1", ["Error: maker"]),
        ("setTimer(async () => { throw new Error('timer') }, 1); await sleep(9)", ["Error: timer"]),
        ("Promise.resolve().then(() => { throw new Error('then') }); await null", ["Error: then"]),
        ("Promise.all([Promise.reject(new Error('one'))]); return 1", ["Error: one"]),
        ("Promise.reject('text'); Promise.reject(null)", ["text (string, not an Error)", "null (null, not an Error)"]),
        ("Promise.reject({a: 1}); Promise.reject()", ['{"a":1} (object, not an Error)', "undefined (undefined, not an Error)"]),
        ("const p = Promise.reject(new Error('late')); await sleep(5); await p.catch(() => {})", ["Error: late"]),
        ("const p = Promise.reject(new Error('passed on')); p.finally(() => {}); p.then(() => {})", ["Error: passed on"] * 2),
    ],
)  # fmt: skip
def test_a_rejection_with_nobody_listening_is_told_once(body: str, said: list[str]) -> None:
    outcome = run(body)
    assert told(outcome) == said
    assert outcome.fault is None


@pytest.mark.parametrize(
    "body",
    [
        "try { await (async () => { throw new Error('x') })() } catch {}",
        "(async () => { throw new Error('x') })().catch(() => {})",
        "const p = Promise.reject(new Error('x')); await null; await null; await p.catch(() => {})",
        "await Promise.allSettled([Promise.reject(1), Promise.reject(2)])",
        "await Promise.race([1, Promise.reject(2)])",
        "await Promise.any([1, Promise.reject(2)])",
        "async function* g() { throw new Error('x') } try { for await (const v of g()); } catch {}",
        "const p = Promise.reject(1); p.then(() => {}).catch(() => {})",
    ],
)
def test_a_rejection_that_is_handled_is_not(body: str) -> None:
    assert told(run(body)) == []


def test_it_is_told_with_its_stack_and_also_beside_a_fault() -> None:
    outcome = run("Promise.reject(new Error('first')); throw new Error('second')")
    assert told(outcome) == ["Error: first"]
    assert "at " in outcome.logs[0].text
    assert outcome.fault is not None
    assert outcome.fault.message == "second"
    assert told(run("Promise.reject(new Error('why')); await new Promise(() => {})")) == [
        "Error: why"
    ]


def test_a_handler_that_rejects_is_a_fault_and_no_lost_rejection() -> None:
    outcome = run("throw new Error('mine')")
    assert (told(outcome), fault_code(outcome)) == ([], "APP_ERROR")


def test_one_of_loading_is_told_by_every_run() -> None:
    loading = "(async () => { throw new Error('while loading') })();"
    app = engine().javascript(
        JavaScriptSource(
            prelude=(("prelude.js", PRELUDE),),
            modules={"entry": loading + "__register__({index: {run: () => 1}});"},
            entry="entry",
        )
    )
    for _ in range(2):
        assert told(app.run(start(), nothing, Limits())) == ["Error: while loading"]


@pytest.mark.hostile
def test_a_flood_of_them_is_bounded_like_any_log() -> None:
    outcome = run("for (let i = 0; i < 100000; i += 1) Promise.reject(i); return 6")
    assert outcome.result == b"6"
    assert len(outcome.logs) <= Limits().log_lines + 1


@pytest.mark.hostile
@pytest.mark.parametrize(
    "body",
    [
        "Promise.reject({ get stack() { throw 1 }, get message() { throw 2 }, get name() { throw 3 } })",
        "Promise.reject(new Proxy(new Error('x'), { get() { throw 1 }, getPrototypeOf() { throw 2 } }))",
        "const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { Promise.reject(e); return 's' } }); Promise.reject(e)",
        "Map.prototype.set = Map.prototype.delete = Map.prototype.forEach = () => { throw 1 }; Promise.reject(new Error('x'))",
        "Promise = class { then() {} }; (async () => { throw new Error('x') })()",
        "Object.prototype.rejected = Object.prototype.handled = () => { throw 1 }; (async () => { throw new Error('x') })()",
    ],
)
def test_what_is_rejected_cannot_harm_the_telling(body: str) -> None:
    outcome = run(body + "; return 7")
    assert (outcome.result, outcome.fault) == (b"7", None)
    assert outcome.logs


@pytest.mark.hostile
def test_a_getter_that_never_ends_meets_the_budget() -> None:
    body = "const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { for (;;); } }); Promise.reject(e)"
    assert fault_code(run(body, limits=Limits(cpu_ms=200))) == "CPU_LIMIT"


@pytest.mark.hostile
def test_a_rejection_with_no_memory_left_is_the_fault_it_is() -> None:
    body = "const held = []; for (;;) { held.push(new Array(1000).fill(0)); Promise.reject(held) }"
    assert fault_code(run(body, limits=Limits(memory_bytes=8 << 20))) == "OUT_OF_MEMORY"


def test_another_build_of_the_guest_is_refused() -> None:
    with pytest.raises(StateError, match="not the build that is known"):
        with_tracker(guest_bytes() + b"\0\x01\0")


def test_the_module_stays_valid() -> None:
    module, place = with_tracker(guest_bytes())
    assert place > 0
    assert wasmtime.Module(wasmtime.Engine(), module).exports
