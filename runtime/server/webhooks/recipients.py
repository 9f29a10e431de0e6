"""May a webhook still be sent, and how is it signed: asked anew at every attempt."""

from collections.abc import Callable

from sqlalchemy import Engine

from runtime.clock import Clock
from runtime.identity.accounts import find_account
from runtime.identity.connect.webhooks import authorization
from runtime.identity.oauth.standing import find_standing
from runtime.identity.webhook_signing import SIGNATURE, hub_signature, oauth_authorization
from runtime.jira.admin_webhooks import AdminWebhooks
from runtime.jira.webhook_queue import Delivery
from runtime.server.connect.parts import ConnectParts
from runtime.server.oauth_parts import OAuthParts

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
        clock: The host's clock: dates tokens.
    """

    def __init__(
        self,
        engine: Engine,
        connect: ConnectParts,
        oauth: OAuthParts,
        admin_webhooks: AdminWebhooks,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._connect = connect
        self._oauth = oauth
        self._admin_webhooks = admin_webhooks
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
                off or blocked, the grant is revoked, the user deactivated, the webhook deleted.
        """
        return self._signers[delivery.model](delivery)

    def _for_connect(self, delivery: Delivery) -> Headers:
        app = self._connect.installations.find_enabled(delivery.cloud_id, delivery.app_id)
        if app is None or str(app.generation) != delivery.tenure:
            raise NoRecipientError(GONE)
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
        if account is None or not account.active:
            raise NoRecipientError(GONE)
        secret = self._oauth.sealed.find(delivery.app_id)
        if secret is None:
            raise NoRecipientError(UNSIGNED)
        value = oauth_authorization(delivery.app_id, secret, self._clock.now_s())
        return (("Authorization", value),)

    def _for_admin(self, delivery: Delivery) -> Headers:
        hook = self._admin_webhooks.find(delivery.cloud_id, int(delivery.app_id))
        if hook is None or not hook.enabled:
            raise NoRecipientError(GONE)
        secret = self._admin_webhooks.secret_of(hook)
        if secret is None:
            return ()
        return ((SIGNATURE, hub_signature(secret, delivery.body.encode())),)
