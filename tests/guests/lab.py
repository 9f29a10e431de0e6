"""A guest with the whole world in it that evaluates what a test hands it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypedDict, Unpack

from runtime.hostfunctions.prelude import platform_prelude, standins
from runtime.sandbox.engine import Engine
from runtime.sandbox.limits import Limits
from runtime.sandbox.timebase import VirtualTime
from runtime.sandbox.timing import timed
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
    jumping = timed(image, VirtualTime)
    return lambda start, door, *, virtual=False: (jumping if virtual else image).run(
        start, door, ROOMY
    )


@dataclass
class Calls:
    """A door that keeps what passes through it and answers the same each time."""

    answer: Mapping[str, object] = field(default_factory=lambda: {"status": 200, "body": "{}"})
    seen: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __call__(self, name: str, body: bytes, /) -> bytes:
        """Keep one call and answer it."""
        self.seen.append((name, json.loads(body)))
        return json.dumps(self.answer).encode()


class Changes(TypedDict, total=False):
    """What may differ from one evaluation to another."""

    setup: str
    door: Door
    scripts: tuple[tuple[str, str], ...]
    seed: int
    now_s: float
    env: Mapping[str, str]
    extra: Mapping[str, object]
    virtual: bool  # timers do not wait


def start_with(*args: object, handler: str = "main.run", **changes: Unpack[Changes]) -> Start:
    """Return a start of the lab's guest."""
    return Start(
        handler=handler,
        args=args,
        seed=bytes([changes.get("seed", 1)]) * 32,
        now_s=changes.get("now_s", 1_700_000_000.0),
        env=changes.get("env", {}),
        extra=changes.get("extra", {}),
    )


def run(sources: Sequence[str], **changes: Unpack[Changes]) -> Outcome:
    """Evaluate JavaScript expressions in one fresh guest."""
    start = start_with(changes.get("setup", ""), list(sources), **changes)
    door, virtual = changes.get("door") or Calls(), changes.get("virtual", False)
    return evaluator(changes.get("scripts", ()))(start, door, virtual=virtual)


def evaluate(*sources: str, **changes: Unpack[Changes]) -> list[object]:
    """Return the values of JavaScript expressions, thrown errors as name, message and code."""
    outcome = run(sources, **changes)
    assert outcome.fault is None, outcome.fault
    assert outcome.result is not None
    values = json.loads(outcome.result)
    assert isinstance(values, list)
    return values


def value_of(source: str, **changes: Unpack[Changes]) -> object:
    """Return the value of one JavaScript expression."""
    return evaluate(source, **changes)[0]
