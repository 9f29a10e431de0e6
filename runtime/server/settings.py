"""Settings: from options, the environment (``FIREBRICK_…``) or their defaults."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.identity.oauth.values import DAY_S, Lifetimes
from runtime.invocation.bundling import Toolchain
from runtime.jira.xsrf import XsrfMode
from runtime.sandbox.limits import MIB, Limits

DEFAULT_STATE = Path(".firebrick")
CACHE = "cache"  # in the state folder, unless named elsewhere


class Settings(BaseSettings):
    """Every setting; each is an environment variable with the prefix ``FIREBRICK_``."""

    model_config = SettingsConfigDict(env_prefix="FIREBRICK_", extra="ignore")

    state: Path = Field(DEFAULT_STATE, description="Folder of the state; made when needed.")
    database_url: str = Field(
        "", description="SQLAlchemy URL instead of the SQLite file in the state folder."
    )
    cache: Path | None = Field(
        None, description="Folder of compiled apps; the folder cache of the state by default."
    )
    trust_app_tools: bool = Field(
        False, description="Run the esbuild that an app brings in node_modules, on this machine."
    )
    toolchain: Path | None = Field(
        None, description="Folder of the bundler; the folder toolchain of the state by default."
    )
    pooling: bool = Field(True, description="Use wasmtime's pooling allocator where it works.")
    allowed_hosts: str = Field(
        "", description="Further Host names the server answers to, separated by commas."
    )
    allow_egress: str = Field(
        "",
        description="Hosts of the real network that declared requests may reach, by commas.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8080", description="Where apps and clients reach this server."
    )
    forge_api_url: str = Field(
        "", description="Where apps' remotes reach the gateway; the public URL by default."
    )
    connect_allow_hosts: str = Field(
        "", description="Hosts that Connect apps may live at, wherever they are, by commas."
    )
    connect_frozen: bool = Field(
        False, description="No Connect app is installed or updated, as on the platform today."
    )
    connect_jwt_max_s: int = Field(
        0, ge=0, description="Longest life of a Connect app's token in seconds; 0 for any."
    )
    login_failures: int = Field(
        10, ge=0, description="Failed logins by basic auth that lock a name; 0 for any number."
    )
    xsrf: XsrfMode = Field(
        "on", description="Filter on browsers' requests: on, strict (no header helps) or off."
    )
    legacy_search: bool = Field(
        False, description="Serve the search of issues that was removed in 2025, too."
    )
    api_tokens: bool = Field(True, description="Whether the organisation allows API tokens.")
    api_token_max_days: int = Field(
        365, ge=1, le=365, description="Longest life of an API token in days."
    )
    oauth_code_s: int = Field(300, gt=0, le=600, description="Life of an authorization code.")
    oauth_access_s: int = Field(3_600, gt=0, description="Life of an OAuth app's access token.")
    oauth_leeway_s: int = Field(
        600, ge=0, description="How long a used refresh token may be used again, in seconds."
    )
    oauth_idle_days: int = Field(90, gt=0, description="Life of a refresh token nobody uses.")
    oauth_absolute_days: int = Field(
        365, gt=0, description="Life of everything that one OAuth consent led to."
    )
    proxy_token_s: int = Field(
        900, gt=0, le=86_400, description="Life of the proxy token of an invocation outside."
    )
    offline_tokens_per_minute: int = Field(
        10_000,
        ge=0,
        description="Tokens of absent users an app gets in a minute; 0 for any number.",
    )
    impersonations_per_minute: int = Field(
        1_000, ge=0, description="Calls of an installation as other users in a minute; 0 for any."
    )
    wall_ms: int = Field(25_000, gt=0, description="Wall time of one invocation in ms.")
    cpu_ms: int = Field(10_000, gt=0, description="Computing time of one invocation in ms.")
    memory_mib: int = Field(128, ge=4, le=1024, description="Linear memory of a guest in MiB.")
    door_calls: int = Field(100, ge=0, description="Host calls of one invocation.")
    log_lines: int = Field(100, ge=0, description="Log lines kept of one invocation.")
    world: Path | None = Field(
        None, description="World file of a new state; firebrick.yml beside the state by default."
    )
    prove: bool = Field(
        False, description="Search the memory of each guest after its run for live secrets."
    )
    proof_log: Path | None = Field(
        None, description="File to which each proof appends a line: secrets, bytes, found."
    )
    recordings: int = Field(
        1_000, ge=0, description="How many invocations can be replayed, the newest; 0 keeps none."
    )
    result_bytes: int = Field(5 * MIB, gt=0, description="Size of a function's result in bytes.")

    @property
    def connect_hosts(self) -> frozenset[str]:
        """Return the hosts of `connect_allow_hosts`."""
        names = (name.strip().lower() for name in self.connect_allow_hosts.split(","))
        return frozenset(name for name in names if name)

    @property
    def oauth_lifetimes(self) -> Lifetimes:
        """Return how long OAuth's codes and tokens live."""
        return Lifetimes(
            code_s=self.oauth_code_s,
            access_s=self.oauth_access_s,
            leeway_s=self.oauth_leeway_s,
            idle_s=self.oauth_idle_days * DAY_S,
            absolute_s=self.oauth_absolute_days * DAY_S,
        )

    @property
    def cache_folder(self) -> Path:
        """Return where compiled apps are kept."""
        return self.state / CACHE if self.cache is None else self.cache

    @property
    def world_file(self) -> Path:
        """Return where the world file of a new state is, if there is one."""
        return self.state.parent / "firebrick.yml" if self.world is None else self.world

    @property
    def tools(self) -> Toolchain:
        """Return where a bundler may be taken from."""
        return Toolchain(self.toolchain_folder, self.trust_app_tools)

    @property
    def toolchain_folder(self) -> Path:
        """Return where the bundler is installed."""
        return self.state / "toolchain" if self.toolchain is None else self.toolchain

    @property
    def limits(self) -> Limits:
        """Return the budgets of an invocation."""
        return Limits(
            wall_ms=self.wall_ms,
            cpu_ms=self.cpu_ms,
            memory_bytes=self.memory_mib * MIB,
            door_calls=self.door_calls,
            log_lines=self.log_lines,
            result_bytes=self.result_bytes,
        )
