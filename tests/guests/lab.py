"""A guest with the whole world in it that evaluates what a test hands it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from runtime.hostfunctions.prelude import platform_prelude, standins
from runtime.sandbox.engine import Engine
from runtime.sandbox.limits import Limits
from runtime.sandbox.values import Door, JavaScriptSource, Outcome, Start
from runtime.sandbox.world import world_prelude

ROOMY = Limits(log_lines=10_000, log_bytes=10_000_000, result_bytes=50_000_000, door_calls=1_000)

EVALUATOR = """
import * as api from '@forge/api';
import * as resolver from '@forge/resolver';
import * as events from '@forge/events';
import * as kvs from '@forge/kvs';
const packages = { api, resolver, events, kvs };
export const mine = {};
export async function run(setup, sources) {
  const results = [];
  for (const source of sources) {
    try {
      const make = new Function('packages', 'mine', `${setup}; return (async () => (${source}))()`);
      const value = await make(packages, mine);
      results.push(value === undefined ? 'undefined' : value);
    } catch (error) {
      results.push({ name: error?.name, message: error?.message, code: error?.code });
    }
  }
  return results;
}
"""


@cache
def shared_engine() -> Engine:
    """Return the engine all of these tests share."""
    return Engine(None)


@cache
def evaluator(
    extra: tuple[tuple[str, str], ...] = (), code: str = EVALUATOR
) -> Callable[..., Outcome]:
    """Return what runs a guest of this code, with extra prelude scripts behind the world's."""
    modules = {
        **standins(),
        "main": code,
        "entry": 'import * as main from "main"; __register__({ main });',
    }
    image = shared_engine().javascript(
        JavaScriptSource(
            prelude=world_prelude() + platform_prelude() + extra, modules=modules, entry="entry"
        )
    )
    return lambda start, door: image.run(start, door, ROOMY)


@dataclass
class Calls:
    """A door that keeps what passes through it and answers the same each time."""

    answer: Mapping[str, object] = field(default_factory=lambda: {"status": 200, "body": "{}"})
    seen: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __call__(self, name: str, body: bytes, /) -> bytes:
        """Keep one call and answer it."""
        self.seen.append((name, json.loads(body)))
        return json.dumps(self.answer).encode()


def start_with(*args: object, handler: str = "main.run", seed: int = 1, **changes: object) -> Start:
    """Return a start of the lab's guest."""
    given: dict[str, object] = {"now_s": 1_700_000_000.0, "env": {}, "extra": {}, **changes}
    return Start(handler, args, bytes([seed]) * 32, **given)  # type: ignore[arg-type]  # see above


def run(
    sources: Sequence[str],
    *,
    setup: str = "",
    door: Door | None = None,
    scripts: tuple[tuple[str, str], ...] = (),
    **changes: object,
) -> Outcome:
    """Evaluate JavaScript expressions in one fresh guest."""
    start = start_with(setup, list(sources), **changes)
    return evaluator(scripts)(start, door or Calls())


def evaluate(
    *sources: str, setup: str = "", door: Door | None = None, **changes: object
) -> list[object]:
    """Return the values of JavaScript expressions, thrown errors as name, message and code."""
    outcome = run(sources, setup=setup, door=door, **changes)
    assert outcome.fault is None, outcome.fault
    assert outcome.result is not None
    values = json.loads(outcome.result)
    assert isinstance(values, list)
    return values


def value_of(
    source: str, *, setup: str = "", door: Door | None = None, **changes: object
) -> object:
    """Return the value of one JavaScript expression."""
    return evaluate(source, setup=setup, door=door, **changes)[0]
