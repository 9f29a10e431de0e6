"""Where apps, versions and installations are kept (ADR 0003)."""

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from runtime.database import joined, metadata
from runtime.installation.model import AppVersion, Installation, LiveGrant

app_version_table = Table(
    "app_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("app_id", String(254), nullable=False, index=True),
    Column("environment", String(64), nullable=False),
    Column("version", String(32), nullable=False),
    Column("name", String(254), nullable=False),
    Column("manifest_text", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("egress", Text, nullable=False),
    Column("sources", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("deployed_at_s", Float, nullable=False),
    Column("variables", Text, nullable=False),
)

installation_table = Table(
    "installation",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("app_id", String(254), nullable=False, index=True),
    Column("environment", String(64), nullable=False),
    Column("cloud_id", String(64), nullable=False),
    Column("version_id", Integer, nullable=False),
    Column("granted", Text, nullable=False),
    Column("app_account_id", String(128), nullable=False),
    Column("installed_by", String(128), nullable=False),
    Column("installed_at_s", Float, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("user_consent", Boolean, nullable=False),
    Column("licence", String(16), nullable=False),
)


class InstallationStore:
    """Reads and writes versions and installations.

    Args:
        engine: The state database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add_version(self, version: AppVersion, inside: Connection | None = None) -> AppVersion:
        """Store a deployed version and return it with its row id.

        Args:
            version: The version.
            inside: The caller's transaction; here and below, None for one of its own.
        """
        values = {
            "app_id": version.app_id,
            "environment": version.environment,
            "version": version.version,
            "name": version.name,
            "manifest_text": version.manifest_text,
            "scopes": json.dumps(dict(version.scopes), sort_keys=True),
            "egress": json.dumps(list(version.egress)),
            "sources": version.sources,
            "digest": version.digest,
            "deployed_at_s": version.deployed_at_s,
            "variables": version.variables,
        }
        with joined(self._engine, inside) as connection:
            key = connection.execute(insert(app_version_table).values(values)).inserted_primary_key
        return replace(version, id=0 if key is None else int(key[0]))

    def find_latest_version(
        self, app_id: str, environment: str, inside: Connection | None = None
    ) -> AppVersion | None:
        """Return the newest deployed version of an app in an environment, or None."""
        table = app_version_table.c
        query = (
            select(app_version_table)
            .where(table.app_id == app_id, table.environment == environment)
            .order_by(table.id.desc())
            .limit(1)
        )
        with joined(self._engine, inside) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _version(row)

    def find_version(self, version_id: int, inside: Connection | None = None) -> AppVersion | None:
        """Return the version with that row id, or None."""
        query = select(app_version_table).where(app_version_table.c.id == version_id)
        with joined(self._engine, inside) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _version(row)

    def list_latest_versions(self) -> tuple[AppVersion, ...]:
        """Return the newest version of every app and environment, by app name."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(app_version_table).order_by(app_version_table.c.id))
            latest = {(row.app_id, row.environment): _version(row) for row in rows}
        return tuple(sorted(latest.values(), key=lambda v: (v.name, v.environment)))

    def add_installation(self, connection: Connection, installation: Installation) -> None:
        """Store a new installation inside the caller's transaction."""
        connection.execute(
            insert(installation_table).values(
                id=installation.id,
                app_id=installation.app_id,
                environment=installation.environment,
                cloud_id=installation.cloud_id,
                version_id=installation.version_id,
                granted=json.dumps(sorted(installation.granted)),
                app_account_id=installation.app_account_id,
                installed_by=installation.installed_by,
                installed_at_s=installation.installed_at_s,
                active=installation.active,
                user_consent=installation.user_consent,
                licence=installation.licence,
            )
        )

    def approve_version(
        self, connection: Connection, installation_id: str, version: AppVersion
    ) -> None:
        """Move an installation to a version and grant exactly what that version declares."""
        connection.execute(
            update(installation_table)
            .where(installation_table.c.id == installation_id)
            .values(version_id=version.id, granted=json.dumps(sorted(version.scopes)))
        )

    def roll_out(
        self, connection: Connection, old: AppVersion, new: AppVersion
    ) -> tuple[tuple[str, str], ...]:
        """Move every installation of a version to a minor one; what is granted stays.

        Returns:
            Site and app account of each.
        """
        table = installation_table.c
        moved = connection.execute(
            update(installation_table)
            .where(table.version_id == old.id, table.active)
            .values(version_id=new.id)
            .returning(table.cloud_id, table.app_account_id)
        )
        return tuple((row.cloud_id, row.app_account_id) for row in moved)

    def set_granted(self, installation_id: str, granted: frozenset[str]) -> None:
        """Replace the granted scopes of an installation."""
        with self._engine.begin() as connection:
            connection.execute(
                update(installation_table)
                .where(installation_table.c.id == installation_id)
                .values(granted=json.dumps(sorted(granted)))
            )

    def deactivate(self, connection: Connection, installation_id: str) -> bool:
        """End an installation inside the caller's transaction; return whether it was active."""
        table = installation_table.c
        ended = connection.execute(
            update(installation_table)
            .where(table.id == installation_id, table.active)
            .values(active=False)
        )
        return bool(ended.rowcount)

    def find_active(
        self, app_id: str, environment: str, cloud_id: str, inside: Connection | None = None
    ) -> Installation | None:
        """Return the active installation of an app environment on a site, or None."""
        table = installation_table.c
        query = select(installation_table).where(
            table.app_id == app_id,
            table.environment == environment,
            table.cloud_id == cloud_id,
            table.active,
        )
        with joined(self._engine, inside) as connection:
            row = connection.execute(query).first()
        return None if row is None else _installation(row)

    def find_last(
        self, app_id: str, environment: str, cloud_id: str, inside: Connection | None = None
    ) -> Installation | None:
        """Return the newest installation, active or ended: the app's account returns with it."""
        table = installation_table.c
        query = (
            select(installation_table)
            .where(
                table.app_id == app_id,
                table.environment == environment,
                table.cloud_id == cloud_id,
            )
            .order_by(table.installed_at_s.desc())
        )
        with joined(self._engine, inside) as connection:
            row = connection.execute(query).first()
        return None if row is None else _installation(row)

    def find(self, installation_id: str) -> Installation | None:
        """Return an installation, active or ended, or None."""
        query = select(installation_table).where(installation_table.c.id == installation_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _installation(row)

    def list_active(self, cloud_id: str | None = None) -> tuple[Installation, ...]:
        """Return the active installations of a site, or of all."""
        table = installation_table.c
        query = select(installation_table).where(table.active).order_by(table.installed_at_s)
        if cloud_id is not None:
            query = query.where(table.cloud_id == cloud_id)
        with self._engine.connect() as connection:
            return tuple(_installation(row) for row in connection.execute(query))

    def find_live_grant(self, installation_id: str) -> LiveGrant | None:
        """Return what an installation may do at this moment; None once it has ended."""
        with self._engine.connect() as connection:
            row = connection.execute(_LIVE, {"wanted": installation_id}).one_or_none()
        if row is None:
            return None
        return LiveGrant(
            installation=_installation(row),
            declared=json.loads(row.scopes),
            egress=tuple(json.loads(row.egress)),
        )


_LIVE = (
    select(installation_table, app_version_table.c.scopes, app_version_table.c.egress)
    .join(app_version_table, app_version_table.c.id == installation_table.c.version_id)
    .where(installation_table.c.id == bindparam("wanted"), installation_table.c.active)
)


def _version(row: Row[tuple[object, ...]]) -> AppVersion:
    values = dict(row._mapping)
    values["scopes"] = json.loads(values["scopes"])
    values["egress"] = tuple(json.loads(values["egress"]))
    return AppVersion(**values)


def _installation(row: Row[tuple[object, ...]]) -> Installation:
    """Read the columns of an installation, which come first in every row that has one."""
    values: dict[str, Any] = dict(zip(_COLUMNS, row, strict=False))
    values["granted"] = frozenset(json.loads(values["granted"]))
    return Installation(**values)


_COLUMNS = tuple(column.name for column in installation_table.columns)
