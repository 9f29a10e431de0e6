"""Make the world of a file in a state, or replace the one that is there: whole or not at all."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, delete, func, insert, select

from runtime.audit.trail import AuditRecord, AuditTrail, audit_table
from runtime.clock import Clock
from runtime.database import metadata, schema_version_table
from runtime.errors import ManifestError
from runtime.identity.accounts import Account, add_account
from runtime.ids import Ids
from runtime.installation.consents import ConsentStore
from runtime.installation.model import AppVersion, Installation, app_uuid, next_version
from runtime.installation.store import InstallationStore, app_version_table
from runtime.installation.variables import Variable, thaw, variable_table
from runtime.invocation.deploy import Deployment, prepare
from runtime.invocation.images import Images
from runtime.invocation.recording import recording_table
from runtime.invocation.records import invocation_table
from runtime.jira.app_users import add_app_user
from runtime.jira.schema import site_table
from runtime.jira.world_build import build_site
from runtime.server.apps import app_account, draft_of
from runtime.server.egress_groups import EgressGroups
from runtime.server.settings import Settings
from runtime.server.world.access import write_access
from runtime.server.world.changes import with_changes
from runtime.server.world.customer import write_customer
from runtime.server.world.model import InstallEntry, SiteFile, UserEntry, VariableEntry, World
from runtime.server.world.state import Remembered, remember
from runtime.server.world.times import clock_ms
from runtime.tokens.vault import Vault

SURVIVORS = frozenset(
    {
        app_version_table.name,
        audit_table.name,
        invocation_table.name,
        recording_table.name,
        schema_version_table.name,
    }
)
"""Tables that a new world leaves alone: what is deployed, and what has happened."""

App = tuple[str, str]
"""How a file names an app, and an environment of it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a world came to.

    Attributes:
        sites: Their names.
        users: How many accounts.
        projects: How many projects on all sites.
        issues: How many issues on all sites.
        installs: How many installations.
    """

    sites: tuple[str, ...]
    users: int
    projects: int
    issues: int
    installs: int


class Seeder:
    """Makes worlds.

    Args:
        settings: Say where secrets are kept and where the bundler is.
        engine: The state database.
        clock: The host's clock.
        ids: Makes ids that the world leaves open.
        images: Compiles apps.
    """

    def __init__(
        self, settings: Settings, engine: Engine, clock: Clock, ids: Ids, images: Images
    ) -> None:
        self._toolchain = settings.tools
        self._vault = Vault(settings.state)
        self._installations = InstallationStore(engine)
        self._consents = ConsentStore(engine, clock)
        self._chosen = EgressGroups(engine, clock)
        self._audit = AuditTrail(engine, clock)
        self._clock = clock
        self._ids = ids
        self._images = images

    def prepare(self, world: World) -> "Prepared":
        """Check and compile the apps that a world names by their folders; nothing is written.

        Raises:
            ManifestError: An app cannot be deployed.
        """
        apps: dict[App, Deployment | None] = {}
        for reference, environment in _apps(world):
            folder = world.folder / reference
            apps[reference, environment] = None
            if (folder / "manifest.yml").is_file():
                deployment = prepare(folder, "", self._toolchain)
                plain = [
                    Variable(one.key, _value(one, world.environ), False)
                    for one in _variables(world, (reference, environment))
                    if not one.encrypted
                ]
                self._images.image(draft_of(deployment, environment, plain, self._clock.now_s()))
                apps[reference, environment] = deployment
        return Prepared(self, world, apps)

    def write(self, connection: Connection, prepared: "Prepared") -> Summary:
        """Make a prepared world inside the caller's transaction; what was there is gone then.

        Raises:
            ManifestError: ``BAD_WORLD`` if an app that it names is not deployed.
        """
        world = prepared.world
        file = world.file
        now_s = self._clock.now_s()
        begin_ms = round(now_s * 1000) if file.clock is None else clock_ms(file.clock)
        ids = self._ids if file.seed is None else Ids.seeded(_number(file.seed))
        revision = _wipe(connection)
        for user in file.users:
            add_account(connection, _account(user))
        accounts = {user.handle: str(user.account_id) for user in file.users}
        for site in file.sites:
            build_site(connection, ids, begin_ms, with_changes(site), accounts, revision=revision)
        versions = self._deploy(connection, prepared)
        for site in file.sites:
            for one in site.installs:
                version = versions[one.app, one.environment]
                approved = one.model_copy(update={"by": one.by or first_admin(world, site)})
                self._install(connection, ids, site, approved, version, accounts)
            named = {one.app: versions[one.app, one.environment].app_id for one in site.installs}
            write_access(connection, site, named)
        remember(
            connection,
            Remembered(
                clock=file.clock,
                ahead_s=0.0 if file.clock is None else begin_ms / 1000 - now_s,
                seed=file.seed,
                egress=list(file.egress),
                source=str(world.folder / world.path),
            ),
        )
        summary = _summary(world)
        self._record(connection, world, summary)
        return summary

    # --- apps ------------------------------------------------------------------------------------

    def _deploy(self, connection: Connection, prepared: "Prepared") -> dict[App, AppVersion]:
        """Deploy what is named by a folder, find what is named otherwise; set the variables."""
        versions = {}
        for (reference, environment), deployment in prepared.apps.items():
            listed = _variables(prepared.world, (reference, environment))
            values = {one.key: _value(one, prepared.world.environ) for one in listed}
            secure = {one.key for one in listed if one.encrypted}
            found = None if deployment is None else deployment.app_id
            if found is None:
                wanted = _wanted_version(prepared.world, reference, environment)
                version = self._find(connection, reference, environment, wanted)
                found = version.app_id
            variables = [self._variable(key, text, key in secure) for key, text in values.items()]
            _set_variables(connection, found, environment, variables)
            if deployment is not None:
                version = self._version(connection, deployment, environment, variables, values)
            versions[reference, environment] = version
        return versions

    def _variable(self, key: str, value: str, secure: bool) -> Variable:
        return Variable(key, self._vault.encrypt(SecretStr(value)) if secure else value, secure)

    def _version(
        self,
        connection: Connection,
        deployment: Deployment,
        environment: str,
        variables: list[Variable],
        values: Mapping[str, str],
    ) -> AppVersion:
        """Return the version of a deployment: the newest if nothing changed, else a new one."""
        newest = self._installations.find_latest_version(deployment.app_id, environment, connection)
        if newest is not None and newest.digest == deployment.digest:
            known = {
                one.key: self._vault.decrypt(one.value).get_secret_value()
                if one.secure
                else one.value
                for one in thaw(newest.variables)
            }
            if known == dict(values):
                return newest
        number = next_version(newest, deployment.scopes, deployment.egress)
        draft = draft_of(deployment, environment, variables, self._clock.now_s())
        return self._installations.add_version(replace(draft, version=number), connection)

    def _find(
        self, connection: Connection, reference: str, environment: str, wanted: str | None
    ) -> AppVersion:
        table = app_version_table.c
        rows = connection.execute(
            select(table.id, table.app_id, table.name, table.version)
            .where(table.environment == environment)
            .order_by(table.id.desc())
        ).all()
        for row in rows:
            named = reference in (row.name, row.app_id, app_uuid(row.app_id))
            if named and wanted in (None, row.version):
                found = self._installations.find_version(row.id, connection)
                if found is not None:
                    return found
        what = f"{reference} {wanted or ''}".strip()
        raise ManifestError(
            "BAD_WORLD",
            f"No app {what} is deployed to {environment}: deploy it first, or name its folder.",
        )

    def _install(  # noqa: PLR0917  # one call site
        self,
        connection: Connection,
        ids: Ids,
        site: SiteFile,
        one: InstallEntry,
        version: AppVersion,
        accounts: Mapping[str, str],
    ) -> None:
        """Put an app on a site; `accounts` has the account of each handle."""
        installation = Installation(
            id=ids.uuid(),
            app_id=version.app_id,
            environment=one.environment,
            cloud_id=site.cloud_id,
            version_id=version.id,
            granted=_granted(one, version),
            app_account_id=accounts[one.account]
            if one.account is not None
            else _new_account(connection, ids, site, version),
            installed_by=accounts[str(one.by)],
            installed_at_s=self._clock.now_s(),
            active=True,
            user_consent=one.user_consent,
            licence=one.license,
        )
        self._installations.add_installation(connection, installation)
        for handle in one.consents:
            self._consents.grant(
                installation.id, accounts[handle], installation.granted, connection
            )
        write_customer(connection, self._chosen, one, installation.id, installation.installed_by)

    def _record(self, connection: Connection, world: World, summary: Summary) -> None:
        self._audit.append_in(
            connection,
            AuditRecord(
                kind="world",
                allowed=True,
                rule="world.made",
                path=world.path,
                detail={"sites": list(summary.sites), "issues": summary.issues},
            ),
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A world with its apps checked and read.

    Attributes:
        apps: What each app's folder came to; None for an app that is named otherwise.
    """

    seeder: Seeder
    world: World
    apps: Mapping[App, Deployment | None]

    def __call__(self, connection: Connection, _ids: Ids, _clock: Clock) -> None:
        """Fill a new state: the form in which `open_firebrick` wants it."""
        self.seeder.write(connection, self)


