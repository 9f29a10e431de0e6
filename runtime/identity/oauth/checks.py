"""What a client of the developer console may look like."""

import re
from collections.abc import Set
from difflib import get_close_matches
from urllib.parse import SplitResult, urlsplit

from runtime.errors import ForgeError
from runtime.identity.oauth.values import IDENTITY_SCOPES, OFFLINE, OAuthClient

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_CALLBACK_URLS = 10
MAX_URL_CHARACTERS = 2048  # what browsers and the request line of servers take
MAX_NAME_CHARACTERS = 128
_PLAIN = re.compile(r"[!-~]+")


def check_client(client: OAuthClient, known_scopes: Set[str]) -> None:
    """Refuse a client that could not be used safely.

    Raises:
        ForgeError: ``BAD_OAUTH_APP`` for its name or the number of its callback URLs,
            ``BAD_CALLBACK_URL``, ``UNKNOWN_SCOPE``.
    """
    for text in (client.name, client.vendor_name):
        if len(text) > MAX_NAME_CHARACTERS or not text.isprintable():
            raise ForgeError(
                "BAD_OAUTH_APP",
                f"Names have at most {MAX_NAME_CHARACTERS} characters, all of them printable.",
            )
    if not client.name.strip():
        raise ForgeError("BAD_OAUTH_APP", "An app needs a name.")
    if len(client.callback_urls) > MAX_CALLBACK_URLS:
        raise ForgeError("BAD_OAUTH_APP", f"An app has at most {MAX_CALLBACK_URLS} callback URLs.")
    for url in client.callback_urls:
        check_callback_url(url)
    if client.privacy_policy_url:
        check_callback_url(client.privacy_policy_url)
    possible = known_scopes | IDENTITY_SCOPES | {OFFLINE}
    for scope in sorted(client.scopes - possible):
        near = ", ".join(get_close_matches(scope, sorted(possible), 3, 0.5))
        hint = f" Near it: {near}." if near else ""
        raise ForgeError("UNKNOWN_SCOPE", f"No operation accepts the scope {scope!r}.{hint}")


def check_callback_url(url: str) -> None:
    """Refuse what is no address a code may be sent to.

    ``https`` anywhere; ``http`` on this machine alone. No fragment, no user information, nothing
    but printable ASCII.

    Raises:
        ForgeError: ``BAD_CALLBACK_URL``.

    Source:
        RFC 6749 section 3.1.2; RFC 8252 section 7.3 for loopback.
    """
    parts = _split(url)
    if parts is None or "#" in url or "\\" in url or "@" in parts.netloc:
        raise _bad(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return
    raise _bad(url)


def _split(url: str) -> SplitResult | None:
    if len(url) > MAX_URL_CHARACTERS or not _PLAIN.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return parts if valid else None


def _bad(url: str) -> ForgeError:
    return ForgeError(
        "BAD_CALLBACK_URL",
        f"{url[:200]!r} is no address for codes: it takes https, or http on localhost, without a "
        "fragment or a user name.",
    )
