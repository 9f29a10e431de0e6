"""JavaScript guests: what goes in, what comes out, and what happens between."""

import json
import threading
import time
from dataclasses import replace

import pytest

from runtime.errors import InvocationError
from runtime.sandbox.limits import Limits
from runtime.sandbox.values import JavaScriptSource, Start
from tests.sandbox.guests import (
    NOW_S,
    PRELUDE,
    anything,
    engine,
    fault_code,
    nothing,
    run,
    source,
    start,
    virtual_engine,
)


def test_a_handler_gets_its_arguments_and_returns_json() -> None:
    outcome = run("return {args, n: 1.5, nested: [null, true, 'é😀']}", "a", 2, None)
    assert outcome.fault is None
    assert json.loads(outcome.result or b"") == {
        "args": ["a", 2, None],
        "n": 1.5,
        "nested": [None, True, "é😀"],
    }


@pytest.mark.parametrize("value", ["undefined", "() => 1", "Symbol('x')"])
def test_what_json_has_no_word_for_is_no_result(value: str) -> None:
    outcome = run(f"return {value}")
    assert (outcome.result, outcome.fault) == (None, None)


def test_null_is_a_result() -> None:
    assert run("return null").result == b"null"


@pytest.mark.parametrize(
    "body",
    [
        "const a = {}; a.a = a; return a",
        "return 1n",
        "return {toJSON() { throw new TypeError('no') }}",
        "return {get a() { throw new Error('no') }}",
        "return new Proxy({}, {ownKeys() { throw 1 }})",
    ],
)
def test_a_result_that_is_not_json_is_a_fault(body: str) -> None:
    assert fault_code(run(body)) == "RESULT_NOT_JSON"


def test_lone_surrogates_survive_everywhere_as_replacement_or_escape() -> None:
    body = r"log('\ud800'); const r = await door('echo', '\udc00x'); return ['\ud800', r]"
    seen: list[bytes] = []

    def door(_name: str, sent: bytes) -> bytes:
        seen.append(sent)
        return sent

    outcome = run(body, door=door)
    assert json.loads(outcome.result or b"") == ["\ud800", "\ufffdx"]
    assert (outcome.logs[0].text, seen) == ("\ufffd", ["\ufffdx".encode()])


def test_a_thrown_error_is_reported_with_name_message_and_stack() -> None:
    outcome = run("class Odd extends Error { name = 'Odd' }; throw new Odd('why')")
    assert outcome.fault is not None
    assert (outcome.fault.code, outcome.fault.name, outcome.fault.message) == (
        "APP_ERROR",
        "Odd",
        "why",
    )
    assert "run" in outcome.fault.stack


OBJECT = "(an object was thrown, not an Error)"


@pytest.mark.parametrize(
    ("thrown", "message"),
    [
        ("42", "42 (a number was thrown, not an Error)"),
        ("undefined", "undefined (undefined was thrown, not an Error)"),
        ("null", "null (null was thrown, not an Error)"),
        ("'text'", "text (a string was thrown, not an Error)"),
        ("{a: 1}", f'{{"a":1}} {OBJECT}'),
        ("{message: 'm', name: 'N'}", f"m {OBJECT}"),
        ("Object.create(null)", f"a value that cannot be shown {OBJECT}"),
        ("new Proxy({}, {get() { throw 1 }})", f"a value that cannot be shown {OBJECT}"),
        ("new Proxy({}, {getPrototypeOf() { throw 1 }})", f"{{}} {OBJECT}"),
        ("{message: {toString() { throw 1 }}, name: 'N'}", f" {OBJECT}"),
        ("() => 1", "() => 1 (a function was thrown, not an Error)"),
        ("new (class Own extends Error {})('own')", "own"),
        ("Object.assign(Object.create(Error.prototype), {message: 'old style'})", "old style"),
        ("new Error('x'.repeat(100000))", "x" * 8192),
    ],
)
def test_anything_that_is_thrown_can_be_reported(thrown: str, message: str) -> None:
    outcome = run(f"throw {thrown}")
    assert outcome.fault is not None
    assert (outcome.fault.code, outcome.fault.message) == ("APP_ERROR", message)


