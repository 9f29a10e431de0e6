"""What administrators refuse: an app, or every app, on one site or in the whole organization.

Source:
    The administrator's guide, "Manage your organization's user-installed apps".

Differs:
    What the platform answers to tokens of a blocked app is not established: here they are refused
    from the very next call on, as on a site that was never granted.
"""

from collections.abc import Set

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, delete, insert, select
from sqlalchemy.schema import Column, Table
from sqlalchemy.types import Float, String

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.database import metadata, writing
from runtime.identity.oauth.values import EVERYWHERE

EVERY = EVERYWHERE
"""Stands for every site, or for every app."""

block_table = Table(
    "oauth_block",
    metadata,
    Column("cloud_id", String(64), primary_key=True),
    Column("client_id", String(64), primary_key=True),
    Column("at_s", Float, nullable=False),
)


class OAuthBlocks:
    """Keeps the blocks.

    Args:
        engine: The state database.
        clock: Stamps them.
        audit: Gets one record for each change.
    """

    def __init__(self, engine: Engine, clock: Clock, audit: AuditTrail) -> None:
        self._engine = engine
        self._clock = clock
        self._audit = audit

    def block(self, client_id: str, cloud_id: str, by_account_id: str | None = None) -> bool:
        """Refuse an app on a site, from the next call on; return whether it was not before.

        Args:
            client_id: The app, or `EVERY`.
            cloud_id: The site, or `EVERY` for the whole organization.
            by_account_id: Who says so; None for the command line.
        """
        with writing(self._engine) as connection:
            if connection.execute(select(block_table).where(_named(client_id, cloud_id))).first():
                return False
            connection.execute(
                insert(block_table).values(
                    cloud_id=cloud_id, client_id=client_id, at_s=self._clock.now_s()
                )
            )
            self._tell(connection, "consent.blocked", client_id, cloud_id, by_account_id)
        return True

    def unblock(self, client_id: str, cloud_id: str, by_account_id: str | None = None) -> bool:
        """Take a block back; return whether there was one. What was granted before is in force."""
        with writing(self._engine) as connection:
            found = connection.execute(delete(block_table).where(_named(client_id, cloud_id)))
            if found.rowcount:
                self._tell(connection, "consent.unblocked", client_id, cloud_id, by_account_id)
        return bool(found.rowcount)

    def list(self) -> tuple[tuple[str, str], ...]:
        """Return every block as app and site, either of which may be `EVERY`."""
        table = block_table.c
        query = select(table.client_id, table.cloud_id).order_by(table.at_s, table.client_id)
        with self._engine.connect() as connection:
            return tuple((row.client_id, row.cloud_id) for row in connection.execute(query))

    def open_sites(self, client_id: str, cloud_ids: Set[str]) -> frozenset[str]:
        """Return those of some sites on which an app is not blocked now."""
        with self._engine.connect() as connection:
            return open_sites(connection, client_id, cloud_ids)

    def _tell(
        self,
        connection: Connection,
        rule: str,
        client_id: str,
        cloud_id: str,
        by_account_id: str | None,
    ) -> None:
        self._audit.append_in(
            connection,
            AuditRecord(
                kind="grant",
                allowed=True,
                rule=rule,
                model="oauth",
                app_id=None if client_id == EVERY else client_id,
                cloud_id=None if cloud_id == EVERY else cloud_id,
                account_id=by_account_id,
            ),
        )


def blocked_sites(connection: Connection, client_id: str) -> frozenset[str]:
    """Return the sites on which an app is blocked now; `EVERY` among them means all."""
    return frozenset(connection.execute(_BLOCKED, {"client": client_id}).scalars())


def open_sites(connection: Connection, client_id: str, cloud_ids: Set[str]) -> frozenset[str]:
    """Return those of some sites on which an app is not blocked now."""
    blocked = blocked_sites(connection, client_id)
    return frozenset() if EVERY in blocked else frozenset(cloud_ids) - blocked


def is_blocked_everywhere(connection: Connection, client_id: str) -> bool:
    """Return whether the organization refuses an app, wherever it is."""
    return EVERY in blocked_sites(connection, client_id)


def _named(client_id: str, cloud_id: str) -> ColumnElement[bool]:
    table = block_table.c
    return (table.client_id == client_id) & (table.cloud_id == cloud_id)


_BLOCKED = select(block_table.c.cloud_id).where(
    (block_table.c.client_id == bindparam("client")) | (block_table.c.client_id == EVERY)
)
