"""Deploy, install and uninstall apps: where manifest, sandbox, installation and product meet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, Engine

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.database import writing
from runtime.errors import InstallationError
from runtime.identity.accounts import Account, add_account, find_account, set_account_active
from runtime.ids import Ids
from runtime.installation.consents import ConsentStore
from runtime.installation.model import AppVersion, Installation, app_uuid, next_version
from runtime.installation.store import InstallationStore
from runtime.installation.variables import Variable, VariableStore, freeze
from runtime.invocation.bundling import Toolchain
from runtime.invocation.deploy import Deployment, prepare
from runtime.invocation.images import Images
from runtime.jira.app_users import add_app_user, remove_app_user
from runtime.jira.configuration import load_site
from runtime.jira.permissions import Permissions
from runtime.server.egress_groups import EgressGroups
from runtime.server.forge_fields import sync_forge_fields
from runtime.tokens.broker import TokenBroker

DEFAULT_ENVIRONMENT = "development"


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """What an admin is asked to approve.

    Attributes:
        version: The version to be installed.
        current: The active installation; None for a first one.
        new_scopes: Scopes not granted yet.
        new_egress: External addresses not approved yet.
        lost_scopes: Scopes the app has now and will not have any more.
    """

    version: AppVersion
    current: Installation | None
    new_scopes: tuple[str, ...]
    new_egress: tuple[str, ...]
    lost_scopes: tuple[str, ...] = ()


class Apps:
    """The life of apps in one state.

    Args:
        engine: The state database.
        installations: Versions and installations.
        images: Compiles and caches apps.
        variables: Environment variables, frozen into each deployed version.
        consents: Consent of single users.
        broker: Loses its tokens when a grant ends.
        audit: Gets one record for each change.
        clock: Stamps them.
        ids: Makes ids.
        toolchain: Where the bundler is.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        installations: InstallationStore,
        images: Images,
        variables: VariableStore,
        consents: ConsentStore,
        broker: TokenBroker,
        audit: AuditTrail,
        clock: Clock,
        ids: Ids,
        toolchain: Toolchain,
    ) -> None:
        self._toolchain = toolchain
        self._engine = engine
        self._installations = installations
        self._images = images
        self._variables = variables
        self._consents = consents
        self._broker = broker
        self._audit = audit
        self._clock = clock
        self._ids = ids

    def deploy(
        self, directory: Path, environment: str = DEFAULT_ENVIRONMENT, name: str = ""
    ) -> tuple[AppVersion, Deployment]:
        """Check, compile and store an app as a new version.

        A minor version reaches every installation of the environment at once; a major one waits
        for an admin's approval.

        Raises:
            ManifestError: The manifest or the sources cannot be deployed.
        """
        deployment = prepare(directory, name, self._toolchain)
        variables = self._variables.list(deployment.app_id, environment)
        draft = draft_of(deployment, environment, variables, self._clock.now_s())
        self._images.image(draft)
        with writing(self._engine) as connection:
            return self._store(connection, draft), deployment

    def plan(self, version: AppVersion, cloud_id: str) -> InstallPlan:
        """Return what installing or upgrading to a version would newly grant on a site."""
        current = self._installations.find_active(version.app_id, version.environment, cloud_id)
        granted = frozenset[str]() if current is None else current.granted
        egress = frozenset[str]()
        if current is not None:
            running = self._installations.find_version(current.version_id)
            egress = frozenset() if running is None else frozenset(running.egress)
        return InstallPlan(
            version=version,
            current=current,
            new_scopes=tuple(sorted(set(version.scopes) - granted)),
            new_egress=tuple(sorted(set(version.egress) - egress)),
            lost_scopes=tuple(sorted(granted - set(version.scopes))),
        )

    def install(
        self,
        plan: InstallPlan,
        cloud_id: str,
        admin: Account,
        *,
        user_consent: bool = False,
        licence: str = "",
    ) -> Installation:
        """Install a version on a site, or move the installation to it: the admin's approval.

        Args:
            plan: What is approved.
            cloud_id: The site.
            admin: Who approves.
            user_consent: Whether ``asUser()`` is to need the consent of each user too.
            licence: The licence that the app's context shows; empty for none.

        Raises:
            InstallationError: ``NOT_SITE_ADMIN`` if the account may not approve,
                ``PLAN_OUTDATED`` if the installation is not what the plan says any more.
        """
        self._require_admin(cloud_id, admin)
        version = plan.version
        with writing(self._engine) as connection:
            self._require_current(connection, plan, cloud_id)
            if plan.current is not None:
                return self._upgrade(connection, plan, plan.current, admin)
            account = self._app_account(connection, version, cloud_id)
            installation = Installation(
                id=self._ids.uuid(),
                app_id=version.app_id,
                environment=version.environment,
                cloud_id=cloud_id,
                version_id=version.id,
                granted=frozenset(version.scopes),
                app_account_id=account.account_id,
                installed_by=admin.account_id,
                installed_at_s=self._clock.now_s(),
                active=True,
                user_consent=user_consent,
                licence=licence,
            )
            self._installations.add_installation(connection, installation)
            self._record(connection, "install", "app.installed", version, installation, admin=admin)
        return installation

    def uninstall(self, installation: Installation, admin: Account) -> int:
        """End an installation: its tokens die and its account is deactivated.

        Returns:
            How many live tokens were revoked.

        Raises:
            InstallationError: ``NOT_SITE_ADMIN`` if the account may not, ``NOT_INSTALLED`` if it
                has ended already.
        """
        self._require_admin(installation.cloud_id, admin)
        version = self.running_version(installation)
        with writing(self._engine) as connection:
            if not self._installations.deactivate(connection, installation.id):
                raise InstallationError("NOT_INSTALLED", f"{version.name} was removed already.")
            remove_app_user(connection, installation.cloud_id, installation.app_account_id)
            sync_forge_fields(connection, installation.cloud_id, installation.app_account_id, None)
            EgressGroups.forget(connection, installation.id)
            set_account_active(connection, installation.app_account_id, active=False)
            revoked = self._broker.revoke_installation(installation.id, connection)
            self._record(
                connection, "install", "app.uninstalled", version, installation, admin=admin
            )
        return revoked

    def consent(self, version: AppVersion, cloud_id: str, account: Account) -> frozenset[str]:
        """Record that an account lets an app act in its name; return the scopes it agreed to.

        Raises:
            InstallationError: ``NOT_INSTALLED``.
        """
        installation = self.find_installation(version, cloud_id)
        granted = installation.granted
        with writing(self._engine) as connection:
            self._consents.grant(installation.id, account.account_id, granted, connection)
            self._record(connection, "grant", "app.consented", version, installation, admin=account)
        return granted

    def withdraw(self, version: AppVersion, cloud_id: str, account: Account) -> bool:
        """Take an account's consent back; return whether there was one.

        Raises:
            InstallationError: ``NOT_INSTALLED``.
        """
        installation = self.find_installation(version, cloud_id)
        with writing(self._engine) as connection:
            revoked = self._consents.revoke(installation.id, account.account_id, connection)
            if revoked:
                self._record(
                    connection, "grant", "app.withdrawn", version, installation, admin=account
                )
        return revoked

    def find_version(self, name: str, environment: str) -> AppVersion:
        """Return the newest version of the app with that name, ARI or UUID.

        Raises:
            InstallationError: ``UNKNOWN_APP`` with the apps there are.
        """
        versions = [
            version
            for version in self._installations.list_latest_versions()
            if version.environment == environment
        ]
        for version in versions:
            if name in (version.name, version.app_id, app_uuid(version.app_id)):
                return version
        known = ", ".join(version.name for version in versions) or "none"
        raise InstallationError(
            "UNKNOWN_APP",
            f"No app {name!r} is deployed to {environment}; deployed are: {known}. "
            "Deploy it with 'firebrick deploy'.",
        )

    def find_installation(self, version: AppVersion, cloud_id: str) -> Installation:
        """Return the active installation of an app on a site.

        Raises:
            InstallationError: ``NOT_INSTALLED``.
        """
        found = self._installations.find_active(version.app_id, version.environment, cloud_id)
        if found is None:
            raise InstallationError(
                "NOT_INSTALLED",
                f"{version.name} ({version.environment}) is not installed on this site. "
                "Install it with 'firebrick install'.",
            )
        return found

    def running_version(self, installation: Installation) -> AppVersion:
        """Return the version an installation runs, which may be older than the newest deployed.

        Raises:
            InstallationError: ``NOT_INSTALLED`` if it is gone.
        """
        version = self._installations.find_version(installation.version_id)
        if version is None:
            raise InstallationError("NOT_INSTALLED", "The installed version is gone; deploy again.")
        return version

    def _store(self, connection: Connection, draft: AppVersion) -> AppVersion:
        """Number and store a version, and move installations to it if it is a minor one."""
        previous = self._installations.find_latest_version(
            draft.app_id, draft.environment, connection
        )
        number = next_version(previous, draft.scopes, draft.egress)
        stored = self._installations.add_version(replace(draft, version=number), connection)
        if previous is not None and number.split(".")[0] == previous.version.split(".")[0]:
            for cloud_id, account_id in self._installations.roll_out(connection, previous, stored):
                sync_forge_fields(connection, cloud_id, account_id, stored)
        self._record(connection, "deploy", "app.deployed", stored)
        return stored

    def _require_current(self, connection: Connection, plan: InstallPlan, cloud_id: str) -> None:
        """Refuse an approval that was given for another state of the installation."""
        version = plan.version
        found = self._installations.find_active(
            version.app_id, version.environment, cloud_id, connection
        )
        if found != plan.current:
            raise InstallationError(
                "PLAN_OUTDATED",
                f"The installation of {version.name} changed while it was approved: look at it "
                "again with 'firebrick install'.",
            )

    def _upgrade(
        self, connection: Connection, plan: InstallPlan, current: Installation, admin: Account
    ) -> Installation:
        self._installations.approve_version(connection, current.id, plan.version)
        sync_forge_fields(connection, current.cloud_id, current.app_account_id, plan.version)
        upgraded = replace(
            current, version_id=plan.version.id, granted=frozenset(plan.version.scopes)
        )
        self._record(connection, "install", "app.upgraded", plan.version, upgraded, admin=admin)
        return upgraded

    def _app_account(self, connection: Connection, version: AppVersion, cloud_id: str) -> Account:
        """Return the account an app had on a site, or a new one, active and with its rights."""
        last = self._installations.find_last(
            version.app_id, version.environment, cloud_id, connection
        )
        account = None if last is None else find_account(connection, last.app_account_id)
        if account is None:
            account = app_account(version, self._ids.account_id())
            add_account(connection, account)
        set_account_active(connection, account.account_id, active=True)
        add_app_user(connection, cloud_id, account)
        sync_forge_fields(connection, cloud_id, account.account_id, version)
        return account

    def _require_admin(self, cloud_id: str, account: Account) -> None:
        with self._engine.connect() as connection:
            site = load_site(connection, cloud_id)
        if not (account.active and Permissions(site, account).holds("ADMINISTER")):
            raise InstallationError(
                "NOT_SITE_ADMIN",
                f"{account.display_name} is no admin of this site: only one who holds "
                "Administer Jira may approve or remove an app.",
            )

    def _record(
        self,
        connection: Connection,
        kind: str,
        rule: str,
        version: AppVersion,
        installation: Installation | None = None,
        *,
        admin: Account | None = None,
    ) -> None:
        scopes = {"scopes": sorted(version.scopes)} if installation is not None else {}
        self._audit.append_in(
            connection,
            AuditRecord(
                kind=kind,
                allowed=True,
                rule=rule,
                app_id=version.app_id,
                installation_id=None if installation is None else installation.id,
                cloud_id=None if installation is None else installation.cloud_id,
                account_id=None if admin is None else admin.account_id,
                path=version.name,
                detail={"version": version.version, **scopes},
            ),
        )


def app_account(version: AppVersion, account_id: str) -> Account:
    """Return the account that an app gets where it is installed for the first time."""
    return Account(
        account_id=account_id,
        account_type="app",
        handle=f"{version.name}-{account_id.split(':')[1][:8]}",
        email=None,
        display_name=version.name,
    )


def draft_of(
    deployment: Deployment, environment: str, variables: Sequence[Variable], now_s: float
) -> AppVersion:
    """Return the version that a deployment would be; its number is not decided yet."""
    return AppVersion(
        id=0,
        app_id=deployment.app_id,
        environment=environment,
        version="",
        name=deployment.name,
        manifest_text=deployment.manifest_text,
        scopes=deployment.scopes,
        egress=deployment.egress,
        sources=deployment.sources,
        digest=deployment.digest,
        deployed_at_s=now_s,
        variables=freeze(variables),
    )
