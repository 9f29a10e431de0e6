"""The composition root: everything wired together over one state."""

import shutil
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr
from sqlalchemy import Engine, select

from runtime.audit.trail import AuditTrail
from runtime.clock import Clock, SystemClock
from runtime.database import open_database, sqlite_url
from runtime.errors import ForgeError, InstallationError, StateError
from runtime.gateway.gateway import Gateway
from runtime.identity.accounts import Account, find_account, find_account_by_name, list_accounts
from runtime.identity.api_tokens import ApiTokens
from runtime.ids import Ids
from runtime.installation.consents import ConsentStore
from runtime.installation.model import AppVersion, Installation
from runtime.installation.store import InstallationStore
from runtime.installation.variables import Variable, VariableStore, check_name, thaw
from runtime.invocation.images import Images
from runtime.invocation.invoker import Invoker, SecretSource
from runtime.invocation.records import InvocationRecords
from runtime.jira.product import Jira
from runtime.jira.schema import site_table
from runtime.jira.served import served_operations
from runtime.jira.world import seed_default_world
from runtime.manifest.reader import read_manifest
from runtime.sandbox.engine import Engine as SandboxEngine
from runtime.server.apps import Apps
from runtime.server.authenticator import CredentialAuthenticator
from runtime.server.explaining import Explainer, Explanation
from runtime.server.operations import load_operations
from runtime.server.settings import Settings
from runtime.tokens.broker import TokenBroker
from runtime.tokens.vault import Vault

STATE_FILES = ("state.db", "state.db-wal", "state.db-shm")
STATE_MARKER = "firebrick-state"  # names a folder as ours, so that `reset` removes nothing else


