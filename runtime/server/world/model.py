"""``firebrick.yml``: the world to run in, as people write it.

What a file says is laid over what each of its sites begins with; see `runtime.server.world.merge`.
`WorldFile` is the sum of both: complete, and of the right form. Whether its names mean something is
for `runtime.server.world.check`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from runtime.hostfunctions.stubs import EgressStub
from runtime.jira.world_model import GrantEntry, Handle, Name, Part, ProjectKey, SiteWorld
from runtime.policy.customer_egress import BACKEND

FILE_NAME = "firebrick.yml"
Environment = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Reference = Annotated[
    str,
    Field(min_length=1, description="An app: its folder, seen from the file, or its name or id."),
]


class UserEntry(Part):
    """An account; it may be used on several sites.

    Attributes:
        type: ``app`` is for accounts of installed apps, named by an install.
    """

    handle: Handle
    name: Name
    email: str | None = Field(None, max_length=254, description="handle@acme.example by default.")
    active: bool = True
    type: Literal["atlassian", "app", "customer"] = "atlassian"
    account_id: str | None = Field(
        None, pattern=r"^[A-Za-z0-9:_-]{1,128}$", description="Made from the handle by default."
    )
    time_zone: Annotated[str, Field(max_length=64)] = "Etc/UTC"
    locale: Annotated[str, Field(pattern=r"^[a-z]{2}_[A-Z]{2}$")] = "en_US"


class ChangeEntry(Part):
    """A change of a permission scheme, as it stands after all else."""

    scheme: Name
    grant: list[GrantEntry] = Field(default_factory=list)
    revoke: list[GrantEntry] = Field(
        default_factory=list, description="Taken out where the holder is exactly the same."
    )


class DomainEntry(Part):
    """A domain that a customer lets an app reach, and what may go there."""

    domain: Annotated[str, Field(max_length=1_000)]
    type: list[str] = Field(default_factory=lambda: [BACKEND])


class EgressGroupEntry(Part):
    """Domains that an administrator approved together."""

    key: str
    description: str
    configured: list[DomainEntry]


class InstallEntry(Part):
    """An app on this site.

    Attributes:
        version: Of an app that is deployed already; the newest by default.
        by: The approving admin; the first active one by default.
        scopes: What is granted; all that the version declares by default.
        consents: Who agreed, where `user_consent` is on.
        account: Handle of the app's account, if the file says what it may do; otherwise it gets
            what ``firebrick install`` gives.
        egress: What the customer lets it reach beside what its manifest declares.
        remotes: Where the customer says that its configurable remotes are, by their keys.
    """

    app: Reference
    environment: Environment = "development"
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] | None = None
    by: Handle | None = None
    scopes: list[str] | None = None
    user_consent: bool = False
    license: Literal["", "active", "inactive", "trial"] = ""
    consents: list[Handle] = Field(default_factory=list)
    account: Handle | None = None
    egress: list[EgressGroupEntry] = Field(default_factory=list)
    remotes: dict[str, str] = Field(default_factory=dict)


class AppAccessEntry(Part):
    """An app access rule: what an administrator says of apps and the content of a project.

    Attributes:
        app: A Forge app as `installs` names it; every app if neither it nor an id is given.
        id: Key of a Connect app, client id of an OAuth app, or whole id of a Forge app, which need
            not be there yet.
        access: ``allowed`` makes an exception where every app is blocked.
    """

    project: ProjectKey
    app: Reference | None = None
    id: Annotated[str, Field(min_length=2, max_length=254)] | None = None
    access: Literal["blocked", "allowed"] = "blocked"

    def blocks(self) -> bool:
        """Return whether it blocks rather than allows."""
        return self.access == "blocked"

    def for_every_app(self) -> bool:
        """Return whether it names no app."""
        return self.app is None and self.id is None


class SiteFile(SiteWorld):
    """A site and the apps on it.

    Attributes:
        begin: What the site begins with: the ``default`` world; ``empty``: its types, schemes,
            roles and groups without anybody and without projects; or ``bare``: nothing at all.
    """

    begin: Literal["default", "empty", "bare"] = "default"
    permission_changes: list[ChangeEntry] = Field(default_factory=list)
    installs: list[InstallEntry] = Field(default_factory=list)
    app_access: list[AppAccessEntry] = Field(default_factory=list)


class VariableEntry(Part):
    """An environment variable of an app.

    Attributes:
        from_env: Name of the variable of the host's environment that has the value.
    """

    app: Reference
    environment: Environment = "development"
    key: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
    value: Annotated[str, Field(max_length=32_768)] | None = None
    from_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    encrypted: bool = False


class WorldFile(Part):
    """A whole world.

    Attributes:
        clock: The moment at which the world begins, such as ``2026-01-05T09:00:00Z``; from there
            time runs on. Now by default.
        seed: Any text: ids that the file leaves open, and the randomness of invocations, come from
            it. Fresh by default.
        egress: What answers requests to the outside.
    """

    clock: (
        Annotated[
            str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$")
        ]
        | None
    ) = None
    seed: Annotated[str, Field(max_length=256)] | None = None
    users: list[UserEntry] = Field(default_factory=list)
    sites: Annotated[list[SiteFile], Field(min_length=1)]
    variables: list[VariableEntry] = Field(default_factory=list)
    egress: list[dict[str, Any]] = Field(
        default_factory=list
    )  # Any: read by runtime.hostfunctions.stubreader


@dataclass(frozen=True, slots=True)
class World:
    """A world that can be made.

    Attributes:
        file: What it consists of, complete.
        stubs: What answers requests to the outside.
        folder: Where apps are looked for.
        environ: The host's environment; None where the world is only looked at.
        path: The file's name, for records and messages.
    """

    file: WorldFile
    stubs: tuple[EgressStub, ...]
    folder: Path
    environ: Mapping[str, str] | None
    path: str
