"""A state in memory with one OAuth app, asked without a socket: what the OAuth attacks share."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from runtime.clock import ManualClock
from runtime.errors import OAuthError
from runtime.identity.accounts import Account
from runtime.identity.oauth.values import (
    AuthorizeFault,
    GrantKind,
    OAuthClient,
    TokenAnswer,
)
from runtime.jira.world import seed_default_world
from runtime.jira.world_data import SiteData
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from runtime.wire import JiraRequest, JiraResponse

CALLBACK = "http://127.0.0.1:9999/callback"
SECOND = SiteData("0acde000-0000-4000-8000-000000000002", "beta")
SCOPES = frozenset({"read:jira-work", "write:jira-work", "manage:jira-project", "read:me"})


class Place:
    """One state, one shared app, one clock that a test moves."""

    def __init__(
        self, folder: Path, grant_kind: GrantKind = "account", login_failures: int = 5
    ) -> None:
        self.clock = ManualClock()
        settings = Settings(state=folder, database_url="sqlite://", login_failures=login_failures)
        self.firebrick: Firebrick = open_firebrick(settings, clock=self.clock)
        with self.firebrick.engine.begin() as connection:
            seed_default_world(connection, self.firebrick.ids, self.clock, SECOND)
        owner = self.person("paul").account_id
        self.client, self.secret = self.firebrick.oauth.clients.create(
            "Sync",
            owner,
            grant_kind=grant_kind,
            scopes=SCOPES,
            callback_urls=(CALLBACK,),
            distribution="shared",
        )
        self.sites = tuple(self.firebrick.sites_by_host().values())

    def person(self, handle: str) -> Account:
        return self.firebrick.find_person(handle)

    def now_client(self) -> OAuthClient:
        return self.firebrick.oauth.clients.get(self.client.client_id)

    def params(self, scopes: frozenset[str], **more: str) -> list[tuple[str, str]]:
        values = {
            "audience": "api.atlassian.com",
            "client_id": self.client.client_id,
            "scope": " ".join(sorted(scopes)),
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "state": "s",
            **more,
        }
        return list(values.items())

    def code(self, handle: str, scopes: frozenset[str], cloud_id: str) -> str:
        asked = self.firebrick.oauth.flow.prepare_authorize(
            self.params(scopes), self.person(handle)
        )
        if isinstance(asked, AuthorizeFault):
            raise OAuthError(asked.error, asked.description, asked.status)
        target = self.firebrick.oauth.flow.approve(asked, self.person(handle), {cloud_id})
        return dict(parse_qsl(urlsplit(target).query))["code"]

    def exchange(self, code: str) -> TokenAnswer:
        return self.ask_tokens(grant_type="authorization_code", code=code, redirect_uri=CALLBACK)

    def refresh(self, token: SecretStr) -> TokenAnswer:
        return self.ask_tokens(grant_type="refresh_token", refresh_token=token.get_secret_value())

    def ask_tokens(self, **form: str) -> TokenAnswer:
        shown = {
            "client_id": self.client.client_id,
            "client_secret": self.secret.get_secret_value(),
        }
        return self.firebrick.oauth.flow.exchange({**shown, **form}, None)

    def call(
        self, token: SecretStr, cloud_id: str, method: str, path: str, body: bytes = b""
    ) -> JiraResponse:
        headers = {"authorization": f"Bearer {token.get_secret_value()}"}
        if body:
            headers["content-type"] = "application/json"
        return self.firebrick.jira.handle(
            JiraRequest(method, path, headers=headers, body=body, cloud_id=cloud_id, host="gateway")
        )
