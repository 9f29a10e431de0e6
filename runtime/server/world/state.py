"""What a state remembers of the world file that made it: clock, seed, stubs."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, Engine, String, Table, Text, delete, insert, select

from runtime.clock import Clock
from runtime.database import metadata
from runtime.hostfunctions.stubreader import read_stubs
from runtime.hostfunctions.stubs import EgressStub

world_table = Table(
    "world_setting",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)


class ShiftedClock:
    """A clock that runs as another does, some time ahead of it or behind.

    Args:
        clock: The other.
        ahead_s: How far ahead; negative for behind.
    """

    def __init__(self, clock: Clock, ahead_s: float) -> None:
        self._clock = clock
        self._ahead_s = ahead_s

    def now_s(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        return self._clock.now_s() + self._ahead_s

    def monotonic_s(self) -> float:
        """Return seconds from an arbitrary start that never go back."""
        return self._clock.monotonic_s()


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a state remembers of its world file.

    Attributes:
        clock: The world's clock as the file has it; None for the host's.
        ahead_s: How far the world's clock is ahead of the host's.
        seed: The world's seed; None without one.
        egress: The ``egress`` section.
        source: The file's path; empty for the default world.
    """

    clock: str | None = None
    ahead_s: float = 0.0
    seed: str | None = None
    egress: list[dict[str, Any]] = field(default_factory=list)  # Any: as the file has it
    source: str = ""

    @property
    def stubs(self) -> tuple[EgressStub, ...]:
        """What answers requests to the outside."""
        return read_stubs(self.egress)

    def shift(self, clock: Clock) -> Clock:
        """Return the world's clock."""
        return ShiftedClock(clock, self.ahead_s) if self.ahead_s else clock

    def seed_of(self, number: int) -> bytes | None:
        """Return the seed of the invocation with that number; None where the world has no seed."""
        if self.seed is None:
            return None
        return hashlib.sha256(f"{self.seed}\0{number}".encode()).digest()


def remember(connection: Connection, world: Remembered) -> None:
    """Keep what there is to remember of a world file, inside the caller's transaction."""
    connection.execute(delete(world_table))
    rows = [
        {"name": name, "value": json.dumps(getattr(world, name))}
        for name in Remembered.__dataclass_fields__
    ]
    connection.execute(insert(world_table), rows)


def recall(engine: Engine) -> Remembered:
    """Return what a state remembers of its world file."""
    with engine.connect() as connection:
        rows = connection.execute(select(world_table.c.name, world_table.c.value)).all()
    known = Remembered.__dataclass_fields__
    return Remembered(**{row.name: json.loads(row.value) for row in rows if row.name in known})
