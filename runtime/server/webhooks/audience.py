"""Who listens to an event of a site: apps by descriptor, apps by registration, administrators.

An app is read for as somebody whose rights count at that moment: it is told nothing that it could
not read itself. Webhooks of administrators are the site's own, and see everything.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Engine, bindparam, exists, select

from runtime.clock import Clock
from runtime.identity.app_webhooks import AppWebhook, app_webhook_table, list_of_site
from runtime.identity.connect.authenticator import IMPERSONATION_SCOPE
from runtime.identity.connect.installations import (
    ConnectInstallation,
    ConnectInstallations,
    connect_installation_table,
)
from runtime.identity.connect.webhooks import listening, module_url
from runtime.identity.oauth.standing import Standing, find_standing
from runtime.identity.principal import Principal
from runtime.jira.admin_webhooks import ISSUE_FILTER, AdminWebhooks, admin_webhook_table
from runtime.jira.webhook_queue import Kind
from runtime.policy.operations import OperationTable
from runtime.policy.scopes import decide_scopes

REGISTER = "registerDynamicWebhooks"


@dataclass(frozen=True, slots=True)
class Hook:
    """For what a listener wants to be told; what is None does not count.

    Attributes:
        number: Of a dynamic webhook.
        jql: Which issues.
        field_ids: Changes of which fields.
        property_keys: Changes of which properties.
    """

    number: int | None = None
    jql: str | None = None
    field_ids: tuple[str, ...] | None = None
    property_keys: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody to be told.

    Attributes:
        kind: By which kind of webhook.
        principal: As whom it reads; None for the site itself, which sees everything.
        app_id: Who it is: key, client id, or number of the webhook.
        tenure: What must still be in force when it is told.
        base_url: Where the links in what it is told lead.
        url: Where it is told, by who brought the event about.
        hooks: One that fits suffices.
        excludes_body: It is told without a body.
    """

    kind: Kind
    principal: Principal | None
    app_id: str
    tenure: str
    base_url: str
    url: Callable[[str | None], str]
    hooks: tuple[Hook, ...]
    excludes_body: bool = False


class Audience:
    """Knows who listens.

    Args:
        engine: The state database.
        installations: Connect apps.
        admin_webhooks: What administrators defined.
        operations: Says what registering takes.
        clock: The world's clock.
        site_url: Returns where a site is reached, by its cloud id.
    """

    def __init__(  # noqa: PLR0917  # one call site
        self,
        engine: Engine,
        installations: ConnectInstallations,
        admin_webhooks: AdminWebhooks,
        operations: OperationTable,
        clock: Clock,
        site_url: Callable[[str], str],
    ) -> None:
        self._engine = engine
        self._installations = installations
        self._admin_webhooks = admin_webhooks
        self._registering = operations.find(REGISTER)
        self._clock = clock
        self._site_url = site_url

    def listeners(self, cloud_id: str, event: str) -> list[Listener]:
        """Return who listens to an event of a site now."""
        with self._engine.connect() as connection:
            if not any(connection.execute(_ANYBODY, {"cloud": cloud_id}).one()):
                return []  # most writes are nobody's business, and pay one look for that
            now_ms = int(self._clock.now_s() * 1000)
            hooks = [
                one for one in list_of_site(connection, cloud_id, now_ms) if event in one.events
            ]
        apps = {
            app.app_key: app for app in self._installations.list(cloud_id) if app.state == "enabled"
        }
        return [
            *(one for app in apps.values() for one in _of_descriptor(app, event)),
            *self._registered(hooks, apps),
            *self._defined(cloud_id, event),
        ]

    def _registered(
        self, hooks: list[AppWebhook], apps: dict[str, ConnectInstallation]
    ) -> Iterator[Listener]:
        ordered = sorted(hooks, key=_registrar)
        for _, group in groupby(ordered, key=_registrar):
            together = tuple(group)
            first = together[0]
            found = _of_connect(first, apps) if first.model == "connect" else self._of_oauth(first)
            if found is not None:
                principal, tenure, base_url = found
                yield Listener(
                    kind="dynamic",
                    principal=principal,
                    app_id=first.app_id,
                    tenure=tenure,
                    base_url=base_url,
                    url=_fixed(first.url),
                    hooks=tuple(
                        Hook(one.id, one.jql, one.field_ids, one.property_keys) for one in together
                    ),
                )

    def _of_oauth(self, hook: AppWebhook) -> tuple[Principal, str, str] | None:
        """Return as whom an OAuth app is told; None if it may not register any more either."""
        grant_id = hook.grant_id or ""
        with self._engine.connect() as connection:
            standing = find_standing(connection, grant_id, hook.cloud_id)
        if standing is None:
            return None
        scopes = standing.scopes
        if not decide_scopes(self._registering, scopes, scopes).allowed:
            return None
        return oauth_principal(standing), grant_id, self._site_url(hook.cloud_id)

    def _defined(self, cloud_id: str, event: str) -> Iterator[Listener]:
        for hook in self._admin_webhooks.list(cloud_id):
            if hook.enabled and event in hook.events:
                yield Listener(
                    kind="admin",
                    principal=None,
                    app_id=str(hook.id),
                    tenure="",
                    base_url=self._site_url(cloud_id),
                    url=_fixed(hook.url),
                    hooks=(Hook(jql=hook.filters.get(ISSUE_FILTER) or None),),
                    excludes_body=hook.exclude_body,
                )


_ANYBODY = select(
    *(
        exists().where(table.c.cloud_id == bindparam("cloud"))
        for table in (app_webhook_table, admin_webhook_table, connect_installation_table)
    )
)


def _of_descriptor(app: ConnectInstallation, event: str) -> Iterator[Listener]:
    for module in listening(app.descriptor, event):
        jql, keys = module.fields.get("filter"), module.fields.get("propertyKeys")
        hook = Hook(
            jql=jql if isinstance(jql, str) and jql else None,
            property_keys=tuple(map(str, keys)) if isinstance(keys, list) else None,
        )
        yield Listener(
            kind="descriptor",
            principal=connect_principal(app, app.account_id),
            app_id=app.app_key,
            tenure=str(app.generation),
            base_url=app.host_url,
            url=lambda actor, module=module: module_url(app, module, actor),  # type: ignore[misc]  # a default binds the module
            hooks=(hook,),
            excludes_body=module.fields.get("excludeBody") is True,
        )


def _of_connect(
    hook: AppWebhook, apps: dict[str, ConnectInstallation]
) -> tuple[Principal, str, str] | None:
    app = apps.get(hook.app_id)
    if app is None or not may_act_as(app, hook.account_id):
        return None
    return connect_principal(app, hook.account_id), str(app.generation), app.host_url


def may_act_as(app: ConnectInstallation, account_id: str) -> bool:
    """Return whether a Connect app may be told as somebody: as itself, or with its scope."""
    return account_id == app.account_id or IMPERSONATION_SCOPE in app.scopes


def connect_principal(app: ConnectInstallation, account_id: str) -> Principal:
    """Return as whom a Connect app is told, where it may act so."""
    return Principal("connect", account_id, app.scopes, app.app_key, connect_key=app.app_key)


def oauth_principal(standing: Standing) -> Principal:
    """Return as whom an OAuth app is told: whoever consented, by the newest consent."""
    return Principal("oauth", standing.account_id, standing.scopes, standing.client_id)


def _registrar(hook: AppWebhook) -> tuple[str, str, str, str]:
    return hook.model, hook.app_id, hook.account_id, hook.url


def _fixed(url: str) -> Callable[[str | None], str]:
    return lambda _actor: url
