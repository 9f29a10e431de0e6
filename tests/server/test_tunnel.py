"""The proxy opens tunnels to one listener for the platform's names, and to nothing else."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from runtime.server.net.serving import listen
from runtime.server.net.tunnel import TunnelLimits, Tunnels

NAMES = ("api.atlassian.com", "acme.atlassian.net")
SECONDS = 60  # a bound on waiting for an answer that always comes
DEFAULT = TunnelLimits()


@dataclass
class Ground:
    """A running proxy, and the one listener it may lead to."""

    port: int
    reached: list[bytes] = field(default_factory=list)  # first bytes of each connection
    noted: list[tuple[str, str]] = field(default_factory=list)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def ask(self, request: bytes) -> bytes:
        """Send bytes, read until the proxy has said everything."""
        with self.connect() as client:
            client.sendall(request)
            answer = b""
            while chunk := client.recv(65_536):
                answer += chunk
        return answer


@contextmanager
def proxy(limits: TunnelLimits = DEFAULT, *, listens: bool = True) -> Iterator[Ground]:
    front, back = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    ground = Ground(front.getsockname()[1])
    ready, ended = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read(65_536)
        ground.reached.append(data)
        writer.write(b"echo:" + data)
        await writer.drain()
        writer.close()

    async def serve() -> None:
        target = back.getsockname()[:2]
        behind = await asyncio.start_server(echo, sock=back)
        if not listens:
            behind.close()
        tunnels = Tunnels(
            lambda name: name in NAMES, lambda: NAMES, target,
            lambda method, asked: ground.noted.append((method, asked)), limits,
        )  # fmt: skip
        server = await tunnels.start(front)
        loops.append(asyncio.get_running_loop())
        ready.set()
        await ended.wait()
        server.close()
        behind.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(SECONDS)
    try:
        yield ground
    finally:
        loops[0].call_soon_threadsafe(ended.set)
        thread.join(SECONDS)
        assert not thread.is_alive()


def connect(target: str, *headers: str) -> bytes:
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer[9:12])


@pytest.mark.parametrize("target", ["api.atlassian.com:443", "ACME.Atlassian.NET:443"])
def test_a_name_of_the_platform_gets_a_tunnel(target: str) -> None:
    with proxy() as ground:
        answer = ground.ask(connect(target) + b"hello")
    assert answer == b"HTTP/1.1 200 Connection Established\r\n\r\necho:hello"
    assert ground.reached == [b"hello"]  # sent with the head, and carried on
    assert ground.noted == []


def test_both_sides_speak_as_long_as_they_like() -> None:
    with proxy() as ground, ground.connect() as client:
        client.sendall(connect("api.atlassian.com:443"))
        assert client.recv(100).endswith(b"\r\n\r\n")
        client.sendall(b"late")
        assert client.recv(100) == b"echo:late"
        assert client.recv(100) == b""


@pytest.mark.hostile
@pytest.mark.parametrize(
    "target",
    [
        "evil.test:443", "127.0.0.1:443", "localhost:443", "[::1]:443", "169.254.169.254:443",
        "2130706433:443", "0x7f.1:443", "10.0.0.1:443", "0.0.0.0:443",
        "api.atlassian.com:80", "api.atlassian.com:22", "api.atlassian.com:8443",
        "api.atlassian.com:0443", "api.atlassian.com:00443", "api.atlassian.com:-443",
        "api.atlassian.com:443443", "api.atlassian.com:", "api.atlassian.com", ":443",
        "api.atlassian.com.:443", "x.api.atlassian.com:443", "other.atlassian.net:443",
        "atlassian.net:443", "api.atlassian.com.evil.test:443", "evil.test/api.atlassian.com:443",
        "user@api.atlassian.com:443", "api.atlassian.com:443@evil.test:443",
        "evil.test:443#api.atlassian.com:443", "api.atlassian.com:443/", "*.atlassian.net:443",
        "https://api.atlassian.com:443", "api.atlassian.com:443,evil.test:443",
    ],
)  # fmt: skip
def test_no_other_host_is_reached(target: str) -> None:
    with proxy() as ground:
        answer = ground.ask(connect(target) + b"hello")
    assert status(answer) == 403
    text = answer.decode()
    assert target in text
    assert "port 443 of: api.atlassian.com, acme.atlassian.net" in text
    assert ground.reached == []
    assert ground.noted == [("CONNECT", target)]


@pytest.mark.hostile
@pytest.mark.parametrize(
    "line",
    [
        "GET http://api.atlassian.com/ HTTP/1.1", "GET https://api.atlassian.com/ HTTP/1.1",
        "GET / HTTP/1.1", "POST http://evil.test/ HTTP/1.1", "OPTIONS * HTTP/1.1",
        "GET api.atlassian.com:443 HTTP/1.1", "TRACE http://169.254.169.254/ HTTP/1.0",
    ],
)  # fmt: skip
def test_nothing_but_a_tunnel_is_served(line: str) -> None:
    with proxy() as ground:
        answer = ground.ask(f"{line}\r\nHost: api.atlassian.com\r\n\r\n".encode())
    assert status(answer) == 403
    assert b"CONNECT" in answer
    assert b"HTTPS_PROXY" in answer
    assert ground.reached == []


@pytest.mark.hostile
@pytest.mark.parametrize(
    "request_",
    [
        b"\r\n\r\n", b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n", b"CONNECT\r\n\r\n",
        b"CONNECT api.atlassian.com:443\r\n\r\n", b"CONNECT api.atlassian.com:443 HTTP/2\r\n\r\n",
        b"CONNECT  api.atlassian.com:443 HTTP/1.1\r\n\r\n",
        b"CONNECT api.atlassian.com:443 evil.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT api.atlassian.com\x00.evil.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT \xffapi.atlassian.com:443 HTTP/1.1\r\n\r\n",
        b"CONNECT api.atlassian.com:443\nX: y HTTP/1.1\r\n\r\n",
        b" CONNECT api.atlassian.com:443 HTTP/1.1\r\n\r\n",
        b"CONNECT \x1b[31mevil HTTP/1.1\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(request_: bytes) -> None:
    with proxy() as ground:
        assert status(ground.ask(request_)) == 400
    assert (ground.reached, ground.noted) == ([], [])


@pytest.mark.hostile
@pytest.mark.parametrize("size", [9_000, 5_000_000])
def test_an_oversized_head_is_refused(size: int) -> None:
    with proxy() as ground:
        padded = connect("api.atlassian.com:443", "X: " + "x" * size)
        assert status(ground.ask(padded)) == 431
        assert status(ground.ask(b"A" * size)) == 431
        assert ground.reached == []
        assert status(ground.ask(connect("api.atlassian.com:443") + b"x")) == 200


@pytest.mark.hostile
@pytest.mark.parametrize("begun", [b"", b"CONNECT api.atlassian.com:443 HTTP/1.1\r\n"])
def test_a_slow_head_is_given_up(begun: bytes) -> None:
    with proxy(TunnelLimits(head_s=0.2)) as ground:
        assert status(ground.ask(begun)) == 408
    assert ground.reached == []


@pytest.mark.hostile
def test_too_many_connections_are_refused_and_leave_room_again() -> None:
    with proxy(TunnelLimits(connections=2)) as ground:
        with ground.connect(), ground.connect():
            for _ in range(1000):  # until both are counted
                answer = ground.ask(connect("api.atlassian.com:443") + b"x")
                if status(answer) == 503:
                    break
            assert status(answer) == 503
        for _ in range(1000):  # until both are gone
            answer = ground.ask(connect("api.atlassian.com:443") + b"x")
            if status(answer) == 200:
                break
        assert answer.endswith(b"echo:x")


@pytest.mark.hostile
def test_clients_that_vanish_leave_the_proxy_alive() -> None:
    with proxy() as ground:
        for begun in (b"", b"CONN", connect("api.atlassian.com:443"), connect("evil.test:443")):
            client = ground.connect()
            client.sendall(begun)
            reset = struct.pack("ii", 1, 0)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            client.close()
        assert ground.ask(connect("api.atlassian.com:443") + b"x").endswith(b"echo:x")


@pytest.mark.hostile
def test_credentials_for_a_proxy_are_repeated_nowhere() -> None:
    with proxy() as ground:
        answer = ground.ask(connect("evil.test:443", "Proxy-Authorization: Basic c2VjcmV0"))
    assert b"c2VjcmV0" not in answer
    assert "c2VjcmV0" not in str(ground.noted)


def test_a_listener_that_is_gone_is_a_bad_gateway() -> None:
    with proxy(listens=False) as ground:
        assert status(ground.ask(connect("api.atlassian.com:443"))) == 502


def test_the_end_cuts_tunnels_that_are_open_and_leaves_no_task() -> None:
    async def life() -> set[asyncio.Task[Any]]:  # of whatever a task returns
        held = asyncio.Event()

        async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await held.wait()
            writer.close()

        behind = await asyncio.start_server(hold, "127.0.0.1", 0)
        front = listen("127.0.0.1", 0)
        target = behind.sockets[0].getsockname()[:2]
        tunnels = Tunnels(lambda name: name in NAMES, lambda: NAMES, target)
        server = await tunnels.start(front)
        reader, writer = await asyncio.open_connection(*front.getsockname()[:2])
        writer.write(connect(f"{NAMES[0]}:443"))
        assert status(await reader.readuntil(b"\r\n\r\n")) == 200
        server.close()
        await tunnels.end()
        with suppress(ConnectionError):  # cut, not closed
            assert await reader.read() == b""
        left = {task for task in asyncio.all_tasks() if "Tunnels" in repr(task.get_coro())}
        writer.close()
        held.set()
        behind.close()
        await asyncio.sleep(0)
        return left

    assert asyncio.run(life()) == set()
