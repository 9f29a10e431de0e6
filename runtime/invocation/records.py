"""Invocation records: what ran, for whom, with which seed and clock, and what came of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Engine, Float, String, Table, Text, insert, select

from runtime.audit.trail import AuditRecord, AuditTrail, redact
from runtime.database import metadata

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


class InvocationRecords:
    """Appends invocation records and reads them back.

    Args:
        engine: The state database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(self, record: InvocationRecord, audit: AuditTrail, decided: AuditRecord) -> None:
        """Write one record and its audit record at once.

        Log texts pass the redaction of the audit trail.
        """
        values = {name: getattr(record, name) for name in InvocationRecord.__dataclass_fields__}
        values["logs"] = redact(json.dumps(list(record.logs)))
        values["usage"] = json.dumps(dict(record.usage))
        with self._engine.begin() as connection:
            connection.execute(_INSERT, values)
            audit.append_in(connection, decided)

    def read(
        self, *, invocation_id: str | None = None, limit: int = 20
    ) -> tuple[InvocationRecord, ...]:
        """Return the newest `limit` records, oldest first, or the one with that id."""
        table = invocation_table.c
        query = select(invocation_table).order_by(table.started_at_s.desc()).limit(limit)
        if invocation_id is not None:
            query = query.where(table.id == invocation_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(_record(dict(row._mapping)) for row in reversed(rows))


_INSERT = insert(invocation_table)


def _record(row: dict[str, object]) -> InvocationRecord:
    row["logs"] = json.loads(str(row["logs"]))
    row["usage"] = json.loads(str(row["usage"]))
    return InvocationRecord(**row)  # type: ignore[arg-type]  # columns and attributes are the same
