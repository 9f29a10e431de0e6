"""Who may approve and remove apps on a site."""

from sqlalchemy import Engine, select

from runtime.errors import InstallationError
from runtime.identity.accounts import Account
from runtime.jira.configuration import load_site
from runtime.jira.permissions import Permissions
from runtime.jira.schema import site_table


def is_site_admin(engine: Engine, cloud_id: str, account: Account) -> bool:
    """Return whether an account holds *Administer Jira* on a site."""
    with engine.connect() as connection:
        site = load_site(connection, cloud_id)
    return account.active and Permissions(site, account).holds("ADMINISTER")


def is_org_admin(engine: Engine, account: Account) -> bool:
    """Return whether an account administers the organization: every site of this state.

    Differs:
        The platform's organization has admins of its own, whoever administers its sites.
    """
    with engine.connect() as connection:
        cloud_ids = connection.execute(select(site_table.c.cloud_id)).scalars().all()
    return all(is_site_admin(engine, cloud_id, account) for cloud_id in cloud_ids)


def require_site_admin(engine: Engine, cloud_id: str, account: Account) -> None:
    """Refuse whoever does not administer a site.

    Raises:
        InstallationError: ``NOT_SITE_ADMIN``.
    """
    if not is_site_admin(engine, cloud_id, account):
        raise InstallationError(
            "NOT_SITE_ADMIN",
            f"{account.display_name} is no admin of this site: only one who holds Administer Jira "
            "may approve or remove an app.",
        )
