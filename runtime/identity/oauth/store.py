"""Clients and grants on disk."""

import hmac
import re
from collections.abc import Callable, Set
from dataclasses import replace
from typing import cast

from pydantic import SecretStr
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    delete,
    insert,
    select,
    true,
    update,
)

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.database import joined, writing
from runtime.errors import ForgeError
from runtime.identity.app_webhooks import app_webhook_table
from runtime.identity.oauth.checks import check_client
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
from runtime.identity.oauth.sealed import SealedSecrets
from runtime.identity.oauth.values import Distribution, Grant, GrantKind, OAuthClient
from runtime.ids import Ids

CLIENT_ID_BYTES = 16
_CLIENT_ID = re.compile(r"[0-9a-f]{32}")

NO_HASH = "-" * 64  # no digest: it is compared with where there is no client


class OAuthClients:
    """The apps of the developer console.

    Args:
        engine: The state database.
        clock: Stamps new ones.
        ids: Makes ids and secrets.
        known_scopes: Returns all scopes that operations ask for.
        sealed: Keeps secrets encrypted beside their hashes, to sign webhooks with.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        ids: Ids,
        known_scopes: Callable[[], Set[str]],
        sealed: SealedSecrets,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self._known_scopes = known_scopes
        self._sealed = sealed

    def create(
        self,
        name: str,
        owner_account_id: str,
        *,
        grant_kind: GrantKind = "account",
        scopes: Set[str] = frozenset(),
        callback_urls: tuple[str, ...] = (),
        distribution: Distribution = "private",
    ) -> tuple[OAuthClient, SecretStr]:
        """Make a client; its secret is returned this once, stored as a hash and encrypted.

        Raises:
            ForgeError: See `check_client`.
        """
        client = OAuthClient(
            client_id=self._ids.random_bytes(CLIENT_ID_BYTES).hex(),
            name=name,
            owner_account_id=owner_account_id,
            grant_kind=grant_kind,
            scopes=frozenset(scopes),
            callback_urls=callback_urls,
            distribution=distribution,
            created_at_s=self._clock.now_s(),
        )
        check_client(client, self._known_scopes())
        secret = self._ids.token("sec")
        row = {**_client_values(client), "secret_hash": digest(secret)}
        with self._engine.begin() as connection:
            connection.execute(insert(client_table).values(row))
            self._sealed.put(connection, client.client_id, secret)
        return client, secret

    def find(self, client_id: str, inside: Connection | None = None) -> OAuthClient | None:
        """Return the client with that id, or None."""
        with joined(self._engine, inside) as connection:
            row = _row_of(connection, client_id)
        return None if row is None else _client(row)

    def get(self, name: str) -> OAuthClient:
        """Return the client with that id, or the only one with that name.

        Raises:
            ForgeError: ``UNKNOWN_OAUTH_APP``.
        """
        found = [one for one in self.list() if name in (one.client_id, one.name)]
        if len(found) != 1:
            known = ", ".join(f"{one.name} ({one.client_id})" for one in self.list()) or "none"
            raise ForgeError(
                "UNKNOWN_OAUTH_APP", f"{name!r} names {len(found)} OAuth apps; there are: {known}."
            )
        return found[0]

    def list(self, owner_account_id: str | None = None) -> tuple[OAuthClient, ...]:
        """Return the clients of an owner, or all, oldest first."""
        table = client_table.c
        query = select(client_table).order_by(table.created_at_s, table.client_id)
        if owner_account_id is not None:
            query = query.where(table.owner_account_id == owner_account_id)
        with self._engine.connect() as connection:
            return tuple(_client(row) for row in connection.execute(query).mappings())

    def update(self, client: OAuthClient) -> OAuthClient:
        """Keep a changed client; its id, owner, grant kind and birth stay what they were.

        Raises:
            ForgeError: ``UNKNOWN_OAUTH_APP``; see `check_client`.
        """
        check_client(client, self._known_scopes())
        with writing(self._engine) as connection:
            before = self.find(client.client_id, connection)
            if before is None:
                raise _unknown(client.client_id)
            after = replace(
                client,
                owner_account_id=before.owner_account_id,
                grant_kind=before.grant_kind,
                created_at_s=before.created_at_s,
            )
            connection.execute(
                update(client_table)
                .where(client_table.c.client_id == client.client_id)
                .values(_client_values(after))
            )
        return after

    def rotate_secret(self, client_id: str) -> SecretStr:
        """Make a new secret, returned this once; the old one is dead at once.

        Raises:
            ForgeError: ``UNKNOWN_OAUTH_APP``.
        """
        secret = self._ids.token("sec")
        with self._engine.begin() as connection:
            done = connection.execute(
                update(client_table)
                .where(client_table.c.client_id == client_id)
                .values(secret_hash=digest(secret))
            )
            if not done.rowcount:
                raise _unknown(client_id)
            self._sealed.put(connection, client_id, secret)
        return secret

    def delete(self, client_id: str) -> bool:
        """Remove a client with every grant and token; return whether there was one."""
        with writing(self._engine) as connection:
            drop_grants(connection, grant_table.c.client_id == client_id)
            self._sealed.remove(connection, client_id)
            return bool(
                connection.execute(
                    delete(client_table).where(client_table.c.client_id == client_id)
                ).rowcount
            )

    def authenticate(
        self, client_id: str, secret: SecretStr, inside: Connection | None = None
    ) -> OAuthClient | None:
        """Return the client whose secret this is; None for a wrong one as for an unknown id."""
        with joined(self._engine, inside) as connection:
            row = _row_of(connection, client_id)
        kept = NO_HASH if row is None else row["secret_hash"]
        matches = hmac.compare_digest(kept, digest(secret))
        return _client(row) if row is not None and matches else None


class OAuthGrants:
    """What accounts allow apps. A revoked grant is gone, with every code and token it led to.

    Args:
        engine: The state database.
        clock: Stamps consents.
        ids: Makes ids.
        audit: Gets one record for each grant that ends, or loses a site.
    """

    def __init__(self, engine: Engine, clock: Clock, ids: Ids, audit: AuditTrail) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self._audit = audit

    def list(
        self,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        cloud_id: str | None = None,
    ) -> tuple[Grant, ...]:
        """Return the grants of an account, of an app, on a site; oldest first."""
        conditions: list[ColumnElement[bool]] = [true()]
        if account_id is not None:
            conditions.append(grant_table.c.account_id == account_id)
        if client_id is not None:
            conditions.append(grant_table.c.client_id == client_id)
        with self._engine.connect() as connection:
            found = load_grants(connection, *conditions)
        return tuple(one for one in found if cloud_id is None or cloud_id in one.cloud_ids)

    def consent(
        self,
        connection: Connection,
        client: OAuthClient,
        account_id: str,
        scopes: frozenset[str],
        cloud_ids: frozenset[str],
    ) -> Grant:
        """Keep a consent: its scopes replace those of the grant, its sites join the grant's."""
        now_s = self._clock.now_s()
        anchor = next(iter(cloud_ids), "") if client.grant_kind == "resource" else ""
        table = grant_table.c
        where = (
            (table.client_id == client.client_id)
            & (table.account_id == account_id)
            & (table.anchor == anchor)
        )
        found = load_grants(connection, where)
        if found:
            grant = replace(
                found[0],
                scopes=scopes,
                cloud_ids=found[0].cloud_ids | cloud_ids,
                consented_at_s=now_s,
            )
        else:
            grant = Grant(
                self._ids.uuid(), client.client_id, account_id, scopes, cloud_ids, now_s, now_s
            )
        self._keep(connection, grant, anchor, before=found[0] if found else None)
        return grant

    def _keep(
        self, connection: Connection, grant: Grant, anchor: str, before: Grant | None
    ) -> None:
        changing = {"scopes": joined_scopes(grant.scopes), "consented_at_s": grant.consented_at_s}
        if before is None:
            row = {
                "id": grant.id,
                "client_id": grant.client_id,
                "account_id": grant.account_id,
                "anchor": anchor,
                "created_at_s": grant.created_at_s,
            }
            connection.execute(insert(grant_table).values({**row, **changing}))
        else:
            connection.execute(
                update(grant_table).where(grant_table.c.id == grant.id).values(changing)
            )
        new = grant.cloud_ids - (frozenset() if before is None else before.cloud_ids)
        for cloud_id in sorted(new):
            connection.execute(
                insert(grant_site_table).values(grant_id=grant.id, cloud_id=cloud_id)
            )

    def revoke(self, grant_id: str) -> bool:
        """End one grant; return whether there was one."""
        with writing(self._engine) as connection:
            return bool(self._end(connection, grant_table.c.id == grant_id))

    def revoke_by_user(self, account_id: str, client_id: str | None = None) -> int:
        """End what an account allowed an app, or every app, on all sites; return how many ended."""
        where = grant_table.c.account_id == account_id
        if client_id is not None:
            where &= grant_table.c.client_id == client_id
        with writing(self._engine) as connection:
            return self._end(connection, where)

    def revoke_on_site(self, client_id: str, cloud_id: str, by: str | None = None) -> int:
        """Take an app off one site, as its admin does; return how many accounts' grants lost it.

        A grant without another site ends.

        Args:
            client_id: The app.
            cloud_id: The site.
            by: The admin's account id; None for the command line.
        """
        with writing(self._engine) as connection:
            found = load_grants(connection, grant_table.c.client_id == client_id)
            touched = [one for one in found if cloud_id in one.cloud_ids]
            for grant in touched:
                if grant.cloud_ids == {cloud_id}:
                    drop_grants(connection, grant_table.c.id == grant.id)
                self._tell(connection, grant, cloud_id, by)
                for table in (grant_site_table, app_webhook_table):
                    here = (table.c.grant_id == grant.id) & (table.c.cloud_id == cloud_id)
                    connection.execute(delete(table).where(here))
        return len(touched)

    def revoke_everywhere(self, client_id: str, by: str | None = None) -> int:
        """End every grant of an app, as the organization's admin does; return how many ended."""
        with writing(self._engine) as connection:
            return self._end(connection, grant_table.c.client_id == client_id, by)

    def _end(
        self, connection: Connection, condition: ColumnElement[bool], by: str | None = None
    ) -> int:
        for grant in load_grants(connection, condition):
            self._tell(connection, grant, None, by)
        return drop_grants(connection, condition)

    def _tell(
        self, connection: Connection, grant: Grant, cloud_id: str | None, by: str | None
    ) -> None:
        self._audit.append_in(
            connection,
            AuditRecord(
                kind="grant",
                allowed=True,
                rule="consent.revoked",
                model="oauth",
                app_id=grant.client_id,
                account_id=grant.account_id,
                cloud_id=cloud_id,
                detail={} if by is None else {"by": by},
            ),
        )


