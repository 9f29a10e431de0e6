"""Connect's part of the HTTP server: all edges that stand before the product."""

from typing import TYPE_CHECKING

from runtime.identity.accounts import find_account
from runtime.identity.connect.impersonation import ImpersonationServer
from runtime.jira.configuration import load_site
from runtime.jira.permissions import Permissions
from runtime.server.connect_edge import ImpersonationEdge, KeyHost
from runtime.server.http import Edge

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick


def connect_edges(firebrick: "Firebrick") -> tuple[Edge, ...]:
    """Return what answers for Connect, in the order it is asked."""
    parts = firebrick.connect

    def may_use(cloud_id: str, account_id: str) -> bool:
        with firebrick.engine.connect() as connection:
            account = find_account(connection, account_id)
            if account is None or not account.active or account.account_type != "atlassian":
                return False
            return Permissions(load_site(connection, cloud_id), account).uses_product()

    server = ImpersonationServer(parts.installations, parts.user_tokens, firebrick.clock, may_use)
    return (KeyHost(parts.site_keys), ImpersonationEdge(server, firebrick.audit))
