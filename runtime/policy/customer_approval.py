"""Which word of a customer lets an app's function ask an address outside?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from runtime.policy.customer_egress import BACKEND, Choices, at, is_configurable
from runtime.policy.customer_remotes import endpoint_of
from runtime.policy.decision import Decision
from runtime.policy.egress import decide_egress

CUSTOMER = Decision(True, "egress.customer")


@dataclass(frozen=True, slots=True)
class Approved:
    """Why a customer's word admits addresses.

    Attributes:
        kind: A group of domains, or the address of a remote.
        key: Of that group or remote.
        addresses: Entries as ``permissions.external.fetch.backend`` of a manifest has them.
    """

    kind: Literal["egress_group", "egress_remote"]
    key: str
    addresses: tuple[str, ...]


def approved_by(choices: Choices, document: Mapping[str, object]) -> Iterator[Approved]:
    """Yield what a customer's word admits for functions, as far as the manifest leaves that open.

    A group counts with its domains of the backend type. The address of a remote counts if the
    manifest declares that remote under ``permissions.external.fetch.backend``.
    """
    if not is_configurable(document):
        return
    for group in choices.groups:
        domains = tuple(one.domain for one in group.entries if BACKEND in one.types)
        yield Approved("egress_group", group.key, domains)
    declared = at(document, "permissions", "external", "fetch", "backend")
    for entry in declared if isinstance(declared, Sequence) else ():
        key = entry.get("remote") if isinstance(entry, Mapping) else None
        endpoint = endpoint_of(choices, document, key) if isinstance(key, str) else None
        if isinstance(key, str) and endpoint is not None:
            yield Approved("egress_remote", key, (endpoint,))


def find_approved(approved: Iterable[Approved], text: str) -> Approved | None:
    """Return the first of a customer's words that lets an app ask an address, or None."""
    return next((one for one in approved if decide_egress(one.addresses, text).allowed), None)
