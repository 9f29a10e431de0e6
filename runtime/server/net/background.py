"""The HTTP server beside other work of the same process, for as long as that work lasts."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from runtime.server.net.serving import create_app, listen

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

HOST = "127.0.0.1"


class _Server(uvicorn.Server):
    """Says when it has started, so that nobody has to ask again and again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serving(firebrick: "Firebrick") -> Iterator[str]:
    """Serve a state on a free loopback port; yield the server's URL."""
    listener = listen(HOST, 0)
    config = uvicorn.Config(
        create_app(firebrick), log_level="warning", access_log=False, server_header=False
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    server.ready.wait()
    try:
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
