"""A guest reaches for the host object, for the kernel, and for another invocation's state."""

from pathlib import Path

import pytest

from runtime.sandbox.values import Outcome
from tests.guests.lab import Calls, evaluate, run, value_of

pytestmark = pytest.mark.hostile

WALK = (Path(__file__).parents[1] / "guests" / "walk.js").read_text("utf-8")

# Knows the host object and tells nothing but whether a value is it, or one of its functions.
MARK = (
    "mark.js",
    """(host) => {
  const ours = new Set([host, ...Reflect.ownKeys(host).map((key) => host[key])]);
  const { has } = ours;
  const { apply } = Reflect;
  globalThis.isOurs = (value) => apply(has, ours, [value]);
}""",
)

TRAPS = (Path(__file__).parent / "traps.js").read_text("utf-8")

EXERCISE = """(async () => {
  console.log('%s %o', 'a', { b: [1] }, new Error('x'));
  console.table([{ a: 1 }]);
  await new Promise((done) => setTimeout(done, 1));
  const controller = new AbortController();
  const init = { method: 'POST', body: '{}', headers: { a: 'b' }, signal: controller.signal };
  await __forge_fetch__({ type: 'fpp', provider: 'app', remote: 'jira' }, '/x', init);
  await fetch('https://a.test/', init).catch(() => {});
  await packages.api.default.asUser().requestJira(packages.api.route`/y`);
  crypto.randomUUID();
  crypto.getRandomValues(new Uint8Array(4));
  Math.random();
  structuredClone(new Map([[1, new Set([2])]]));
  new URL('https://h/a?b').searchParams.append('c', 'd');
  process.hrtime();
  const form = new FormData();
  form.append('f', new Blob([Buffer.from('x')]), 'n');
  await fetch('https://a.test/', { method: 'POST', body: form }).catch(() => {});
  for await (const chunk of new Response(form).body.tee()[0]) chunk.toString();
  await new Request('https://a.test/', { method: 'POST', body: form }).clone().formData();
  await crypto.subtle.digest('SHA-512', Buffer.from('x'));
  process.getBuiltinModule('crypto').createHmac('sha256', 'k').update('d').digest('base64');
  Buffer.concat([Buffer.alloc(2, 'a')]).writeUInt16BE(7);
  new Date(0).toLocaleString('en-US', { dateStyle: 'full' });
  [(1234.5).toLocaleString(), 'b'.localeCompare('a')].sort(new Intl.Collator().compare);
  busy = true;
  return null;
})()"""


def test_no_object_that_can_be_reached_is_the_host_or_one_of_its_functions() -> None:
    source = (
        f"({WALK})({{ globalThis }}).filter(([path, value]) => isOurs(value)).map(([path]) => path)"
    )
    outcome = run([source, "isOurs(isOurs)"], scripts=(MARK,))
    assert outcome.result == b"[[],false]"


def test_replacing_every_builtin_method_catches_no_part_of_the_host() -> None:
    look = f"""(() => {{
      busy = true;
      for (const name of ['get', 'set', 'value']) delete Object.prototype[name];
      const reached = ({WALK})(Object.fromEntries([...kept].map((one, at) => [at, one])));
      return [kept.size > 50, reached.filter(([path, value]) => isOurs(value)).length];
    }})()"""
    both = f"(async () => {{ {TRAPS}; await {EXERCISE}; return {look}; }})()"
    assert _result(run([both], scripts=(MARK,), door=Calls())) == b"[[true,0]]"


def _result(outcome: Outcome) -> bytes | None:
    assert outcome.fault is None, outcome.fault
    return outcome.result


@pytest.mark.parametrize(
    "name", ["host", "kernel", "native", "__world__", "__register__", "host_call", "read", "start"]
)
@pytest.mark.parametrize(
    "way",
    [
        "typeof {0}",
        "(0, eval)('typeof {0}')",
        "new Function('return typeof {0}')()",
        "(async () => {{}}).constructor('return typeof {0}')()",
        "(function* () {{}}).constructor('return typeof {0}')().next().value",
        "[].constructor.constructor('return typeof {0}')()",
        "setTimeout.constructor('return typeof {0}')()",
        "__forge_fetch__.constructor('return typeof {0}')()",
        "console.log.constructor('return typeof {0}')()",
    ],
)
def test_code_made_from_text_sees_globals_only(way: str, name: str) -> None:
    assert value_of(way.format(name)) == "undefined"


def test_functions_tell_neither_their_caller_nor_their_arguments() -> None:
    told = evaluate(
        "(function f() { return f.caller; })()",
        "(function f() { return f.arguments; })()",
        "(function () { 'use strict'; return arguments.callee; })()",
        "(() => { function peek() { return peek.caller; } return [1].map(peek); })()",
    )
    assert all(one in ("undefined", [None]) or isinstance(one, dict) for one in told), told


def test_two_invocations_share_no_random_value_no_clock_and_no_global() -> None:
    """I9: every value that must differ does; what one leaves behind the other does not find."""
    sources = [
        "[Math.random(), Math.random()]",
        "crypto.randomUUID()",
        "[...crypto.getRandomValues(new Uint8Array(8))]",
        "Date.now()",
        "performance.timeOrigin",
    ]
    litter = """(() => {
      const found = [globalThis.left, mine.left, Array.prototype.left, process.env.left];
      globalThis.left = mine.left = Array.prototype.left = process.env.left = 'behind';
      Date.now = Math.random = () => 4;
      return found.filter((one) => one !== undefined);
    })()"""
    first = evaluate(*sources, litter, seed=1, now_s=1_000_000.0)
    second = evaluate(*sources, litter, seed=2, now_s=2_000_000.0)
    assert first[-1] == second[-1] == []
    for one, other in zip(first[:-1], second[:-1], strict=True):
        assert one != other


def test_the_same_seed_and_clock_draw_the_same_values() -> None:
    sources = [
        "Math.random()",
        "crypto.randomUUID()",
        "[...crypto.getRandomValues(new Uint8Array(4))]",
    ]
    assert evaluate(*sources, seed=7) == evaluate(*sources, seed=7)


def test_math_random_and_crypto_draw_different_streams() -> None:
    draws = value_of("Array.from({ length: 1000 }, () => Math.random())")
    assert isinstance(draws, list)
    assert len(set(draws)) == 1000
    assert 0.45 < sum(draws) / 1000 < 0.55
    assert all(0 <= one < 1 for one in draws)
