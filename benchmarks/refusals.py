"""How long refusals take that must not be told apart: measured and shown, never asserted.

That they do the same work is proved by ``tests/hostile/test_threats_work.py``; what is left is
noise. ``python -m benchmarks.refusals [ROUNDS]``
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, stdev

import httpx

from runtime.server.net.serving import create_app
from tests.hostile.refusals import PAIRS, Refusals, Request

ROUNDS = 200
WARMING = 20


def main(rounds: int) -> None:
    """Ask each pair in turn and print the medians, and the difference in standard errors."""
    with tempfile.TemporaryDirectory() as folder:
        refusals = Refusals(Path(folder))
        try:
            for name, requests in PAIRS.items():
                asked = {one: refusals.request(one) for one in requests}
                times = asyncio.run(_measure(refusals, asked, rounds))
                _show(name, {one: found[WARMING:] for one, found in times.items()})
        finally:
            refusals.place.close()


async def _measure(
    refusals: Refusals, asked: dict[str, Request], rounds: int
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {one: [] for one in asked}
    transport = httpx.ASGITransport(create_app(refusals.place.firebrick))
    async with httpx.AsyncClient(transport=transport) as client:
        for _ in range(rounds + WARMING):
            for one, (method, url, headers, body) in asked.items():
                began = time.perf_counter()
                await client.request(method, url, headers=headers, content=body)
                times[one].append((time.perf_counter() - began) * 1e6)
    return times


def _show(name: str, times: dict[str, list[float]]) -> None:
    first, *others = times
    sys.stdout.write(f"{name}\n  {first}: {median(times[first]):.0f} us\n")
    for one in others:
        pairs = zip(times[first], times[one], strict=True)
        differences = [after - before for before, after in pairs]
        error = stdev(differences) / len(differences) ** 0.5
        sys.stdout.write(
            f"  {one}: {median(times[one]):.0f} us, {median(differences):+.0f} us "
            f"({median(differences) / error:+.1f} standard errors)\n"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
