"""The engine: what it falls back to, what it says about itself, and what its digests cover."""

from dataclasses import replace

import pytest

from runtime.sandbox.engine import Engine, source_digest
from runtime.sandbox.limits import MIB, Limits
from runtime.sandbox.machine import make_engine, thread_stack_bytes
from runtime.sandbox.values import JavaScriptSource
from tests.sandbox.guests import engine, nothing, source, start
from tests.sandbox.raw_guests import packed, run_wat, text_at, wat


def test_an_engine_describes_itself() -> None:
    described = engine().describe()
    assert set(described) == {"wasmtime", "quickjs", "allocator", "calls", "cache"}
    assert described["cache"] == "none"


def test_a_pool_that_does_not_fit_the_address_space_is_given_up() -> None:
    huge = Engine(None, slots=1_000_000)
    assert huge.describe()["allocator"] == "on demand"
    assert run_wat(wat(packed(64, "[1]"), text_at(64, "[1]")), on=huge).result == b"[1]"
    huge.close()


@pytest.mark.parametrize(("limit", "expected"), [(8 * MIB, 8 * MIB), (-1, 2 * MIB)])
def test_a_thread_has_the_stack_that_the_process_gives_it(limit: int, expected: int) -> None:
    assert thread_stack_bytes(limit) == expected


def test_a_guest_never_gets_more_than_half_of_its_threads_stack() -> None:
    made, pooling = make_engine(0, 1 << 40)
    assert (made is not None, pooling) == (True, False)


def test_the_digest_covers_everything_that_is_evaluated() -> None:
    app = source({"run": "return 1"})
    changes = [
        app,
        replace(app, modules={**app.modules, "more": ""}),
        replace(app, prelude=(("other.js", app.prelude[0][1]),)),
        replace(app, entry="index"),
        replace(app, bundle=("b.js", "1")),
        replace(app, bundle=("b.js", "2")),
    ]
    digests = {source_digest(changed, Limits()) for changed in changes}
    digests.add(source_digest(app, Limits(memory_bytes=64 * MIB)))
    assert len(digests) == 7
    assert source_digest(source({"run": "return 1"}), Limits()) in digests


def test_a_snapshot_made_for_less_memory_runs_with_more_and_the_other_way_round() -> None:
    app = source({"run": "return new Uint8Array(args[0]).length"})
    image = engine().javascript(app, Limits(memory_bytes=8 * MIB))
    large = image.run(start(20 * MIB), nothing, Limits())
    small = image.run(start(20 * MIB), nothing, Limits(memory_bytes=16 * MIB))
    assert (large.result, small.fault and small.fault.code) == (b"20971520", "OUT_OF_MEMORY")


def test_an_app_without_anything_has_no_handlers() -> None:
    outcome = engine().javascript(JavaScriptSource()).run(start(), nothing, Limits())
    assert outcome.fault is not None
    assert outcome.fault.code == "NO_HANDLER"
