"""What a customer lets one installation of an app reach: groups of domains, and remotes.

Source:
    Forge documentation, "Customer-managed egress and remotes" and its API: ten groups an
    installation, ten domains in each, forty in all; a domain has types of egress; ``*`` is every
    address; ``permissions.external.configurable.enabled`` switches it on.

Differs:
    A domain is a host behind https, perhaps with a port, ``*.`` before a domain of two labels or
    more, or ``*``. What else the platform takes is not known.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from runtime.policy.egress import EVERYWHERE

BACKEND = "FETCH_BACKEND_SIDE"
TYPES = (
    BACKEND, "FETCH_CLIENT_SIDE", "FONTS", "FRAMES", "IMAGES", "MEDIA", "SCRIPTS", "STYLES",
)  # fmt: skip
MAX_GROUPS = 10
MAX_DOMAINS = 10  # of one group
MAX_ALL_DOMAINS = 40  # of all groups of an installation
MAX_DESCRIPTION = 200  # characters
MAX_HOST = 253  # characters, RFC 1035
MAX_PORT = 65_535
HTTPS_PORT = 443
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(
    rf"(?:https://)?((?:\*\.)?(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?)(?::([0-9]{{1,5}}))?"
)


@dataclass(frozen=True, slots=True)
class EgressEntry:
    """A domain of a group: an entry as a manifest has them, and what kinds of egress may go."""

    domain: str
    types: tuple[str, ...] = (BACKEND,)


@dataclass(frozen=True, slots=True)
class EgressGroup:
    """Domains that an administrator approved together.

    Attributes:
        key: Tells the groups of an installation apart.
        description: What they are for, in words.
        entries: The domains, each once.
    """

    key: str
    description: str
    entries: tuple[EgressEntry, ...]

    def without(self, domain: str, type_: str | None = None) -> "EgressGroup":
        """Return the group without a domain, or without one type of it."""
        kept = []
        for one in self.entries:
            types = one.types
            if one.domain == domain:
                types = () if type_ is None else tuple(name for name in types if name != type_)
            if types:
                kept.append(EgressEntry(one.domain, types))
        return EgressGroup(self.key, self.description, tuple(kept))


@dataclass(frozen=True, slots=True)
class Choices:
    """What a customer chose for one installation.

    Attributes:
        groups: The groups, by key.
        endpoints: Base URL of a remote by its key, instead of the manifest's.
    """

    groups: tuple[EgressGroup, ...] = ()
    endpoints: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def is_configurable(document: Mapping[str, object]) -> bool:
    """Return whether a manifest lets customers add addresses."""
    return at(document, "permissions", "external", "configurable", "enabled") is True


def find_configurable(document: Mapping[str, object], key: str) -> Mapping[str, object] | None:
    """Return what a remote of a manifest says of being configured; None if it is not to be.

    Args:
        document: The manifest; without its switch for customers no remote is configurable.
        key: Of the remote.
    """
    if not is_configurable(document):
        return None
    for remote in _remotes(document):
        said = remote.get("configurable")
        if remote.get("key") == key and isinstance(said, Mapping):
            return said
    return None


def configurable_remotes(document: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    """Return the remotes of a manifest that a customer may configure."""
    if not is_configurable(document):
        return ()
    return tuple(one for one in _remotes(document) if isinstance(one.get("configurable"), Mapping))


def at(document: Mapping[str, object], *names: str) -> object:
    """Return what stands in a manifest below names, or None."""
    found: object = document
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def read_domain(text: str) -> str | None:
    """Return a domain in the form it is kept in; None if it is none that one may add."""
    if text == EVERYWHERE:
        return text
    match = _DOMAIN.fullmatch(text.lower())
    if match is None or not text.isascii() or len(match[1].removeprefix("*.")) > MAX_HOST:
        return None
    if match[2] is None or int(match[2]) == HTTPS_PORT:
        return f"https://{match[1]}"
    port = int(match[2])
    return f"https://{match[1]}:{port}" if 0 < port <= MAX_PORT else None


def check_group(group: EgressGroup, others: Sequence[EgressGroup]) -> str | None:
    """Return why a group cannot be added to the others; None if it can.

    Args:
        group: Its domains have been read.
        others: The groups there are, without the one that it replaces.
    """
    fault = _fault(group)
    if fault is not None:
        return fault
    if len(others) >= MAX_GROUPS:
        return f"An installation has at most {MAX_GROUPS} groups: remove one first."
    count = sum(len(one.entries) for one in others) + len(group.entries)
    if count > MAX_ALL_DOMAINS:
        return f"An installation has at most {MAX_ALL_DOMAINS} domains; these would be {count}."
    return None


def _fault(group: EgressGroup) -> str | None:
    if not _KEY.fullmatch(group.key):
        return f"The key {group.key[:80]!r} is not 1 to 64 of the characters A-Z a-z 0-9 _ and -."
    if not 0 < len(group.description.strip()) <= MAX_DESCRIPTION:
        return f"A description of 1 to {MAX_DESCRIPTION} characters says what the group is for."
    if not 0 < len(group.entries) <= MAX_DOMAINS:
        return f"A group has 1 to {MAX_DOMAINS} domains, not {len(group.entries)}."
    domains = {one.domain for one in group.entries}
    if len(domains) < len(group.entries):
        return "A domain stands in a group once."
    strange = [name for one in group.entries for name in one.types if name not in TYPES]
    if strange or not all(one.types for one in group.entries):
        return f"A domain has one or more of the types {', '.join(TYPES)}."
    return None


def _remotes(document: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for section in (document.get("remotes"), at(document, "modules", "remote")):
        for one in section if isinstance(section, Sequence) else ():
            if isinstance(one, Mapping):
                yield one
