"""The developer console for programs: the same as its pages, as JSON."""

import json
import re
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

from runtime.errors import ForgeError
from runtime.identity.accounts import Account
from runtime.identity.oauth.store import OAuthClients, OAuthGrants
from runtime.identity.oauth.values import Distribution, GrantKind, OAuthClient
from runtime.identity.sessions import fits
from runtime.server.account_pages import OAuthDoors
from runtime.server.sign_in import People
from runtime.wire import JiraRequest, JiraResponse

PREFIX = "/console/api"
APPS = f"{PREFIX}/apps"
ORGANIZATION = f"{PREFIX}/organization"
HEADERS = (
    ("content-type", "application/json;charset=UTF-8"),
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
)
_APP_PATH = re.compile(r"/console/api/apps/([0-9a-f]{32})(/secret)?")


class _Body(BaseModel):
    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=True, strict=True
    )


class AppChange(_Body):
    """What may be changed of an app; what is left out stays."""

    name: str | None = None
    scopes: list[str] | None = None
    callback_urls: list[str] | None = None
    distribution: Distribution | None = None
    vendor_name: str | None = None
    privacy_policy_url: str | None = None


class NewApp(AppChange):
    """A new app."""

    name: str
    owner: str = Field(description="Handle, e-mail or account id.")
    grant_kind: GrantKind = "account"


class Organization(_Body):
    """What the organization allows."""

    user_apps_allowed: bool


class ConsoleApi:
    """Answers ``/console/api/…`` to whoever shows the server's access token as a Bearer.

    Args:
        oauth: The OAuth server.
        people: Who may own apps.
        access_token: What opens it.
    """

    def __init__(self, oauth: OAuthDoors, people: People, access_token: SecretStr) -> None:
        self._clients: OAuthClients = oauth.clients
        self._grants: OAuthGrants = oauth.grants
        self._stateless = oauth.stateless
        self._people = people
        self._access_token = access_token

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a resource; None for any other path."""
        if request.path != PREFIX and not request.path.startswith(f"{PREFIX}/"):
            return None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not fits(
            token.strip(), self._access_token.get_secret_value()
        ):
            return _error(401, "CREDENTIAL", "Show the access token that the server printed.")
        try:
            return self._answer(request)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(str(one) for one in first["loc"]) or "body"
            return _error(400, "BAD_OPTION", f"{place}: {first['msg']}")
        except ForgeError as error:
            return _error(404 if error.code.startswith("UNKNOWN_") else 400, error.code, str(error))

    def _answer(self, request: JiraRequest) -> JiraResponse:
        if request.path == ORGANIZATION:
            return self._organization(request)
        if request.path == APPS and request.method == "GET":
            return _json(200, [self._bean(one) for one in self._clients.list()])
        if request.path == APPS and request.method == "POST":
            return self._create(NewApp.model_validate_json(request.body))
        match = _APP_PATH.fullmatch(request.path)
        client = None if match is None else self._clients.find(match[1])
        if match is None or client is None:
            return _error(404, "UNKNOWN_OAUTH_APP", "There is no such app.")
        return self._one(request, client, is_secret=match[2] is not None)

    def _one(self, request: JiraRequest, client: OAuthClient, *, is_secret: bool) -> JiraResponse:
        match request.method, is_secret:
            case "POST", True:
                secret = self._clients.rotate_secret(client.client_id)
                return _json(200, {"clientSecret": secret.get_secret_value()})
            case "GET", False:
                return _json(200, self._bean(client))
            case "PATCH", False:
                change = AppChange.model_validate_json(request.body)
                return _json(200, self._bean(self._clients.update(_changed(client, change))))
            case "DELETE", False:
                self._clients.delete(client.client_id)
                return JiraResponse(204, HEADERS[1:], rule="edge")
            case _:
                return _error(405, "BAD_OPTION", "This address does not take that method.")

    def _create(self, new: NewApp) -> JiraResponse:
        owner = self._owner(new.owner)
        client, secret = self._clients.create(new.name, owner.account_id, grant_kind=new.grant_kind)
        try:
            client = self._clients.update(_changed(client, new))
        except ForgeError:
            self._clients.delete(client.client_id)
            raise
        return _json(201, self._bean(client) | {"clientSecret": secret.get_secret_value()})

    def _owner(self, name: str) -> Account:
        for one in self._people.everyone():
            if name in (one.handle, one.account_id) or name.lower() == str(one.email).lower():
                return one
        raise ForgeError("UNKNOWN_ACCOUNT", "There is no such active person.")

    def _organization(self, request: JiraRequest) -> JiraResponse:
        if request.method == "PUT":
            wanted = Organization.model_validate_json(request.body)
            self._grants.set_user_apps_allowed(allowed=wanted.user_apps_allowed)
        elif request.method != "GET":
            return _error(405, "BAD_OPTION", "This address does not take that method.")
        return _json(200, {"userAppsAllowed": self._grants.user_apps_allowed()})

    def _bean(self, client: OAuthClient) -> dict[str, object]:
        return {
            "clientId": client.client_id,
            "name": client.name,
            "owner": client.owner_account_id,
            "grantKind": client.grant_kind,
            "scopes": sorted(client.scopes),
            "scopesByApi": {api: list(names) for api, names in client.scopes_by_api().items()},
            "callbackUrls": list(client.callback_urls),
            "distribution": client.distribution,
            "vendorName": client.vendor_name,
            "privacyPolicyUrl": client.privacy_policy_url,
            "asksWithoutState": self._stateless.find(client.client_id) is not None,
        }


def _changed(client: OAuthClient, change: AppChange) -> OAuthClient:
    given: dict[str, Any] = {
        name: getattr(change, name)
        for name in AppChange.model_fields
        if getattr(change, name) is not None
    }
    if "scopes" in given:
        given["scopes"] = frozenset(given["scopes"])
    if "callback_urls" in given:
        given["callback_urls"] = tuple(given["callback_urls"])
    return replace(client, **given)


def _json(status: int, body: object) -> JiraResponse:
    return JiraResponse(status, HEADERS, json.dumps(body).encode(), rule="edge")


def _error(status: int, code: str, message: str) -> JiraResponse:
    headers = (("www-authenticate", "Bearer"),) if status == 401 else ()  # noqa: PLR2004  # HTTP
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return JiraResponse(status, (*HEADERS, *headers), body, rule="edge")