def load_grants(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[Grant, ...]:
    """Return the grants that meet conditions, oldest first."""
    table = grant_table.c
    rows = connection.execute(
        select(grant_table).where(*conditions).order_by(table.created_at_s, table.id)
    ).all()
    site = grant_site_table.c
    pairs = connection.execute(
        select(site.grant_id, site.cloud_id).where(site.grant_id.in_([row.id for row in rows]))
    ).all()
    return tuple(
        Grant(
            id=row.id,
            client_id=row.client_id,
            account_id=row.account_id,
            scopes=split_scopes(row.scopes),
            cloud_ids=frozenset(cloud_id for grant_id, cloud_id in pairs if grant_id == row.id),
            created_at_s=row.created_at_s,
            consented_at_s=row.consented_at_s,
        )
        for row in rows
    )


def drop_grants(connection: Connection, condition: ColumnElement[bool]) -> int:
    """Remove grants with everything they led to; return how many there were."""
    grants = select(grant_table.c.id).where(condition).scalar_subquery()
    drop_families(connection, family_table.c.grant_id.in_(grants))
    connection.execute(delete(code_table).where(code_table.c.grant_id.in_(grants)))
    connection.execute(delete(grant_site_table).where(grant_site_table.c.grant_id.in_(grants)))
    connection.execute(delete(app_webhook_table).where(app_webhook_table.c.grant_id.in_(grants)))
    return connection.execute(delete(grant_table).where(condition)).rowcount


def drop_families(connection: Connection, condition: ColumnElement[bool]) -> None:
    """Remove families of tokens: every refresh and access token that one code led to."""
    families = select(family_table.c.id).where(condition).scalar_subquery()
    connection.execute(delete(access_table).where(access_table.c.family_id.in_(families)))
    connection.execute(delete(refresh_table).where(refresh_table.c.family_id.in_(families)))
    connection.execute(delete(family_table).where(condition))


def _row_of(connection: Connection, client_id: str) -> RowMapping | None:
    if not _CLIENT_ID.fullmatch(client_id):
        return None  # a wire client may send anything; a database need not take it
    query = select(client_table).where(client_table.c.client_id == client_id)
    return connection.execute(query).mappings().one_or_none()


def _client_values(client: OAuthClient) -> dict[str, object]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "owner_account_id": client.owner_account_id,
        "grant_kind": client.grant_kind,
        "scopes": joined_scopes(client.scopes),
        "callback_urls": "\n".join(client.callback_urls),
        "distribution": client.distribution,
        "vendor_name": client.vendor_name,
        "privacy_policy_url": client.privacy_policy_url,
        "created_at_s": client.created_at_s,
    }


def _client(row: RowMapping) -> OAuthClient:
    return OAuthClient(
        client_id=row["client_id"],
        name=row["name"],
        owner_account_id=row["owner_account_id"],
        grant_kind=cast("GrantKind", row["grant_kind"]),
        scopes=split_scopes(row["scopes"]),
        callback_urls=tuple(row["callback_urls"].split("\n")) if row["callback_urls"] else (),
        distribution=cast("Distribution", row["distribution"]),
        vendor_name=row["vendor_name"],
        privacy_policy_url=row["privacy_policy_url"],
        created_at_s=row["created_at_s"],
    )


def _unknown(client_id: str) -> ForgeError:
    return ForgeError("UNKNOWN_OAUTH_APP", f"There is no OAuth app {client_id!r}.")
