"""May a webhook still be sent, and how is it signed: asked anew at every attempt."""

from collections.abc import Callable

from sqlalchemy import Engine

from runtime.clock import Clock
from runtime.identity.accounts import find_account
from runtime.identity.connect.webhooks import authorization
from runtime.identity.oauth.standing import find_standing
from runtime.identity.principal import Principal
from runtime.identity.webhook_signing import SIGNATURE, hub_signature, oauth_authorization
from runtime.jira.admin_webhooks import AdminWebhooks
from runtime.jira.webhook_queue import Delivery
from runtime.server.connect.parts import ConnectParts
from runtime.server.oauth_parts import OAuthParts
from runtime.server.webhooks.audience import connect_principal, may_act_as, oauth_principal
from runtime.server.webhooks.rights import ReadingRights

Headers = tuple[tuple[str, str], ...]
GONE = "who was to be told is not there any more"
UNSIGNED = "the app's secret is older than its webhooks: rotate it"


class NoRecipientError(Exception):
    """A webhook may not be sent any more; the message says why."""


class Recipients:
    """Knows who receives webhooks.

    Args:
        engine: The state database.
        connect: Connect apps.
        oauth: OAuth apps.
        admin_webhooks: What administrators defined.
        rights: Say whether what it tells may still be read.
        clock: The host's clock: dates tokens.
    """

    def __init__(  # noqa: PLR0917  # one call site
        self,
        engine: Engine,
        connect: ConnectParts,
        oauth: OAuthParts,
        admin_webhooks: AdminWebhooks,
        rights: ReadingRights,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._connect = connect
        self._oauth = oauth
        self._admin_webhooks = admin_webhooks
        self._rights = rights
        self._clock = clock
        self._signers: dict[str, Callable[[Delivery], Headers]] = {
            "connect": self._for_connect,
            "oauth": self._for_oauth,
            "basic": self._for_admin,
        }

    def sign(self, delivery: Delivery) -> Headers:
        """Return the headers that prove a delivery.

        Raises:
            NoRecipientError: It may not be sent: the app is uninstalled, installed anew, switched
                off or blocked, the grant is revoked, the user deactivated, the webhook deleted; or
                an app access rule or whoever's rights keep it from what it would be told.
        """
        return self._signers[delivery.model](delivery)

    def _for_connect(self, delivery: Delivery) -> Headers:
        app = self._connect.installations.find_enabled(delivery.cloud_id, delivery.app_id)
        if app is None or str(app.generation) != delivery.tenure:
            raise NoRecipientError(GONE)
        account_id = delivery.account_id or app.account_id
        if not may_act_as(app, account_id):
            raise NoRecipientError(GONE)
        self._require_reading(delivery, connect_principal(app, account_id))
        client_key = self._connect.site_keys.keys(delivery.cloud_id).client_key
        now_s = self._clock.now_s()
        value = authorization(app, client_key, delivery.url, delivery.actor_id, now_s)
        return (("Authorization", value),)

    def _for_oauth(self, delivery: Delivery) -> Headers:
        with self._engine.connect() as connection:
            standing = find_standing(connection, delivery.tenure, delivery.cloud_id)
            account = None
            if standing is not None:
                account = find_account(connection, standing.account_id)
        if standing is None or account is None or not account.active:
            raise NoRecipientError(GONE)
        self._require_reading(delivery, oauth_principal(standing))
        secret = self._oauth.sealed.find(delivery.app_id)
        if secret is None:
            raise NoRecipientError(UNSIGNED)
        value = oauth_authorization(delivery.app_id, secret, self._clock.now_s())
        return (("Authorization", value),)

    def _require_reading(self, delivery: Delivery, who: Principal) -> None:
        reason = self._rights.why_not(delivery, who)
        if reason:
            raise NoRecipientError(reason)

    def _for_admin(self, delivery: Delivery) -> Headers:
        hook = self._admin_webhooks.find(delivery.cloud_id, int(delivery.app_id))
        if hook is None or not hook.enabled:
            raise NoRecipientError(GONE)
        secret = self._admin_webhooks.secret_of(hook)
        if secret is None:
            return ()
        return ((SIGNATURE, hub_signature(secret, delivery.body.encode())),)