@pytest.mark.parametrize(
    "handler", ["index.missing", "nowhere.run", "run", "", "index.toString", "index.default", "."]
)
def test_a_handler_that_is_not_an_exported_function_is_named(handler: str) -> None:
    outcome = anything().run(start(handler=handler), nothing, Limits())
    assert fault_code(outcome) == "NO_HANDLER"


def test_log_lines_come_out_in_order_with_their_level_and_time() -> None:
    outcome = run("log('one', {a: 1}); logAs('error', 'two'); await sleep(2); logAs('debug', 'x')")
    assert [(line.level, line.text) for line in outcome.logs] == [
        ("info", 'one {"a":1}'),
        ("error", "two"),
        ("debug", "x"),
    ]
    assert outcome.logs[2].at_ms > outcome.logs[0].at_ms
    assert outcome.usage.log_lines == 3


def test_a_log_line_needs_a_known_level_and_a_text() -> None:
    assert run("try { logAs('loud', 'x') } catch (e) { return e.name }").result == b'"TypeError"'
    assert run("try { logAs('info', 1) } catch (e) { return e.name }").result == b'"TypeError"'


def test_ten_awaited_calls_are_ten_calls_in_flight() -> None:
    together = threading.Barrier(10, timeout=20)

    def door(_name: str, body: bytes) -> bytes:
        together.wait()
        return body

    outcome = run(
        "return Promise.all([...Array(10).keys()].map((n) => door('echo', String(n))))", door=door
    )
    assert json.loads(outcome.result or b"") == [str(n) for n in range(10)]
    assert outcome.usage.door_calls == 10
    assert (outcome.usage.door_request_bytes, outcome.usage.door_reply_bytes) == (10, 10)


def test_a_call_carries_its_name_and_body_and_an_odd_reply_becomes_text() -> None:
    seen: list[tuple[str, bytes]] = []

    def door(name: str, body: bytes) -> bytes:
        seen.append((name, body))
        return b"\xff\n\0ok"

    outcome = run("return await door('a name', 'line\\nline')", door=door)
    assert seen == [("a name", b"line\nline")]
    assert json.loads(outcome.result or b"") == "\ufffd\n\0ok"


def test_a_long_reply_and_a_long_request_pass_whole() -> None:
    outcome = run("return (await door('echo', 'ab'.repeat(500000))).length", door=lambda _n, b: b)
    assert outcome.result == b"1000000"


def test_a_door_that_fails_inside_the_host_rejects_without_detail() -> None:
    def door(_name: str, _body: bytes) -> bytes:
        raise RuntimeError("a secret detail")

    outcome = run("try { await door('x', '') } catch (e) { return e.message }", door=door)
    assert outcome.result == b'"The host failed."'


def test_a_call_needs_two_strings() -> None:
    assert run("try { door(1, '') } catch (e) { return e.name }").result == b'"TypeError"'


def test_a_call_that_nobody_awaits_is_made_before_the_run_ends() -> None:
    seen: list[bytes] = []

    def door(_name: str, body: bytes) -> bytes:
        time.sleep(0.02)
        seen.append(body)
        return b""

    outcome = run("door('x', 'late'); return 1", door=door)
    assert (outcome.result, seen) == (b"1", [b"late"])


class PromptDoor:
    """A door that promises to be quick and notes which thread called it."""

    prompt = True

    def __init__(self) -> None:
        self.threads: list[str] = []

    def __call__(self, _name: str, body: bytes) -> bytes:
        self.threads.append(threading.current_thread().name)
        if body == b"bad":
            raise RuntimeError("a secret detail")
        return body


def test_a_prompt_door_is_called_at_once_where_the_guest_would_only_wait() -> None:
    door = PromptDoor()
    body = """
    const one = await door('x', '1');
    const two = await Promise.all([door('x', '2'), door('x', '3')]);
    setTimer(() => {}, 1e6);
    const four = await door('x', '4');
    return [one, ...two, four];
    """
    outcome = run(body, door=door)
    assert json.loads(outcome.result or b"") == ["1", "2", "3", "4"]
    here = threading.current_thread().name
    assert [name == here for name in door.threads] == [True, False, False, False]
    failed = run("try { await door('x', 'bad') } catch (e) { return e.message }", door=door)
    assert failed.result == b'"The host failed."'


