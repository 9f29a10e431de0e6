"""The broker: sole holder of access tokens.

A token is opaque, stands in the database as its SHA-256 alone, belongs to one installation and one
account, expires, and dies with the grant it was minted for.
"""

import hashlib
import hmac
import json
import threading
from dataclasses import dataclass, field

from pydantic import SecretStr
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    String,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from runtime.clock import Clock
from runtime.database import joined, metadata
from runtime.ids import Ids
from runtime.installation.store import app_version_table, installation_table
from runtime.policy.scopes import Bound, forge_bounds
from runtime.tokens.handed import BEARER_KINDS, HandedTokens
from runtime.tokens.rates import TokenRates

ACCESS_TOKEN_LIFETIME_S = 3600.0  # the platform's own, see RFC 6749 section 4.2.2 `expires_in`
REUSE_MARGIN_S = 300.0  # a token this close to its end is not handed out again

access_token_table = Table(
    "access_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("installation_id", String(64), nullable=False, index=True),
    Column("app_id", String(128), nullable=False),
    Column("cloud_id", String(64), nullable=False),
    Column("account_id", String(128), nullable=False, index=True),
    Column("scopes", Text, nullable=False),
    Column("expires_at_s", Float, nullable=False),
    Column("revoked", Boolean, nullable=False, default=False),
)


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a token stands for.

    Attributes:
        installation_id: The installation it was minted for.
        app_id: The app.
        cloud_id: The only site it is valid on.
        account_id: The account it acts as.
        scopes: Upper bound on its scopes.
        bounds: What bounds them beside it, where that is known.
    """

    installation_id: str
    app_id: str
    cloud_id: str
    account_id: str
    scopes: frozenset[str]
    bounds: tuple[Bound, ...] = field(default=(), compare=False)


class TokenBroker:
    """Mints, verifies and revokes access tokens.

    Args:
        engine: The state database.
        clock: Decides about expiry.
        ids: Makes the random part.
    """

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._held: dict[TokenGrant, tuple[SecretStr, float]] = {}
        self.handed = HandedTokens(engine, clock, ids)
        self.rates = TokenRates(engine, clock)

    def access_token(self, grant: TokenGrant) -> SecretStr:
        """Return a token for a grant: the one held if it lives long enough, else a new one."""
        now_s = self._clock.now_s()
        with self._lock:
            held = self._held.get(grant)
            if held is not None and held[1] - REUSE_MARGIN_S > now_s:
                return held[0]
            token = self._mint(grant, now_s + ACCESS_TOKEN_LIFETIME_S)
            self._held[grant] = (token, now_s + ACCESS_TOKEN_LIFETIME_S)
            return token

    def verify(self, token: SecretStr) -> TokenGrant | None:
        """Return what a token stands for at this moment; None if unknown, expired or revoked.

        Its scopes are those it was minted with, cut down to what the installation is granted and
        its running version declares now; a token of an ended installation stands for nothing. What
        was handed out to an app outside counts too, if the gateway takes its kind.
        """
        return self._own(token) or self._handed_out(token)

    def _handed_out(self, token: SecretStr) -> TokenGrant | None:
        found = self.handed.find(token, BEARER_KINDS)
        if found is None or found.handing.account_id is None:
            return None
        handing = found.handing
        return TokenGrant(
            installation_id=handing.installation_id,
            app_id=handing.app_id,
            cloud_id=handing.cloud_id,
            account_id=found.handing.account_id,
            scopes=handing.scopes,
            bounds=found.bounds,
        )

    def _own(self, token: SecretStr) -> TokenGrant | None:
        digest = _digest(token)
        with self._engine.connect() as connection:
            row = connection.execute(_BY_HASH, {"wanted": digest}).one_or_none()
        if row is None or not hmac.compare_digest(row.token_hash, digest):
            return None
        if row.revoked or row.expires_at_s <= self._clock.now_s():
            return None
        declared, granted = frozenset(json.loads(row.declared)), frozenset(json.loads(row.granted))
        return TokenGrant(
            installation_id=row.installation_id,
            app_id=row.app_id,
            cloud_id=row.cloud_id,
            account_id=row.account_id,
            scopes=frozenset(json.loads(row.scopes)) & declared & granted,
            bounds=forge_bounds(declared, granted),
        )

    def revoke_installation(self, installation_id: str, inside: Connection | None = None) -> int:
        """Revoke every token of an installation; return how many were alive.

        Args:
            installation_id: The installation.
            inside: The caller's transaction; None for one of its own.
        """
        with self._lock:
            self._held = {
                grant: held
                for grant, held in self._held.items()
                if grant.installation_id != installation_id
            }
        table = access_token_table.c
        with joined(self._engine, inside) as connection:
            handed = self.handed.revoke_installation(installation_id, connection)
            return handed + self._revoke(table.installation_id == installation_id, connection)

    def revoke_account(self, account_id: str) -> int:
        """Revoke every token that acts as an account; return how many were alive."""
        with self._lock:
            self._held = {
                grant: held for grant, held in self._held.items() if grant.account_id != account_id
            }
        handed = self.handed.revoke_account(account_id)
        return handed + self._revoke(access_token_table.c.account_id == account_id, None)

    def live_tokens(self) -> tuple[SecretStr, ...]:
        """Return the tokens this process holds: what a leak search looks for."""
        with self._lock:
            return tuple(token for token, _ in self._held.values())

    def live_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every token that is valid now, in whatever process it lives."""
        table = access_token_table.c
        query = select(table.token_hash).where(
            ~table.revoked, table.expires_at_s > self._clock.now_s()
        )
        with self._engine.connect() as connection:
            own = frozenset(connection.execute(query).scalars())
        return own | self.handed.live_digests()

    def _mint(self, grant: TokenGrant, expires_at_s: float) -> SecretStr:
        token = self._ids.token("at")
        with self._engine.begin() as connection:
            connection.execute(
                insert(access_token_table).values(
                    token_hash=_digest(token),
                    installation_id=grant.installation_id,
                    app_id=grant.app_id,
                    cloud_id=grant.cloud_id,
                    account_id=grant.account_id,
                    scopes=json.dumps(sorted(grant.scopes)),
                    expires_at_s=expires_at_s,
                    revoked=False,
                )
            )
        return token

    def _revoke(self, condition: ColumnElement[bool], inside: Connection | None) -> int:
        table = access_token_table.c
        with joined(self._engine, inside) as connection:
            return connection.execute(
                update(access_token_table).where(condition, ~table.revoked).values(revoked=True)
            ).rowcount


def _digest(token: SecretStr) -> str:
    return hashlib.sha256(token.get_secret_value().encode()).hexdigest()


_BY_HASH = (
    select(
        access_token_table,
        installation_table.c.granted,
        app_version_table.c.scopes.label("declared"),
    )
    .join(installation_table, installation_table.c.id == access_token_table.c.installation_id)
    .join(app_version_table, app_version_table.c.id == installation_table.c.version_id)
    .where(access_token_table.c.token_hash == bindparam("wanted"), installation_table.c.active)
)
