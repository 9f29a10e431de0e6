"""May the server itself ask an app's address: for its descriptor, for lifecycle and webhooks?"""

import ipaddress
from collections.abc import Set

from runtime.policy.addresses import decide_address
from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl

PORTS = frozenset({80, 443, 8080})
"""What the platform asks apps on, outside of this machine."""


def decide_app_url(url: ExternalUrl, allowed_hosts: Set[str]) -> Decision:
    """Decide whether an app may live at an address, before its name is resolved.

    On this machine any port and ``http`` will do. Elsewhere it is ``https`` on a port that the
    platform asks, unless an administrator of this server allowed the host by name.

    Args:
        url: The app's address.
        allowed_hosts: Hosts that were allowed by name.

    Source:
        Connect documentation, "App descriptor", "baseUrl"; CWE-918.
    """
    if is_loopback_name(url.host) or url.host in allowed_hosts:
        if url.scheme in ("http", "https"):
            return Decision(True, "egress.app-allowed")
    elif url.scheme == "https" and url.port in PORTS:
        return Decision(True, "egress.app-allowed")
    return Decision(
        False,
        "egress.app-address",
        f"An app outside of this machine is asked by https on port 443 or 8080, not at {url.url}; "
        "FIREBRICK_CONNECT_ALLOW_HOSTS can allow its host.",
    )


def decide_app_address(host: str, addresses: tuple[str, ...], allowed_hosts: Set[str]) -> Decision:
    """Decide whether an app may be connected to at the addresses its name resolved to.

    A loopback name must lead to loopback, any other name to public addresses alone: so a name that
    someone else's resolver answers cannot lead into this machine or its network. A host that was
    allowed by name may be anywhere.
    """
    if host in allowed_hosts and addresses:
        return Decision(True, "egress.app-allowed")
    if is_loopback_name(host):
        inside = [address for address in addresses if _is_loopback(address)]
        if addresses and len(inside) == len(addresses):
            return Decision(True, "egress.app-allowed")
        return Decision(False, "egress.private-address", f"{host} does not lead to this machine.")
    return decide_address(host, addresses)


def is_loopback_name(host: str) -> bool:
    """Return whether a host name or an address is this machine itself."""
    return host == "localhost" or host.endswith(".localhost") or _is_loopback(host)


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False
