"""Calls of the door from within the door's own reading of a request, many at once, and too late."""

# ruff: noqa: E501  # JavaScript reads better on its own lines

import json
from typing import Any

import pytest

from runtime.sandbox.values import Outcome
from tests.guests.lab import ROOMY, run

pytestmark = pytest.mark.hostile

CALL = "__forge_fetch__({ type: 'fpp', provider: 'app', remote: 'jira' }, %s, %s)"


class Answering:
    """A door that says which path it was asked, and keeps everything it was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, object]] = []

    def __call__(self, name: str, body: bytes) -> bytes:
        assert name == "requestJira"
        self.sent.append(json.loads(body))
        path = self.sent[-1]["path"]
        return json.dumps({"status": 200, "headers": [], "body": path}).encode()

    @property
    def paths(self) -> list[object]:
        return [one["path"] for one in self.sent]


def value_of(outcome: Outcome) -> Any:  # whatever the body of a test returned
    assert outcome.fault is None, outcome.fault
    (value,) = json.loads(outcome.result or b"")
    return value


def ask(body: str) -> tuple[Outcome, Answering]:
    door = Answering()
    helpers = "const call = (path, init) => " + CALL % ("path", "init") + ".then((r) => r.text());"
    source = f"(async () => {{ {helpers} {body} }})()"
    return run([source], door=door), door


INNER = "const inner = []; const again = () => { inner.push(call('/inner')); };"
WAYS = {
    "the path's toString": "call({ toString() { again(); return '/outer'; } })",
    "the path's toPrimitive": "call({ [Symbol.toPrimitive]() { again(); return '/outer'; } })",
    "a getter of the options": "call('/outer', { get method() { again(); return 'GET'; } })",
    "the body's toString": "call('/outer', { method: 'POST', body: { toString() { again(); return 'x'; } } })",
    "a getter of the headers": "call('/outer', { headers: { get a() { again(); return 'b'; } } })",
    "an iterator of the headers": "call('/outer', { headers: { *[Symbol.iterator]() { again(); yield ['a', 'b']; } } })",
    "a proxy as options": "call('/outer', new Proxy({}, { get(_, key) { if (key === 'method') again(); return undefined; } }))",
    "toJSON of objects": "(Object.prototype.toJSON = function () { delete Object.prototype.toJSON; again(); return this; }, call('/outer'))",
    "Symbol.species": "(Object.defineProperty(Promise, Symbol.species, { get() { delete Promise[Symbol.species]; again(); return undefined; }, configurable: true }), call('/outer'))",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_call_within_a_call_is_a_call_of_its_own(way: str) -> None:
    body = f"{INNER} const outer = await {WAYS[way]}; return [outer, await Promise.all(inner)];"
    outcome, door = ask(body)
    outer, inner = value_of(outcome)
    assert outer == "/outer"
    assert set(inner) == {"/inner"}
    assert door.paths.count("/outer") == 1
    assert door.paths.count("/inner") == len(inner) >= 1
    for one in door.sent:
        assert one["provider"] == "app"
        assert one.get("accountId") is None


def test_an_endless_recursion_of_calls_ends_with_the_budget() -> None:
    body = "const f = () => call({ toString() { f(); return '/x'; } }); f(); return 1;"
    outcome, door = ask(body)
    assert outcome.fault is not None
    assert outcome.fault.code in {"DOOR_CALLS", "STACK_OVERFLOW", "OUT_OF_MEMORY", "CPU_LIMIT"}
    assert len(door.sent) <= ROOMY.door_calls


def test_many_calls_at_once_get_each_its_own_answer() -> None:
    count = 200
    body = f"return Promise.all(Array.from({{ length: {count} }}, (_, n) => call(`/${{n}}`)));"
    outcome, door = ask(body)
    assert value_of(outcome) == [f"/{n}" for n in range(count)]
    assert len(door.sent) == count


def test_calls_begun_in_the_answer_of_another_keep_their_order() -> None:
    body = """
    const seen = [];
    const chain = async (path, left) => {
      seen.push(await call(path));
      if (left) await Promise.all([chain(`${path}0`, left - 1), chain(`${path}1`, left - 1)]);
    };
    await chain('/', 3);
    return seen.sort();
    """
    outcome, door = ask(body)
    paths = value_of(outcome)
    assert len(paths) == len(set(paths)) == 15
    assert sorted(door.paths, key=str) == paths


THENABLES = {
    "as a path": "call({ then(f) { f('/evil'); }, toString: () => '/outer' })",
    "as options": "call('/outer', { then(f) { f({ method: 'DELETE' }); } })",
    "as a signal": "call('/outer', { signal: new AbortController().signal, then: 1 })",
}


@pytest.mark.parametrize("way", THENABLES)
def test_a_thenable_is_never_awaited_in_place_of_what_was_handed(way: str) -> None:
    _, door = ask(f"return await {THENABLES[way]};")
    assert door.paths == ["/outer"]
    assert {one["method"] for one in door.sent} == {"GET"}


def test_a_replaced_then_sees_no_more_than_the_app_may() -> None:
    body = """
    const seen = [];
    const { then } = Promise.prototype;
    Promise.prototype.then = function (good, bad) {
      return then.call(this, (value) => { seen.push(value); return good ? good(value) : value; }, bad);
    };
    await call('/a'); await call('/b');
    return seen.filter((one) => typeof one === 'string').every((one) => !one.includes('fbk_'));
    """
    outcome, door = ask(body)
    assert value_of(outcome) is True
    assert door.paths == ["/a", "/b"]


def test_what_is_called_after_the_result_has_settled_changes_nothing() -> None:
    body = """
    const result = { value: 'settled' };
    setTimeout(() => { result.value = 'late'; call('/late'); }, 0);
    call('/unawaited').then(() => { result.value = 'late'; call('/later'); });
    return result;
    """
    outcome, door = ask(body)
    assert value_of(outcome) == {"value": "settled"}
    assert "/later" not in door.paths
    assert "/late" not in door.paths


def test_an_answer_settles_once_whatever_the_app_does_with_its_promise() -> None:
    body = """
    const promise = call('/a');
    const resolvers = [];
    const Own = class extends Promise { constructor(f) { super((a, b) => { resolvers.push(a, b); f(a, b); }); } };
    const own = Own.resolve(promise);
    resolvers.forEach((one) => one('forged'));
    return [await promise];
    """
    outcome, _ = ask(body)
    assert value_of(outcome) == ["/a"]


def test_an_aborted_call_is_decided_like_any_other_and_ends_alone() -> None:
    body = """
    const controller = new AbortController();
    const one = call('/aborted', { signal: controller.signal }).catch((error) => error.name);
    const two = call('/other');
    controller.abort();
    return Promise.all([one, two]);
    """
    outcome, door = ask(body)
    assert value_of(outcome) == ["AbortError", "/other"]
    assert "/other" in door.paths
