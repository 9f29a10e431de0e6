"""Codes, refresh tokens and access tokens: families of what one code led to."""

from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from runtime.clock import Clock
from runtime.identity.oauth.blocks import blocked_sites
from runtime.identity.oauth.schema import (
    access_table,
    client_table,
    code_table,
    digest,
    family_table,
    grant_site_table,
    grant_table,
    joined_scopes,
    refresh_table,
    split_scopes,
)
from runtime.identity.oauth.store import drop_families, load_grants
from runtime.identity.oauth.values import (
    DAY_S,
    OFFLINE,
    AuthorizeRequest,
    Grant,
    Lifetimes,
    OAuthClient,
    TokenAnswer,
    TokenHolder,
)
from runtime.ids import Ids
from runtime.policy.scopes import Bound

_ADD = "the app's owner can add it in the developer console ('firebrick oauth app update')"
_CONSENT = "the user can consent to it, when the app asks ('firebrick oauth authorize')"
NO_GRANT = ""  # looked up where there is no code or token: unknown takes as long as foreign
KEPT_AFTER_END_S = DAY_S  # a code used twice is still recognized for that long


@dataclass(frozen=True, slots=True)
class Code:
    """A stored authorization code.

    Attributes:
        code_hash: Its key.
        client_id: Whom it was issued to.
        grant: The consent behind it.
        redirect_uri: Where it was sent.
        challenge: Its PKCE challenge, if one.
        scopes: What was consented to with it.
        expires_at_s: When it ends.
        family_id: What its use led to; None while it is unused.
    """

    code_hash: str
    client_id: str
    grant: Grant
    redirect_uri: str
    challenge: str | None
    scopes: frozenset[str]
    expires_at_s: float
    family_id: str | None


@dataclass(frozen=True, slots=True)
class Family:
    """What one code led to.

    Attributes:
        id: Its key.
        grant: The consent behind it.
        scopes: What the code was consented with.
        started_at_s: When the code was used.
    """

    id: str
    grant: Grant
    scopes: frozenset[str]
    started_at_s: float


@dataclass(frozen=True, slots=True)
class Refresh:
    """A stored refresh token.

    Attributes:
        token_hash: Its key.
        family: Its family.
        issued_at_s: When it was issued.
        used_at_s: When it was first used; None if it never was.
    """

    token_hash: str
    family: Family
    issued_at_s: float
    used_at_s: float | None


