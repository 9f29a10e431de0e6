"""Forge tokens that leave this process: an app outside of the sandbox holds them itself.

Each is opaque, stands in the database as its SHA-256 alone, belongs to one installation, expires,
and is worth at every moment what that installation may do at that moment. None of them is a token
that the gateway attaches for apps inside the sandbox.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Row,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from runtime.clock import Clock
from runtime.database import joined, metadata
from runtime.ids import Ids
from runtime.installation.consents import consent_table
from runtime.installation.store import app_version_table, installation_table
from runtime.policy.consent import decide_consent
from runtime.policy.impersonation import impersonable
from runtime.policy.scopes import Bound, forge_bounds

HandedKind = Literal["system", "user", "offline", "proxy"]
"""``system``: the app's own account. ``user``: whoever invoked it. ``offline``: another user, by
impersonation. ``proxy``: one invocation at the proxy, and no account anywhere else."""

BEARER_KINDS: tuple[HandedKind, ...] = ("system", "user", "offline")
"""What the gateway takes as ``Authorization: Bearer``."""

_TOKEN_KIND: dict[HandedKind, str] = {
    "system": "fst", "user": "fut", "offline": "fot", "proxy": "fpt",
}  # fmt: skip

KEPT_S = 86_400.0  # after its end
_FORM = re.compile(r"fbk_f[suop]t_[0-9a-f]{64}")

handed_token_table = Table(
    "handed_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("installation_id", String(64), nullable=False, index=True),
    Column("app_id", String(254), nullable=False),
    Column("cloud_id", String(64), nullable=False),
    Column("account_id", String(128), index=True),
    Column("scopes", Text, nullable=False),
    Column("invocation_id", String(64), index=True),
    Column("function_key", String(256)),
    Column("issued_at_s", Float, nullable=False),
    Column("expires_at_s", Float, nullable=False),
    Column("revoked", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Handing:
    """What a token is made for.

    Attributes:
        kind: What it may be used for.
        installation_id: The installation.
        app_id: The app.
        cloud_id: The only site it is valid on.
        account_id: Whom it acts as; None for a proxy token of an invocation without a user.
        scopes: Upper bound on its scopes.
        invocation_id: The invocation it belongs to; None if it outlives one.
        function_key: The function it was made for.
    """

    kind: HandedKind
    installation_id: str
    app_id: str
    cloud_id: str
    account_id: str | None
    scopes: frozenset[str]
    invocation_id: str | None = None
    function_key: str | None = None


@dataclass(frozen=True, slots=True)
class HandedToken:
    """What a token stands for at this moment.

    Attributes:
        handing: What it was made for, its scopes cut down to what is in force now.
        app_account_id: The app's own account on the site.
        expires_at_s: When it ends, in seconds since 1970.
        bounds: What bounds its scopes beside what it was made for.
    """

    handing: Handing
    app_account_id: str
    expires_at_s: float
    bounds: tuple[Bound, ...] = ()


class HandedTokens:
    """Makes, verifies and revokes tokens that are handed out.

    Args:
        engine: The state database.
        clock: Decides about expiry.
        ids: Makes the random part.
    """

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids

    def issue(
        self, handing: Handing, lifetime_s: float, inside: Connection | None = None
    ) -> SecretStr:
        """Return a new token; only its hash is kept. What ended long ago is forgotten.

        Args:
            handing: What it is for.
            lifetime_s: How long it lives, in seconds.
            inside: The caller's transaction; None for one of its own.
        """
        token, now_s = self._ids.token(_TOKEN_KIND[handing.kind]), self._clock.now_s()
        with joined(self._engine, inside) as connection:
            connection.execute(_REMOVE, {"before_s": now_s - KEPT_S})
            connection.execute(
                insert(handed_token_table).values(
                    token_hash=_digest(token),
                    kind=handing.kind,
                    installation_id=handing.installation_id,
                    app_id=handing.app_id,
                    cloud_id=handing.cloud_id,
                    account_id=handing.account_id,
                    scopes=json.dumps(sorted(handing.scopes)),
                    invocation_id=handing.invocation_id,
                    function_key=handing.function_key,
                    issued_at_s=now_s,
                    expires_at_s=now_s + lifetime_s,
                    revoked=False,
                )
            )
        return token

    def find(self, token: SecretStr, kinds: tuple[HandedKind, ...]) -> HandedToken | None:
        """Return what a token of these kinds stands for now; None if it stands for nothing.

        It stands for nothing when it is unknown, of another kind, expired or revoked, when its
        installation has ended, when the user it acts as has not consented where the installation
        asks for it, and when the app may not impersonate any more, for one that came by that.
        """
        if not _FORM.fullmatch(token.get_secret_value()):
            return None
        digest = _digest(token)
        with self._engine.connect() as connection:
            row = connection.execute(_BY_HASH, {"wanted": digest}).one_or_none()
        if row is None or not hmac.compare_digest(row.token_hash, digest):
            return None
        if row.kind not in kinds or row.revoked or row.expires_at_s <= self._clock.now_s():
            return None
        return _alive(row)

    def revoke_installation(self, installation_id: str, inside: Connection | None = None) -> int:
        """Revoke every token of an installation; return how many were not revoked yet."""
        return self._revoke(handed_token_table.c.installation_id == installation_id, inside)

    def revoke_account(self, account_id: str) -> int:
        """Revoke every token that acts as an account; return how many were not revoked yet."""
        return self._revoke(handed_token_table.c.account_id == account_id, None)

    def revoke_invocation(self, invocation_id: str) -> int:
        """Revoke every token of an invocation; return how many were not revoked yet."""
        return self._revoke(handed_token_table.c.invocation_id == invocation_id, None)

    def list_open(self) -> tuple[tuple[Handing, float], ...]:
        """Return the proxy tokens that are alive and when each ends, the oldest first."""
        table = handed_token_table.c
        query = (
            select(handed_token_table)
            .where(table.kind == "proxy", ~table.revoked, table.expires_at_s > self._clock.now_s())
            .order_by(table.issued_at_s)
        )
        with self._engine.connect() as connection:
            return tuple(
                (_handing(row, frozenset(json.loads(row.scopes))), row.expires_at_s)
                for row in connection.execute(query)
            )

    def live_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every token that is valid now."""
        table = handed_token_table.c
        query = select(table.token_hash).where(
            ~table.revoked, table.expires_at_s > self._clock.now_s()
        )
        with self._engine.connect() as connection:
            return frozenset(connection.execute(query).scalars())

    def _revoke(self, condition: ColumnElement[bool], inside: Connection | None) -> int:
        table = handed_token_table.c
        with joined(self._engine, inside) as connection:
            return connection.execute(
                update(handed_token_table).where(condition, ~table.revoked).values(revoked=True)
            ).rowcount


