"""Receivers of webhooks on loopback ports, which remember what they were sent, headers and all."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def open_gate() -> threading.Event:
    """Return a gate that stands open."""
    gate = threading.Event()
    gate.set()
    return gate


@dataclass
class Receiver:
    """What a receiver answers, and what it got: path, headers by lower-case name, body."""

    url: str = ""
    answers: list[int] = field(default_factory=list)  # used up; then 204
    redirect_to: str = ""
    hold: threading.Event = field(default_factory=open_gate)  # cleared: it takes its time
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def wait(self, count: int) -> list[tuple[str, dict[str, str], bytes]]:
        """Return what came, once that much has."""
        for _ in range(600):
            if len(self.got) >= count:
                return self.got
            time.sleep(0.05)
        raise AssertionError(self.got)


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.got.append((self.path, headers, body))
        self.receiver.hold.wait(60)
        moved = self.receiver.redirect_to
        self.send_response(302 if moved else self._status())
        if moved:
            self.send_header("location", moved)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_POST()

    def _status(self) -> int:
        return self.receiver.answers.pop(0) if self.receiver.answers else 204

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve a receiver on a free port."""
    receiver = Receiver()
    handler = type("Served", (_Handler,), {"receiver": receiver})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
