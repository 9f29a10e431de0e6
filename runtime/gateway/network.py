"""The real network outside, for the hosts that a human allowed and for nothing else."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import httpx

from runtime.clock import Clock, SystemClock
from runtime.gateway.outside import ExternalCall, ExternalReply, OutsideError
from runtime.policy.addresses import decide_address
from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl

TIMEOUT_S = 25.0  # of one request in all; no invocation lasts longer
MAX_REPLY_BYTES = 3 * 1024 * 1024  # as base64 it still fits into what a door may answer

Resolver = Callable[[str, int], tuple[str, ...]]
"""Host name (or IP address) and port to IP addresses; raises OSError if it is unknown."""


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Return the addresses of a host as the machine's resolver knows them, IPv4 first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ordered = sorted(found, key=lambda one: one[0] != socket.AF_INET)
    return tuple(dict.fromkeys(str(one[4][0]) for one in ordered))


class Network:
    """Sends requests to public addresses.

    A name is resolved once; the addresses are decided on, and the connection goes to the one that
    was decided on, so that a second answer of the resolver cannot lead elsewhere. Host header, SNI
    and certificate check keep the name. Redirects are not followed here, proxies and credentials of
    the machine's environment are not used, nothing is kept between requests.

    Args:
        resolver: Resolves names.
        transport: Carries requests; None for sockets.
        clock: Measures the time limit.
        timeout_s: Of one request in all.
        connect_timeout_s: Of the connection alone, where that is less.
        reply_limit_bytes: Size of an answer's body.
        decide: Decides on the addresses of a host.
    """

    def __init__(
        self,
        resolver: Resolver = resolve,
        transport: httpx.BaseTransport | None = None,
        *,
        clock: Clock | None = None,
        timeout_s: float = TIMEOUT_S,
        connect_timeout_s: float | None = None,
        reply_limit_bytes: int = MAX_REPLY_BYTES,
        decide: Callable[[str, tuple[str, ...]], Decision] = decide_address,
    ) -> None:
        self._resolver = resolver
        self._transport = transport
        self._clock = clock or SystemClock()
        self._timeout_s = timeout_s
        self._timeouts = httpx.Timeout(timeout_s, connect=connect_timeout_s or timeout_s)
        self._limit_bytes = reply_limit_bytes
        self._decide = decide

    def __call__(self, target: ExternalUrl, call: ExternalCall) -> ExternalReply | Decision:
        """Ask a host outside, or refuse by the addresses its name resolves to.

        Args:
            target: Where to; decided on already.
            call: What to ask, with headers that may go out.

        Raises:
            OutsideError: No answer: unknown name, no connection, too slow, too large.
        """
        begin_s = self._clock.monotonic_s()
        addresses = self._resolve(target)
        decision = self._decide(target.host, addresses)
        if not decision.allowed:
            return decision
        try:
            reply = self._ask(target, call, addresses[0], begin_s)
        except httpx.TimeoutException as error:
            raise OutsideError(f"ETIMEDOUT: {target.host} did not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OutsideError(f"ECONNREFUSED: {target.host}: {error}") from error
        return replace(reply, address=addresses[0])

    def _resolve(self, target: ExternalUrl) -> tuple[str, ...]:
        try:
            return self._resolver(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise OutsideError(f"ENOTFOUND: {target.host} is unknown") from error

    def _ask(
        self, target: ExternalUrl, call: ExternalCall, address: str, begin_s: float
    ) -> ExternalReply:
        url = httpx.URL(target.url)
        request = httpx.Request(
            call.method,
            url.copy_with(host=address.partition("%")[0]),
            headers=[*call.headers, ("Host", url.netloc.decode()), ("Accept-Encoding", "identity")],
            content=call.body,
            extensions={
                "sni_hostname": target.host,
                "timeout": self._timeouts.as_dict(),
            },
        )
        with (
            httpx.Client(transport=self._transport, trust_env=False) as client,
            closing(client.send(request, stream=True, follow_redirects=False)) as answer,
        ):
            body = b"".join(self._limited(answer, begin_s))
            return ExternalReply(answer.status_code, tuple(answer.headers.multi_items()), body)

    def _limited(self, answer: httpx.Response, begin_s: float) -> Iterator[bytes]:
        size = 0
        for chunk in answer.iter_raw():
            size += len(chunk)
            if size > self._limit_bytes:
                raise OutsideError(f"the answer has more than {self._limit_bytes} bytes")
            if self._clock.monotonic_s() - begin_s > self._timeout_s:
                raise OutsideError(f"ETIMEDOUT: the answer took over {self._timeout_s:.0f} s")
            yield chunk
