"""``make bench``: every budget of the architecture, as ratios in one run.

Writes ``benchmarks/results.json`` and ``docs/performance.md``. A missed budget is shown as such.
"""

import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import http, peers, worlds
from benchmarks.measure import in_turn, p50_ms, proportional_mib, resident_mib
from runtime.invocation.images import bundled_source
from runtime.invocation.invoker import Order
from runtime.invocation.recordfile import read_record
from runtime.policy.scopes import decide_scopes
from runtime.policy.target import Target, parse_target
from runtime.sandbox.engine import Engine
from runtime.sandbox.limits import Limits
from runtime.sandbox.values import Door, Image, Start
from runtime.server.operations import load_operations
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings

ROOT = Path(__file__).parent
ISSUES = 100_000
GROWTH_RUNS = 10_000
REPLY = b'{"status":200,"statusText":"OK","headers":[],"body":"{\\"key\\":\\"TEAM-1\\"}"}'


@dataclass(frozen=True, slots=True)
class Result:
    """One measured budget.

    Attributes:
        what: What was measured.
        value: The number.
        unit: Its unit; ``x`` for a ratio.
        budget: The budget in words.
        kept: Whether it holds; None if there is no budget or no peer here.
    """

    what: str
    value: float
    unit: str
    budget: str = ""
    kept: bool | None = None


def at_most(what: str, value: float, unit: str, limit: float) -> Result:
    """Return a result whose budget is an upper bound."""
    return Result(what, value, unit, f"≤ {limit:g} {unit}", value <= limit)


def at_least(what: str, value: float, limit: float) -> Result:
    """Return a ratio whose budget is a lower bound."""
    return Result(what, value, "x", f"≥ {limit:g} x", value >= limit)


def main() -> int:
    """Measure everything and write the reports."""
    with tempfile.TemporaryDirectory(prefix="firebrick-bench-") as folder:
        settings = Settings(state=Path(folder) / "state")
        with open_firebrick(settings) as firebrick:
            results = list(_all(firebrick, Path(folder)))
    _write(results)
    for result in results:
        mark = {True: "kept", False: "MISSED", None: ""}[result.kept]
        print(
            f"{result.what:<66} {result.value:>10.3f} {result.unit:<5} {result.budget:<14} {mark}"
        )
    return 0


def _all(firebrick: Firebrick, folder: Path) -> list[Result]:
    results: list[Result] = []
    script = peers.real_bundle()
    results += _sandbox(firebrick, script, folder)
    results += _decision()
    results += _product(firebrick)
    results += _deploy(folder)
    results += _start_up()
    return results


def _sandbox(firebrick: Firebrick, script: str | None, folder: Path) -> list[Result]:
    engine = Engine(folder / "bench-cache")
    worlds.install_probe(firebrick, folder / "probe", script)
    image = engine.javascript(bundled_source(script) if script else worlds.probe_source())
    start = worlds.start()
    invoke = _whole(firebrick)

    bare = _bare(image, start, _Canned(REPLY))
    same = _bare(image, start, _Canned(_real_answer(firebrick)))
    times = in_turn({"bare": bare, "same": same, "whole": invoke}, 500)
    rows = [
        Result("bare sandbox: fresh guest, bundle, one call, p50", times["bare"], "ms"),
        Result("the same with a whole issue as its canned answer, p50", times["same"], "ms"),
        Result("whole invocation: policy, token, SQL, audit, p50", times["whole"], "ms"),
        at_most(
            "whole invocation / bare sandbox with the same answer",
            times["whole"] / times["same"],
            "x",
            4,
        ),
    ]
    if script:
        found = peers.measure(script, 40)
        again = in_turn({"bare": bare, "whole": invoke}, 200)
        bare_ms, whole_ms = min(times["bare"], again["bare"]), min(times["whole"], again["whole"])
        rows += [Result(f"peer {name}, p50", value, "ms") for name, value in found.items()]
        rows += [
            at_least(
                "quickjs-emscripten fresh context / bare sandbox",
                found["quickjs_emscripten"] / bare_ms,
                40,
            ),
            at_least("node:vm fresh context / bare sandbox", found["node_vm"] / bare_ms, 4),
            at_least(
                "quickjs-emscripten / whole invocation", found["quickjs_emscripten"] / whole_ms, 10
            ),
            at_least("node process / whole invocation", found["node_process"] / whole_ms, 60),
        ]
    return [*rows, *_memory(image, start)]


class _Canned:
    prompt = True

    def __init__(self, reply: bytes) -> None:
        self._reply = reply

    def __call__(self, _name: str, _body: bytes, /) -> bytes:
        return self._reply


def _bare(image: Image, start: Start, door: Door) -> Callable[[], None]:
    def run() -> None:
        outcome = image.run(start, door, Limits())
        if outcome.fault is not None:
            raise RuntimeError(outcome.fault)

    return run


