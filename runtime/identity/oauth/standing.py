"""What a grant is worth at this moment, where no token is shown: for what is told to its app."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from runtime.identity.oauth.blocks import open_sites
from runtime.identity.oauth.schema import client_table, grant_site_table, grant_table, split_scopes
from runtime.identity.oauth.store import load_grants
from runtime.identity.oauth.tokens import in_force


@dataclass(frozen=True, slots=True)
class Standing:
    """An app on a site, for one user.

    Attributes:
        client_id: The app.
        account_id: Whom it acts as.
        scopes: Those of the newest consent that the app has now.
    """

    client_id: str
    account_id: str
    scopes: frozenset[str]


def find_standing(connection: Connection, grant_id: str, cloud_id: str) -> Standing | None:
    """Return what a grant is worth on a site; None if nothing.

    It is worth nothing once it was revoked or has lost the site, while an administrator blocks the
    app there, or if the app is private and the user is not its owner.
    """
    grants = load_grants(connection, grant_table.c.id == grant_id)
    if not grants or cloud_id not in open_sites(
        connection, grants[0].client_id, grants[0].cloud_ids
    ):
        return None
    client = connection.execute(
        select(client_table).where(client_table.c.client_id == grants[0].client_id)
    ).one()
    if client.distribution == "private" and client.owner_account_id != grants[0].account_id:
        return None
    scopes = in_force(grants[0].scopes, split_scopes(client.scopes))
    return Standing(client.client_id, grants[0].account_id, scopes)


def find_grant_id(
    connection: Connection, client_id: str, account_id: str, cloud_id: str
) -> str | None:
    """Return the grant by which an app acts as a user on a site, or None."""
    grant, site = grant_table.c, grant_site_table.c
    return connection.execute(
        select(grant.id)
        .join(grant_site_table, site.grant_id == grant.id)
        .where(
            grant.client_id == client_id,
            grant.account_id == account_id,
            site.cloud_id == cloud_id,
        )
    ).scalar()
