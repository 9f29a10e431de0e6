"""Is an IP address one of the public internet?"""

import ipaddress
from collections.abc import Iterator

from runtime.policy.decision import Decision

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291 section 2.5.5.1, deprecated


def decide_address(host: str, addresses: tuple[str, ...]) -> Decision:
    """Decide whether a host may be connected to at the addresses its name resolved to.

    Every address must be public: a name with one public and one private address is refused whole,
    because which of them is asked would be luck. Loopback, link-local, private, shared, reserved,
    multicast and documentation ranges are not public, nor is any IPv6 address that carries such an
    IPv4 address (mapped, compatible, NAT64, 6to4, Teredo).

    Args:
        host: As it was asked for, for the message.
        addresses: What the resolver answered; a scope after ``%`` does not count.

    Source:
        IANA special-purpose address registries (RFC 6890); CWE-918.
    """
    if not addresses:
        return Decision(False, "egress.unresolved", f"{host} has no address.")
    inside = [address for address in addresses if not is_public(address)]
    if inside:
        return Decision(
            False,
            "egress.private-address",
            f"{host} is at {inside[0]}, which is no public address; the network outside is never "
            "the network inside.",
        )
    return Decision(True, "egress.public-address")


def is_public(text: str) -> bool:
    """Return whether an address is public; what is no address is not."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(
        one.is_global and not one.is_multicast and not one.is_reserved for one in _faces(address)
    )


def _faces(address: _Address) -> Iterator[_Address]:
    """Yield the address, or the IPv4 addresses that it stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64 or address in COMPATIBLE:
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    inner = [one for one in carried if one is not None]
    yield from inner
    if address.ipv4_mapped is None and address not in NAT64:
        yield address
