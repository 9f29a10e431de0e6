"""Forge's part of the HTTP server: the proxy and GraphQL, wired together."""

from typing import TYPE_CHECKING

from runtime.server.forge.outside import OutsideInvocations
from runtime.server.forge.proxy import ForgeProxy
from runtime.server.forge.user_tokens import GraphqlEdge, OfflineTokens
from runtime.server.net.http import Edge

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick


def forge_edges(firebrick: "Firebrick") -> tuple[Edge, ...]:
    """Return what answers for Forge apps outside, in the order it is asked."""
    handed = firebrick.broker.handed
    offline = OfflineTokens(
        engine=firebrick.engine,
        handed=handed,
        rates=firebrick.broker.rates,
        installations=firebrick.installations,
        audit=firebrick.audit,
        may_use=firebrick.may_use,
        per_minute=firebrick.settings.offline_tokens_per_minute,
    )
    graphql = GraphqlEdge(handed, offline, firebrick.audit)
    proxy = ForgeProxy(
        handed=handed,
        gateway=firebrick.gateway,
        installations=firebrick.installations,
        audit=firebrick.audit,
        clock=firebrick.clock,
        egress=firebrick.egress,
        outside=firebrick.ask_network,
        graphql=graphql,
        chosen=firebrick.egress_groups.find,
    )
    return (proxy, graphql)


def outside_invocations(firebrick: "Firebrick") -> OutsideInvocations:
    """Return what opens and closes invocations outside of the sandbox."""
    return OutsideInvocations(
        handed=firebrick.broker.handed,
        read_manifest=firebrick.images.manifest,
        records=firebrick.records,
        audit=firebrick.audit,
        clock=firebrick.clock,
        ids=firebrick.ids,
    )
