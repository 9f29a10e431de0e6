"""What the customer of an installation chose, in a world file: groups of domains, and remotes."""

from collections.abc import Iterator

from sqlalchemy import Connection

from runtime.policy.customer_egress import (
    Choices,
    EgressEntry,
    EgressGroup,
    check_group,
    read_domain,
)
from runtime.policy.customer_remotes import read_endpoint
from runtime.policy.decision import Decision
from runtime.server.egress_groups import EgressGroups
from runtime.server.world.model import DomainEntry, EgressGroupEntry, InstallEntry
from runtime.server.world.places import APP, Finding, Place


def check_customer(one: InstallEntry, place: Place) -> Iterator[Finding]:
    """Yield what keeps an administrator from having chosen what an install says.

    What the manifest leaves open is decided at every request, not here.
    """
    groups: list[EgressGroup] = []
    for number, entry in enumerate(one.egress):
        here = (*place, "egress", number)
        for at, domain in enumerate(entry.configured):
            if read_domain(domain.domain) is None:
                message = f"{domain.domain!r} is no host behind https."
                hint = "Write such as api.example.com, *.example.com or *."
                yield Finding((*here, "configured", at, "domain"), APP, message, hint)
        group = _group(entry)
        fault = check_group(group, groups)
        if any(group.key == other.key for other in groups):
            fault = f"There are two groups {group.key}."
        if fault is not None:
            yield Finding(here, APP, fault)
        groups.append(group)
    for key, url in one.remotes.items():
        endpoint = read_endpoint(url, {})
        if isinstance(endpoint, Decision):
            yield Finding((*place, "remotes", key), APP, endpoint.message)


def write_customer(
    connection: Connection,
    store: EgressGroups,
    one: InstallEntry,
    installation_id: str,
    account_id: str,
) -> None:
    """Store what an install says; `account_id` has approved it."""
    for entry in one.egress:
        store.set(connection, installation_id, _group(entry), account_id)
    for key, url in one.remotes.items():
        endpoint = read_endpoint(url, {})
        if not isinstance(endpoint, Decision):
            store.set_endpoint(connection, installation_id, key, endpoint, account_id)


def egress_entries(choices: Choices) -> list[EgressGroupEntry]:
    """Return groups as a file has them."""
    return [
        EgressGroupEntry(
            key=group.key,
            description=group.description,
            configured=[
                DomainEntry(domain=one.domain, type=list(one.types)) for one in group.entries
            ],
        )
        for group in choices.groups
    ]


def _group(entry: EgressGroupEntry) -> EgressGroup:
    """Return a group; a domain that is none stands as it was written."""
    entries = tuple(
        EgressEntry(read_domain(one.domain) or one.domain, tuple(dict.fromkeys(one.type)))
        for one in entry.configured
    )
    return EgressGroup(entry.key, entry.description, entries)
