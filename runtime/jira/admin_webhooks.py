"""Webhooks that administrators define: kept on the site, their secrets encrypted.

Source:
    Jira documentation, "Webhooks": registering with the REST API, secure admin webhooks.
"""

import json
from dataclasses import dataclass, replace

from pydantic import SecretStr
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.engine import RowMapping

from runtime.database import metadata, writing
from runtime.identity.connect.secretbox import SecretBox
from runtime.jira.schema import NUMBER
from runtime.jira.store import next_id

ISSUE_FILTER = "issue-related-events-section"

admin_webhook_table = Table(
    "admin_webhook",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=False),
    Column("cloud_id", String(64), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),  # JSON, as the next
    Column("filters", Text, nullable=False),
    Column("exclude_body", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("sealed", Text),
    Column("updated_by", String(128), nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)
_TABLE = admin_webhook_table.c


@dataclass(frozen=True, slots=True)
class AdminWebhook:
    """One webhook of an administrator.

    Attributes:
        id: Its number; 0 for one that is not kept yet.
        cloud_id: The site.
        name: For people.
        url: Where it is sent.
        events: Of which events.
        filters: JQL by section; `ISSUE_FILTER` alone counts.
        exclude_body: It is sent without a body.
        enabled: Whether it is sent at all.
        sealed: The secret that signs what is sent, encrypted; None for unsigned.
        updated_by: The administrator who changed it last.
        updated_ms: When that was.
    """

    id: int
    cloud_id: str
    name: str
    url: str
    events: tuple[str, ...]
    filters: dict[str, str]
    exclude_body: bool
    enabled: bool
    sealed: str | None
    updated_by: str
    updated_ms: int


class AdminWebhooks:
    """Keeps the webhooks of administrators.

    Args:
        engine: The state database.
        box: Encrypts their secrets.
    """

    def __init__(self, engine: Engine, box: SecretBox) -> None:
        self._engine = engine
        self._box = box

    def list(self, cloud_id: str) -> tuple[AdminWebhook, ...]:
        """Return those of a site, oldest first."""
        query = select(admin_webhook_table).where(_TABLE.cloud_id == cloud_id).order_by(_TABLE.id)
        with self._engine.connect() as connection:
            return tuple(_webhook(row._mapping) for row in connection.execute(query))

    def find(self, cloud_id: str, number: int) -> AdminWebhook | None:
        """Return one of a site, or None."""
        query = select(admin_webhook_table).where(_TABLE.cloud_id == cloud_id, _TABLE.id == number)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _webhook(row._mapping)

    def save(self, hook: AdminWebhook) -> AdminWebhook:
        """Keep a new webhook, or the changes of one, and return it as it is kept."""
        with writing(self._engine) as connection:
            if hook.id:
                where = (_TABLE.id == hook.id) & (_TABLE.cloud_id == hook.cloud_id)
                connection.execute(update(admin_webhook_table).where(where).values(_values(hook)))
                return hook
            fresh = replace(hook, id=next_id(connection, admin_webhook_table.name))
            connection.execute(insert(admin_webhook_table).values(_values(fresh)))
        return fresh

    def remove(self, cloud_id: str, number: int) -> bool:
        """Remove one and return whether there was one."""
        where = (_TABLE.id == number) & (_TABLE.cloud_id == cloud_id)
        with writing(self._engine) as connection:
            return bool(connection.execute(delete(admin_webhook_table).where(where)).rowcount)

    def seal(self, secret: SecretStr) -> str:
        """Return a secret as it is kept."""
        return self._box.encrypt(secret)

    def secret_of(self, hook: AdminWebhook) -> SecretStr | None:
        """Return the secret of a webhook; None for an unsigned one.

        Raises:
            StateError: ``KEY_MISMATCH``.
        """
        return None if hook.sealed is None else self._box.decrypt(hook.sealed)


def _values(hook: AdminWebhook) -> dict[str, object]:
    values = {name: getattr(hook, name) for name in AdminWebhook.__dataclass_fields__}
    return values | {"events": json.dumps(hook.events), "filters": json.dumps(hook.filters)}


def _webhook(row: RowMapping) -> AdminWebhook:
    values = dict(row)
    return AdminWebhook(
        **values
        | {"events": tuple(json.loads(values["events"])), "filters": json.loads(values["filters"])}
    )
