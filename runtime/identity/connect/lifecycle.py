"""Lifecycle messages to an app: what they say and how they are signed.

Source:
    Connect documentation, "Lifecycle", and the announcement of signed installs (2021): `installed`
    and `uninstalled` are signed with the site's private key, the others with the shared secret.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from runtime.clock import Clock
from runtime.identity.connect import qsh
from runtime.identity.connect.installations import ConnectInstallation
from runtime.identity.connect.sitekeys import SiteKeys
from runtime.identity.connect.webtokens import mint_signed, mint_symmetric

Event = Literal["installed", "enabled", "disabled", "uninstalled"]
SIGNED_EVENTS = frozenset({"installed", "uninstalled"})
SIGNED_LIFETIME_S = 60  # whoever captures it owns the tenant until it ends, so it ends soon
TOKEN_LIFETIME_S = 180  # the platform's own


@dataclass(frozen=True, slots=True)
class LifecycleMessage:
    """One message, ready to be posted.

    Attributes:
        event: What happened.
        url: Where to.
        body: JSON; carries the shared secret if the event is ``installed``.
        authorization: Makes a fresh header value for each attempt.
    """

    event: Event
    url: str
    body: bytes
    authorization: Callable[[], str]


def lifecycle_message(  # noqa: PLR0917  # one call site
    event: Event,
    app: ConnectInstallation,
    keys: SiteKeys,
    clock: Clock,
    account_id: str,
    version: str,
) -> LifecycleMessage | None:
    """Return the message of an event; None if the descriptor does not ask for it.

    Args:
        event: What happened.
        app: The installation as it is from now on.
        keys: What the site proves itself with.
        clock: Stamps the token.
        account_id: Who brought it about.
        version: What the site says of its own version.
    """
    path = app.descriptor.lifecycle.get(event)
    if path is None:
        return None
    return LifecycleMessage(
        event,
        app.descriptor.base_url + path,
        json.dumps(_payload(event, app, keys, version)).encode(),
        lambda: f"JWT {_token(event, app, keys, clock.now_s(), account_id)}",
    )


def _payload(
    event: Event, app: ConnectInstallation, keys: SiteKeys, version: str
) -> dict[str, str]:
    plain_key = "".join(keys.public_key.splitlines()[1:-1])
    payload = {
        "key": app.app_key,
        "clientKey": keys.client_key,
        "oauthClientId": app.oauth_client_id,
        "publicKey": plain_key,
        "serverVersion": version,
        "pluginsVersion": version,
        "baseUrl": app.host_url,
        "displayUrl": app.host_url,
        "displayUrlServicedeskHelpCenter": app.host_url,
        "productType": "jira",
        "description": f"Firebrick, an emulated Jira, at {app.host_url}",
        "eventType": event,
    }
    if event == "installed" and app.descriptor.uses_jwt:
        payload["sharedSecret"] = app.shared_secret.get_secret_value()
    return payload | _entitlement(app)


def _entitlement(app: ConnectInstallation) -> dict[str, str]:
    """Return what a paid app is told of its licence: the same at each event and install."""
    if app.licence != "active":
        return {}
    entitlement = str(uuid.uuid5(uuid.NAMESPACE_URL, f"entitlement:{app.oauth_client_id}"))
    return {
        "entitlementId": entitlement,
        "entitlementNumber": f"E-{entitlement[:8]}",
        "serviceEntitlementNumber": f"SEN-{entitlement[:8]}",
    }


def _token(
    event: Event, app: ConnectInstallation, keys: SiteKeys, now_s: float, account_id: str
) -> str:
    path = app.descriptor.lifecycle[event]
    claims: dict[str, object] = {
        "iss": keys.client_key,
        "sub": account_id,
        "iat": int(now_s),
        "qsh": qsh.url_hash("POST", path),
    }
    if event in SIGNED_EVENTS:
        claims |= {"aud": [app.descriptor.base_url], "exp": int(now_s) + SIGNED_LIFETIME_S}
        return mint_signed(claims, keys.private_key, keys.kid)
    claims["exp"] = int(now_s) + TOKEN_LIFETIME_S
    return mint_symmetric(claims, app.shared_secret)
