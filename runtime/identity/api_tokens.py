"""API tokens of people, for scripts with basic authentication."""

import hashlib
import hmac
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    Float,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from runtime.clock import Clock
from runtime.database import metadata
from runtime.errors import ForgeError
from runtime.identity.accounts import Account, account_table
from runtime.ids import Ids

DAY_S = 86_400.0
DEFAULT_LIFETIME_DAYS = 365  # tokens made since 15 December 2024 live one year by default
MAX_LIFETIME_DAYS = 365

api_token_table = Table(
    "api_token",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("account_id", String(128), nullable=False, index=True),
    Column("label", String(254), nullable=False),
    Column("created_at_s", Float, nullable=False),
    Column("expires_at_s", Float, nullable=False),
    Column("revoked", Boolean, nullable=False, default=False),
)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One API token, without its secret.

    Attributes:
        id: Names the token in lists and for revocation.
        account_id: Its owner.
        label: What the owner called it.
        created_at_s: When it was made, in seconds since 1970.
        expires_at_s: When it ends.
        revoked: Whether it was taken back.
    """

    id: str
    account_id: str
    label: str
    created_at_s: float
    expires_at_s: float
    revoked: bool


class ApiTokens:
    """Creates, lists, revokes and verifies API tokens.

    Args:
        engine: The state database.
        clock: Decides about expiry.
        ids: Makes ids and secrets.
    """

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids

    def create(
        self, account: Account, label: str, lifetime_days: int = DEFAULT_LIFETIME_DAYS
    ) -> tuple[ApiToken, SecretStr]:
        """Make a token; its secret is returned this once and stored as a hash.

        Raises:
            ForgeError: ``BAD_TOKEN_OWNER`` for an app or a deactivated account,
                ``BAD_TOKEN_LIFETIME`` outside 1 to 365 days.
        """
        if account.account_type != "atlassian" or not account.active:
            raise ForgeError(
                "BAD_TOKEN_OWNER",
                f"{account.display_name} cannot own API tokens: only an active person can.",
            )
        if not 1 <= lifetime_days <= MAX_LIFETIME_DAYS:
            raise ForgeError(
                "BAD_TOKEN_LIFETIME",
                f"A token lives 1 to {MAX_LIFETIME_DAYS} days, not {lifetime_days}.",
            )
        now_s = self._clock.now_s()
        secret = self._ids.token("pat")
        token = ApiToken(
            self._ids.uuid(), account.account_id, label, now_s, now_s + lifetime_days * DAY_S, False
        )
        with self._engine.begin() as connection:
            connection.execute(
                insert(api_token_table).values(
                    id=token.id,
                    token_hash=_digest(secret.get_secret_value()),
                    account_id=token.account_id,
                    label=label,
                    created_at_s=token.created_at_s,
                    expires_at_s=token.expires_at_s,
                    revoked=False,
                )
            )
        return token, secret

    def list(self, account_id: str | None = None) -> tuple[ApiToken, ...]:
        """Return the tokens of an account, or of all, oldest first."""
        table = api_token_table.c
        query = select(
            table.id,
            table.account_id,
            table.label,
            table.created_at_s,
            table.expires_at_s,
            table.revoked,
        ).order_by(table.created_at_s, table.id)
        if account_id is not None:
            query = query.where(table.account_id == account_id)
        with self._engine.connect() as connection:
            return tuple(ApiToken(**row._mapping) for row in connection.execute(query))

    def revoke(self, token_id: str) -> bool:
        """Revoke a token at once; return whether it was alive."""
        table = api_token_table.c
        with self._engine.begin() as connection:
            return bool(
                connection.execute(
                    update(api_token_table)
                    .where(table.id == token_id, ~table.revoked)
                    .values(revoked=True)
                ).rowcount
            )

    def verify(self, email: str, secret: SecretStr) -> Account | None:
        """Return whose token this is; None if it is not a live token of that e-mail's account.

        The e-mail is compared in any case, the token in constant time, and the work done does not
        depend on which of the two was wrong.
        """
        digest = _digest(secret.get_secret_value())
        with self._engine.connect() as connection:
            row = connection.execute(_BY_HASH, {"wanted": digest}).one_or_none()
        owner = None if row is None else Account(*row[2:])
        known = "" if owner is None else str(owner.email).lower()
        matches = hmac.compare_digest(known.encode(), email.lower().encode())
        if row is None or not matches or row.revoked or row.expires_at_s <= self._clock.now_s():
            return None
        return owner

    def live_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every API token that is valid now."""
        table = api_token_table.c
        query = select(table.token_hash).where(
            ~table.revoked, table.expires_at_s > self._clock.now_s()
        )
        with self._engine.connect() as connection:
            return frozenset(connection.execute(query).scalars())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


_BY_HASH = (
    select(api_token_table.c.revoked, api_token_table.c.expires_at_s, account_table)
    .join(account_table, account_table.c.account_id == api_token_table.c.account_id)
    .where(api_token_table.c.token_hash == bindparam("wanted"))
)
