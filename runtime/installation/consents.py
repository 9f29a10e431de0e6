"""Consent of single users, where an installation asks for it."""

import json

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
)

from runtime.clock import Clock
from runtime.database import joined, metadata

consent_table = Table(
    "consent",
    metadata,
    Column("installation_id", String(64), primary_key=True),
    Column("account_id", String(128), primary_key=True),
    Column("scopes", Text, nullable=False),
    Column("at_s", Float, nullable=False),
)


class ConsentStore:
    """Who agreed to what an app does in their name.

    Args:
        engine: The state database.
        clock: Stamps a consent.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def grant(
        self,
        installation_id: str,
        account_id: str,
        scopes: frozenset[str],
        inside: Connection | None = None,
    ) -> None:
        """Record that an account agrees to these scopes; they replace what it agreed to before."""
        with joined(self._engine, inside) as connection:
            connection.execute(_REMOVE, {"installation": installation_id, "account": account_id})
            connection.execute(
                insert(consent_table).values(
                    installation_id=installation_id,
                    account_id=account_id,
                    scopes=json.dumps(sorted(scopes)),
                    at_s=self._clock.now_s(),
                )
            )

    def revoke(
        self, installation_id: str, account_id: str, inside: Connection | None = None
    ) -> bool:
        """Take a consent back; return whether there was one."""
        with joined(self._engine, inside) as connection:
            done = connection.execute(
                _REMOVE, {"installation": installation_id, "account": account_id}
            )
            return bool(done.rowcount)

    def find(self, installation_id: str, account_id: str) -> frozenset[str] | None:
        """Return the scopes an account agreed to; None if it never agreed, or took it back."""
        with self._engine.connect() as connection:
            row = connection.execute(
                _FIND, {"installation": installation_id, "account": account_id}
            ).one_or_none()
        return None if row is None else frozenset(json.loads(row.scopes))

    def list(self, installation_id: str) -> tuple[tuple[str, frozenset[str]], ...]:
        """Return account id and scopes of every consent of an installation."""
        query = select(consent_table).where(consent_table.c.installation_id == installation_id)
        with self._engine.connect() as connection:
            return tuple(
                (row.account_id, frozenset(json.loads(row.scopes)))
                for row in connection.execute(query)
            )


_FIND = select(consent_table.c.scopes).where(
    consent_table.c.installation_id == bindparam("installation"),
    consent_table.c.account_id == bindparam("account"),
)
_REMOVE = delete(consent_table).where(
    consent_table.c.installation_id == bindparam("installation"),
    consent_table.c.account_id == bindparam("account"),
)