def _granted(one: InstallEntry, version: AppVersion) -> frozenset[str]:
    """Return what an install grants: what the file says, or all that the version declares."""
    granted = frozenset(version.scopes if one.scopes is None else one.scopes)
    extra = sorted(granted - frozenset(version.scopes))
    if extra:
        raise ManifestError(
            "BAD_WORLD", f"{version.name} does not declare {', '.join(extra)}: not granted."
        )
    return granted


def _new_account(connection: Connection, ids: Ids, site: SiteFile, version: AppVersion) -> str:
    """Make the account of an app, with the rights that an installed app gets."""
    account = app_account(version, ids.account_id())
    add_account(connection, account)
    add_app_user(connection, site.cloud_id, account)
    return account.account_id


def first_admin(world: World, site: SiteFile) -> str:
    """Return the first active account that may approve apps on a site.

    Raises:
        ManifestError: ``BAD_WORLD`` if there is none.
    """
    rights = [one for one in site.global_permissions if one.permission == "ADMINISTER"]
    names = {name for one in rights for name in one.groups}
    members = {handle for one in site.groups if one.name in names for handle in one.members}
    for user in world.file.users:
        if user.active and user.handle in members:
            return user.handle
    raise ManifestError(
        "BAD_WORLD", f"Nobody on {site.name} holds ADMINISTER, so nobody could approve its apps."
    )


