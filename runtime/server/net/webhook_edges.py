"""Webhooks' part of the HTTP server."""

from functools import partial
from typing import TYPE_CHECKING

from runtime.server.admins import is_site_admin
from runtime.server.net.http import Edge
from runtime.server.webhooks.admin_edge import AdminWebhookEdge

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick


def webhook_edges(firebrick: "Firebrick") -> tuple[Edge, ...]:
    """Return what answers for webhooks of administrators, and begin to send what waits."""
    firebrick.webhooks.deliveries.start()
    return (
        AdminWebhookEdge(
            store=firebrick.webhooks.admin,
            matcher=firebrick.webhooks.matcher,
            authenticate=firebrick.authenticator.authenticate,
            find_account=firebrick.find_account,
            is_admin=partial(is_site_admin, firebrick.engine),
            xsrf=firebrick.settings.xsrf,
            audit=firebrick.audit,
            clock=firebrick.world_clock,
        ),
    )
