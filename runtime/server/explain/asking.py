"""Whom a question is about: the names that a person types become who asks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.errors import ForgeError, InstallationError
from runtime.identity.api_tokens import ApiToken
from runtime.identity.connect.installations import ConnectInstallation
from runtime.identity.oauth.values import OAuthClient
from runtime.jira.site import EVERY_APP
from runtime.policy.impersonation import ActAs
from runtime.server.explain.askers import NOBODY, Asker

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

SHOWN_ID_CHARACTERS = 8

__all__ = ["EVERY_APP", "Names", "find_app_id", "find_asker", "name_of_app"]


@dataclass(frozen=True, slots=True)
class Names:
    """What was typed.

    Attributes:
        app: Key of a Connect app, id or name of an OAuth app, or name, id or folder of a Forge app.
        user: Handle, e-mail or account id.
        token: Label or id of an API token.
        invoked_by: Who invoked the Forge app's function, where that is not the user.
        environment: Of the Forge app.
    """

    app: str | None = None
    user: str | None = None
    token: str | None = None
    invoked_by: str | None = None
    environment: str = "development"


def find_asker(firebrick: "Firebrick", names: Names, cloud_id: str) -> Asker:
    """Return who asks.

    Raises:
        InstallationError: ``UNKNOWN_APP``, ``NOT_INSTALLED``, ``NO_USER`` for an OAuth app without
            a user, ``BAD_ASKER`` for names that do not go together.
        ForgeError: ``UNKNOWN_ACCOUNT``, ``UNKNOWN_TOKEN``.
    """
    user = None if names.user is None else firebrick.find_person(names.user)
    account_id = None if user is None else user.account_id
    if names.token is not None:
        if names.app is not None:
            raise InstallationError("BAD_ASKER", "An API token is no app's: --token or --app.")
        token = _token(firebrick, names.token, account_id)
        return Asker("basic", "api-token", token.account_id, token=token)
    if names.app is None:
        return NOBODY if user is None else Asker("basic", "api-token", account_id)
    connect = firebrick.connect.installations.find(cloud_id, names.app)
    if connect is not None:
        return _connect(connect, account_id)
    client = _client(firebrick, names.app)
    if client is not None:
        return _oauth(firebrick, client, account_id, cloud_id)
    return _forge(firebrick, names, account_id, cloud_id)


def find_app_id(firebrick: "Firebrick", name: str, environment: str, cloud_id: str) -> str:
    """Return by which id an app is known to the product of a site.

    Raises:
        InstallationError: ``UNKNOWN_APP``, ``BAD_ASKER`` if it names several.
    """
    if firebrick.connect.installations.find(cloud_id, name) is not None:
        return name
    client = _client(firebrick, name)
    return firebrick.find_app(name, environment).app_id if client is None else client.client_id


def name_of_app(firebrick: "Firebrick", app_id: str, cloud_id: str) -> str:
    """Return what an app is called; its id where it is not there any more."""
    if app_id == EVERY_APP:
        return "every app"
    connect = firebrick.connect.installations.find(cloud_id, app_id)
    client = firebrick.oauth.clients.find(app_id)
    if connect is not None or client is not None:
        return app_id if client is None else client.name
    versions = firebrick.installations.list_latest_versions()
    return next((one.name for one in versions if one.app_id == app_id), app_id)


def _token(firebrick: "Firebrick", name: str, account_id: str | None) -> ApiToken:
    tokens = firebrick.api_tokens.list(account_id)
    exact = [one for one in tokens if name in (one.id, one.label)]
    live = [one for one in exact if not one.revoked]
    found = live or exact
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{one.label!r} ({one.id[:SHOWN_ID_CHARACTERS]}…)" for one in tokens)
    raise ForgeError(
        "UNKNOWN_TOKEN",
        f"{name!r} names {len(found)} API tokens; there are: {known or 'none'}. "
        "Give the id of 'firebrick token list', or the owner with --as.",
    )


def _client(firebrick: "Firebrick", name: str) -> OAuthClient | None:
    found = [one for one in firebrick.oauth.clients.list() if name in (one.client_id, one.name)]
    if len(found) > 1:
        raise InstallationError("BAD_ASKER", f"{name!r} names {len(found)} OAuth apps: give an id.")
    return found[0] if found else None


def _connect(app: ConnectInstallation, account_id: str | None) -> Asker:
    if account_id in (None, app.account_id):
        return Asker("connect", "jwt", app.account_id, connect=app)
    return Asker("connect", "user-token", account_id, connect=app)


def _oauth(
    firebrick: "Firebrick", client: OAuthClient, account_id: str | None, cloud_id: str
) -> Asker:
    if account_id is None:
        grants = firebrick.oauth.grants.list(client_id=client.client_id, cloud_id=cloud_id)
        if len(grants) != 1:
            raise InstallationError(
                "NO_USER",
                f"{len(grants)} users consented to {client.name} here; name one with --as: "
                "an OAuth app has no account of its own.",
            )
        account_id = grants[0].account_id
    return Asker("oauth", "access-token", account_id, client=client)


def _forge(firebrick: "Firebrick", names: Names, account_id: str | None, cloud_id: str) -> Asker:
    version = firebrick.find_app(names.app, names.environment)
    installation = firebrick.apps.find_installation(version, cloud_id)
    act_as: ActAs = "app" if account_id in (None, installation.app_account_id) else "user"
    invoker_id = account_id if act_as == "user" else None
    if names.invoked_by == "nobody":
        invoker_id = None
    elif names.invoked_by is not None:
        invoker_id = firebrick.find_person(names.invoked_by).account_id
    return Asker(
        "forge",
        "access-token",
        account_id if act_as == "user" else installation.app_account_id,
        installation=installation,
        version=firebrick.apps.running_version(installation),
        act_as=act_as,
        invoker_id=invoker_id,
    )
