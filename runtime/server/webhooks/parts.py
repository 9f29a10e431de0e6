"""Webhooks of one state, wired together: who listens, what is sent, what stands around Jira."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from runtime.audit.trail import AuditTrail
from runtime.clock import Clock
from runtime.identity.connect.secretbox import SecretBox
from runtime.ids import Ids
from runtime.jira.admin_webhooks import AdminWebhooks
from runtime.jira.product import Jira
from runtime.jira.webhook_matching import WebhookMatcher
from runtime.jira.webhook_queue import WebhookQueue
from runtime.policy.operations import OperationTable
from runtime.server.connect.client import AppClient
from runtime.server.connect.parts import ConnectParts
from runtime.server.oauth_parts import OAuthParts
from runtime.server.webhooks.audience import Audience
from runtime.server.webhooks.deliveries import PATIENCE, Deliveries
from runtime.server.webhooks.feed import WebhookFeed
from runtime.server.webhooks.reader import ProductReader
from runtime.server.webhooks.recipients import Recipients
from runtime.server.webhooks.rights import ReadingRights


@dataclass(frozen=True, slots=True)
class WebhookParts:
    """The parts of webhooks.

    Attributes:
        admin: What administrators defined.
        deliveries: What is on its way.
        matcher: Evaluates filters.
        feed: The product, and who listens to it.
    """

    admin: AdminWebhooks
    deliveries: Deliveries
    matcher: WebhookMatcher
    feed: WebhookFeed


def open_webhooks(
    *,
    engine: Engine,
    product: Jira,
    operations: OperationTable,
    connect: ConnectParts,
    oauth: OAuthParts,
    box: SecretBox,
    allowed_hosts: frozenset[str],
    audit: AuditTrail,
    clock: Clock,
    world_clock: Clock,
    ids: Ids,
    site_url: Callable[[str], str],
) -> WebhookParts:
    """Wire webhooks over one state.

    Args:
        engine: The state database.
        product: Answers requests.
        operations: All operations.
        connect: Connect apps.
        oauth: OAuth apps.
        box: Encrypts secrets at rest.
        allowed_hosts: Hosts that webhooks may be sent to wherever they are.
        audit: Gets what happens.
        clock: The host's clock: dates tokens.
        world_clock: The world's: dates events, and says what is due.
        ids: Makes ids.
        site_url: Returns where a site is reached, by its cloud id.
    """
    admin = AdminWebhooks(engine, box)
    matcher = WebhookMatcher(engine, operations, world_clock, ids)

    def make_reader() -> ProductReader:
        return ProductReader(engine, operations, world_clock, ids)

    rights = ReadingRights(make_reader, matcher)
    recipients = Recipients(engine, connect, oauth, admin, rights, clock)
    queue = WebhookQueue(engine, world_clock, ids)
    client = AppClient(clock, allowed_hosts, patience=PATIENCE)
    deliveries = Deliveries(engine, queue, recipients, client, audit, world_clock, ids)
    audience = Audience(engine, connect.installations, admin, operations, world_clock, site_url)
    feed = WebhookFeed(
        product,
        operations,
        audience,
        deliveries,
        make_reader,
        matcher,
        world_clock,
        ids,
    )
    return WebhookParts(admin, deliveries, matcher, feed)
