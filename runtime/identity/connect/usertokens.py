"""Access tokens with which a Connect app acts as a user, on the site's own host.

A token is opaque, stands in the database as its SHA-256 alone, lives 15 minutes, is not refreshed,
and dies with the installation's generation.
"""

import hashlib
import json
import re
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    Float,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
)

from runtime.clock import Clock
from runtime.database import metadata
from runtime.identity.connect.installations import ConnectInstallation
from runtime.ids import Ids

LIFETIME_S = 900.0  # the platform's own, "User impersonation for Connect apps"
FORM = re.compile(r"fbk_cs_[0-9a-f]{64}")

connect_user_token_table = Table(
    "connect_user_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("cloud_id", String(64), nullable=False),
    Column("app_key", String(64), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("account_id", String(128), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("in_page", Boolean, nullable=False),
    Column("expires_at_s", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class UserToken:
    """What a token stands for.

    Attributes:
        cloud_id: The only site it is valid on.
        app_key: The app.
        generation: The installation's when it was minted.
        account_id: Whom it acts as.
        scopes: Upper bound on its scopes.
        in_page: Minted for a page that the user has open, so the app needs no ``ACT_AS_USER``.
    """

    cloud_id: str
    app_key: str
    generation: int
    account_id: str
    scopes: frozenset[str]
    in_page: bool


class UserTokens:
    """Mints and verifies tokens.

    Args:
        engine: The state database.
        clock: Decides about expiry.
        ids: Makes the random part.
    """

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids

    def mint(
        self,
        installation: ConnectInstallation,
        account_id: str,
        scopes: frozenset[str],
        *,
        in_page: bool = False,
    ) -> SecretStr:
        """Return a new token of an app for a user; expired ones are dropped."""
        token, now_s = self._ids.token("cs"), self._clock.now_s()
        table = connect_user_token_table
        with self._engine.begin() as connection:
            connection.execute(delete(table).where(table.c.expires_at_s <= now_s))
            connection.execute(
                insert(table).values(
                    token_hash=_digest(token.get_secret_value()),
                    cloud_id=installation.cloud_id,
                    app_key=installation.app_key,
                    generation=installation.generation,
                    account_id=account_id,
                    scopes=json.dumps(sorted(scopes)),
                    in_page=in_page,
                    expires_at_s=now_s + LIFETIME_S,
                )
            )
        return token

    def verify(self, token: str) -> UserToken | None:
        """Return what a token stands for now; None if it is unknown or expired."""
        with self._engine.connect() as connection:
            row = connection.execute(_BY_HASH, {"wanted": _digest(token)}).one_or_none()
        if row is None or row.expires_at_s <= self._clock.now_s():
            return None
        return UserToken(
            cloud_id=row.cloud_id,
            app_key=row.app_key,
            generation=row.generation,
            account_id=row.account_id,
            scopes=frozenset(json.loads(row.scopes)),
            in_page=row.in_page,
        )

    def live_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every token that is valid now."""
        table = connect_user_token_table.c
        query = select(table.token_hash).where(table.expires_at_s > self._clock.now_s())
        with self._engine.connect() as connection:
            return frozenset(connection.execute(query).scalars())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


_BY_HASH = select(connect_user_token_table).where(
    connect_user_token_table.c.token_hash == bindparam("wanted")
)