def test_a_promise_that_nobody_awaits_is_dropped_and_told() -> None:
    outcome = run("door('x', '').then(() => log('never')); return 1")
    assert outcome.result == b"1"
    (line,) = outcome.logs
    assert line.level == "warn"
    assert line.text == (
        "The function returned while 1 of its host calls had no answer yet: "
        "their promises were not awaited."
    )
    assert run("await door('x', ''); return 1", door=nothing).logs == ()


def test_a_promise_that_can_never_settle_is_a_fault_and_not_a_wait() -> None:
    assert fault_code(run("await new Promise(() => {})")) == "NEVER_SETTLED"


def test_timers_fire_in_order_of_time_and_a_cleared_one_does_not() -> None:
    body = """
    const order = [];
    setTimer(() => order.push('c'), 30);
    setTimer(() => { order.push('a'); Promise.resolve().then(() => order.push('a then')); }, 10);
    setTimer(() => order.push('b'), 10);
    const gone = setTimer(() => order.push('never'), 20);
    const last = setTimer(() => order.push('never'), 90);
    clearTimer(gone); clearTimer(last); clearTimer(last); clearTimer(12345);
    await sleep(50);
    return order;
    """
    app = virtual_engine().javascript(source({"run": body}))
    result = app.run(start(), nothing, Limits()).result
    assert json.loads(result or b"") == ["a", "a then", "b", "c"]


def test_an_error_in_a_timer_ends_the_run() -> None:
    outcome = run("setTimer(() => { throw new Error('in timer') }, 0); await sleep(1000)")
    assert outcome.fault is not None
    assert (outcome.fault.code, outcome.fault.message) == ("APP_ERROR", "in timer")


def test_a_timer_needs_a_function() -> None:
    assert run("try { setTimer('x', 0) } catch (e) { return e.name }").result == b'"TypeError"'


def test_virtual_time_stands_still_and_jumps() -> None:
    body = (
        "const a = now(); for (let i = 0; i < 1e5; i++); const b = now(); await sleep(3600000 / 2)"
    )
    app = virtual_engine().javascript(source({"run": f"{body}; return [a, b, now()]"}))
    limits = Limits(wall_ms=3_600_000)
    result = app.run(start(), nothing, limits).result
    assert json.loads(result or b"") == [NOW_S * 1000, NOW_S * 1000, NOW_S * 1000 + 1_800_000]


def test_virtual_time_ends_at_the_wall_limit() -> None:
    app = virtual_engine().javascript(source({"run": "await sleep(60000); return 1"}))
    assert fault_code(app.run(start(), nothing, Limits())) == "TIMEOUT"


def test_the_clock_starts_where_the_invocation_says() -> None:
    outcome = run("return [Date.now(), now(), new Date().getUTCFullYear()]")
    first, second, year = json.loads(outcome.result or b"")
    assert 0 <= first - NOW_S * 1000 < 10_000
    assert 0 <= second - NOW_S * 1000 < 10_000
    assert year == 2023


def test_a_start_hook_sees_what_the_run_was_given() -> None:
    outcome = run("return given")
    assert json.loads(outcome.result or b"") == {
        "handler": "index.run",
        "args": ["return given"],
        "seed": bytes(range(32)).hex(),
        "now": NOW_S * 1000,
        "env": {"COLOUR": "red"},
        "extra": {"place": "here"},
    }


def test_randomness_comes_from_the_seed_alone() -> None:
    body = "return [random(40), random(0), random(70000).length]"
    one, again, other = (
        anything().run(start(body, seed=seed), nothing, Limits()).result
        for seed in (b"1" * 32, b"1" * 32, b"2" * 32)
    )
    assert one == again != other
    first, empty, long = json.loads(one or b"")
    assert (len(set(first)) > 10, empty, long) == (True, [], 70000)


