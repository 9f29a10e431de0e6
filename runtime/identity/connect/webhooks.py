"""Webhooks of Connect apps: those of a descriptor, and how whatever is sent to an app is signed.

Source:
    Connect documentation, "Webhook" module; Jira documentation, "Webhooks".
"""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from runtime.identity.connect import qsh
from runtime.identity.connect.descriptor import Descriptor, Module
from runtime.identity.connect.installations import ConnectInstallation
from runtime.identity.connect.lifecycle import TOKEN_LIFETIME_S
from runtime.identity.connect.webtokens import mint_symmetric


def listening(descriptor: Descriptor, event: str) -> tuple[Module, ...]:
    """Return the webhooks of a descriptor for an event."""
    return tuple(
        module
        for module in descriptor.modules_of("webhooks")
        if module.fields.get("event") == event
    )


def module_url(app: ConnectInstallation, module: Module, account_id: str | None) -> str:
    """Return where the webhook of a descriptor is sent, with who brought the event about."""
    path, _, query = module.url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if account_id is not None:
        pairs.append(("user_id", account_id))
    suffix = f"?{urlencode(pairs, quote_via=quote)}" if pairs else ""
    return f"{app.descriptor.base_url}{path}{suffix}"


def authorization(
    app: ConnectInstallation, client_key: str, url: str, account_id: str | None, now_s: float
) -> str:
    """Return the ``Authorization`` of a webhook to an app: its hash covers path and query.

    Args:
        app: To whom.
        client_key: Who the site is.
        url: Where to; below the app's base URL.
        account_id: Who brought the event about; None for nobody.
        now_s: Seconds since 1970.
    """
    parts = urlsplit(url)
    path = parts.path.removeprefix(urlsplit(app.descriptor.base_url).path.rstrip("/"))
    claims: dict[str, object] = {
        "iss": client_key,
        "qsh": qsh.query_hash("POST", path, parse_qsl(parts.query, keep_blank_values=True)),
        "iat": int(now_s),
        "exp": int(now_s) + TOKEN_LIFETIME_S,
        **({} if account_id is None else {"sub": account_id}),
    }
    return f"JWT {mint_symmetric(claims, app.shared_secret)}"
