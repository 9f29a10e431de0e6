"""Who may approve and remove apps on a site."""

from sqlalchemy import Engine

from runtime.errors import InstallationError
from runtime.identity.accounts import Account
from runtime.jira.configuration import load_site
from runtime.jira.permissions import Permissions


def is_site_admin(engine: Engine, cloud_id: str, account: Account) -> bool:
    """Return whether an account holds *Administer Jira* on a site."""
    with engine.connect() as connection:
        site = load_site(connection, cloud_id)
    return account.active and Permissions(site, account).holds("ADMINISTER")


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
