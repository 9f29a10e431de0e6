"""How things are timed: medians of many rounds, the compared things in turn."""

import statistics
import time
from collections.abc import Callable, Mapping


def p50_ms(run: Callable[[], object], rounds: int, warmup: int = 20) -> float:
    """Return the median time of one call in ms."""
    return in_turn({"it": run}, rounds, warmup)["it"]


BLOCK = 50  # calls of one thing in a row: each is timed as warm as it runs in earnest


def in_turn(
    runs: Mapping[str, Callable[[], object]], rounds: int, warmup: int = 20
) -> dict[str, float]:
    """Return the median time of each in ms; blocks of each take turns, so that drift hits all."""
    for run in runs.values():
        for _ in range(warmup):
            run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for done in range(0, rounds, BLOCK):
        for name, run in runs.items():
            for _ in range(min(BLOCK, rounds - done)):
                start = time.perf_counter()
                run()
                times[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def resident_mib() -> float:
    """Return the resident set of this process in MiB (Linux); a shared page counts each time."""
    return _kib_of("/proc/self/status", "VmRSS:") / 1024


def proportional_mib() -> float:
    """Return it with a page that is mapped n times counted as n parts of one (Linux)."""
    return _kib_of("/proc/self/smaps_rollup", "Pss:") / 1024


def _kib_of(file: str, name: str) -> int:
    with open(file, encoding="ascii") as lines:
        return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
