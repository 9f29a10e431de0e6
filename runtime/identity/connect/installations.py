"""Connect apps on sites: one row for each app and site, kept over uninstalls."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from pydantic import SecretStr
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.engine import RowMapping

from runtime.database import metadata
from runtime.identity.connect.descriptor import Descriptor, read_descriptor
from runtime.identity.connect.secretbox import SecretBox

State = Literal["enabled", "disabled", "uninstalled"]

connect_installation_table = Table(
    "connect_installation",
    metadata,
    Column("cloud_id", String(64), primary_key=True),
    Column("app_key", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("shared_secret", Text, nullable=False),  # encrypted
    Column("oauth_client_id", String(128), nullable=False, unique=True),
    Column("account_id", String(128), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("descriptor", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("pending", Text),
    Column("host_url", Text, nullable=False),
    Column("licence", String(16), nullable=False),
    Column("installed_by", String(128), nullable=False),
    Column("installed_at_s", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ConnectInstallation:
    """One Connect app on one site.

    Attributes:
        cloud_id: The site.
        app_key: The app.
        state: Whether it may ask anything: only if ``enabled``.
        generation: Counts installs; what was issued under an older one is dead.
        shared_secret: Signs tokens both ways; new with each install.
        oauth_client_id: Names the app at the impersonation server.
        account_id: Its app user.
        scopes: Approved scopes.
        descriptor: The approved descriptor.
        source: Where the descriptor came from.
        pending: Text of a newer descriptor that asks for more and waits for approval.
        host_url: What the app was told to be the site's base URL.
        licence: ``active`` or ``none``: what ``lic`` says to pages.
        installed_by: Who approved it.
        installed_at_s: When, in seconds since 1970.
    """

    cloud_id: str
    app_key: str
    state: State
    generation: int
    shared_secret: SecretStr
    oauth_client_id: str
    account_id: str
    scopes: frozenset[str]
    descriptor: Descriptor
    source: str
    pending: str | None
    host_url: str
    licence: str
    installed_by: str
    installed_at_s: float


class ConnectInstallations:
    """Stores installations; shared secrets stand in the database encrypted.

    Args:
        engine: The state database.
        box: Encrypts shared secrets.
    """

    def __init__(self, engine: Engine, box: SecretBox) -> None:
        self._engine = engine
        self._box = box

    def find(self, cloud_id: str, app_key: str) -> ConnectInstallation | None:
        """Return the installation of an app on a site in whatever state, or None."""
        table = connect_installation_table.c
        query = select(connect_installation_table).where(
            table.cloud_id == cloud_id, table.app_key == app_key
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            self._box.decrypt(self._nothing)  # as long as for an app that is there
            return None
        return self._installation(row._mapping)

    @cached_property
    def _nothing(self) -> str:
        return self._box.encrypt(SecretStr("fbk_sec_" + "0" * 64))

    def find_enabled(self, cloud_id: str, app_key: str) -> ConnectInstallation | None:
        """Return the installation if the app may ask something now, or None."""
        found = self.find(cloud_id, app_key)
        return found if found is not None and found.state == "enabled" else None

    def find_by_client(self, oauth_client_id: str) -> ConnectInstallation | None:
        """Return the enabled installation with that OAuth client id, or None."""
        table = connect_installation_table.c
        query = select(table.cloud_id, table.app_key).where(
            table.oauth_client_id == oauth_client_id
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else self.find_enabled(row.cloud_id, row.app_key)

    def list(self, cloud_id: str | None = None) -> tuple[ConnectInstallation, ...]:
        """Return all installations of a site, or of all, uninstalled ones too, by key."""
        table = connect_installation_table.c
        query = select(connect_installation_table).order_by(table.app_key, table.cloud_id)
        if cloud_id is not None:
            query = query.where(table.cloud_id == cloud_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(self._installation(row._mapping) for row in rows)

    def save(self, connection: Connection, one: ConnectInstallation) -> None:
        """Store an installation, new or changed."""
        table = connect_installation_table.c
        values = {
            "state": one.state,
            "generation": one.generation,
            "shared_secret": self._box.encrypt(one.shared_secret),
            "oauth_client_id": one.oauth_client_id,
            "account_id": one.account_id,
            "scopes": json.dumps(sorted(one.scopes)),
            "descriptor": one.descriptor.text,
            "source": one.source,
            "pending": one.pending,
            "host_url": one.host_url,
            "licence": one.licence,
            "installed_by": one.installed_by,
            "installed_at_s": one.installed_at_s,
        }
        where = (table.cloud_id == one.cloud_id, table.app_key == one.app_key)
        changed = connection.execute(
            update(connect_installation_table).where(*where).values(values)
        )
        if not changed.rowcount:
            values |= {"cloud_id": one.cloud_id, "app_key": one.app_key}
            connection.execute(insert(connect_installation_table).values(values))

    def live_secrets(self) -> tuple[SecretStr, ...]:
        """Return the shared secrets that are valid now."""
        return tuple(one.shared_secret for one in self.list() if one.state != "uninstalled")

    def live_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every shared secret that is valid now."""
        return frozenset(
            hashlib.sha256(secret.get_secret_value().encode()).hexdigest()
            for secret in self.live_secrets()
        )

    def _installation(self, row: RowMapping) -> ConnectInstallation:
        values = dict(row)
        return ConnectInstallation(
            **values
            | {
                "shared_secret": self._box.decrypt(values["shared_secret"]),
                "scopes": frozenset(json.loads(values["scopes"])),
                "descriptor": _parsed(values["descriptor"]),
            }
        )


def find_descriptor(connection: Connection, cloud_id: str, app_key: str) -> Descriptor | None:
    """Return the approved descriptor of an app on a site, in whatever state, or None."""
    table = connect_installation_table.c
    text = connection.execute(
        select(table.descriptor).where(table.cloud_id == cloud_id, table.app_key == app_key)
    ).scalar()
    return None if text is None else _parsed(text)


@lru_cache(maxsize=64)  # every request of an app reads its row; descriptors seldom change
def _parsed(text: str) -> Descriptor:
    return read_descriptor(text)