def _alive(row: Row[tuple[object, ...]]) -> HandedToken | None:
    values = row._mapping
    declared: dict[str, bool] = json.loads(values["declared"])
    granted = frozenset(json.loads(values["granted"]))
    in_force = {scope: flag for scope, flag in declared.items() if scope in granted}
    scopes = frozenset(json.loads(values["scopes"])) & in_force.keys()
    if values["kind"] == "offline":
        scopes &= impersonable(in_force)
        if not scopes:
            return None
    agreed = values["agreed"]
    consent = decide_consent(
        asked=values["user_consent"],
        acting_as_invoker=values["kind"] == "user",
        needed=frozenset(in_force),
        consented=None if agreed is None else frozenset(json.loads(agreed)),
    )
    if not consent.allowed:
        return None
    return HandedToken(
        _handing(row, scopes),
        values["app_account_id"],
        values["expires_at_s"],
        forge_bounds(declared.keys(), granted),
    )


def _handing(row: Row[tuple[object, ...]], scopes: frozenset[str]) -> Handing:
    values = row._mapping
    return Handing(
        kind=values["kind"],
        installation_id=values["installation_id"],
        app_id=values["app_id"],
        cloud_id=values["cloud_id"],
        account_id=values["account_id"],
        scopes=scopes,
        invocation_id=values["invocation_id"],
        function_key=values["function_key"],
    )


def _digest(token: SecretStr) -> str:
    return hashlib.sha256(token.get_secret_value().encode()).hexdigest()


_REMOVE = delete(handed_token_table).where(
    handed_token_table.c.expires_at_s <= bindparam("before_s")
)
_BY_HASH = (
    select(
        handed_token_table,
        installation_table.c.granted,
        installation_table.c.user_consent,
        installation_table.c.app_account_id,
        app_version_table.c.scopes.label("declared"),
        consent_table.c.scopes.label("agreed"),
    )
    .join(installation_table, installation_table.c.id == handed_token_table.c.installation_id)
    .join(app_version_table, app_version_table.c.id == installation_table.c.version_id)
    .outerjoin(
        consent_table,
        and_(
            consent_table.c.installation_id == handed_token_table.c.installation_id,
            consent_table.c.account_id == handed_token_table.c.account_id,
        ),
    )
    .where(handed_token_table.c.token_hash == bindparam("wanted"), installation_table.c.active)
)
