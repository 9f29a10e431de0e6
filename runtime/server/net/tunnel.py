"""The proxy: tunnels for clients with fixed host names, to our TLS listener and only there.

It looks no name up and connects to one address, fixed when it was made: whatever a client sends, no
other host can be reached through it.

Source:
    RFC 9110 section 9.3.6 (CONNECT) and section 17 on what a proxy must not open.
"""

import asyncio
import logging
import re
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

log = logging.getLogger(__name__)

PORT = "443"  # the platform's hosts have no other
CHUNK_BYTES = 64 * 1024
MAX_SHOWN = 100  # characters of a target in an answer or a log line
_LINE = re.compile(r"([A-Za-z]{1,16}) ([!-~]{1,2048}) HTTP/1\.[01]")
_AUTHORITY = re.compile(r"([A-Za-z0-9.-]{1,253}):([0-9]{1,5})")
_REASONS = {
    400: "Bad Request", 403: "Forbidden", 408: "Request Timeout", 502: "Bad Gateway",
    431: "Request Header Fields Too Large", 503: "Service Unavailable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TunnelLimits:
    """What one client may use.

    Attributes:
        head_bytes: Size of a request's head.
        head_s: Time for the whole head, and for what a refused client still sends.
        connections: How many are open at once.
    """

    head_bytes: int = 8 * 1024
    head_s: float = 10.0
    connections: int = 256


class RefusalError(Exception):
    """A request that gets no tunnel.

    Args:
        status: HTTP status.
        message: Why, and what to do.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Tunnels:
    """Serves CONNECT for the platform's names.

    Args:
        is_platform: Whether a name, in lower case, is the platform's; may look into the state.
        names: Returns the names, for the text of a refusal.
        target: Address and port of the TLS listener.
        note: Told the method and the target of each request for something else; may take a while.
        limits: What one client may use.
    """

    def __init__(
        self,
        is_platform: Callable[[str], bool],
        names: Callable[[], Iterable[str]],
        target: tuple[str, int],
        note: Callable[[str, str], None] = lambda *_: None,
        limits: TunnelLimits = TunnelLimits(),  # frozen
    ) -> None:
        self._is_platform = is_platform
        self._names = names
        self._target = target
        self._note = note
        self._limits = limits
        self._open = 0
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self, listener: socket.socket) -> asyncio.Server:
        """Accept clients on a listener until the returned server is closed."""
        return await asyncio.start_server(
            self._accept, sock=listener, limit=self._limits.head_bytes
        )

    async def end(self) -> None:
        """Cut every tunnel that is open; called once no new client is accepted."""
        clients = tuple(self._clients)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await asyncio.sleep(0)  # closed connections say so in the loop's next round

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = asyncio.get_running_loop().create_task(self._client(reader, writer))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            log.debug("a client of the proxy went away")
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            self._open -= 1
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            ours = await self._admit(reader)
        except RefusalError as refusal:
            await self._refuse(reader, writer, refusal)
            return
        writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
        await _join((reader, writer), ours)

    async def _admit(
        self, reader: asyncio.StreamReader
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection to our listener, for a request that asks for one."""
        if self._open > self._limits.connections:
            raise RefusalError(503, "The proxy has too many connections open.")
        await self._check(*_read_line(await self._read_head(reader)))
        return await self._connect()

    async def _read_head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(self._limits.head_s):
                return await reader.readuntil(b"\r\n\r\n")
        except TimeoutError:
            raise RefusalError(408, "The request's head did not come in time.") from None
        except asyncio.LimitOverrunError:
            raise RefusalError(
                431, f"The head is larger than {self._limits.head_bytes} bytes."
            ) from None

    async def _check(self, method: str, target: str) -> None:
        """Refuse everything but a tunnel to a name of the platform."""
        if method == "CONNECT" and await asyncio.to_thread(self._leads_here, target):
            return
        await asyncio.to_thread(self._note, method, target[:MAX_SHOWN])
        if method != "CONNECT":
            raise RefusalError(
                403,
                "This proxy opens tunnels (CONNECT) for https alone. Ask Firebrick's own address "
                "for anything else, and set HTTPS_PROXY, not HTTP_PROXY.",
            )
        names = ", ".join(self._names())
        raise RefusalError(
            403,
            f"This proxy reaches no host but the emulated ones, and {target[:MAX_SHOWN]!a} is "
            f"none of them. It opens tunnels to port {PORT} of: {names}. Where a client may reach "
            "another host by itself, name that in NO_PROXY.",
        )

    def _leads_here(self, target: str) -> bool:
        found = _AUTHORITY.fullmatch(target)
        return found is not None and found[2] == PORT and self._is_platform(found[1].lower())

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_connection(*self._target)
        except OSError:
            raise RefusalError(502, "Firebrick's TLS listener does not answer.") from None

    async def _refuse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, refusal: RefusalError
    ) -> None:
        body = f"{refusal.message}\n".encode()
        head = (
            f"HTTP/1.1 {refusal.status} {_REASONS[refusal.status]}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        with suppress(TimeoutError):  # else what is unread would reset the answer on its way
            async with asyncio.timeout(self._limits.head_s):
                for _ in range(MAX_SHOWN):
                    if not await reader.read(CHUNK_BYTES):
                        break


def _read_line(head: bytes) -> tuple[str, str]:
    line = head.split(b"\r\n", 1)[0].decode("latin-1")
    found = _LINE.fullmatch(line)
    if found is None:
        raise RefusalError(400, "This is no HTTP/1.1 request.")
    return found[1].upper(), found[2]


async def _join(
    client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ours: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Carry bytes both ways until this server has said its last."""
    up = asyncio.create_task(_carry(client[0], ours[1]))
    try:
        await _carry(ours[0], client[1])
    finally:
        up.cancel()
        ours[1].close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way; an end of one side, clean or not, is an end for the other."""
    with suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()
