"""Requests of this server to Connect apps: guarded, never redirected, bounded in time and size."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from runtime.clock import Clock
from runtime.errors import ForgeError
from runtime.gateway.network import Network, Resolver, resolve
from runtime.gateway.outside import ExternalCall, ExternalReply, OutsideError
from runtime.policy.app_addresses import decide_app_address, decide_app_url
from runtime.policy.decision import Decision
from runtime.policy.egress import parse_external

REPLY_LIMIT_BYTES = 1024 * 1024
TRANSIENT = frozenset({502, 503, 504})
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an app may take.

    Attributes:
        connect_s: To take the connection.
        answer_s: In all.
    """

    connect_s: float
    answer_s: float


SOMEONE_WAITS = Patience(10.0, 10.0)

Headers = tuple[tuple[str, str], ...]


class AppUnreachableError(Exception):
    """An app gave no answer; the message says why and names no secret."""


class AppClient:
    """Asks apps.

    Args:
        clock: Measures time limits.
        allowed_hosts: Hosts that may be anywhere and need no ``https``.
        resolver: Resolves names.
        patience: How long an app may take.
    """

    def __init__(
        self,
        clock: Clock,
        allowed_hosts: frozenset[str],
        resolver: Resolver = resolve,
        patience: Patience = SOMEONE_WAITS,
    ) -> None:
        self._allowed_hosts = allowed_hosts
        self.patience = patience
        self._network = Network(
            resolver=resolver,
            clock=clock,
            timeout_s=patience.answer_s,
            connect_timeout_s=patience.connect_s,
            reply_limit_bytes=REPLY_LIMIT_BYTES,
            decide=partial(decide_app_address, allowed_hosts=allowed_hosts),
        )

    def get(self, url: str) -> ExternalReply:
        """Fetch a URL.

        Raises:
            ForgeError: ``ADDRESS_REFUSED`` if the address is not for an app.
            AppUnreachableError: No answer.
        """
        return self._ask(ExternalCall(url, headers=(("Accept", "application/json"),)))

    def post(
        self,
        url: str,
        body: bytes,
        authorization: Callable[[], str],
    ) -> ExternalReply:
        """Post JSON with a token; where nobody answers, again at once, each time with a new token.

        Args:
            url: Where to.
            body: The JSON.
            authorization: Makes the header's value.

        Raises:
            ForgeError: ``ADDRESS_REFUSED`` if the address is not for an app.
            AppUnreachableError: No answer.
        """
        for left in reversed(range(ATTEMPTS)):
            try:
                reply = self.send(url, body, (("Authorization", authorization()),))
            except AppUnreachableError:
                if not left:
                    raise
                continue
            if reply.status not in TRANSIENT or not left:
                return reply
        raise AssertionError("the last attempt returns or raises")

    def send(self, url: str, body: bytes, headers: Headers) -> ExternalReply:
        """Post JSON once, whatever becomes of it.

        Raises:
            ForgeError: ``ADDRESS_REFUSED`` if the address is not for an app.
            AppUnreachableError: No answer.
        """
        kind = ("Content-Type", "application/json; charset=utf-8")
        return self._ask(ExternalCall(url, "POST", (kind, *headers), body))

    def _ask(self, call: ExternalCall) -> ExternalReply:
        target = parse_external(call.url)
        if isinstance(target, Decision):
            raise _refused(target)
        decision = decide_app_url(target, self._allowed_hosts)
        if not decision.allowed:
            raise _refused(decision)
        try:
            reply = self._network(target, call)
        except OutsideError as error:
            raise AppUnreachableError(str(error)) from error
        if isinstance(reply, Decision):
            raise _refused(reply)
        return reply


def _refused(decision: Decision) -> ForgeError:
    return ForgeError("ADDRESS_REFUSED", decision.message)