def _apps(world: World) -> list[App]:
    """Return every app that a world names, in the order in which it does."""
    named = [(one.app, one.environment) for site in world.file.sites for one in site.installs]
    named += [(one.app, one.environment) for one in world.file.variables]
    return list(dict.fromkeys(named))


def _variables(world: World, app: App) -> list[VariableEntry]:
    return [one for one in world.file.variables if (one.app, one.environment) == app]


def _wanted_version(world: World, reference: str, environment: str) -> str | None:
    wanted = (
        one.version
        for site in world.file.sites
        for one in site.installs
        if (one.app, one.environment) == (reference, environment)
    )
    return next(wanted, None)


def _value(one: VariableEntry, environ: Mapping[str, str] | None) -> str:
    return str(one.value) if one.from_env is None else (environ or {})[one.from_env]


def _set_variables(
    connection: Connection, app_id: str, environment: str, variables: list[Variable]
) -> None:
    rows = [
        {
            "app_id": app_id,
            "environment": environment,
            "key": one.key,
            "value": one.value,
            "secure": one.secure,
        }
        for one in variables
    ]
    if rows:
        connection.execute(insert(variable_table), rows)


def _wipe(connection: Connection) -> int:
    """Remove the world that is there and return a revision above that of any of its sites."""
    last = connection.execute(select(func.max(site_table.c.revision))).scalar()
    for table in reversed(metadata.sorted_tables):
        if table.name not in SURVIVORS:
            connection.execute(delete(table))
    return (last or 0) + 1


def _account(user: UserEntry) -> Account:
    return Account(
        account_id=str(user.account_id),
        account_type=user.type,
        handle=user.handle,
        email=user.email,
        display_name=user.name,
        active=user.active,
        time_zone=user.time_zone,
        locale=user.locale,
    )


def _summary(world: World) -> Summary:
    sites = world.file.sites
    return Summary(
        sites=tuple(site.name for site in sites),
        users=len(world.file.users),
        projects=sum(len(site.projects) for site in sites),
        issues=sum(len(site.issues) for site in sites),
        installs=sum(len(site.installs) for site in sites),
    )


def _number(seed: str) -> int:
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
