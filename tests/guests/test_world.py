"""The guest's web and Node globals against what Node answers, and where they differ on purpose."""

import json
from pathlib import Path

import pytest

from tests.guests.lab import evaluate, run

HERE = Path(__file__).parent
HELPERS = (HERE / "helpers.js").read_text("utf-8")
WHOLE = "(() => {{ const args = [{}]; console.log(...args); }})()"


def expectations(name: str) -> tuple[list[tuple[str, object]], list[tuple[str, object]]]:
    """Return the cases of a file: as Node has them, and as we have them on purpose."""
    data = json.loads((HERE / name).read_text("utf-8"))
    return [tuple(case) for case in data["cases"]], [tuple(case[:2]) for case in data["differs"]]


def answers(name: str, sources: list[str]) -> list[object]:
    """Return what a guest answers, by the kind of file the sources are from."""
    if name not in ("formats.json", "consoles.json"):
        return evaluate(*sources, setup=HELPERS)
    if name == "formats.json":
        return [line.text for line in run([WHOLE.format(source) for source in sources]).logs]
    return [
        "\n".join(line.text for line in run([f"(() => {{ {one} }})()"]).logs) for one in sources
    ]


TABLES = sorted(path.name for path in HERE.glob("*.json") if path.name != "modules.json")


@pytest.mark.parametrize("name", TABLES)
def test_globals_answer_as_node_does_where_nothing_else_is_noted(name: str) -> None:
    same, ours = expectations(name)
    cases = same + ours
    found = answers(name, [source for source, _ in cases])
    assert len(found) == len(cases)
    wrong = [(*case, got) for case, got in zip(cases, found, strict=True) if case[1] != got]
    assert wrong == []


def test_the_url_table_has_more_than_eighty_cases() -> None:
    same, _ = expectations("url.json")
    assert sum(source.startswith("parts(") for source, _ in same) > 80


@pytest.mark.parametrize(
    ("method", "level"),
    [
        ("log", "info"),
        ("info", "info"),
        ("debug", "debug"),
        ("warn", "warn"),
        ("error", "error"),
        ("trace", "info"),
        ("dir", "info"),
    ],
)
def test_each_console_method_logs_at_its_level(method: str, level: str) -> None:
    (line,) = run([f"console.{method}('x')"]).logs
    assert line.level == level
    assert "x" in line.text


def test_an_error_is_shown_with_its_stack_its_own_fields_and_its_cause() -> None:
    source = (
        "console.log(Object.assign(new TypeError('bad', { cause: new Error('why') }), { n: 1 }))"
    )
    (line,) = run([source]).logs
    first, *rest = line.text.split("\n")
    assert first == "TypeError: bad"
    assert rest[0].startswith("    at ")
    assert any(part.strip() == "n: 1," for part in rest)
    assert any(part.strip() == "[cause]: Error: why" for part in rest)


@pytest.mark.hostile
@pytest.mark.parametrize(
    "value",
    [
        "{ get a() { throw new Error('x'); } }",
        "{ [Symbol.for('nodejs.util.inspect.custom')]() { throw null; } }",
        "new Proxy({}, { get() { throw 1; }, ownKeys() { throw 2; } })",
        "{ toString() { throw new Error('x'); } }",
        "Object.create({ get constructor() { throw 3; } })",
        "new (class extends Map { get size() { throw 4; } })()",
        "Array.from({ length: 5000 }).reduce((deep) => ({ deep }), {})",
    ],
)
def test_no_value_makes_the_console_throw(value: str) -> None:
    for call in (f"console.log({value})", f"console.log('%s %o', {value}, {value})"):
        assert evaluate(f"(() => {{ {call}; return 'went on'; }})()") == ["went on"]


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("new Array(4e9)", "[ <4000000000 empty items> ]"),
        ("Object.assign([], { 4000000000: 1 })", "[ <4000000000 empty items>, 1 ]"),
        ("new Array(1e6).fill(0)", "... 999900 more items"),
        ("new Uint8Array(1e7)", "... 9999900 more items"),
        ("{ text: 'x'.repeat(1e7) }", "... 9990000 more characters"),
        ("new Set(Array.from({ length: 1e5 }, (_, at) => at))", "... 99900 more items"),
    ],
)
def test_a_huge_value_is_shown_in_part(value: str, shown: str) -> None:
    outcome = run([f"(() => {{ console.log({value}); return 1; }})()"])
    assert outcome.fault is None
    assert shown in outcome.logs[0].text
    assert len(outcome.logs[0].text) < 20_000


