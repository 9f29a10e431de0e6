"""Addresses that a customer lets one installation of an app reach: groups, bounds, the decision.

Source:
    Forge documentation, "Customer-managed egress and remotes": ten groups, ten domains in each,
    forty in all.

Differs:
    An address is a host behind https, perhaps with a port; a pattern is ``*.`` before a domain of
    two labels or more. What else the platform takes is not known.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runtime.policy.decision import Decision
from runtime.policy.egress import decide_egress

MAX_GROUPS = 10
MAX_ADDRESSES = 10  # of one group
MAX_ALL_ADDRESSES = 40  # of all groups of an installation
MAX_DESCRIPTION = 200  # characters
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(
    rf"(?:https://)?((?:\*\.)?(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?)(?::([0-9]{{1,5}}))?"
)
MAX_PORT = 65_535
CUSTOMER = Decision(True, "egress.customer")


@dataclass(frozen=True, slots=True)
class EgressGroup:
    """Addresses that an administrator approved together.

    Attributes:
        key: Tells the groups of an installation apart.
        description: What they are for, in words.
        addresses: Entries as ``permissions.external.fetch.backend`` of a manifest has them.
    """

    key: str
    description: str
    addresses: tuple[str, ...]


def is_configurable(document: Mapping[str, object]) -> bool:
    """Return whether a manifest lets customers add addresses."""
    found: object = document
    for name in ("permissions", "external", "configurable", "enabled"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found is True


def read_address(text: str) -> str | None:
    """Return an address in the form it is kept in; None if it is none that one may add."""
    match = _ADDRESS.fullmatch(text.lower())
    if match is None or not text.isascii() or len(match[1]) > len("*.") + 253:
        return None
    if match[2] is None:
        return f"https://{match[1]}"
    port = int(match[2])
    return f"https://{match[1]}:{port}" if 0 < port <= MAX_PORT else None


def check_group(group: EgressGroup, others: Sequence[EgressGroup]) -> str | None:
    """Return why a group cannot be added to the others; None if it can.

    Args:
        group: Its addresses have been read.
        others: The groups there are, without the one that it replaces.
    """
    if not _KEY.fullmatch(group.key):
        return f"The key {group.key[:80]!r} is not 1 to 64 of the characters A-Z a-z 0-9 _ and -."
    if not 0 < len(group.description.strip()) <= MAX_DESCRIPTION:
        return f"A description of 1 to {MAX_DESCRIPTION} characters says what the group is for."
    if not 0 < len(group.addresses) <= MAX_ADDRESSES:
        return f"A group has 1 to {MAX_ADDRESSES} addresses, not {len(group.addresses)}."
    if len(others) >= MAX_GROUPS:
        return f"An installation has at most {MAX_GROUPS} groups: remove one first."
    count = sum(len(one.addresses) for one in others) + len(group.addresses)
    if count > MAX_ALL_ADDRESSES:
        return f"An installation has at most {MAX_ALL_ADDRESSES} addresses; these would be {count}."
    return None


def find_group(groups: Iterable[EgressGroup], text: str) -> str | None:
    """Return the key of the first group that lets an app ask an address, or None."""
    for group in groups:
        if decide_egress(group.addresses, text).allowed:
            return group.key
    return None
