"""One world with an app of each model, asked over HTTP in process, changed as admins change it."""

import asyncio
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import delete, insert, select

from runtime.errors import OAuthError
from runtime.gateway.outside import ExternalReply
from runtime.gateway.values import Caller, ProductCall
from runtime.identity.accounts import Account, find_account, set_account_active
from runtime.identity.connect.installations import ConnectInstallation
from runtime.identity.oauth.values import TokenAnswer
from runtime.installation.model import AppVersion, Installation
from runtime.jira.configuration import touch
from runtime.jira.schema import group_table, membership_table
from runtime.policy.impersonation import ActAs
from runtime.server.connect.apps import ConnectApps
from runtime.server.connect.client import AppClient
from runtime.server.net.serving import create_app
from tests.hostile.oauth_place import Place
from tests.hostile.rights.facts import GATEWAY, Grants, Operation

HOSTS = ("acme.atlassian.net", "beta.atlassian.net")
GATEWAY_HOST, AUTH_HOST = "api.atlassian.com", "auth.atlassian.com"
IMPERSONATION_HOST = "auth.atlassian.io"
APP_ID = "ari:cloud:ecosystem::app/0f0f0f0f-0000-4000-8000-000000000001"
APP_KEY = "com.example.rights"
ADMIN_GROUP = "jira-administrators"
Seen = tuple[int, str | None]
"""The status of an answer, and as which account it was given."""


class Obedient(AppClient):
    """Answers for a Connect app: it takes whatever it is told."""

    def post(self, *_: object, attempts: int = 1) -> ExternalReply:
        return ExternalReply(204, (), b"")