def test_timers_run_in_the_order_of_their_delays_and_can_be_cleared() -> None:
    order = """(async () => {
      const seen = [];
      setTimeout(() => seen.push('late'), 20);
      setTimeout((a, b) => seen.push(a + b), 1, 'so', 'on');
      setImmediate(() => seen.push('now'));
      const never = setTimeout(() => seen.push('never'), 5);
      clearTimeout(never);
      clearTimeout(+setTimeout(() => seen.push('nor this'), 5));
      queueMicrotask(() => seen.push('micro'));
      process.nextTick(() => seen.push('tick'));
      await new Promise((done) => setTimeout(done, 40));
      return seen;
    })()"""
    seen = evaluate(order, virtual=True)
    assert seen == [["micro", "tick", "now", "soon", "late"]]


def test_an_interval_repeats_until_it_is_cleared_from_within() -> None:
    source = """new Promise((done) => {
      let count = 0;
      const timer = setInterval(() => {
        count += 1;
        if (count === 3) { clearInterval(timer); setTimeout(() => done(count), 20); }
      }, 1);
    })"""
    assert evaluate(source) == [3]


def test_an_abort_signal_times_out() -> None:
    source = """new Promise((done) => {
      const signal = AbortSignal.timeout(5);
      signal.addEventListener('abort', () => done(signal.reason.name));
    })"""
    assert evaluate(source) == ["TimeoutError"]


def test_the_environment_holds_the_apps_variables_and_nothing_else() -> None:
    given = {"NAME": "value", "__proto__": "odd"}
    sources = ("Object.entries(process.env)", "typeof process.env.PATH", "delete process.env.NAME")
    assert evaluate(*sources, env=given) == [
        [list(pair) for pair in given.items()],
        "undefined",
        True,
    ]
    assert evaluate("Object.keys(process.env)") == [[]]


def test_performance_counts_from_the_start_of_the_invocation() -> None:
    origin, now, same = evaluate(
        "performance.timeOrigin", "performance.now()", "Date.now() - performance.timeOrigin < 60000"
    )
    assert isinstance(origin, (int, float))
    assert 0 <= origin - 1_700_000_000_000 < 60_000  # the host's clock ran on until the guest began
    assert isinstance(now, (int, float))
    assert now >= 0
    assert same is True


@pytest.mark.hostile
def test_a_stack_formatter_gets_text_and_never_a_function() -> None:
    source = """(() => {
      Error.prepareStackTrace = (error, sites) => sites.flatMap((site) => Object.values(site)
        .map((read) => { try { return typeof read.call(site); } catch { return 'threw'; } }));
      const found = new Set([...new Error('x').stack, ...(() => {
        const holder = {};
        Error.captureStackTrace(holder);
        return holder.stack;
      })()]);
      Error.prepareStackTrace = undefined;
      return [found.has('string'), found.has('function'),
        [...found].filter((kind) => kind === 'object').length <= 1,
        typeof Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace').set,
        Reflect.deleteProperty(Error, 'prepareStackTrace')];
    })()"""
    assert evaluate(source) == [[True, False, True, "function", False]]


def test_a_stack_names_the_apps_own_frames_under_a_header_line() -> None:
    stack = evaluate(
        "(() => { function inner() { return new RangeError('far'); } return inner().stack; })()"
    )
    header, *frames = str(stack[0]).split("\n")
    assert header == "RangeError: far"
    assert "inner" in frames[0]
