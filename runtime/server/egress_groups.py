"""What customers let installed apps reach beside what their manifests declare.

Groups of domains, and where remotes are, by installation; asked at every request outside.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

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
from runtime.policy.customer_egress import BACKEND, Choices, EgressEntry, EgressGroup

egress_group_table = Table(
    "egress_group",
    metadata,
    Column("installation_id", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("description", Text, nullable=False),
    Column("addresses", Text, nullable=False),  # JSON: types by domain
    Column("approved_by", String(128), nullable=False),
    Column("approved_at_s", Float, nullable=False),
)
remote_endpoint_table = Table(
    "remote_endpoint",
    metadata,
    Column("installation_id", String(64), primary_key=True),
    Column("remote", String(64), primary_key=True),
    Column("endpoint", Text, nullable=False),
    Column("approved_by", String(128), nullable=False),
    Column("approved_at_s", Float, nullable=False),
)
_GROUP = egress_group_table.c
_REMOTE = remote_endpoint_table.c


class EgressGroups:
    """What customers chose.

    Args:
        engine: The state database.
        clock: Stamps an approval.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def find(self, installation_id: str, inside: Connection | None = None) -> Choices:
        """Return what a customer chose for an installation, as of now."""
        if inside is not None:
            return self.read(inside, installation_id)
        with self._engine.connect() as connection:
            return self.read(connection, installation_id)

    @staticmethod
    def read(connection: Connection, installation_id: str) -> Choices:
        """Return what a customer chose, as a connection sees it."""
        groups = select(_GROUP.key, _GROUP.description, _GROUP.addresses)
        groups = groups.where(_GROUP.installation_id == installation_id).order_by(_GROUP.key)
        remotes = select(_REMOTE.remote, _REMOTE.endpoint).order_by(_REMOTE.remote)
        remotes = remotes.where(_REMOTE.installation_id == installation_id)
        return Choices(
            tuple(
                EgressGroup(row.key, row.description, _entries(json.loads(row.addresses)))
                for row in connection.execute(groups)
            ),
            MappingProxyType({row.remote: row.endpoint for row in connection.execute(remotes)}),
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
                addresses=json.dumps({one.domain: one.types for one in group.entries}),
                approved_by=account_id,
                approved_at_s=self._clock.now_s(),
            )
        )

    @staticmethod
    def remove(connection: Connection, installation_id: str, key: str) -> bool:
        """Remove a group; return whether there was one."""
        here = (_GROUP.installation_id == installation_id) & (_GROUP.key == key)
        return connection.execute(delete(egress_group_table).where(here)).rowcount > 0

    def set_endpoint(
        self,
        connection: Connection,
        installation_id: str,
        remote: str,
        endpoint: str,
        account_id: str,
    ) -> None:
        """Store where a remote is, instead of what was said before."""
        self.reset_endpoint(connection, installation_id, remote)
        connection.execute(
            insert(remote_endpoint_table).values(
                installation_id=installation_id,
                remote=remote,
                endpoint=endpoint,
                approved_by=account_id,
                approved_at_s=self._clock.now_s(),
            )
        )

    @staticmethod
    def reset_endpoint(connection: Connection, installation_id: str, remote: str) -> bool:
        """Let the manifest's address count again; return whether another one did."""
        here = (_REMOTE.installation_id == installation_id) & (_REMOTE.remote == remote)
        return connection.execute(delete(remote_endpoint_table).where(here)).rowcount > 0

    @staticmethod
    def forget(connection: Connection, installation_id: str) -> None:
        """Remove everything about an installation that has ended."""
        for table in (egress_group_table, remote_endpoint_table):
            connection.execute(delete(table).where(table.c.installation_id == installation_id))


def _entries(stored: Mapping[str, Sequence[str]] | Sequence[str]) -> tuple[EgressEntry, ...]:
    """Return the domains of a group; in the first form of the table they had no types."""
    if not isinstance(stored, Mapping):
        stored = dict.fromkeys(stored, (BACKEND,))
    return tuple(EgressEntry(domain, tuple(types)) for domain, types in stored.items())
