"""Apps, their deployed versions and their installations, as values."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

EnvironmentType = Literal["DEVELOPMENT", "STAGING", "PRODUCTION"]
_NAMESPACE = uuid.UUID("6c1b1f0e-6f0a-5b0e-9a53-0f1a3d6f7c11")  # of derived ids, fixed for ever


@dataclass(frozen=True, slots=True)
class AppVersion:
    """One deployed version of an app in one environment.

    Attributes:
        id: Row id.
        app_id: The app's ARI, as in the manifest.
        environment: ``development``, ``staging``, ``production`` or a custom name.
        version: ``major.minor.0``: new scopes or egress raise the major number.
        name: What the app is called on screens and on the command line.
        manifest_text: The manifest as JSON text, as deployed.
        scopes: Declared scopes, each with its ``allowImpersonation``.
        egress: Declared external addresses, as ``kind address``.
        sources: The app's module sources as JSON text, or base64 of a raw module.
        digest: SHA-256 of manifest and sources.
        deployed_at_s: Seconds since 1970.
        variables: Environment variables as of the deploy, as `variables.freeze` writes them.
    """

    id: int
    app_id: str
    environment: str
    version: str
    name: str
    manifest_text: str
    scopes: Mapping[str, bool]
    egress: tuple[str, ...]
    sources: str
    digest: str
    deployed_at_s: float
    variables: str = "[]"


@dataclass(frozen=True, slots=True)
class Installation:
    """One app environment on one site.

    Attributes:
        id: UUID, unique over all sites.
        app_id: The app's ARI.
        environment: The environment that is installed.
        cloud_id: The site.
        version_id: The version that runs here; it changes by an approved upgrade or a minor deploy.
        granted: Scopes a site admin approved.
        app_account_id: The app's own account on this site.
        installed_by: Account id of the approving admin.
        installed_at_s: Seconds since 1970.
        active: False after uninstalling: nothing of it has any right then.
        user_consent: Whether ``asUser()`` needs the consent of each user too.
        licence: ``active``, ``inactive``, ``trial``, or empty for an app without one.
    """

    id: str
    app_id: str
    environment: str
    cloud_id: str
    version_id: int
    granted: frozenset[str]
    app_account_id: str
    installed_by: str
    installed_at_s: float
    active: bool
    user_consent: bool = False
    licence: str = ""


@dataclass(frozen=True, slots=True)
class LiveGrant:
    """What an installation may do at this moment.

    Attributes:
        installation: The active installation.
        declared: Scopes its version declares, each with its ``allowImpersonation``.
        egress: External addresses its version declares, as ``kind address``.
    """

    installation: Installation
    declared: Mapping[str, bool]
    egress: tuple[str, ...]


def app_uuid(app_id: str) -> str:
    """Return the UUID inside an app's ARI, or one derived from it where there is none."""
    tail = app_id.rsplit("/", 1)[-1]
    try:
        return str(uuid.UUID(tail))
    except ValueError:
        return str(uuid.uuid5(_NAMESPACE, app_id))


def environment_id(app_id: str, environment: str) -> str:
    """Return the id of an app's environment; the same for the same pair everywhere."""
    return str(uuid.uuid5(_NAMESPACE, f"{app_id}#{environment}"))


def environment_type(environment: str) -> EnvironmentType:
    """Return the platform's type of an environment; custom names are development ones."""
    if environment == "production":
        return "PRODUCTION"
    return "STAGING" if environment == "staging" else "DEVELOPMENT"


def next_version(
    previous: AppVersion | None, scopes: Mapping[str, bool], egress: tuple[str, ...]
) -> str:
    """Return the version number of a deploy.

    The first is 1.0.0. New scopes, new impersonation or new egress make a major version, which
    every installation must approve; anything else is a minor one.

    Source:
        Forge documentation, "App versions".
    """
    if previous is None:
        return "1.0.0"
    major, minor, _ = (int(part) for part in previous.version.split("."))
    if widens(previous, scopes, egress):
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0"


def widens(previous: AppVersion, scopes: Mapping[str, bool], egress: tuple[str, ...]) -> bool:
    """Return whether a deploy asks for more than the previous one."""
    new_scopes = set(scopes) - set(previous.scopes)
    new_impersonation = any(
        allowed and not previous.scopes.get(scope) for scope, allowed in scopes.items()
    )
    return bool(new_scopes or new_impersonation or set(egress) - set(previous.egress))
