"""Sessions of browsers: random, kept as hashes on the server, and short."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr
from sqlalchemy import Column, Engine, Float, String, Table, delete, insert, select

from runtime.clock import Clock
from runtime.database import metadata, writing
from runtime.ids import Ids

SESSION_S = 8 * 3600.0  # a working day

SessionKind = Literal["account", "console"]

session_table = Table(
    "browser_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("account_id", String(128), nullable=False),
    Column("expires_at_s", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that somebody has signed in with.

    Attributes:
        account_id: Who.
        form_token: What each of its forms must carry.
    """

    account_id: str
    form_token: str


class Sessions:
    """Opens, finds and closes sessions.

    Args:
        engine: The state database.
        clock: Decides about expiry.
        ids: Makes tokens.
    """

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids

    def open(self, kind: SessionKind, account_id: str) -> SecretStr:
        """Open a session and return its token; sessions that have expired are cleared away."""
        token, now_s = self._ids.token("ses"), self._clock.now_s()
        table = session_table.c
        with writing(self._engine) as connection:
            connection.execute(delete(session_table).where(table.expires_at_s <= now_s))
            connection.execute(
                insert(session_table).values(
                    token_hash=_digest(token),
                    kind=kind,
                    account_id=account_id,
                    expires_at_s=now_s + SESSION_S,
                )
            )
        return token

    def find(self, kind: SessionKind, token: SecretStr) -> Session | None:
        """Return the live session of that kind, or None."""
        table = session_table.c
        query = select(table.account_id).where(
            table.token_hash == _digest(token),
            table.kind == kind,
            table.expires_at_s > self._clock.now_s(),
        )
        with self._engine.connect() as connection:
            account_id = connection.execute(query).scalar()
        return None if account_id is None else Session(account_id, form_token(token))

    def close(self, token: SecretStr) -> None:
        """End a session at once."""
        with writing(self._engine) as connection:
            connection.execute(
                delete(session_table).where(session_table.c.token_hash == _digest(token))
            )

    def live_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every session token that is valid now."""
        table = session_table.c
        query = select(table.token_hash).where(table.expires_at_s > self._clock.now_s())
        with self._engine.connect() as connection:
            return frozenset(connection.execute(query).scalars())


def form_token(token: SecretStr) -> str:
    """Return what the forms of a session carry: nobody without its token can know it."""
    key = token.get_secret_value().encode()
    return hmac.new(key, b"form", hashlib.sha256).hexdigest()


def fits(shown: str, expected: str) -> bool:
    """Compare two tokens in constant time."""
    return hmac.compare_digest(shown.encode(), expected.encode())


def _digest(token: SecretStr) -> str:
    return hashlib.sha256(token.get_secret_value().encode()).hexdigest()
