"""Who and what there is in a state: its sites and its accounts, found by any of their names."""

from sqlalchemy import Engine, select

from runtime.errors import ForgeError, InstallationError
from runtime.identity.accounts import Account, find_account, find_account_by_name, list_accounts
from runtime.jira.page_context import uses_product
from runtime.jira.schema import site_table


class Directory:
    """Sites and people of one state.

    Args:
        engine: The state database.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def sites_by_host(self) -> dict[str, str]:
        """Return the cloud id of each site by its host name, the oldest site first."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(site_table.c.url, site_table.c.cloud_id)).all()
        return {row.url.removeprefix("https://"): row.cloud_id for row in rows}

    def site_names(self) -> list[str]:
        """Return the host names of all sites."""
        return list(self.sites_by_host())

    def site_url(self, cloud_id: str) -> str:
        """Return the URL of a site."""
        return next(
            f"https://{host}" for host, known in self.sites_by_host().items() if known == cloud_id
        )

    def find_site(self, name: str | None) -> str:
        """Return the cloud id of the site with that name, host, URL or id; of the only one if None.

        Raises:
            InstallationError: ``UNKNOWN_SITE``.
        """
        sites = self.sites_by_host()
        if name is None and len(sites) == 1:
            return next(iter(sites.values()))
        wanted = (name or "").removeprefix("https://").rstrip("/").lower()
        for host, cloud_id in sites.items():
            if wanted in (host, host.partition(".")[0], cloud_id):
                return cloud_id
        raise InstallationError(
            "UNKNOWN_SITE",
            f"Name a site with --site: {', '.join(sites)}; {name!r} is none of them.",
        )

    def may_use(self, cloud_id: str, account_id: str) -> bool:
        """Return whether an account is an active person with access to a site's product."""
        with self.engine.connect() as connection:
            account = find_account(connection, account_id)
            return account is not None and uses_product(connection, cloud_id, account)

    def people(self) -> tuple[Account, ...]:
        """Return everyone who is not an app, by handle."""
        with self.engine.connect() as connection:
            accounts = list_accounts(connection)
        return tuple(account for account in accounts if account.account_type != "app")

    def find_person(self, name: str) -> Account:
        """Return the account with that handle, e-mail or id.

        Raises:
            ForgeError: ``UNKNOWN_ACCOUNT`` with the handles there are.
        """
        with self.engine.connect() as connection:
            account = find_account_by_name(connection, name)
        if account is None:
            known = ", ".join(person.handle for person in self.people())
            raise ForgeError("UNKNOWN_ACCOUNT", f"There is no {name!r}; there are: {known}.")
        return account

    def find_account(self, account_id: str) -> Account | None:
        """Return the account with that id, or None."""
        with self.engine.connect() as connection:
            return find_account(connection, account_id)

    def name_of(self, account_id: str) -> str:
        """Return the handle of a person, the display name of an app, or the id of a stranger."""
        with self.engine.connect() as connection:
            account = find_account(connection, account_id)
        if account is None:
            return account_id
        return account.display_name if account.account_type == "app" else account.handle
