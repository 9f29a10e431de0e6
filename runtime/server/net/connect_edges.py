"""Connect's part of the HTTP server: all edges that stand before the product."""

from functools import partial
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, select_autoescape

from runtime.errors import CredentialError, JiraError
from runtime.identity.accounts import Account, find_account
from runtime.identity.connect.impersonation import ImpersonationServer
from runtime.jira.page_context import uses_product
from runtime.jira.responses import credential_answer, login_reason
from runtime.server.admins import is_site_admin
from runtime.server.connect.bridge import Bridge
from runtime.server.connect.edge import ImpersonationEdge, KeyHost
from runtime.server.connect.pages import ConnectPages, Scripts
from runtime.server.connect.plugins import PluginManager, nobody
from runtime.server.net.http import Edge, ask
from runtime.wire import JiraRequest, JiraResponse

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick


def connect_edges(firebrick: "Firebrick") -> tuple[Edge, ...]:
    """Return what answers for Connect, in the order it is asked."""
    parts, engine, clock = firebrick.connect, firebrick.engine, firebrick.clock

    def may_use(cloud_id: str, account_id: str) -> bool:
        with engine.connect() as connection:
            account = find_account(connection, account_id)
            return account is not None and uses_product(connection, cloud_id, account)

    templates = Environment(
        loader=PackageLoader("runtime.server", "pages"), autoescape=select_autoescape()
    )
    send = partial(ask, firebrick.jira, firebrick.audit, clock)
    bridge = Bridge(parts, send, clock, firebrick.ids)
    server = ImpersonationServer(parts.installations, parts.user_tokens, clock, may_use)

    def person(request: JiraRequest) -> Account | JiraResponse:
        try:
            principal = firebrick.authenticator.authenticate(request)
        except JiraError as error:
            return credential_answer(error, request)
        except CredentialError:
            return nobody()
        denied, failed = principal.login_denied, principal.login_failed
        if principal.model != "basic" or principal.account_id is None:
            return nobody(login_reason(failed=failed, denied=denied))
        account = firebrick.find_account(principal.account_id)
        if account is None or not account.active:
            return nobody(login_reason(failed=True, denied=False))
        return account

    def list_keys(cloud_id: str) -> dict[str, bool]:
        return {
            app.app_key: app.state == "enabled"
            for app in parts.installations.list(cloud_id)
            if app.state != "uninstalled"
        }

    plugins = PluginManager(
        firebrick.connect_apps,
        list_keys,
        person,
        partial(is_site_admin, engine),
        frozen=firebrick.settings.connect_frozen,
    )
    return (
        KeyHost(parts.site_keys),
        ImpersonationEdge(server, firebrick.audit),
        Scripts(),
        plugins,
        bridge,
        ConnectPages(
            engine=engine, parts=parts, bridge=bridge, clock=clock, templates=templates,
            frozen=firebrick.settings.connect_frozen,
        ),
    )  # fmt: skip
