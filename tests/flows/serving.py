"""A real server on a free loopback port, for the length of a test."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from runtime.server.net.page_edges import DEFAULT_OPTIONS, PageOptions
from runtime.server.net.serving import create_app, listen
from runtime.server.runtime import Firebrick


@contextmanager
def served(firebrick: Firebrick, options: PageOptions = DEFAULT_OPTIONS) -> Iterator[str]:
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_app(firebrick, options), log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
