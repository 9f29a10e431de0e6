"""The composition root: everything wired together over one state."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, select

import runtime.identity.oauth.stateless  # noqa: F401  # its table belongs to every state
from runtime.audit.trail import AuditTrail
from runtime.clock import Clock, SystemClock
from runtime.database import open_database, sqlite_url, writing
from runtime.errors import InstallationError
from runtime.gateway.gateway import Gateway
from runtime.gateway.outside import ExternalCall, ExternalReply
from runtime.hostfunctions.fetch import Egress
from runtime.hostfunctions.stubs import EgressStub
from runtime.identity.api_tokens import ApiTokens
from runtime.identity.lockout import Lockout
from runtime.identity.sessions import Sessions
from runtime.identity.token_policy import TokenPolicies, TokenPolicy
from runtime.ids import Ids
from runtime.installation.consents import ConsentStore
from runtime.installation.model import AppVersion, Installation
from runtime.installation.store import InstallationStore
from runtime.installation.variables import Variable, VariableStore, check_name, thaw
from runtime.invocation.images import Images
from runtime.invocation.invoker import Invoker, SecretSource
from runtime.invocation.proof import Proof
from runtime.invocation.recording import RecordingStore
from runtime.invocation.records import InvocationRecords
from runtime.jira.product import Jira
from runtime.jira.schema import site_table
from runtime.jira.world import seed_default_world
from runtime.manifest.reader import read_manifest
from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl
from runtime.sandbox.engine import Engine as SandboxEngine
from runtime.server.app_access import AppAccessRules
from runtime.server.apps import Apps
from runtime.server.authenticator import CredentialAuthenticator
from runtime.server.basic import BasicAuthenticator
from runtime.server.connect.apps import ConnectApps
from runtime.server.connect.migration import MigrationKeys
from runtime.server.connect.parts import open_connect
from runtime.server.connect.services import ConnectServices
from runtime.server.directory import Directory
from runtime.server.egress_groups import EgressGroups
from runtime.server.forge.remote_parts import open_remotes
from runtime.server.oauth_parts import open_oauth
from runtime.server.operations import load_operations
from runtime.server.settings import Settings
from runtime.server.statefolder import StateFolder
from runtime.server.steering import SteeredClock
from runtime.server.webhooks.parts import open_webhooks
from runtime.server.world.state import recall
from runtime.tokens.broker import TokenBroker
from runtime.tokens.vault import Vault

Seed = Callable[[Connection, Ids, Clock], object]


class Firebrick(Directory):
    """One state with everything that works on it.

    Args:
        settings: The settings.
        engine: The state database, seeded.
        clock: The host's clock.
        ids: Makes ids and credentials.
        folder: The state folder, held until this is closed; None without one.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        clock: Clock,
        ids: Ids,
        folder: StateFolder | None = None,
    ) -> None:
        self._folder = folder
        self.settings = settings
        super().__init__(engine)
        self.clock = clock
        self.ids = ids
        self.operations = load_operations()
        self.world = recall(engine)
        self.steered = steered = SteeredClock(clock, settings.state)
        self.world_clock = self.world.shift(steered)
        self.stubs: tuple[EgressStub, ...] = self.world.stubs  # of the world outside
        self.audit = AuditTrail(engine, clock)
        self.records = InvocationRecords(engine)
        self.recordings = RecordingStore(engine, settings.recordings)
        self.installations = InstallationStore(engine)
        self.consents = ConsentStore(engine, clock)
        self.egress_groups = EgressGroups(engine, clock)
        self.variables = VariableStore(engine)
        self.vault = Vault(settings.state)
        ceiling = TokenPolicy(settings.api_tokens, settings.api_token_max_days)
        self.token_policies = TokenPolicies(engine, self.audit, ceiling)
        self.api_tokens = ApiTokens(engine, steered, ids, ceiling)
        self.lockout = Lockout(engine, steered, settings.login_failures)
        self.sessions = Sessions(engine, steered, ids)
        self.broker = TokenBroker(engine, clock, ids)
        self.connect = open_connect(engine, clock, ids, self.vault, settings.connect_jwt_max_s)
        self.oauth = open_oauth(
            engine=engine,
            clock=steered,
            ids=ids,
            audit=self.audit,
            operations=self.operations,
            lifetimes=settings.oauth_lifetimes,
            box=self.vault,
        )
        self.basic = BasicAuthenticator(engine, self.api_tokens, self.lockout)
        self.authenticator = CredentialAuthenticator(
            self.basic,
            self.broker,
            self.connect.authenticator,
            MigrationKeys(self.installations, self.connect.installations),
            self.oauth.authenticator,
        )
        self.remotes = open_remotes(
            engine=engine, clock=clock, ids=ids, vault=self.vault, audit=self.audit,
            installations=self.installations, consents=self.consents, handed=self.broker.handed,
            api_url=settings.forge_api_url or settings.public_url,
        )  # fmt: skip
        jira = Jira(
            engine, self.operations, self.authenticator, self.world_clock, ids, settings.xsrf,
            legacy_search=settings.legacy_search,
        )  # fmt: skip
        self.connect_services = ConnectServices(
            engine=engine, parts=self.connect, audit=self.audit, clock=clock, ids=ids,
            settings=settings,
        )  # fmt: skip
        self.webhooks = open_webhooks(
            engine=engine, product=jira, operations=self.operations, connect=self.connect,
            oauth=self.oauth, box=self.vault, audit=self.audit, clock=clock,
            world_clock=self.world_clock, ids=ids, allowed_hosts=settings.connect_hosts,
            site_url=self.site_url,
        )  # fmt: skip
        self.jira = self.webhooks.feed
        self.app_access = AppAccessRules(engine, self.audit)
        self.gateway = Gateway(
            product=self.jira,
            operations=self.operations,
            installations=self.installations,
            consents=self.consents,
            broker=self.broker,
            audit=self.audit,
            clock=clock,
            may_use=self.may_use,
            rates=self.broker.rates,
            impersonations_per_minute=settings.impersonations_per_minute,
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
        """Release the database, the state folder and the sandbox with every image made here."""
        self.webhooks.deliveries.close()
        sandbox = self.__dict__.pop("sandbox", None)
        for name in ("images", "apps", "invoker"):
            self.__dict__.pop(name, None)
        if sandbox is not None:
            sandbox.close()
        self.engine.dispose()
        if self._folder is not None:
            self._folder.release()

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
            toolchain=self.settings.tools,
        )

    @property
    def connect_apps(self) -> ConnectApps:
        """The life of Connect apps."""
        return self.connect_services.apps

    @cached_property
    def invoker(self) -> Invoker:
        """Runs functions."""
        return Invoker(
            gateway=self.gateway,
            remotes=self.remotes.gateway,
            images=self.images,
            audit=self.audit,
            records=self.records,
            recordings=self.recordings,
            secrets=SecretSource(
                lambda: (*self.broker.live_tokens(), *self.remotes.tokens.live_tokens()),
                self.live_digests,
                always=self.settings.prove,
                note=self._note_proof,
            ),
            clock=self.clock,
            world_clock=self.world_clock,
            ids=self.ids,
            outside=self.ask_network,
            chosen=self.egress_groups.find,
        )

    def egress(
        self, hosts: Iterable[str] = (), remotes: Mapping[str, str] = MappingProxyType({})
    ) -> Egress:
        """Return what stands outside: the world's stubs, and hosts that a human allowed.

        Args:
            hosts: Hosts of the real network, beside those of the settings; a leading ``*`` stands
                for any text.
            remotes: Base URL of an app's remote by its key, where a human named one.
        """
        named = (one.strip() for one in self.settings.allow_egress.split(","))
        allowed = tuple(one.lower() for one in (*named, *hosts) if one)
        return Egress(self.stubs, allowed, remotes)

    def ask_network(self, target: ExternalUrl, call: ExternalCall) -> ExternalReply | Decision:
        """Ask the real network, for a host that a human allowed."""
        from runtime.gateway.network import Network  # noqa: PLC0415  # httpx takes 0.1 s to load

        return Network(clock=self.clock)(target, call)

    def _note_proof(self, proof: Proof) -> None:
        log = self.settings.proof_log
        if log is not None:
            with log.open("a", encoding="ascii") as file:
                file.write(f"{proof.secrets} {proof.bytes} {proof.found}\n")

    def next_seed(self) -> bytes | None:
        """Return the seed of the next invocation in a world with a seed; None in any other."""
        return None if self.world.seed is None else self.world.seed_of(self.records.count())

    def live_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every credential that is valid now."""
        return (
            self.broker.live_digests()
            | self.api_tokens.live_digests()
            | self.connect.live_digests()
            | self.oauth.tokens.live_digests()
            | self.sessions.live_digests()
        )

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
            known = ", ".join(version.name for version in latest)
            raise InstallationError(
                "UNKNOWN_APP",
                f"Name the app with --app; deployed to {environment} are: {known}."
                if known
                else f"No app is deployed to {environment}. Next: firebrick deploy DIR",
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


def open_firebrick(
    settings: Settings,
    clock: Clock | None = None,
    ids: Ids | None = None,
    seed: Seed | None = None,
) -> Firebrick:
    """Open the state of the settings, making and seeding it when it is new.

    However many processes do so at once, a state is seeded exactly once, whole or not at all.

    Args:
        settings: The settings.
        clock: The host's clock; the machine's by default.
        ids: Makes ids; random by default.
        seed: Fills a new state inside one transaction; by default the world of the settings' world
            file, and the default world where there is none.

    Raises:
        StateError: The state cannot be used.
        ManifestError: ``BAD_WORLD`` if the world file has errors.
    """
    clock, ids = clock or SystemClock(), ids or Ids()

    def opened(url: str) -> Engine:
        engine = open_database(url)
        _seed_once(engine, ids, clock, lambda: seed or _seed_of(settings, engine, clock, ids))
        return engine

    if settings.database_url:
        return Firebrick(settings, opened(settings.database_url), clock, ids)
    folder = StateFolder(settings.state, lambda path: opened(sqlite_url(path)).dispose())
    return Firebrick(settings, opened(sqlite_url(folder.database)), clock, ids, folder)


def _seed_once(engine: Engine, ids: Ids, clock: Clock, make: Callable[[], Seed]) -> None:
    with engine.connect() as connection:
        if _has_site(connection):
            return
    seed = make()
    with writing(engine) as connection:
        if not _has_site(connection):
            seed(connection, ids, clock)


def _seed_of(settings: Settings, engine: Engine, clock: Clock, ids: Ids) -> Seed:
    """Return what fills a new state: the world of its file, or the default world."""
    path = settings.world_file
    if not path.is_file():
        return seed_default_world
    from runtime.server.world.file import require_world  # noqa: PLC0415  # for a new state alone
    from runtime.server.world.seed import Seeder  # noqa: PLC0415

    world = require_world(path)
    sandbox = SandboxEngine(settings.cache_folder, pooling=settings.pooling)
    try:
        return Seeder(settings, engine, clock, ids, Images(lambda: sandbox)).prepare(world)
    finally:
        sandbox.close()


def _has_site(connection: Connection) -> bool:
    return connection.execute(select(site_table.c.cloud_id).limit(1)).first() is not None
