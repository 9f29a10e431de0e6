"""What a run makes lies side by side, whatever holes loading the app has left."""

from runtime.sandbox.guest import Guest
from runtime.sandbox.limits import Limits
from runtime.sandbox.timebase import RealTime
from runtime.sandbox.values import JavaScriptSource
from tests.sandbox.guests import PRELUDE, engine, nothing, source, start

PAGE_BYTES = 4096
FEW_PAGES = 150  # the run below writes to 72; with the holes left open, to 292
FUNCTIONS = "\n".join(
    f"export function f{at}(a, b) {{ const c = [a, b, {{ x: a, y: '{'t' * (at % 50)}' }}];"
    f" return c.map((d) => d + {at}).join(','); }}"
    for at in range(3000)
)
RUN = (
    "export const run = () =>"
    " JSON.stringify(Array.from({ length: 300 }, (_, i) => ({ i, t: 'y'.repeat(i % 90) }))).length;"
)


def pages_written(app: JavaScriptSource) -> int:
    """How many pages of its snapshot a run changes."""
    guest = Guest(engine().javascript(app).prepared, start(), nothing, Limits(), RealTime())
    images: list[bytes] = []
    try:
        events = guest.open()
        guest.show(lambda memory: images.append(bytes(memory)))
        guest.turn(events)
        guest.show(lambda memory: images.append(bytes(memory)))
    finally:
        guest.close()
    before, after = images
    places = range(0, len(before), PAGE_BYTES)
    return sum(before[at : at + PAGE_BYTES] != after[at : at + PAGE_BYTES] for at in places)


def test_a_run_writes_to_few_pages() -> None:
    app = JavaScriptSource(
        prelude=(("prelude.js", PRELUDE),),
        modules={
            "index": f"{FUNCTIONS}\n{RUN}",
            "entry": "import * as index from 'index'; __register__({ index });",
        },
        entry="entry",
    )
    assert pages_written(app) < FEW_PAGES


def test_an_app_that_fills_its_memory_while_it_loads_still_runs() -> None:
    app = source({"run": "return kept.length"})
    loading = "globalThis.kept = []; try { for (;;) kept.push(new Array(999).fill(1)) } catch {}"
    filled = JavaScriptSource(
        prelude=app.prelude,
        modules={**app.modules, "entry": f"{loading} kept.length = 9;{app.modules['entry']}"},
        entry=app.entry,
    )
    limits = Limits(memory_bytes=8 << 20)
    outcome = engine().javascript(filled, limits).run(start(), nothing, limits)
    assert (outcome.result, outcome.fault) == (b"9", None)
