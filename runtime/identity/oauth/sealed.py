"""Client secrets that come back in the clear, encrypted at rest: what webhooks are signed with.

Who shows a secret is checked against its hash alone; this copy is read for nothing but signing.
"""

from pydantic import SecretStr
from sqlalchemy import Column, Connection, Engine, String, Table, Text, delete, insert, select

from runtime.database import metadata
from runtime.identity.connect.secretbox import SecretBox

sealed_secret_table = Table(
    "oauth_client_secret",
    metadata,
    Column("client_id", String(64), primary_key=True),
    Column("sealed", Text, nullable=False),
)
_TABLE = sealed_secret_table.c


class SealedSecrets:
    """Keeps the newest secret of each client.

    Args:
        engine: The state database.
        box: Encrypts them.
    """

    def __init__(self, engine: Engine, box: SecretBox) -> None:
        self._engine = engine
        self._box = box

    def put(self, connection: Connection, client_id: str, secret: SecretStr) -> None:
        """Keep a client's new secret; the one before is gone."""
        self.remove(connection, client_id)
        sealed = self._box.encrypt(secret)
        connection.execute(insert(sealed_secret_table).values(client_id=client_id, sealed=sealed))

    def remove(self, connection: Connection, client_id: str) -> None:
        """Forget a client's secret."""
        connection.execute(delete(sealed_secret_table).where(_TABLE.client_id == client_id))

    def find(self, client_id: str) -> SecretStr | None:
        """Return the secret; None for one made before they were kept, until it is rotated.

        Raises:
            StateError: ``KEY_MISMATCH``.
        """
        query = select(_TABLE.sealed).where(_TABLE.client_id == client_id)
        with self._engine.connect() as connection:
            sealed = connection.execute(query).scalar()
        return None if sealed is None else self._box.decrypt(sealed)
