"""Dynamic webhooks: what apps registered to be told of; gone with the grant or the installation.

Source:
    Jira Cloud REST API v3, "Webhooks"; Jira documentation, "Webhooks".
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.engine import RowMapping

from runtime.database import metadata

AppModel = Literal["oauth", "connect"]

app_webhook_table = Table(
    "app_webhook",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer(), "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("cloud_id", String(64), nullable=False, index=True),
    Column("model", String(16), nullable=False),
    Column("app_id", String(128), nullable=False),
    Column("account_id", String(128), nullable=False),
    Column("grant_id", String(64), index=True),
    Column("url", Text, nullable=False),
    Column("jql", Text, nullable=False),
    Column("events", Text, nullable=False),  # JSON, as the two below
    Column("field_ids", Text),
    Column("property_keys", Text),
    Column("expires_ms", BigInteger, nullable=False),
)
_TABLE = app_webhook_table.c


@dataclass(frozen=True, slots=True)
class Registrar:
    """Who registers webhooks, and sees and changes them afterwards: nobody else does.

    Attributes:
        cloud_id: The site.
        model: The security model.
        app_id: Client id of an OAuth app, key of a Connect app.
        account_id: Whom an OAuth app acts as; None for a Connect app, whose webhooks are its own
            whoever it acts as.
    """

    cloud_id: str
    model: AppModel
    app_id: str
    account_id: str | None = None

    @property
    def mine(self) -> ColumnElement[bool]:
        """Return the condition on what this registrar registered."""
        condition = self.of_app
        if self.account_id is not None:
            condition &= _TABLE.account_id == self.account_id
        return condition

    @property
    def of_app(self) -> ColumnElement[bool]:
        """Return the condition on what the app registered on the site, for whomever."""
        return (
            (_TABLE.cloud_id == self.cloud_id)
            & (_TABLE.model == self.model)
            & (_TABLE.app_id == self.app_id)
        )


@dataclass(frozen=True, slots=True)
class AppWebhook:
    """One dynamic webhook.

    Attributes:
        id: Its number.
        cloud_id: The site.
        model: Of the app.
        app_id: Client id of an OAuth app, key of a Connect app.
        account_id: Who registered it: a user of an OAuth app, or whom a Connect app acted as.
        grant_id: The OAuth grant it lives with; None for a Connect app.
        url: Where it is sent.
        jql: For which issues.
        events: Of which events.
        field_ids: Changes of which fields make an update worth telling; None for any.
        property_keys: Likewise of issue properties.
        expires_ms: When it ends, in milliseconds since 1970.
    """

    id: int
    cloud_id: str
    model: AppModel
    app_id: str
    account_id: str
    grant_id: str | None
    url: str
    jql: str
    events: tuple[str, ...]
    field_ids: tuple[str, ...] | None
    property_keys: tuple[str, ...] | None
    expires_ms: int


def add_webhook(connection: Connection, hook: AppWebhook) -> None:
    """Keep a new webhook."""
    values = {name: getattr(hook, name) for name in AppWebhook.__dataclass_fields__}
    for name in ("events", "field_ids", "property_keys"):
        values[name] = None if values[name] is None else json.dumps(values[name])
    connection.execute(insert(app_webhook_table).values(values))


def list_webhooks(
    connection: Connection, condition: ColumnElement[bool], now_ms: int
) -> tuple[AppWebhook, ...]:
    """Return the webhooks that meet a condition and have not expired, oldest first."""
    rows = connection.execute(
        select(app_webhook_table).where(condition, _TABLE.expires_ms > now_ms).order_by(_TABLE.id)
    )
    return tuple(_webhook(row._mapping) for row in rows)


def list_of_site(connection: Connection, cloud_id: str, now_ms: int) -> tuple[AppWebhook, ...]:
    """Return the webhooks of all apps on a site that have not expired, oldest first."""
    return list_webhooks(connection, _TABLE.cloud_id == cloud_id, now_ms)


def refresh_webhooks(
    connection: Connection, registrar: Registrar, ids: Sequence[int], now_ms: int, expires_ms: int
) -> int:
    """Let webhooks of a registrar live longer and return how many; expired ones stay expired."""
    return connection.execute(
        update(app_webhook_table)
        .where(registrar.mine, _TABLE.id.in_(ids), _TABLE.expires_ms > now_ms)
        .values(expires_ms=expires_ms)
    ).rowcount


def remove_webhooks(connection: Connection, registrar: Registrar, ids: Sequence[int]) -> int:
    """Remove webhooks of a registrar and return how many."""
    return connection.execute(
        delete(app_webhook_table).where(registrar.mine, _TABLE.id.in_(ids))
    ).rowcount


def remove_expired(connection: Connection, cloud_id: str, now_ms: int) -> None:
    """Remove what has expired on a site."""
    connection.execute(
        delete(app_webhook_table).where(_TABLE.cloud_id == cloud_id, _TABLE.expires_ms <= now_ms)
    )


def remove_of_app(connection: Connection, cloud_id: str, app_key: str) -> None:
    """Remove what a Connect app registered on a site: it is uninstalled."""
    connection.execute(
        delete(app_webhook_table).where(Registrar(cloud_id, "connect", app_key).of_app)
    )


def _webhook(row: RowMapping) -> AppWebhook:
    values = dict(row)
    for name in ("events", "field_ids", "property_keys"):
        values[name] = None if values[name] is None else tuple(json.loads(values[name]))
    return AppWebhook(**values)