def _real_answer(firebrick: Firebrick) -> bytes:
    """Return what the door really answers to the probe's call: a whole issue, 7 KB."""
    result = firebrick.invoker.invoke(_order(firebrick))
    (kept,) = firebrick.recordings.find(result.invocation_id)
    return read_record(kept.body).journal.calls[0].reply or b""


def _order(firebrick: Firebrick) -> Order:
    version = firebrick.find_app("probe", "development")
    cloud_id = firebrick.find_site(None)
    return Order(
        version=version,
        installation=firebrick.apps.find_installation(version, cloud_id),
        function="resolver:get",
        payload={"issueKey": "TEAM-1"},
        account_id=firebrick.find_person("dana").account_id,
        site_url=firebrick.site_url(cloud_id),
    )


def _whole(firebrick: Firebrick) -> Callable[[], None]:
    order = _order(firebrick)

    def invoke() -> None:
        result = firebrick.invoker.invoke(order)
        if result.outcome.fault is not None or not result.calls[0].allowed:
            raise RuntimeError(result)

    return invoke


def _memory(image: Image, start: Start) -> list[Result]:
    door = _Canned(REPLY)
    for _ in range(200):
        image.run(start, door, Limits())
    before = resident_mib()
    for _ in range(GROWTH_RUNS):
        image.run(start, door, Limits())
    growth = resident_mib() - before
    before, mapped = proportional_mib(), resident_mib()
    guests = [image.open(start, door, Limits()) for _ in range(20)]
    live = (proportional_mib() - before) / len(guests)
    mapped = (resident_mib() - mapped) / len(guests)
    for guest in guests:
        guest.close()
    return [
        at_most(f"resident growth over {GROWTH_RUNS} invocations", growth, "MiB", 2),
        at_most("resident per live guest, shared pages counted once", live, "MiB", 2),
        Result("the same, shared pages counted for each guest", mapped, "MiB"),
    ]


def _decision() -> list[Result]:
    table = load_operations()
    held = frozenset({"read:jira-work"})

    def decide() -> None:
        for _ in range(100):
            target = parse_target("/rest/api/3/issue/TEAM-1?fields=summary")
            if isinstance(target, Target):
                decide_scopes(table.resolve("GET", target.path).operation, held, held)

    return [at_most("scope decision with route resolution", p50_ms(decide, 200) * 10, "µs", 20)]


def _product(firebrick: Firebrick) -> list[Result]:
    worlds.fill(firebrick, ISSUES)
    site = worlds.Clients(firebrick)
    rows = [
        at_most(
            f"jira.handle(getIssue), {ISSUES} issues, p50", p50_ms(site.get_issue, 500), "ms", 0.5
        ),
        at_most(
            f"JQL, {ISSUES} issues, three clauses and ORDER BY, first page, p50",
            p50_ms(site.search, 50, warmup=3),
            "ms",
            30,
        ),
    ]
    ratio, issue_ms, bare_ms = http.compare(firebrick, site.email, site.secret)
    return [
        *rows,
        Result("GET issue over HTTP, p50", issue_ms, "ms"),
        Result("bare FastAPI JSON route on the same server, p50", bare_ms, "ms"),
        at_most("GET issue over HTTP / bare FastAPI route", ratio, "x", 2),
    ]


def _deploy(folder: Path) -> list[Result]:
    filler = "\n".join(
        f"export const f{n} = (a, b) => {{ const c = [a, b, {n}]; return c.map((x) => x * {n}); }};"
        for n in range(12_500)
    )
    source = bundled_source(
        "{\n" + filler.replace("export const", "const") + "\n__register__({big: {f0}});\n}"
    )
    cache = folder / "deploy-cache"
    cold = _timed(lambda: Engine(cache).javascript(source))
    warm = _timed(lambda: Engine(cache).javascript(source))
    return [
        at_most(f"deploy of a {len(filler) / 1e6:.1f} MB bundle, cold", cold, "ms", 3000),
        at_most("the same from the cache", warm, "ms", 100),
    ]


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


def _start_up() -> list[Result]:
    def command(*arguments: str) -> Callable[[], None]:
        return lambda: (
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True) and None
        )

    times = in_turn(
        {
            "firebrick": command("-m", "runtime.cli", "--version"),
            "python": command("-c", "import typer"),
        },
        15,
        warmup=2,
    )
    ratio = times["firebrick"] / times["python"]
    return [at_most("firebrick --version / python -c 'import typer'", ratio, "x", 2.5)]


def _write(results: list[Result]) -> None:
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    value = {"machine": machine, "results": [asdict(result) for result in results]}
    (ROOT / "results.json").write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    lines = [
        "# Performance",
        "",
        "Written by `make bench`: one run, compared things in turn, medians. Read the ratios; the",
        f"absolute numbers are those of one machine ({machine}).",
        "",
        "| what | measured | budget | |",
        "|---|---|---|---|",
    ]
    for result in results:
        mark = {True: "kept", False: "**missed**", None: ""}[result.kept]
        lines.append(
            f"| {result.what} | {result.value:.3g} {result.unit} | {result.budget} | {mark} |"
        )
    (ROOT.parent / "docs" / "performance.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
