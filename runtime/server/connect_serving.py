"""Connect's part of the HTTP server: all edges that stand before the product."""

from functools import partial
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, select_autoescape

from runtime.identity.accounts import find_account
from runtime.identity.connect.impersonation import ImpersonationServer
from runtime.jira.page_context import uses_product
from runtime.server.connect_bridge import Bridge
from runtime.server.connect_edge import ImpersonationEdge, KeyHost
from runtime.server.connect_pages import ConnectPages, Scripts
from runtime.server.http import Edge, ask

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
    return (
        KeyHost(parts.site_keys),
        ImpersonationEdge(server, firebrick.audit),
        Scripts(),
        bridge,
        ConnectPages(engine, parts, bridge, clock, templates),
    )
