"""The identity of a site towards Connect apps: its client key and its key pair for installs."""

import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import SecretStr
from sqlalchemy import Column, Connection, Engine, String, Table, Text, insert, select

from runtime.database import metadata, writing
from runtime.identity.connect.secretbox import SecretBox
from runtime.ids import Ids

RSA_BITS = 2048  # RFC 7518 section 3.3 asks for at least that
KID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

connect_site_table = Table(
    "connect_site",
    metadata,
    Column("cloud_id", String(64), primary_key=True),
    Column("client_key", String(64), nullable=False, unique=True),
    Column("kid", String(64), nullable=False, unique=True),
    Column("public_key", Text, nullable=False),
    Column("private_key", Text, nullable=False),  # encrypted
)


@dataclass(frozen=True, slots=True)
class SiteKeys:
    """What a site proves itself with.

    Attributes:
        client_key: Names the site towards apps; the same for all of them, over every reinstall.
        kid: Names the public key at the key host.
        public_key: PEM text.
        private_key: PEM text.
    """

    client_key: str
    kid: str
    public_key: str
    private_key: SecretStr


class SiteKeyStore:
    """Makes and keeps the keys of sites.

    Args:
        engine: The state database.
        ids: Makes ids.
        box: Encrypts private keys.
    """

    def __init__(self, engine: Engine, ids: Ids, box: SecretBox) -> None:
        self._engine = engine
        self._ids = ids
        self._box = box

    def keys(self, cloud_id: str) -> SiteKeys:
        """Return the keys of a site; the first call makes them."""
        with self._engine.connect() as connection:
            found = self._find(connection, cloud_id)
        if found is not None:
            return found
        made = _make_pair()
        with writing(self._engine) as connection:
            found = self._find(connection, cloud_id)
            if found is not None:
                return found
            connection.execute(
                insert(connect_site_table).values(
                    cloud_id=cloud_id,
                    client_key=self._ids.uuid(),
                    kid=self._ids.uuid(),
                    public_key=made[1],
                    private_key=self._box.encrypt(made[0]),
                )
            )
        return self.keys(cloud_id)

    def find_client_key(self, cloud_id: str) -> str | None:
        """Return the client key of a site; None if no app was ever installed there."""
        table = connect_site_table.c
        with self._engine.connect() as connection:
            return connection.execute(
                select(table.client_key).where(table.cloud_id == cloud_id)
            ).scalar()

    def find_public_key(self, kid: str) -> str | None:
        """Return the PEM text of a public key, or None; anything but a key's exact id is unknown.

        Apps paste the ``kid`` of a token they have not verified yet into the key's URL, so whatever
        is no id must get nothing that could be read as a key.
        """
        if not KID.fullmatch(kid):
            return None
        table = connect_site_table.c
        with self._engine.connect() as connection:
            return connection.execute(select(table.public_key).where(table.kid == kid)).scalar()

    def _find(self, connection: Connection, cloud_id: str) -> SiteKeys | None:
        table = connect_site_table.c
        row = connection.execute(
            select(connect_site_table).where(table.cloud_id == cloud_id)
        ).one_or_none()
        if row is None:
            return None
        return SiteKeys(row.client_key, row.kid, row.public_key, self._box.decrypt(row.private_key))


def _make_pair() -> tuple[SecretStr, str]:
    private = rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return SecretStr(secret), public.decode()
