"""What customers let installed apps reach beside what their manifests declare."""

import json

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
)

from runtime.clock import Clock
from runtime.database import metadata
from runtime.policy.customer_egress import EgressGroup

egress_group_table = Table(
    "egress_group",
    metadata,
    Column("installation_id", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("description", Text, nullable=False),
    Column("addresses", Text, nullable=False),  # JSON list
    Column("approved_by", String(128), nullable=False),
    Column("approved_at_s", Float, nullable=False),
)
_TABLE = egress_group_table.c


class EgressGroups:
    """Groups of addresses by installation; asked at every request outside.

    Args:
        engine: The state database.
        clock: Stamps an approval.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def list(
        self, installation_id: str, inside: Connection | None = None
    ) -> tuple[EgressGroup, ...]:
        """Return the groups of an installation, by key."""
        if inside is None:
            with self._engine.connect() as connection:
                return self.list(installation_id, connection)
        query = select(_TABLE.key, _TABLE.description, _TABLE.addresses)
        query = query.where(_TABLE.installation_id == installation_id).order_by(_TABLE.key)
        return tuple(
            EgressGroup(row.key, row.description, tuple(json.loads(row.addresses)))
            for row in inside.execute(query)
        )

    def set(
        self, connection: Connection, installation_id: str, group: EgressGroup, account_id: str
    ) -> None:
        """Store a group; it replaces the one with its key."""
        self.remove(connection, installation_id, group.key)
        connection.execute(
            insert(egress_group_table).values(
                installation_id=installation_id,
                key=group.key,
                description=group.description,
                addresses=json.dumps(group.addresses),
                approved_by=account_id,
                approved_at_s=self._clock.now_s(),
            )
        )

    @staticmethod
    def forget(connection: Connection, installation_id: str) -> None:
        """Remove the groups of an installation that has ended."""
        here = _TABLE.installation_id == installation_id
        connection.execute(delete(egress_group_table).where(here))

    @staticmethod
    def remove(connection: Connection, installation_id: str, key: str) -> bool:
        """Remove a group; return whether there was one."""
        here = (_TABLE.installation_id == installation_id) & (_TABLE.key == key)
        return connection.execute(delete(egress_group_table).where(here)).rowcount > 0