class OAuthTokens:
    """Issues and finds codes and tokens.

    Args:
        engine: The state database.
        clock: Decides about expiry.
        ids: Makes secrets.
        lifetimes: How long things live.
    """

    def __init__(self, engine: Engine, clock: Clock, ids: Ids, lifetimes: Lifetimes) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self.lifetimes = lifetimes

    def issue_code(
        self, connection: Connection, request: AuthorizeRequest, grant: Grant
    ) -> SecretStr:
        """Make a code for a consent."""
        now_s = self._clock.now_s()
        code = self._ids.token("code")
        old = code_table.c.expires_at_s < now_s - KEPT_AFTER_END_S
        connection.execute(delete(code_table).where(old))
        connection.execute(
            insert(code_table).values(
                code_hash=digest(code),
                client_id=request.client.client_id,
                grant_id=grant.id,
                redirect_uri=request.redirect_uri,
                challenge=request.challenge,
                scopes=joined_scopes(frozenset(request.scopes)),
                expires_at_s=now_s + self.lifetimes.code_s,
            )
        )
        return code

    def find_code(self, connection: Connection, code: SecretStr) -> Code | None:
        """Return a code, however old or used, as long as its consent stands."""
        query = select(code_table).where(code_table.c.code_hash == digest(code))
        row = connection.execute(query).one_or_none()
        grant = _grant(connection, NO_GRANT if row is None else row.grant_id)
        if row is None or grant is None:
            return None
        return Code(
            code_hash=row.code_hash,
            client_id=row.client_id,
            grant=grant,
            redirect_uri=row.redirect_uri,
            challenge=row.challenge,
            scopes=split_scopes(row.scopes),
            expires_at_s=row.expires_at_s,
            family_id=row.family_id,
        )

    def use_code(self, connection: Connection, code: Code, client: OAuthClient) -> TokenAnswer:
        """Use a code up, and issue the first tokens of its family."""
        now_s = self._clock.now_s()
        family = Family(self._ids.uuid(), code.grant, code.scopes, now_s)
        connection.execute(
            insert(family_table).values(
                id=family.id,
                grant_id=code.grant.id,
                scopes=joined_scopes(family.scopes),
                started_at_s=now_s,
            )
        )
        connection.execute(
            update(code_table)
            .where(code_table.c.code_hash == code.code_hash)
            .values(family_id=family.id)
        )
        return self.issue(connection, family, client, family.scopes)

    def find_refresh(self, connection: Connection, token: SecretStr) -> Refresh | None:
        """Return a refresh token, however old or used, as long as its family lives."""
        query = (
            select(refresh_table, family_table)
            .join(family_table, family_table.c.id == refresh_table.c.family_id)
            .where(refresh_table.c.token_hash == digest(token))
        )
        row = connection.execute(query).one_or_none()
        grant = _grant(connection, NO_GRANT if row is None else row.grant_id)
        if row is None or grant is None:
            return None
        family = Family(row.family_id, grant, split_scopes(row.scopes), row.started_at_s)
        return Refresh(row.token_hash, family, row.issued_at_s, row.used_at_s)

    def use_refresh(
        self,
        connection: Connection,
        refresh: Refresh,
        client: OAuthClient,
        wanted: frozenset[str],
    ) -> TokenAnswer:
        """Rotate: mark a refresh token as used and issue its successors."""
        connection.execute(
            update(refresh_table)
            .where(
                refresh_table.c.token_hash == refresh.token_hash,
                refresh_table.c.used_at_s.is_(None),
            )
            .values(used_at_s=self._clock.now_s())
        )
        return self.issue(connection, refresh.family, client, wanted)

    def issue(
        self, connection: Connection, family: Family, client: OAuthClient, wanted: frozenset[str]
    ) -> TokenAnswer:
        """Issue an access token, and a refresh token if that was consented to.

        Its scopes are those wanted that the consent and the app have now.
        """
        now_s = self._clock.now_s()
        scopes = wanted & in_force(family.grant.scopes, client.scopes)
        access = self._ids.token("at")
        table = access_table.c
        connection.execute(
            delete(access_table).where(table.family_id == family.id, table.expires_at_s <= now_s)
        )
        connection.execute(
            insert(access_table).values(
                token_hash=digest(access),
                family_id=family.id,
                scopes=joined_scopes(scopes),
                expires_at_s=now_s + self.lifetimes.access_s,
            )
        )
        refresh = None
        if OFFLINE in family.scopes & family.grant.scopes:
            refresh = self._ids.token("rt")
            connection.execute(
                insert(refresh_table).values(
                    token_hash=digest(refresh), family_id=family.id, issued_at_s=now_s
                )
            )
        return TokenAnswer(
            access_token=access,
            expires_in_s=int(self.lifetimes.access_s),
            scopes=scopes,
            refresh_token=refresh,
            client_id=client.client_id,
            account_id=family.grant.account_id,
        )

    def drop_family(self, connection: Connection, family_id: str) -> None:
        """End a family: whoever holds its tokens holds nothing from now on."""
        drop_families(connection, family_table.c.id == family_id)

    def verify(self, token: SecretStr) -> TokenHolder | None:
        """Return what an access token stands for now; None if for nothing.

        A token of an app that has become private stands for nothing, save for its owner; nor does
        it where an administrator blocks the app.
        """
        held = self.find(token)
        return None if held is None or held.is_dead() else held

    def find(self, token: SecretStr) -> TokenHolder | None:
        """Return what an access token is of, blocked or not; None if unknown, ended or revoked.

        The token's scopes count as far as the newest consent and the app have them now.
        """
        asked = {"hash": digest(token), "now": self._clock.now_s()}
        with self._engine.connect() as connection:
            rows = connection.execute(_HOLDER, asked).all()
            if not rows:
                return None
            found = rows[0]
            client = OAuthClient(
                found.client_id, "", found.owner_account_id,
                scopes=split_scopes(found.of_client), distribution=found.distribution,
            )  # fmt: skip
            sites = frozenset(row.cloud_id for row in rows if row.cloud_id)
            grant = Consented(found.account_id, split_scopes(found.granted), sites)
            return holder_of(connection, client, grant, split_scopes(found.carried))

    def standing(self, client: OAuthClient, account_id: str, cloud_id: str) -> TokenHolder | None:
        """Return what a token newly issued to an app for a user would be of; None if none could be.

        Where there is a grant for each site, that of the site counts.
        """
        table = grant_table.c
        mine = (table.client_id == client.client_id) & (table.account_id == account_id)
        with self._engine.connect() as connection:
            grants = load_grants(connection, mine)
            if not grants:
                return None
            grant = next((one for one in grants if cloud_id in one.cloud_ids), grants[0])
            consented = Consented(account_id, grant.scopes, grant.cloud_ids)
            carried = in_force(grant.scopes, client.scopes)
            return holder_of(connection, client, consented, carried)

    def live_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every code and token that is valid now, and of client secrets."""
        now_s = self._clock.now_s()
        code, table = code_table.c, access_table.c
        queries = (
            select(code.code_hash).where(code.family_id.is_(None), code.expires_at_s > now_s),
            select(refresh_table.c.token_hash),
            select(table.token_hash).where(table.expires_at_s > now_s),
            select(client_table.c.secret_hash),
        )
        with self._engine.connect() as connection:
            return frozenset(found for query in queries for found in connection.scalars(query))


@dataclass(frozen=True, slots=True)
class Consented:
    """What a user allows an app, as far as its tokens depend on it.

    Attributes:
        account_id: The user.
        scopes: Scopes of the newest consent.
        cloud_ids: The sites.
    """

    account_id: str
    scopes: frozenset[str]
    cloud_ids: frozenset[str]


def holder_of(
    connection: Connection, client: OAuthClient, grant: Consented, carried: frozenset[str]
) -> TokenHolder:
    """Return what a token stands for now.

    Args:
        connection: The database.
        client: The app, as it is now.
        grant: The consent, as it is now.
        carried: Scopes the token was issued with.
    """
    blocked = blocked_sites(connection, client.client_id)
    private = not client.may_be_used_by(grant.account_id)
    return TokenHolder(
        client_id=client.client_id,
        account_id=grant.account_id,
        scopes=carried & in_force(grant.scopes, client.scopes),
        cloud_ids=grant.cloud_ids - blocked,
        carried=len(carried),
        blocked=blocked,
        private_to=client.owner_account_id if private else None,
        bounds=(
            Bound("scope.undeclared", client.scopes | {OFFLINE}, _ADD),
            Bound("scope.unconsented", grant.scopes, _CONSENT),
        ),
    )


def in_force(granted: frozenset[str], of_client: frozenset[str]) -> frozenset[str]:
    """Return the scopes of a consent that its app has; ``offline_access`` needs no adding."""
    return granted & (of_client | {OFFLINE})


def _grant(connection: Connection, grant_id: str) -> Grant | None:
    found = load_grants(connection, grant_table.c.id == grant_id)
    return found[0] if found else None


_HOLDER = (
    select(
        access_table.c.scopes.label("carried"),
        grant_table.c.scopes.label("granted"),
        grant_table.c.account_id,
        client_table.c.client_id,
        client_table.c.scopes.label("of_client"),
        client_table.c.distribution,
        client_table.c.owner_account_id,
        grant_site_table.c.cloud_id,
    )
    .join(family_table, family_table.c.id == access_table.c.family_id)
    .join(grant_table, grant_table.c.id == family_table.c.grant_id)
    .join(client_table, client_table.c.client_id == grant_table.c.client_id)
    .outerjoin(grant_site_table, grant_site_table.c.grant_id == grant_table.c.id)
    .where(
        access_table.c.token_hash == bindparam("hash"),
        access_table.c.expires_at_s > bindparam("now"),
    )
)
"""One row for each site of the token's grant, or one without a site."""
