"""Requests to the world outside, as values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl

Redirect = Literal["follow", "error", "manual"]


@dataclass(frozen=True, slots=True)
class ExternalCall:
    """One request to the outside.

    Attributes:
        url: As the guest wrote it; untrusted.
        method: HTTP method.
        headers: Name/value pairs.
        body: Body bytes; None if there is none.
        redirect: What to do with a redirect.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    redirect: Redirect = "follow"


@dataclass(frozen=True, slots=True)
class ExternalReply:
    """What came back from outside.

    Attributes:
        address: IP address that answered; empty for a stub.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    address: str = ""


class OutsideError(Exception):
    """A request that left no answer; the message is safe to show to the app."""


Outside = Callable[[ExternalUrl, ExternalCall], ExternalReply | Decision]
"""Asks a host outside, or refuses by the addresses that its name resolves to.

It takes where to, decided on already, and what to ask, with headers that may go out; it raises
`OutsideError` if there is no answer: unknown name, no connection, too slow, too large.
"""