class Firebrick:
    """One state with everything that works on it.

    Args:
        settings: The settings.
        engine: The state database, seeded.
        clock: The host's clock.
        ids: Makes ids and credentials.
    """

    def __init__(self, settings: Settings, engine: Engine, clock: Clock, ids: Ids) -> None:
        self.settings = settings
        self.engine = engine
        self.clock = clock
        self.ids = ids
        self.operations = load_operations()
        self.audit = AuditTrail(engine, clock)
        self.records = InvocationRecords(engine)
        self.installations = InstallationStore(engine)
        self.consents = ConsentStore(engine, clock)
        self.variables = VariableStore(engine)
        self.vault = Vault(settings.state)
        self.api_tokens = ApiTokens(engine, clock, ids)
        self.broker = TokenBroker(engine, clock, ids)
        authenticator = CredentialAuthenticator(self.api_tokens, self.broker, self.installations)
        self.jira = Jira(engine, self.operations, authenticator, clock, ids)
        self.gateway = Gateway(
            product=self.jira,
            operations=self.operations,
            installations=self.installations,
            consents=self.consents,
            broker=self.broker,
            audit=self.audit,
            clock=clock,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the database."""
        self.engine.dispose()

    @cached_property
    def sandbox(self) -> SandboxEngine:
        """The sandbox engine, made when the first guest needs it."""
        return SandboxEngine(self.settings.cache_folder, pooling=self.settings.pooling)

    @cached_property
    def images(self) -> Images:
        """Apps made ready to run."""
        return Images(lambda: self.sandbox)

    @cached_property
    def apps(self) -> Apps:
        """The life of apps."""
        return Apps(
            engine=self.engine,
            installations=self.installations,
            images=self.images,
            variables=self.variables,
            consents=self.consents,
            broker=self.broker,
            audit=self.audit,
            clock=self.clock,
            ids=self.ids,
            toolchain=self.settings.toolchain_folder,
        )

    @cached_property
    def invoker(self) -> Invoker:
        """Runs functions."""
        return Invoker(
            gateway=self.gateway,
            images=self.images,
            audit=self.audit,
            records=self.records,
            secrets=SecretSource(self.broker.live_tokens, self.live_digests),
            clock=self.clock,
            ids=self.ids,
        )

    def live_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every credential that is valid now."""
        return self.broker.live_digests() | self.api_tokens.live_digests()

    # --- sites and people ------------------------------------------------------------------------

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

    def name_of(self, account_id: str) -> str:
        """Return the handle of a person, the display name of an app, or the id of a stranger."""
        with self.engine.connect() as connection:
            account = find_account(connection, account_id)
        if account is None:
            return account_id
        return account.display_name if account.account_type == "app" else account.handle

    # --- apps ------------------------------------------------------------------------------------

    def find_app(self, name: str | None, environment: str) -> AppVersion:
        """Return the newest version of an app.

        Args:
            name: Name, id or folder; None for the app of the current folder, or the only one.
            environment: Its environment.

        Raises:
            InstallationError: ``UNKNOWN_APP``.
        """
        if name is None and not Path("manifest.yml").exists():
            latest = [
                version
                for version in self.installations.list_latest_versions()
                if version.environment == environment
            ]
            if len(latest) == 1:
                return latest[0]
            known = ", ".join(version.name for version in latest) or "none"
            raise InstallationError(
                "UNKNOWN_APP", f"Name the app with --app; deployed to {environment} are: {known}."
            )
        folder = Path(name or ".")
        if (folder / "manifest.yml").is_file():
            manifest = read_manifest(folder).manifest
            if manifest is not None:
                return self.apps.find_version(manifest.app_id, environment)
        return self.apps.find_version(name or str(folder), environment)

    def set_variable(
        self, version: AppVersion, key: str, value: str, *, secure: bool = False
    ) -> None:
        """Set an environment variable of an app; it takes effect with the next deploy.

        Raises:
            InstallationError: ``BAD_VARIABLE``.
        """
        check_name(key)
        kept = self.vault.encrypt(SecretStr(value)) if secure else value
        self.variables.set(version.app_id, version.environment, Variable(key, kept, secure))

    def env_of(self, version: AppVersion) -> dict[str, str]:
        """Return the environment variables of a version, encrypted ones in the clear.

        Raises:
            StateError: ``KEY_MISMATCH`` if one cannot be decrypted.
        """
        return {
            one.key: self.vault.decrypt(one.value).get_secret_value() if one.secure else one.value
            for one in thaw(version.variables)
        }

    def list_apps(self) -> list[dict[str, object]]:
        """Return one row for each deployed app and each of its installations."""
        hosts = {cloud_id: host for host, cloud_id in self.sites_by_host().items()}
        rows: list[dict[str, object]] = []
        active = self.installations.list_active()
        for version in self.installations.list_latest_versions():
            mine: list[Installation | None] = [
                one
                for one in active
                if (one.app_id, one.environment) == (version.app_id, version.environment)
            ]
            for installation in mine or [None]:
                running = None if installation is None else self.apps.running_version(installation)
                rows.append(
                    {
                        "app": version.name,
                        "appId": version.app_id,
                        "environment": version.environment,
                        "deployed": version.version,
                        "site": None if installation is None else hosts[installation.cloud_id],
                        "installed": None if running is None else running.version,
                        "installationId": None if installation is None else installation.id,
                        "scopes": len(version.scopes),
                    }
                )
        return rows

    def explain(
        self,
        method: str,
        path: str,
        *,
        app: str | None,
        user: str | None,
        environment: str,
        cloud_id: str,
    ) -> Explanation:
        """Explain one operation: what it needs, who holds it, what would be decided."""
        grant, account = None, None if user is None else self.find_person(user)
        if app is not None:
            version = self.find_app(app, environment)
            installation = self.apps.find_installation(version, cloud_id)
            grant = self.installations.find_live_grant(installation.id)
            if account is None:
                account = self.find_person(installation.app_account_id)
        explainer = Explainer(self.engine, self.operations, frozenset(served_operations()))
        return explainer.explain(method, path, cloud_id=cloud_id, grant=grant, account=account)


def open_firebrick(
    settings: Settings,
    clock: Clock | None = None,
    ids: Ids | None = None,
    seed: Callable[[Engine, Ids, Clock], None] | None = None,
) -> Firebrick:
    """Open the state of the settings, making and seeding it when it is new.

    Args:
        settings: The settings.
        clock: The host's clock; the machine's by default.
        ids: Makes ids; random by default.
        seed: Fills a new state; the default world by default.

    Raises:
        StateError: The state cannot be used.
    """
    clock, ids = clock or SystemClock(), ids or Ids()
    url = settings.database_url
    if not url:
        _make_folder(settings.state)
        url = sqlite_url(settings.state / "state.db")
    engine = open_database(url)
    with engine.connect() as connection:
        empty = connection.execute(select(site_table.c.cloud_id).limit(1)).first() is None
    if empty:
        (seed or _seed_default)(engine, ids, clock)
    return Firebrick(settings, engine, clock, ids)


def remove_state(settings: Settings) -> list[Path]:
    """Remove the files of a state folder and return what was removed.

    Only what Firebrick made is touched, and only in a folder that carries its marker.

    Raises:
        StateError: ``NOT_A_STATE`` if the folder is not one of ours, ``STATE_UNUSABLE`` if a file
            cannot be removed.
    """
    folder = settings.state
    if not folder.exists():
        return []
    if not (folder / STATE_MARKER).is_file():
        raise StateError("NOT_A_STATE", f"{folder} is no Firebrick state; nothing was removed.")
    removed = []
    try:
        for name in STATE_FILES:
            path = folder / name
            if path.exists():
                path.unlink()
                removed.append(path)
        if settings.cache_folder.is_dir():
            shutil.rmtree(settings.cache_folder)
            removed.append(settings.cache_folder)
    except OSError as error:
        raise StateError(
            "STATE_UNUSABLE", f"Cannot remove {error.filename}: {error.strerror}."
        ) from error
    return removed


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        marker = folder / STATE_MARKER
        if not marker.exists():
            marker.write_text("This folder is a Firebrick state; 'firebrick reset' empties it.\n")
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise StateError(
            "STATE_UNUSABLE",
            f"The state folder {folder} cannot be made: {error.strerror}. "
            "Name another with --state.",
        ) from error


def _seed_default(engine: Engine, ids: Ids, clock: Clock) -> None:
    with engine.begin() as connection:
        seed_default_world(connection, ids, clock)
