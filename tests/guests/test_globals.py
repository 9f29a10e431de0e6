"""The complete list of what a guest can reach; anything new must be put on it on purpose.

To accept a change: ``python -m tests.guests.test_globals > tests/guests/globals.txt``.
"""

import json
from pathlib import Path

from tests.guests.lab import value_of

HERE = Path(__file__).parent
WALK = (HERE / "walk.js").read_text("utf-8")
ROOTS = """{
  globalThis,
  asyncFunction: async () => {},
  generatorFunction: function* () {},
  asyncGeneratorFunction: async function* () {},
  iterators: [[][Symbol.iterator](), ''[Symbol.iterator](), new Map().keys(), new Set().keys(),
    'a'.matchAll(/a/g), (function* () {})(), (async function* () {})(), [].values().map((x) => x)],
  timer: setTimeout(() => {}, 1),
  response: new Response('x'),
  stream: new Response("x").body,
  reader: new Response("x").body.getReader(),
  buffer: Buffer.from("x"),
  crypto: process.getBuiltinModule("crypto"),
  hash: process.getBuiltinModule("crypto").createHash("md5"),
  blob: new Blob([]),
  parameters: new URLSearchParams().keys(),
  error: (() => { try { null.x; } catch (error) { return error; } })(),
}"""
RUNTIME = {"aaid": "an-account", "appContext": {"appId": "an-app"}}
SOURCE = (
    f"({WALK})({ROOTS}).map(([path, value, keys]) => [typeof value === 'function', path, keys])"
)


def reachable() -> str:
    """Return one line for each object a guest can reach: its shortest path and its own keys."""
    found = value_of(SOURCE, extra={"runtime": RUNTIME})
    assert isinstance(found, list)
    lines = []
    for is_function, path, keys in found:
        shown = sorted(set(keys) - {"length", "name"}) if is_function else sorted(keys)
        if shown or not is_function:
            lines.append(f"{path}: {' '.join(shown)}".rstrip())
    return "\n".join(sorted(lines)) + "\n"


def test_a_guest_reaches_exactly_what_the_committed_list_says() -> None:
    expected = (HERE / "globals.txt").read_text("utf-8")
    assert reachable().splitlines() == expected.splitlines()


def test_nothing_on_the_list_names_a_part_of_the_host() -> None:
    lines = (HERE / "globals.txt").read_text("utf-8").splitlines()
    # Node's crypto has a randomBytes of its own; test_guest_reach proves that it is not the host's.
    listed = " ".join(line for line in lines if not line.startswith("crypto: "))
    names = {word.strip("().:") for word in listed.replace(".", " ").split()}
    assert names & {"door", "kernel", "native", "randomBytes", "setTimer", "emit"} == set()
    assert names & {"__register__", "__world__", "onStart", "onSeal", "onMessage"} == set()


def test_the_runtime_object_holds_what_the_host_gave_and_an_empty_token() -> None:
    shown = value_of("JSON.parse(JSON.stringify(__forge_runtime__))", extra={"runtime": RUNTIME})
    assert json.dumps(shown, sort_keys=True) == json.dumps(
        {**RUNTIME, "lambdaContext": {}, "metrics": {}, "proxy": {"token": "", "url": ""}},
        sort_keys=True,
    )


if __name__ == "__main__":
    print(reachable(), end="")  # noqa: T201  # the list itself
