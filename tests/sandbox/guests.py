"""Guests for the sandbox's own tests: a prelude of a few lines, an engine for the whole process."""

from collections.abc import Mapping
from functools import cache

from runtime.sandbox.engine import Engine, JavaScriptImage
from runtime.sandbox.limits import Limits
from runtime.sandbox.timebase import VirtualTime
from runtime.sandbox.values import Door, JavaScriptSource, Outcome, Start

SEED = bytes(range(32))
NOW_S = 1_700_000_000.0

PRELUDE = """
(host) => {
  const shown = (value) => (typeof value === "string" ? value : String(JSON.stringify(value)));
  globalThis.log = (...values) => host.log("info", values.map(shown).join(" "));
  globalThis.logAs = host.log;
  globalThis.door = host.door;
  globalThis.sleep = (ms) => new Promise((resolve) => host.setTimer(resolve, ms));
  globalThis.setTimer = host.setTimer;
  globalThis.clearTimer = host.clearTimer;
  globalThis.random = (count) => Array.from(host.randomBytes(count));
  globalThis.now = host.now;
  globalThis.emit = host.emit;
  globalThis.heard = [];
  globalThis.register = host.register;
  host.onMessage((message) => { globalThis.heard.push(message); globalThis.onHeard?.(message); });
  host.onStart((start) => { globalThis.given = start; });
  host.onSeal(() => { globalThis.sealedAt = host.now(); });
}
"""


@cache
def engine() -> Engine:
    """The engine of the process, with everything switched on."""
    return Engine(None)


@cache
def virtual_engine() -> Engine:
    """An engine whose time stands still and jumps."""
    return Engine(None, timebase=VirtualTime)


def source(exports: Mapping[str, str], **modules: str) -> JavaScriptSource:
    """An app whose module ``index`` exports functions with these bodies."""
    index = "\n".join(
        f"export async function {name}(...args) {{ {body} }}" for name, body in exports.items()
    )
    entry = "import * as index from 'index'; __register__({index});"
    return JavaScriptSource(
        prelude=(("prelude.js", PRELUDE),),
        modules={**modules, "index": index, "entry": entry},
        entry="entry",
    )


@cache
def anything() -> JavaScriptImage:
    """An app that runs the body it is given as its first argument, so that one snapshot serves."""
    run_given = """
      const [body, ...given] = args;
      const Body = async function () {}.constructor;
      return await new Body("args", body)(given);
    """
    return engine().javascript(source({"run": run_given}))


def nothing(_name: str, _body: bytes) -> bytes:
    """A door that answers with an empty object."""
    return b"{}"


def start(*args: object, handler: str = "index.run", seed: bytes = SEED) -> Start:
    """What a run is given."""
    return Start(handler, args, seed, NOW_S, env={"COLOUR": "red"}, extra={"place": "here"})


def run(body: str, *args: object, door: Door = nothing, limits: Limits | None = None) -> Outcome:
    """Run a body once."""
    return anything().run(start(body, *args), door, limits or Limits())


def fault_code(outcome: Outcome) -> str:
    """The code of a fault; empty without one."""
    return outcome.fault.code if outcome.fault else ""
