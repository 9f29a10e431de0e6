"""What app code may do while it is loaded, before there is an invocation."""

import json

import pytest

from runtime.errors import InvocationError
from tests.guests.lab import Calls, evaluator, start_with


def loaded(code: str, *, runs: int = 1) -> list[tuple[object, list[str]]]:
    """Load an app and run it; return each run's result and log."""
    run = evaluator(code=code)
    outcomes = [run(start_with(seed=at + 1, now_s=1e9 + at), Calls()) for at in range(runs)]
    assert all(outcome.fault is None for outcome in outcomes), outcomes
    return [
        (json.loads(one.result or b"null"), [f"{line.level} {line.text}" for line in one.logs])
        for one in outcomes
    ]


def test_what_is_logged_while_loading_is_logged_by_every_invocation() -> None:
    code = (
        "console.warn('loading'); export const run = () => { console.log('running'); return 1; };"
    )
    assert loaded(code, runs=2) == [(1, ["warn loading", "info running"])] * 2


def test_no_more_than_a_hundred_lines_of_loading_are_kept() -> None:
    code = "for (let i = 0; i < 500; i += 1) console.log(i); export const run = () => 1;"
    ((_, lines),) = loaded(code)
    assert len(lines) == 100


@pytest.mark.hostile
def test_math_random_gives_the_same_to_every_app_while_loading_and_its_own_to_each_run() -> None:
    code = "const drawn = Math.random(); export const run = () => [drawn, Math.random()];"
    (first, _), (second, _) = loaded(code, runs=2)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert first[0] == second[0] == loaded(f"{code} // another app")[0][0][0]  # type: ignore[index]  # a list
    assert len({first[0], first[1], second[1]}) == 3


@pytest.mark.hostile
@pytest.mark.parametrize(
    "act",
    [
        "crypto.randomUUID()",
        "crypto.getRandomValues(new Uint8Array(1))",
        "setTimeout(() => {}, 1)",
        "setInterval(() => {}, 1)",
        "setImmediate(() => {})",
        "await fetch('https://a.test/')",
        "await __forge_fetch__({ type: 'fpp', provider: 'app', remote: 'jira' }, '/x')",
    ],
)
def test_chance_time_and_the_door_are_refused_while_loading(act: str) -> None:
    """I9: nothing drawn, awaited or asked for at load time can stand in a snapshot."""
    with pytest.raises(InvocationError, match="while the app is loading"):
        evaluator(code=f"{act};")


def test_the_clock_stands_still_while_loading() -> None:
    code = """const [at, up] = [Date.now(), performance.now()];
      export const run = () => [at, up, Date.now()];"""
    (first, _), (second, _) = loaded(code, runs=2)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert first[:2] == second[:2]
    assert first[1] == 0
    assert first[2] != second[2]


def test_the_environment_and_the_runtime_are_empty_while_loading_and_stay_the_same_objects() -> (
    None
):
    code = """
      const { env } = process;
      const runtime = __forge_runtime__;
      const { counter } = runtime.metrics;
      const before = [Object.keys(env).length, runtime.aaid ?? null, typeof counter];
      export const run = () => [before, env === process.env, runtime === __forge_runtime__];
    """
    assert loaded(code)[0][0] == [[0, None, "function"], True, True]
