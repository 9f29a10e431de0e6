"""Write the world of a state as a world file that makes it again."""

from collections.abc import Mapping
from typing import Any

import yaml
from sqlalchemy import Connection, Engine, select

from runtime.identity.accounts import Account, list_accounts
from runtime.installation.consents import consent_table
from runtime.installation.model import AppVersion, Installation
from runtime.installation.store import InstallationStore
from runtime.installation.variables import variable_table
from runtime.jira.schema import site_table
from runtime.jira.world_read import left_out, read_site
from runtime.server.egress_groups import EgressGroups
from runtime.server.world.access import read_access
from runtime.server.world.customer import egress_entries
from runtime.server.world.model import InstallEntry, SiteFile, UserEntry, VariableEntry, WorldFile
from runtime.server.world.state import Remembered, recall

HEAD = """\
# A whole world: 'firebrick seed' makes it. What stands here and how is told in docs/worldfile.md.
# Left out: {left}.
"""
WIDTH = 100


def export_world(engine: Engine) -> str:
    """Return the world of a state as the text of a world file.

    Everything is written out (``begin: bare``), with absolute times, so that the file depends on no
    default world. Apps are named, not included; encrypted variables come from the environment.
    """
    remembered = recall(engine)
    with engine.connect() as connection:
        accounts = list_accounts(connection)
        handles = {one.account_id: one.handle for one in accounts}
        cloud_ids = (
            connection.execute(select(site_table.c.cloud_id).order_by(site_table.c.cloud_id))
            .scalars()
            .all()
        )
        worlds = [read_site(connection, cloud_id, handles) for cloud_id in cloud_ids]
        left = {name: n for world in worlds for name, n in left_out(connection, world).items()}
        apps = _Apps(engine, connection, handles)
        file = WorldFile(
            clock=remembered.clock,
            seed=remembered.seed,
            users=[_user(one) for one in accounts],
            sites=[
                SiteFile(
                    **dict(world),
                    begin="bare",
                    installs=apps.installs(world.cloud_id),
                    app_access=read_access(connection, world.cloud_id, apps.names(world.cloud_id)),
                )
                for world in worlds
            ],
            variables=apps.variables(),
        )
    return _head(left) + _yaml(file, remembered)


def _head(left: Mapping[str, int]) -> str:
    listed = ", ".join(f"{count} of {name}" for name, count in sorted(left.items()))
    return HEAD.format(left=listed or "nothing")


def _yaml(file: WorldFile, remembered: Remembered) -> str:
    value = file.model_dump(by_alias=True, exclude_defaults=True)
    if remembered.egress:
        value["egress"] = remembered.egress
    return yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=WIDTH,
        default_flow_style=None,
    )


class _Dumper(yaml.SafeDumper):
    """Writes no aliases: a world file is read by people."""

    def ignore_aliases(self, data: Any) -> bool:  # Any: as PyYAML has it
        """Say that nothing is to be an alias."""
        return True


def _user(one: Account) -> UserEntry:
    return UserEntry(
        handle=one.handle,
        name=one.display_name,
        email=one.email,
        active=one.active,
        type=one.account_type,
        account_id=one.account_id,
        time_zone=one.time_zone,
        locale=one.locale,
    )


class _Apps:
    """What is installed, and the variables of apps."""

    def __init__(self, engine: Engine, connection: Connection, handles: Mapping[str, str]) -> None:
        self._store = InstallationStore(engine)
        self._connection = connection
        self._handles = handles
        self._newest = {one.app_id: one for one in self._store.list_latest_versions()}

    def installs(self, cloud_id: str) -> list[InstallEntry]:
        """Return the active installations of a site."""
        entries = []
        for one in self._store.list_active(cloud_id):
            version = self._store.find_version(one.version_id)
            if version is not None:
                entries.append(self._install(one, version))
        return sorted(entries, key=lambda entry: (entry.app, entry.environment))

    def names(self, cloud_id: str) -> dict[str, str]:
        """Return how the installs of a site name each app, by its id."""
        active = self._store.list_active(cloud_id)
        found = ((one.app_id, self._store.find_version(one.version_id)) for one in active)
        return {app_id: version.name for app_id, version in found if version is not None}

    def _install(self, one: Installation, version: AppVersion) -> InstallEntry:
        granted = sorted(one.granted)
        choices = EgressGroups.read(self._connection, one.id)
        return InstallEntry.model_validate(
            {
                "app": version.name,
                "environment": one.environment,
                "version": version.version,
                "by": self._handles.get(one.installed_by),
                "scopes": None if granted == sorted(version.scopes) else granted,
                "user_consent": one.user_consent,
                "license": one.licence,
                "consents": self._consents(one.id),
                "account": self._handles[one.app_account_id],
                "egress": egress_entries(choices),
                "remotes": dict(choices.endpoints),
            }
        )

    def _consents(self, installation_id: str) -> list[str]:
        table = consent_table.c
        query = select(table.account_id).where(table.installation_id == installation_id)
        return sorted(self._handles[one] for one in self._connection.execute(query).scalars())

    def variables(self) -> list[VariableEntry]:
        """Return the variables of all apps; an encrypted one without its value."""
        table = variable_table.c
        query = select(variable_table).order_by(table.app_id, table.environment, table.key)
        entries = []
        for row in self._connection.execute(query):
            newest = self._newest.get(row.app_id)
            entries.append(
                VariableEntry(
                    app=row.app_id if newest is None else newest.name,
                    environment=row.environment,
                    key=row.key,
                    value=None if row.secure else row.value,
                    from_env=row.key if row.secure else None,
                    encrypted=row.secure,
                )
            )
        return entries
