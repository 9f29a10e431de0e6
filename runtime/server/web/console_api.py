"""The developer console for programs: the same as its pages, as JSON."""

import re
from dataclasses import replace
from typing import Any

from pydantic import Field, SecretStr

from runtime.errors import ForgeError
from runtime.identity.accounts import Account
from runtime.identity.oauth.store import OAuthClients
from runtime.identity.oauth.values import Distribution, GrantKind, OAuthClient
from runtime.server.web.account_pages import OAuthDoors
from runtime.server.web.console_json import HEADERS, Body, answer_json, answering, error_json
from runtime.server.web.sign_in import People
from runtime.wire import JiraRequest, JiraResponse

PREFIX = "/console/api"
APPS = f"{PREFIX}/apps"
_APP_PATH = re.compile(r"/console/api/apps/([0-9a-f]{32})(/secret)?")


class AppChange(Body):
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


class ConsoleApi:
    """Answers ``/console/api/…`` to whoever shows the server's access token as a Bearer.

    Args:
        oauth: The OAuth server.
        people: Who may own apps.
        access_token: What opens it.
    """

    def __init__(self, oauth: OAuthDoors, people: People, access_token: SecretStr) -> None:
        self._clients: OAuthClients = oauth.clients
        self._stateless = oauth.stateless
        self._people = people
        self._access_token = access_token

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a resource; None for any other path."""
        if request.path != PREFIX and not request.path.startswith(f"{PREFIX}/"):
            return None
        return answering(request, self._access_token, self._answer)

    def _answer(self, request: JiraRequest) -> JiraResponse:
        if request.path == APPS and request.method == "GET":
            return answer_json(200, [self._bean(one) for one in self._clients.list()])
        if request.path == APPS and request.method == "POST":
            return self._create(NewApp.model_validate_json(request.body))
        match = _APP_PATH.fullmatch(request.path)
        client = None if match is None else self._clients.find(match[1])
        if match is None or client is None:
            return error_json(404, "UNKNOWN_OAUTH_APP", "There is no such app.")
        return self._one(request, client, is_secret=match[2] is not None)

    def _one(self, request: JiraRequest, client: OAuthClient, *, is_secret: bool) -> JiraResponse:
        match request.method, is_secret:
            case "POST", True:
                secret = self._clients.rotate_secret(client.client_id)
                return answer_json(200, {"clientSecret": secret.get_secret_value()})
            case "GET", False:
                return answer_json(200, self._bean(client))
            case "PATCH", False:
                change = AppChange.model_validate_json(request.body)
                return answer_json(200, self._bean(self._clients.update(_changed(client, change))))
            case "DELETE", False:
                self._clients.delete(client.client_id)
                return JiraResponse(204, HEADERS[1:], rule="edge")
            case _:
                return error_json(405, "BAD_OPTION", "This address does not take that method.")

    def _create(self, new: NewApp) -> JiraResponse:
        owner = self._owner(new.owner)
        client, secret = self._clients.create(new.name, owner.account_id, grant_kind=new.grant_kind)
        try:
            client = self._clients.update(_changed(client, new))
        except ForgeError:
            self._clients.delete(client.client_id)
            raise
        return answer_json(201, self._bean(client) | {"clientSecret": secret.get_secret_value()})

    def _owner(self, name: str) -> Account:
        for one in self._people.everyone():
            if name in (one.handle, one.account_id) or name.lower() == str(one.email).lower():
                return one
        raise ForgeError("UNKNOWN_ACCOUNT", "There is no such active person.")

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
