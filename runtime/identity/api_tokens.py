"""API tokens of people, for scripts with basic authentication.

A token without scopes has its owner's whole power and is valid on the site's host; a token with
scopes is valid on the gateway alone.
"""

import hashlib
import hmac
from collections.abc import Set
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    Float,
    String,
    Table,
    Text,
    bindparam,
    insert,
    select,
    true,
    update,
)

from runtime.clock import Clock
from runtime.database import metadata
from runtime.errors import ForgeError
from runtime.identity.accounts import Account, account_table
from runtime.identity.token_policy import (
    DEFAULT_POLICY,
    MAX_LIFETIME_DAYS,
    TokenPolicy,
    find_policy,
    token_policy_table,
)
from runtime.ids import Ids

DAY_S = 86_400.0
DEFAULT_LIFETIME_DAYS = 365  # tokens made since 15 December 2024 live one year by default
MAX_LABEL_CHARACTERS = 254  # what the column holds

api_token_table = Table(
    "api_token",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("account_id", String(128), nullable=False, index=True),
    Column("label", String(MAX_LABEL_CHARACTERS), nullable=False),
    Column("created_at_s", Float, nullable=False),
    Column("expires_at_s", Float, nullable=False),
    Column("revoked", Boolean, nullable=False, default=False),
    Column("scopes", Text),  # separated by blanks; NULL where the token is not scoped
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
        scopes: What it may do at most; None for all that its owner may.
    """

    id: str
    account_id: str
    label: str
    created_at_s: float
    expires_at_s: float
    revoked: bool
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A live token that was shown together with its owner's e-mail.

    Attributes:
        account: Its owner.
        scopes: What it may do at most; None for all that its owner may.
        token_id: Which of the owner's it is.
    """

    account: Account
    scopes: frozenset[str] | None
    token_id: str | None = None


class ApiTokens:
    """Creates, lists, revokes and verifies API tokens.

    Args:
        engine: The state database.
        clock: Decides about expiry.
        ids: Makes ids and secrets.
        ceiling: What the settings allow; admins may have narrowed it.
    """

    def __init__(
        self, engine: Engine, clock: Clock, ids: Ids, ceiling: TokenPolicy = DEFAULT_POLICY
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self._ceiling = ceiling

    def policy(self) -> TokenPolicy:
        """Return what the organisation allows now."""
        return find_policy(self._engine, self._ceiling)

    def ends_at_s(self, token: ApiToken) -> float:
        """Return when a token ends: as it was made, or sooner if the organisation says so."""
        return _end_s(token.created_at_s, token.expires_at_s, self.policy())

    def create(
        self,
        account: Account,
        label: str,
        lifetime_days: int | None = None,
        scopes: Set[str] | None = None,
    ) -> tuple[ApiToken, SecretStr]:
        """Make a token; its secret is returned this once and stored as a hash.

        Args:
            account: Its owner.
            label: What the owner calls it.
            lifetime_days: A year if None, or as long as the organisation allows.
            scopes: What it may do at most; None for a token that is not scoped.

        Raises:
            ForgeError: ``BAD_TOKEN_OWNER`` for an app or a deactivated account, and for a service
                account without scopes,
                ``BAD_TOKEN_LABEL`` for an empty, too long or unprintable one,
                ``BAD_TOKEN_LIFETIME`` outside 1 to 365 days or what the organisation allows,
                ``TOKENS_FORBIDDEN`` where the organisation allows none.
        """
        policy = self.policy()
        longest = min(MAX_LIFETIME_DAYS, policy.max_days)
        days = min(DEFAULT_LIFETIME_DAYS, longest) if lifetime_days is None else lifetime_days
        if not policy.allowed:
            raise ForgeError("TOKENS_FORBIDDEN", "The organisation allows no API tokens.")
        _check(account, label, days, longest)
        if account.is_service and scopes is None:
            raise ForgeError(
                "BAD_TOKEN_OWNER",
                f"{account.display_name} is a service account: its tokens need scopes.",
            )
        now_s = self._clock.now_s()
        secret = self._ids.token("pat")
        token = ApiToken(
            id=self._ids.uuid(),
            account_id=account.account_id,
            label=label,
            created_at_s=now_s,
            expires_at_s=now_s + days * DAY_S,
            revoked=False,
            scopes=None if scopes is None else frozenset(scopes),
        )
        self._store(token, secret)
        return token, secret

    def _store(self, token: ApiToken, secret: SecretStr) -> None:
        values = {name: getattr(token, name) for name in ApiToken.__dataclass_fields__}
        values["scopes"] = None if token.scopes is None else " ".join(sorted(token.scopes))
        values["token_hash"] = _digest(secret.get_secret_value())
        with self._engine.begin() as connection:
            connection.execute(insert(api_token_table).values(values))

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
            table.scopes,
        ).order_by(table.created_at_s, table.id)
        if account_id is not None:
            query = query.where(table.account_id == account_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(ApiToken(*row[:-1], scopes=_scopes(row.scopes)) for row in rows)

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

    def verify(self, email: str, secret: SecretStr) -> VerifiedToken | None:
        """Return whose token this is; None if it is not a live token of that e-mail's account.

        The e-mail is compared in any case, the token in constant time, and the work done does not
        depend on which of the two was wrong. What the organisation allows is asked each time.
        """
        held = self._find(secret)
        known = "" if held is None else str(held.account.email).lower()
        matches = hmac.compare_digest(known.encode(), email.lower().encode())
        return held if matches else None

    def verify_bearer(self, secret: SecretStr) -> VerifiedToken | None:
        """Return whose token this is without an e-mail; None but for those of service accounts."""
        held = self._find(secret)
        usable = held is not None and held.account.is_service and held.scopes is not None
        return held if usable else None

    def _find(self, secret: SecretStr) -> VerifiedToken | None:
        digest = _digest(secret.get_secret_value())
        with self._engine.connect() as connection:
            row = connection.execute(_BY_HASH, {"wanted": digest}).one_or_none()
        if row is None:
            return None
        policy = self._ceiling.narrowed(row.policy_allowed, row.policy_max_days)
        ends_at_s = _end_s(row.created_at_s, row.expires_at_s, policy)
        if not self._is_live(policy, revoked=row.revoked, ends_at_s=ends_at_s):
            return None
        return VerifiedToken(Account(*row[len(_TOKEN_COLUMNS) :]), _scopes(row.scopes), row.id)

    def standing(self, token: ApiToken, owner: Account) -> VerifiedToken | None:
        """Return what a token would prove now, were it shown; None if nothing."""
        policy = self.policy()
        ends_at_s = _end_s(token.created_at_s, token.expires_at_s, policy)
        if not self._is_live(policy, revoked=token.revoked, ends_at_s=ends_at_s):
            return None
        return VerifiedToken(owner, token.scopes, token.id)

    def _is_live(self, policy: TokenPolicy, *, revoked: bool, ends_at_s: float) -> bool:
        return policy.allowed and not revoked and ends_at_s > self._clock.now_s()

    def live_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every API token that is valid now."""
        table = api_token_table.c
        query = select(table.token_hash).where(
            ~table.revoked, table.expires_at_s > self._clock.now_s()
        )
        with self._engine.connect() as connection:
            return frozenset(connection.execute(query).scalars())


def _check(account: Account, label: str, days: int, longest: int) -> None:
    if account.account_type != "atlassian" or not account.active:
        raise ForgeError(
            "BAD_TOKEN_OWNER",
            f"{account.display_name} cannot own API tokens: only an active person can.",
        )
    if not 1 <= len(label) <= MAX_LABEL_CHARACTERS or not label.isprintable():
        raise ForgeError(
            "BAD_TOKEN_LABEL",
            f"A label has 1 to {MAX_LABEL_CHARACTERS} characters, all of them printable.",
        )
    if not 1 <= days <= longest:
        raise ForgeError("BAD_TOKEN_LIFETIME", f"A token lives 1 to {longest} days, not {days}.")


def _end_s(created_at_s: float, expires_at_s: float, policy: TokenPolicy) -> float:
    """Return when a token ends: as it was made, or sooner if the organisation says so."""
    return min(expires_at_s, created_at_s + policy.max_days * DAY_S)


def _scopes(stored: str | None) -> frozenset[str] | None:
    return None if stored is None else frozenset(stored.split())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


_TOKEN_COLUMNS = (
    api_token_table.c.revoked,
    api_token_table.c.created_at_s,
    api_token_table.c.expires_at_s,
    api_token_table.c.scopes,
    api_token_table.c.id,
    token_policy_table.c.allowed.label("policy_allowed"),
    token_policy_table.c.max_days.label("policy_max_days"),
)
_BY_HASH = (
    select(*_TOKEN_COLUMNS, account_table)
    .select_from(api_token_table)
    .outerjoin(token_policy_table, true())
    .join(account_table, account_table.c.account_id == api_token_table.c.account_id)
    .where(api_token_table.c.token_hash == bindparam("wanted"))
)
