"""The listeners beside the plain one: TLS for the platform's names, and the proxy to it."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.server.hosts import Hosts
from runtime.server.net.clientenv import Reach
from runtime.server.net.page_edges import DEFAULT_OPTIONS, PageOptions
from runtime.server.net.serving import create_app, hosts_of, listen
from runtime.server.net.tlsfolder import TlsFiles, TlsFolder
from runtime.server.net.tunnel import Tunnels

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # where one reaches what listens anywhere


@dataclass(frozen=True, slots=True)
class Secure:
    """What is served beside the plain listener.

    Attributes:
        files: The certificates.
        listener: Bound socket of the TLS listener.
        proxy: Bound socket of the proxy; None for none.
    """

    files: TlsFiles
    listener: socket.socket
    proxy: socket.socket | None = None

    @property
    def target(self) -> tuple[str, int]:
        """Return address and port at which this machine reaches the TLS listener."""
        host, port = self.listener.getsockname()[:2]
        return ANY.get(host, host), port


class Server(uvicorn.Server):
    """The plain server; as long as it runs, the TLS listener and the proxy run with it.

    Args:
        config: Of the plain listener.
        secure: What is served beside it.
        hosts: The names that the proxy knows.
        audit: Gets a record of each request for a tunnel to somewhere else.
    """

    def __init__(
        self, config: uvicorn.Config, secure: Secure | None, hosts: Hosts, audit: AuditTrail
    ) -> None:
        super().__init__(config)
        self._secure = secure
        self._hosts = hosts
        self._audit = audit
        self._proxy: asyncio.Server | None = None
        self._tunnels: Tunnels | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start everything: what is called started does answer."""
        await super().startup(sockets)
        secure = self._secure
        if secure is None:
            return
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(secure.files.leaf, secure.files.key)
        context.set_alpn_protocols(["http/1.1"])
        loop = asyncio.get_running_loop()
        self.servers.append(
            await loop.create_server(self._protocol, sock=secure.listener, ssl=context)
        )
        if secure.proxy is not None:
            names, target = self._hosts.names, secure.target
            self._tunnels = Tunnels(self._hosts.is_platform, names, target, self._note)
            self._proxy = await self._tunnels.start(secure.proxy)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End everything, requests under way first."""
        if self._proxy is not None:
            self._proxy.close()
        await super().shutdown(sockets)
        if self._tunnels is not None:
            await self._tunnels.end()

    def _protocol(self) -> asyncio.Protocol:
        """Return what speaks HTTP on one connection; the scheme it takes from the connection."""
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def _note(self, method: str, target: str) -> None:
        record = AuditRecord(
            kind="egress", allowed=False, rule="egress.no-tunnel", model="anonymous",
            method=method, path=target, status=403,
        )  # fmt: skip
        self._audit.append(record)


def run(
    firebrick: "Firebrick",
    listener: socket.socket,
    options: PageOptions = DEFAULT_OPTIONS,
    secure: Secure | None = None,
) -> None:
    """Serve until the process is told to stop.

    Args:
        firebrick: The state.
        listener: Bound socket of the plain listener.
        options: How pages are served.
        secure: What is served beside it; None for nothing.
    """
    make_server(firebrick, options, secure).run(sockets=[listener])


def make_server(
    firebrick: "Firebrick", options: PageOptions = DEFAULT_OPTIONS, secure: Secure | None = None
) -> Server:
    """Return a server of the state; it runs on the socket it is handed, and those of `secure`."""
    config = uvicorn.Config(
        create_app(firebrick, options), log_level="warning", access_log=False, server_header=False
    )
    return Server(config, secure, hosts_of(firebrick), firebrick.audit)


def open_secure(firebrick: "Firebrick", host: str, tls_port: int, proxy_port: int | None) -> Secure:
    """Return certificates and listeners for the platform's names; the proxy is on loopback alone.

    Args:
        firebrick: The state.
        host: Address of the TLS listener.
        tls_port: Its port; 0 picks a free one.
        proxy_port: Port of the proxy, likewise; None for none.

    Raises:
        StateError: ``PORT_IN_USE``, or certificates that cannot be used.
    """
    folder = TlsFolder(firebrick.settings.state)
    files = folder.prepare(firebrick.site_names(), firebrick.clock.now_s())
    proxy = None if proxy_port is None else listen("127.0.0.1", proxy_port)
    return Secure(files, listen(host, tls_port), proxy)


def reach_of(listener: socket.socket, secure: Secure | None) -> Reach:
    """Return where clients on this machine reach a server."""
    host, port = listener.getsockname()[:2]
    name = ANY.get(host, host)
    url = f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
    if secure is None:
        return Reach(url)
    proxy = None if secure.proxy is None else secure.proxy.getsockname()[1]
    return Reach(url, secure.target[1], proxy)