@pytest.mark.parametrize("count", ["-1", "1.5", "1048577", "NaN", "'x'", "undefined"])
def test_randomness_has_bounds(count: str) -> None:
    outcome = run(f"try {{ random({count}) }} catch (e) {{ return e.name }}")
    assert outcome.result == b'"RangeError"'


def test_a_seed_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Start("index.run", (), b"short", 0.0)


def test_nan_among_the_arguments_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="JSON"):
        run("return 1", float("nan"))


def test_modules_evaluated_before_the_snapshot_work_after_it() -> None:
    app = engine().javascript(
        source(
            {"run": "counter.bump();return [counter.count, later, (await import('lazy')).default]"},
            counter="export let count = 0; export const bump = () => { count += 1 }",
            lazy="import {count} from 'counter'; export default count + 100",
        )
    )
    modules = dict(app.prepared.source.modules)
    modules["index"] = (
        "import * as counter from 'counter'; const later = await Promise.resolve(7);"
        + modules["index"]
    )
    app = engine().javascript(replace(app.prepared.source, modules=modules))
    for _ in range(2):
        outcome = app.run(start(), nothing, Limits())
        assert json.loads(outcome.result or b"") == [1, 7, 101]


def test_an_import_that_resolves_to_nothing_is_named_when_the_app_is_loaded() -> None:
    app = replace(source({"run": "return 1"}), modules={"entry": "import 'left-pad'"})
    with pytest.raises(InvocationError, match=r"'left-pad', imported by 'entry'") as caught:
        engine().javascript(app)
    assert caught.value.code == "MODULE_NOT_FOUND"


def test_a_missing_entry_is_named() -> None:
    with pytest.raises(InvocationError, match="'nowhere'"):
        engine().javascript(replace(source({"run": ""}), entry="nowhere"))


def test_an_import_at_run_time_that_resolves_to_nothing_rejects() -> None:
    outcome = run("try { await import('nothing') } catch (e) { return e.name }")
    assert outcome.result is not None
    assert outcome.fault is None


def test_an_empty_module_is_a_module() -> None:
    app = replace(source({"run": "return 1"}, empty=""), entry="start")
    modules = {
        **app.modules,
        "start": "import 'empty'; import 'entry'",
        "entry": app.modules["entry"],
    }
    assert (
        engine().javascript(replace(app, modules=modules)).run(start(), nothing, Limits()).result
        == b"1"
    )


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("throw new RangeError('at load')", "APP_ERROR", "RangeError: at load"),
        ("throw 'text'", "APP_ERROR", "text"),
        ("let x = ;", "APP_ERROR", "SyntaxError"),
        ("await new Promise(() => {})", "NEVER_SETTLED", "never happens"),
        ("await Promise.reject(new Error('late'))", "APP_ERROR", "Error: late"),
        ("door('x', '')", "APP_ERROR", "not available while the app is loading"),
        ("setTimer(() => {}, 0)", "APP_ERROR", "not available while the app is loading"),
        ("random(1)", "APP_ERROR", "not available while the app is loading"),
        ("emit('x')", "APP_ERROR", "not available while the app is loading"),
    ],
)
def test_what_goes_wrong_at_load_is_an_invocation_error(text: str, code: str, message: str) -> None:
    app = replace(source({"run": ""}), modules={"entry": text})
    with pytest.raises(InvocationError, match=message) as caught:
        engine().javascript(app)
    assert caught.value.code == code


def test_an_error_in_a_script_names_the_script_and_the_line() -> None:
    text = "(host) => {\n  null.x;\n}"
    with pytest.raises(InvocationError, match=r"world\.js:2:"):
        engine().javascript(JavaScriptSource(prelude=(("world.js", text),)))
    with pytest.raises(InvocationError, match=r"bundle\.js:1:"):
        engine().javascript(JavaScriptSource(bundle=("bundle.js", "null.x")))


def test_logging_at_load_is_harmless_and_belongs_to_no_run() -> None:
    app = source({"run": "log('in the run')"})
    modules = {**app.modules, "entry": "log('at load');" + app.modules["entry"]}
    loaded = engine().javascript(replace(app, modules=modules))
    lines = loaded.run(start(), nothing, Limits()).logs
    assert [line.text for line in lines] == ["in the run"]


