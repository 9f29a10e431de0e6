"""Invocation records: what ran, for whom, with which seed and clock, and what came of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    String,
    Table,
    Text,
    func,
    insert,
    select,
)

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.database import metadata
from runtime.invocation.scrubbing import Scrubber

invocation_table = Table(
    "invocation",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("app_id", String(254), nullable=False, index=True),
    Column("app_name", String(254), nullable=False),
    Column("environment", String(64), nullable=False),
    Column("function", String(254), nullable=False),
    Column("installation_id", String(64), nullable=False),
    Column("account_id", String(128)),
    Column("seed", String(64), nullable=False),
    Column("started_at_s", Float, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Column("code", String(64)),
    Column("logs", Text, nullable=False),
    Column("usage", Text, nullable=False),
    Column("began_at_s", Float),
)


@dataclass(frozen=True, slots=True)
class InvocationRecord:
    """One invocation as it is kept.

    Attributes:
        function: Function key, with ``:functionKey`` for a resolver's definition.
        seed: 64 hex digits.
        started_at_s: The invocation's clock at its start.
        code: Error code; None if it succeeded.
        logs: ``{"level", "text", "at_ms"}`` in order.
        usage: Budget use by name.
        began_at_s: The host's clock when it began; None in a state of an older Firebrick.
    """

    id: str
    app_id: str
    app_name: str
    environment: str
    function: str
    installation_id: str
    account_id: str | None
    seed: str
    started_at_s: float
    succeeded: bool
    code: str | None
    logs: Sequence[Mapping[str, object]]
    usage: Mapping[str, float]
    began_at_s: float | None = None


class InvocationRecords:
    """Appends invocation records and reads them back.

    Args:
        engine: The state database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(
        self,
        record: InvocationRecord,
        scrubber: Scrubber,
        audit: AuditTrail,
        decided: AuditRecord,
        also: Callable[[Connection], None] | None = None,
    ) -> None:
        """Write one record, its audit record and its recording at once, or none of them.

        Args:
            record: The record; its log texts are scrubbed.
            scrubber: Knows the secrets of the app.
            audit: The trail.
            decided: What the trail gets.
            also: Writes the recording; None if there is none.
        """
        values = {name: getattr(record, name) for name in InvocationRecord.__dataclass_fields__}
        values["logs"] = scrubber.scrub(json.dumps(list(record.logs)))
        values["usage"] = json.dumps(dict(record.usage))
        with self._engine.begin() as connection:
            connection.execute(_INSERT, values)
            audit.append_in(connection, decided)
            if also is not None:
                also(connection)

    def read(
        self, *, invocation_id: str | None = None, limit: int = 20
    ) -> tuple[InvocationRecord, ...]:
        """Return the newest `limit` records, oldest first, or the one with that id."""
        table = invocation_table.c
        query = select(invocation_table).order_by(_BEGAN.desc()).limit(limit)
        if invocation_id is not None:
            query = query.where(table.id == invocation_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(_record(dict(row._mapping)) for row in reversed(rows))

    def count(self) -> int:
        """Return how many invocations there were."""
        with self._engine.connect() as connection:
            return connection.execute(
                select(func.count()).select_from(invocation_table)
            ).scalar_one()

    def find(self, name: str) -> tuple[InvocationRecord, ...]:
        """Return the invocations whose id begins so, the newest first."""
        where = invocation_table.c.id.startswith(name, autoescape=True)
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(invocation_table).where(where).order_by(_BEGAN.desc())
            ).all()
        return tuple(_record(dict(row._mapping)) for row in rows)


_INSERT = insert(invocation_table)
_BEGAN = func.coalesce(invocation_table.c.began_at_s, invocation_table.c.started_at_s)


def _record(row: dict[str, object]) -> InvocationRecord:
    row["logs"] = json.loads(str(row["logs"]))
    row["usage"] = json.loads(str(row["usage"]))
    return InvocationRecord(**row)  # type: ignore[arg-type]  # columns and attributes are the same
