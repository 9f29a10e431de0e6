"""May an app's server be asked here, and which tokens go along?"""

import ipaddress
import re
from collections.abc import Set
from urllib.parse import unquote

from runtime.policy.addresses import decide_address
from runtime.policy.app_addresses import decide_app_address, is_loopback_name
from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl, parse_external

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
SYSTEM_SCOPE = "read:app-system-token"
USER_SCOPE = "read:app-user-token"
_TOKEN_SCOPES = frozenset({SYSTEM_SCOPE, USER_SCOPE})
_BLANK = re.compile(r"[\x00-\x20\x7f]")


def parse_remote_base(text: str, *, named: bool) -> ExternalUrl | Decision:
    """Return the base URL of a remote, or the refusal that names its fault.

    The manifest's own is ``https``. One that a person named may be ``http`` on this machine or at
    an IP address; any other host is asked by ``https`` alone, for tokens go along.

    Args:
        text: The URL.
        named: Whether the person who runs the app gave it, instead of the manifest.

    Source:
        Forge documentation, "Forge Remote essentials", "Remote contract" (HTTPS).
    """
    found = parse_external(text)
    if isinstance(found, Decision):
        return Decision(False, "remote.base-url", f"The remote's base URL: {found.message}")
    if "?" in text or "#" in text:
        return Decision(False, "remote.base-url", "The remote's base URL has a query or fragment.")
    plain = named and (is_loopback_name(found.host) or _is_address(found.host))
    if found.scheme != "https" and not (plain and found.scheme == "http"):
        return Decision(False, "remote.base-url", f"The remote's base URL {text} is not https.")
    return found


def parse_remote_target(base: ExternalUrl, path: str) -> ExternalUrl | Decision:
    """Return the address of a path at a remote, or the refusal that names its fault.

    The path is appended to the base URL, and what comes of it must stay below that: no other host,
    no other port, no way up. What two parsers could read differently is refused.

    Args:
        base: The base URL.
        path: Path and query as the app or its manifest wrote them; untrusted.

    Source:
        WHATWG URL Standard, "URL parsing"; CWE-22, CWE-918.
    """
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        return Decision(False, "remote.path", "The path at the remote must begin with one '/'.")
    plain = re.split(r"[?#]", path, maxsplit=1)[0]
    if "\\" in plain or _BLANK.search(path):
        return Decision(
            False, "remote.path", "The path has a backslash, blank or control character."
        )
    if any(unquote(part) in (".", "..") for part in plain.split("/")):
        return Decision(False, "remote.path", "The path has a '.' or '..' segment.")
    root = base.url.rstrip("/")
    found = parse_external(root + path)
    if (
        isinstance(found, Decision)
        or found.origin != base.origin
        or not found.url.startswith(f"{root}/")
    ):
        return Decision(False, "remote.path", "The path leads to nothing below the base URL.")
    return found


def decide_remote_address(host: str, addresses: tuple[str, ...], *, named: bool) -> Decision:
    """Decide whether a remote may be connected to at the addresses its name resolved to.

    The manifest's own must be public. Where a person named the address itself, that address will
    do, wherever it is; a loopback name must lead to loopback; any other name to public addresses
    alone, for a name is answered by whoever owns it.

    Args:
        host: As it was asked for.
        addresses: What the resolver answered.
        named: Whether the person who runs the app gave the URL.
    """
    if not named:
        return decide_address(host, addresses)
    return decide_app_address(host, addresses, {host} if _is_address(host) else frozenset())


def remote_tokens(*, system: bool, user: bool, in_force: Set[str]) -> tuple[bool, bool]:
    """Return whether the app's own token and the user's token go along to a remote.

    Each needs the manifest's switch and its scope; the user's needs a further scope too, for a
    token that opens nothing is not made.

    Args:
        system: Whether ``auth.appSystemToken`` is enabled.
        user: Whether ``auth.appUserToken`` is enabled.
        in_force: Scopes that are declared and granted now.

    Source:
        Forge documentation, "Forge Remote essentials", request headers.
    """
    return (
        system and SYSTEM_SCOPE in in_force,
        user and USER_SCOPE in in_force and bool(in_force - _TOKEN_SCOPES),
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