@pytest.mark.parametrize(
    "text",
    [
        "(host) => { host.register({index: {run: async () => 5}}) }",
        "(host) => ({index: {run: () => 5}})",
        "({index: {run: () => 5}})",
        "__register__({index: {run: () => Promise.resolve(5)}})",
        "var handlers = {index: {run() { return 5 }}}; handlers",
    ],
)
def test_a_plain_script_hands_its_handlers_over(text: str) -> None:
    app = JavaScriptSource(prelude=(("prelude.js", PRELUDE),), bundle=("bundle.js", text))
    assert engine().javascript(app).run(start(), nothing, Limits()).result == b"5"


def test_nothing_can_be_registered_once_the_app_is_loaded() -> None:
    outcome = run("try { register({}) } catch (e) { return [e.message, typeof __register__] }")
    message, kind = json.loads(outcome.result or b"")
    assert ("while the app is loading" in message, kind) == (True, "undefined")


def test_a_prelude_may_end_with_a_semicolon_and_seals_before_the_snapshot() -> None:
    app = source({"run": "return sealedAt"})
    ended = replace(app, prelude=(("prelude.js", PRELUDE.rstrip() + ";\n"),))
    result = engine().javascript(ended).run(start(), nothing, Limits()).result
    assert result == b"946684800000"


def test_a_prelude_whose_start_hook_throws_faults_the_run() -> None:
    text = "(host) => { host.onStart(() => { throw new Error('hook') }) }"
    app = replace(source({"run": "return 1"}), prelude=(("prelude.js", text),))
    outcome = engine().javascript(app).run(start(), nothing, Limits())
    assert outcome.fault is not None
    assert outcome.fault.message == "hook"


def test_the_whole_memory_can_be_inspected_after_a_run_and_after_a_fault() -> None:
    sizes: list[int] = []
    found: list[bool] = []

    def inspect(memory: memoryview) -> None:
        sizes.append(len(memory))
        found.append(b"needle-in-the-heap" in bytes(memory))

    app = anything()
    body = "globalThis.kept = 'needle-' + args[0]; if (args[1]) for (;;); return 1"
    app.run(start(body, "in-the-heap"), nothing, Limits(), inspect=inspect)
    app.run(start(body, "in-the-heap", True), nothing, Limits(cpu_ms=50), inspect=inspect)
    app.run(start(body, "elsewhere"), nothing, Limits(), inspect=inspect)
    assert found == [True, True, False]
    assert min(sizes) > 1_000_000


def test_an_exception_of_the_inspector_reaches_the_caller_and_frees_the_guest() -> None:
    app = anything()

    def inspect(_memory: memoryview) -> None:
        raise RuntimeError("inspector")

    for _ in range(300):  # more than there are places for guests
        with pytest.raises(RuntimeError, match="inspector"):
            app.run(start("return 1"), nothing, Limits(), inspect=inspect)


def test_usage_says_what_was_used() -> None:
    usage = run("log('12345'); await door('x', 'abc'); return [1]").usage
    assert (usage.log_bytes, usage.result_bytes, usage.door_calls) == (5, 3, 1)
    assert usage.wall_ms >= 0
    assert usage.cpu_ms > 0
    assert usage.memory_bytes % 65536 == 0


def test_many_threads_run_guests_of_one_image_at_once() -> None:
    app, body = anything(), "await door('x', ''); return args[0]"
    results: dict[int, bytes | None] = {}

    def work(number: int) -> None:
        for turn in range(20):
            results[number * 100 + turn] = app.run(
                start(body, number * 100 + turn), nothing, Limits()
            ).result

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {key: str(key).encode() for key in results}
    assert len(results) == 160


def test_limits_that_promise_another_stack_are_refused() -> None:
    limits = Limits(stack_bytes=1 << 20)
    with pytest.raises(ValueError, match="stack"):
        anything().run(start(), nothing, limits)
    with pytest.raises(ValueError, match="stack"):
        engine().javascript(source({"run": ""}), limits)