class RightsPlace(Place):
    """The place of the OAuth attacks, with a Forge app, a Connect app and scripts beside."""

    def __init__(self, folder: Path, login_failures: int = 0) -> None:
        super().__init__(folder, login_failures=login_failures)  # the lock has attacks of its own
        self.folder = folder
        self.runner = asyncio.Runner()
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(self.firebrick)))
        self.root = self.person("amy")
        self.app_ids: dict[tuple[str, int], str] = {}

    def close(self) -> None:
        self.runner.run(self.http.aclose())
        self.runner.close()
        self.firebrick.close()

    # --- asking ----------------------------------------------------------------------------------

    def send(
        self, name: str, method: str, path: str, headers: dict[str, str], body: str = ""
    ) -> httpx.Response:
        """Ask the application under a host's name; a body without a type is JSON."""
        if body and "content-type" not in headers:
            headers = headers | {"content-type": "application/json"}
        url = f"http://{name}{path}"
        return self.runner.run(
            self.http.request(method, url, headers=headers, content=body.encode())
        )

    def ask(self, operation: Operation, site: int, host: str, headers: dict[str, str]) -> Seen:
        """Ask for an operation on a site's own host or behind the gateway."""
        name, prefix = HOSTS[site], ""
        if host == GATEWAY:
            name, prefix = GATEWAY_HOST, f"/ex/jira/{self.sites[site]}"
        path = prefix + operation.path
        answer = self.send(name, operation.method, path, headers, operation.body)
        shown = answer.headers.get("x-aaccountid")
        return answer.status_code, None if shown is None else shown.replace("%3A", ":")

    def ask_door(self, caller: Caller, operation: Operation, act_as: ActAs) -> Seen:
        """Ask as the host function does for a guest."""
        call = ProductCall(
            operation.path,
            operation.method,
            (("content-type", "application/json"),),
            operation.body.encode() or None,
            act_as,
        )
        reply, report = self.firebrick.gateway.send(caller, call)
        return reply.status, report.account_id

    def ask_tokens(self, **form: str) -> TokenAnswer:
        """Ask the token endpoint.

        Raises:
            OAuthError: It refused.
        """
        secret = self.secret.get_secret_value()
        fields = {"client_id": self.client.client_id, "client_secret": secret, **form}
        answer = self.send(AUTH_HOST, "POST", "/oauth/token", {}, json.dumps(fields))
        body = answer.json()
        if answer.status_code != httpx.codes.OK:
            raise OAuthError(body["error"], body["error_description"], answer.status_code)
        renewal = body.get("refresh_token")
        return TokenAnswer(
            access_token=SecretStr(body["access_token"]),
            expires_in_s=body["expires_in"],
            scopes=frozenset(body["scope"].split()),
            refresh_token=None if renewal is None else SecretStr(renewal),
            client_id=self.client.client_id,
            account_id="",
        )

    # --- what an administrator does --------------------------------------------------------------

    def admin(self, site: int, method: str, path: str, body: object = None) -> Any:
        """Ask as the site's administrator; whatever it is, it must be done."""
        _, secret = self.firebrick.api_tokens.create(self.root, "root", 1)
        raw = httpx.BasicAuth(str(self.root.email), secret.get_secret_value())._auth_header
        text = "" if body is None else json.dumps(body)
        answer = self.send(HOSTS[site], method, "/rest/api/3/" + path, {"authorization": raw}, text)
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def account_id(self, who: str, site: int) -> str:
        """Return the account of a person, or of an app on a site."""
        return self.app_ids.get((who, site)) or self.person(who).account_id

    def account(self, who: str, site: int) -> Account:
        with self.firebrick.engine.connect() as connection:
            found = find_account(connection, self.account_id(who, site))
        assert found is not None
        return found

    @cached_property
    def role_ids(self) -> dict[int, dict[str, int]]:
        return {
            site: {one["name"]: one["id"] for one in self.admin(site, "GET", "role")}
            for site in range(len(HOSTS))
        }

    def set_member(self, who: str, role: str, site: int, *, member: bool) -> None:
        path = f"project/TEAM/role/{self.role_ids[site][role]}"
        account_id = self.account_id(who, site)
        if member:
            self.admin(site, "POST", path, {"user": [account_id]})
        else:
            self.admin(site, "DELETE", f"{path}?user={account_id}")

    def set_scheme(self, site: int, grants: Grants) -> None:
        """Let the scheme of TEAM say this and nothing else."""
        scheme = self.admin(site, "GET", "project/TEAM/permissionscheme")
        named = self.role_ids[site]
        permissions = [
            {"permission": one, "holder": {"type": "projectRole", "value": str(named[role])}}
            for one, role in sorted(grants)
        ]
        body = {"name": scheme["name"], "permissions": permissions}
        self.admin(site, "PUT", f"permissionscheme/{scheme['id']}", body)

    def set_admin(self, who: str, site: int, *, member: bool) -> None:
        """Move somebody in or out of the group of administrators; no resource does that here."""
        groups, members, cloud_id = group_table.c, membership_table.c, self.sites[site]
        held = ("site-admins", ADMIN_GROUP, "atlassian-addons-admin")
        account_id = self.account_id(who, site)
        with self.firebrick.engine.begin() as connection:
            found = connection.execute(
                select(groups.name, groups.group_id).where(
                    groups.cloud_id == cloud_id, groups.name.in_(held)
                )
            )
            ids = {row.name: row.group_id for row in found}
            connection.execute(
                delete(membership_table).where(
                    members.account_id == account_id, members.group_id.in_(ids.values())
                )
            )
            if member:
                row = {"account_id": account_id, "group_id": ids[ADMIN_GROUP]}
                connection.execute(insert(membership_table).values(row))
            touch(connection, cloud_id)

    def set_active(self, handle: str, *, active: bool) -> None:
        with self.firebrick.engine.begin() as connection:
            set_account_active(connection, self.person(handle).account_id, active=active)

    # --- apps ------------------------------------------------------------------------------------

    def deploy(
        self, scopes: frozenset[str], number: int, impersonating: frozenset[str]
    ) -> AppVersion:
        """Store a version of the Forge app; it has no code, for none is run."""
        draft = AppVersion(
            id=0, app_id=APP_ID, environment="development", version=f"{number}.0.0", name="rights",
            manifest_text="{}", scopes={one: one in impersonating for one in scopes}, egress=(),
            sources="", digest="", deployed_at_s=self.clock.now_s(),
        )  # fmt: skip
        return self.firebrick.installations.add_version(draft)

    def install_forge(
        self, version: AppVersion, site: int, *, user_consent: bool = False
    ) -> Installation:
        """Install or upgrade the Forge app."""
        apps, cloud_id = self.firebrick.apps, self.sites[site]
        done = apps.install(
            apps.plan(version, cloud_id), cloud_id, self.root, user_consent=user_consent
        )
        self.app_ids["forge", site] = done.app_account_id
        return done

    @cached_property
    def connect_apps(self) -> ConnectApps:
        firebrick = self.firebrick
        return ConnectApps(
            engine=firebrick.engine, parts=firebrick.connect,
            client=Obedient(self.clock, frozenset()), audit=firebrick.audit, clock=self.clock,
            ids=firebrick.ids, frozen=False,
        )  # fmt: skip

    def install_connect(self, scopes: frozenset[str], site: int) -> ConnectInstallation:
        """Install or update the Connect app."""
        file = self.folder / "descriptor.json"
        descriptor = {
            "key": APP_KEY, "name": "Rights", "baseUrl": "http://127.0.0.1:1",
            "authentication": {"type": "jwt"}, "lifecycle": {"installed": "/installed"},
            "scopes": sorted(scopes), "apiMigrations": {"signed-install": True},
        }  # fmt: skip
        file.write_text(json.dumps(descriptor))
        cloud_id = self.sites[site]
        plan = self.connect_apps.plan(str(file), cloud_id)
        done = self.connect_apps.install(plan, cloud_id, self.root, f"http://{HOSTS[site]}")
        self.app_ids["connect", site] = done.account_id
        return done
