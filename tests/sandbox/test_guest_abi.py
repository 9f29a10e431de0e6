"""The page on raw guests is true: its example builds and runs, and its tables are the code's."""

import json
import re
from pathlib import Path

from runtime.sandbox.engine import Engine
from runtime.sandbox.limits import Limits
from runtime.sandbox.wasm_guest import EXPORTS, RAW_FUNCTIONS, check_module
from tests.sandbox.guests import engine, start

PAGE = (Path(__file__).parents[2] / "docs" / "guest-abi.md").read_text("utf-8")


def example() -> bytes:
    """The WAT block of the page."""
    found = re.search(r"```wat\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1].encode()


def run_example(on: Engine) -> None:
    """Build and run it."""
    asked: list[object] = []

    def door(name: str, body: bytes) -> bytes:
        asked.append((name, json.loads(body)))
        return json.dumps({"status": 200, "body": "x" * 200_000}).encode()

    outcome = on.wasm(example()).run(start(), door, Limits())
    assert outcome.fault is None
    assert json.loads(outcome.result or b"")["status"] == 200
    assert [(line.level, line.text) for line in outcome.logs] == [("info", "asking who I am")]
    assert asked == [("requestJira", {"path": "/rest/api/3/myself", "provider": "app"})]


def test_the_example_builds_and_runs() -> None:
    assert check_module(example()) == []
    run_example(engine())


def test_every_export_and_import_of_the_abi_is_on_the_page() -> None:
    for name in EXPORTS:
        assert f"| `{name}` |" in PAGE
    for module, name in RAW_FUNCTIONS:
        if module == "firebrick":
            assert f"| `{module}.{name}` |" in PAGE
    named = set(re.findall(r"`((?:args|environ|fd|path|clock|random|proc|sched|poll)_\w*)", PAGE))
    offered = {name for module, name in RAW_FUNCTIONS if module != "firebrick"}
    for name in named:
        assert name in offered or any(other.startswith(name) for other in offered)


def test_the_input_that_the_page_shows_is_the_input() -> None:
    shown = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert set(json.loads(shown[1])) == {"handler", "args", "seed", "now", "env", "extra"}
