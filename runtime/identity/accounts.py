"""Accounts: people, apps and customers, across all sites."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)

from runtime.database import metadata

AccountType = Literal["atlassian", "app", "customer"]
SERVICE_DOMAIN = "@serviceaccount.atlassian.com"

account_table = Table(
    "account",
    metadata,
    Column("account_id", String(128), primary_key=True),
    Column("account_type", String(16), nullable=False),
    Column("handle", String(64), unique=True, nullable=False),  # short name for the command line
    Column("email", String(254), index=True),
    Column("display_name", String(254), nullable=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("time_zone", String(64), nullable=False, default="Etc/UTC"),
    Column("locale", String(16), nullable=False, default="en_US"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """One account.

    Attributes:
        account_id: The platform's opaque id.
        account_type: ``atlassian`` (a person), ``app`` or ``customer``.
        handle: Short unique name for the command line, such as ``dana``; unknown to the platform.
        email: Primary e-mail address; None for apps.
        display_name: Name on the screen.
        active: A deactivated account keeps its history and loses every right.
        time_zone: IANA name.
        locale: Such as ``en_US``.
    """

    account_id: str
    account_type: AccountType
    handle: str
    email: str | None
    display_name: str
    active: bool = True
    time_zone: str = "Etc/UTC"
    locale: str = "en_US"

    @property
    def is_service(self) -> bool:
        """Whether it is a service account: no person's, of use to scripts with scoped tokens alone.

        Source:
            User management documentation, "Manage API tokens for service accounts": their e-mail
            addresses.
        """
        email = (self.email or "").lower()
        return self.account_type == "atlassian" and email.endswith(SERVICE_DOMAIN)


def add_account(connection: Connection, account: Account) -> None:
    """Store a new account."""
    connection.execute(
        insert(account_table).values(
            {name: getattr(account, name) for name in Account.__dataclass_fields__}
        )
    )


def find_account(connection: Connection, account_id: str) -> Account | None:
    """Return the account with that id, or None."""
    row = connection.execute(_BY_ID, {"wanted": account_id}).one_or_none()
    return None if row is None else Account(*row)


def find_account_by_name(connection: Connection, name: str) -> Account | None:
    """Return the account with that handle, e-mail address (in any case) or id, or None."""
    table = account_table.c
    row = connection.execute(
        select(account_table).where(
            (table.handle == name)
            | (func.lower(table.email) == name.lower())
            | (table.account_id == name)
        )
    ).first()
    return None if row is None else Account(**row._mapping)


def list_accounts(connection: Connection) -> tuple[Account, ...]:
    """Return every account, people first, then by handle."""
    rows = connection.execute(
        select(account_table).order_by(account_table.c.account_type.desc(), account_table.c.handle)
    )
    return tuple(Account(**row._mapping) for row in rows)


def set_account_active(connection: Connection, account_id: str, *, active: bool) -> None:
    """Deactivate an account or bring it back."""
    connection.execute(
        update(account_table).where(account_table.c.account_id == account_id).values(active=active)
    )


def rename_account(connection: Connection, account_id: str, display_name: str) -> None:
    """Give an account another display name."""
    connection.execute(
        update(account_table)
        .where(account_table.c.account_id == account_id)
        .values(display_name=display_name)
    )


_BY_ID = select(account_table).where(account_table.c.account_id == bindparam("wanted"))
