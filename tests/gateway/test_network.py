"""The real network, as far as it can be had without one: names, addresses, limits, what is sent."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from runtime.clock import ManualClock
from runtime.gateway.network import Network, resolve
from runtime.gateway.outside import ExternalCall, ExternalReply, OutsideError
from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl, parse_external

PUBLIC = "93.184.215.14"
Handler = Callable[[httpx.Request], httpx.Response]


def target_of(url: str) -> ExternalUrl:
    found = parse_external(url)
    assert isinstance(found, ExternalUrl)
    return found


def answer(status: int = 200, content: bytes = b"", **headers: str) -> httpx.Response:
    """Return an answer whose body comes as a stream, as it does from a socket."""
    return httpx.Response(status, headers=headers, content=iter([content]))


def ask(
    url: str,
    handler: Handler = lambda request: answer(),
    *,
    addresses: tuple[str, ...] = (PUBLIC,),
    call: ExternalCall | None = None,
    clock: ManualClock | None = None,
    limit: int = 100,
) -> ExternalReply | Decision:
    send = Network(
        resolver=lambda host, port: addresses,
        transport=httpx.MockTransport(handler),
        clock=clock or ManualClock(),
        reply_limit_bytes=limit,
    )
    return send(target_of(url), call or ExternalCall(url))


@pytest.mark.parametrize(("connect_s", "known"), [(None, 20.0), (5.0, 5.0)])
def test_the_connection_may_have_a_shorter_limit_than_the_answer(
    connect_s: float | None, known: float
) -> None:
    seen: list[dict[str, float]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return answer()

    url = "https://api.test/"
    send = Network(
        resolver=lambda host, port: (PUBLIC,),
        transport=httpx.MockTransport(handler),
        clock=ManualClock(),
        timeout_s=20.0,
        connect_timeout_s=connect_s,
    )
    send(target_of(url), ExternalCall(url))
    assert seen == [{"connect": known, "read": 20.0, "write": 20.0, "pool": 20.0}]


def test_the_connection_goes_to_the_address_and_the_name_stays_in_host_and_sni() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, headers=[("x-a", "1"), ("x-a", "2")], content=iter([b"\xff"]))

    url = "https://api.test:8443/p?q=1"
    call = ExternalCall(url, "POST", (("x-b", "2"),), b"body")
    reply = ask(url, handler, call=call)
    assert isinstance(reply, ExternalReply)
    assert (reply.status, reply.body, reply.address) == (201, b"\xff", PUBLIC)
    assert [pair for pair in reply.headers if pair[0] == "x-a"] == [("x-a", "1"), ("x-a", "2")]
    (request,) = seen
    assert (request.url.host, request.url.port) == (PUBLIC, 8443)
    assert request.url.raw_path == b"/p?q=1"
    assert request.headers["host"] == "api.test:8443"
    assert request.extensions["sni_hostname"] == "api.test"
    assert (request.method, request.headers["x-b"], request.content) == ("POST", "2", b"body")
    assert request.headers["accept-encoding"] == "identity"


def test_an_address_of_ipv6_is_connected_to() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return answer()

    ask("https://api.test/", handler, addresses=("2606:4700::1111",))
    assert seen == ["2606:4700::1111"]


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("https://api.test/", ("127.0.0.1",)),
        ("https://api.test/", ("169.254.169.254",)),
        ("https://api.test/", (PUBLIC, "10.0.0.1")),
        ("https://api.test/", ("::ffff:192.168.0.1",)),
        ("https://api.test/", ("fe80::1%lo",)),
        ("https://2130706433/", ("127.0.0.1",)),
    ],
)
def test_a_name_of_a_private_address_is_refused_before_anything_is_sent(
    url: str, addresses: tuple[str, ...]
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request)

    decision = ask(url, handler, addresses=addresses)
    assert isinstance(decision, Decision)
    assert decision.rule == "egress.private-address"


@pytest.mark.hostile
def test_a_resolver_that_answers_otherwise_the_second_time_is_not_asked_twice() -> None:
    answers = [(PUBLIC,), ("127.0.0.1",)]
    hosts: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return answer()

    send = Network(
        lambda host, port: answers.pop(0), httpx.MockTransport(handler), clock=ManualClock()
    )
    assert isinstance(send(target_of("https://api.test/"), ExternalCall("")), ExternalReply)
    assert (hosts, len(answers)) == ([PUBLIC], 1)


@pytest.mark.hostile
def test_a_redirect_is_an_answer_here() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return answer(302, location="https://evil.test/")

    reply = ask("https://api.test/", handler)
    assert isinstance(reply, ExternalReply)
    assert reply.status == 302


@pytest.mark.hostile
def test_an_answer_over_the_limit_is_cut_off() -> None:
    with pytest.raises(OutsideError, match="more than 100 bytes"):
        ask("https://api.test/", lambda request: answer(content=b"x" * 101))


@pytest.mark.hostile
def test_an_answer_that_trickles_ends_with_the_time() -> None:
    clock = ManualClock()

    def trickle() -> Iterator[bytes]:
        for _ in range(100):
            clock.advance(1)
            yield b"x"

    with pytest.raises(OutsideError, match="ETIMEDOUT"):
        ask(
            "https://api.test/", lambda request: httpx.Response(200, content=trickle()), clock=clock
        )


@pytest.mark.parametrize(
    ("error", "shown"),
    [(httpx.ReadTimeout("slow"), "ETIMEDOUT"), (httpx.ConnectError("shut"), "ECONNREFUSED")],
)
def test_a_connection_that_fails_says_how(error: Exception, shown: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(OutsideError, match=shown):
        ask("https://api.test/", handler)


@pytest.mark.parametrize("error", [socket.gaierror("x"), UnicodeError("label too long")])
def test_a_name_that_nobody_knows_is_said_so(error: Exception) -> None:
    def unknown(host: str, port: int) -> tuple[str, ...]:
        raise error

    with pytest.raises(OutsideError, match="ENOTFOUND"):
        Network(unknown)(target_of("https://api.test/"), ExternalCall(""))


def test_the_machines_resolver_answers_with_addresses() -> None:
    assert resolve("127.0.0.1", 80) == ("127.0.0.1",)


@contextmanager
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """Answer one plain HTTP request on loopback and keep its bytes."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                seen.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], seen
        thread.join(timeout=10)


def test_over_a_socket_the_host_header_is_the_name_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    with listener() as (port, seen):
        url = f"http://api.test:{port}/x"
        send = Network(
            lambda host, port: ("127.0.0.1",), decide=lambda host, addresses: Decision(True, "all")
        )
        reply = send(target_of(url), ExternalCall(url))
    assert isinstance(reply, ExternalReply)
    assert (reply.status, reply.body) == (200, b"hi")
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "GET /x HTTP/1.1"
    assert f"host: api.test:{port}" in [line.lower() for line in lines]
