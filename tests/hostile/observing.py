"""What a request costs, without a clock: statements, hashes and comparisons are counted.

A refusal that does other work for what exists than for what does not can be told by its time,
whatever it answers. Time itself says little on a busy machine; work is exact.
"""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType

import httpx
from sqlalchemy import event

from runtime.server.net.serving import create_app
from runtime.server.runtime import Firebrick

CRYPTOGRAPHY = ("_hashlib", "_hmac", "_sha", "cryptography")
LIST = re.compile(
    r"IN \((?:[^()]|\([^()]*\))*\)"
)  # an empty list is written otherwise, and costs as much
PER_REQUEST = {"atl-request-id", "atl-traceid", "x-arequestid", "date"}


@dataclass(frozen=True)
class Observed:
    """What a client sees of an answer, and what it cost.

    Attributes:
        status: The status.
        headers: Every header but those that differ with each request.
        body: The body.
        statements: The texts of all statements, in order.
        work: Calls of hashes, comparisons and ciphers, by name.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    statements: tuple[str, ...]
    work: Mapping[str, int]


class Observer:
    """Asks the application in process and counts what that took.

    Args:
        firebrick: What is asked.
    """

    def __init__(self, firebrick: Firebrick) -> None:
        self._app = create_app(firebrick)
        self._statements: list[str] = []
        self._work: Counter[str] = Counter()
        event.listen(firebrick.engine, "before_cursor_execute", self._note_statement)

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Observed:
        """Send one request; its worker thread is new, so that it can be watched from its start."""
        self._statements.clear()
        self._work.clear()
        threading.setprofile(self._note_call)
        try:
            answer = asyncio.run(self._send(method, url, dict(headers or {}), body))
        finally:
            threading.setprofile(None)
        kept = tuple(
            pair for pair in answer.headers.raw if pair[0].decode().lower() not in PER_REQUEST
        )
        return Observed(
            answer.status_code, kept, answer.content, tuple(self._statements), dict(self._work)
        )

    async def _send(
        self, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(method, url, headers=headers, content=body)

    def _note_statement(self, _connection: object, _cursor: object, text: str, *_: object) -> None:
        self._statements.append(LIST.sub("IN (…)", text))

    def _note_call(self, _frame: FrameType, kind: str, called: object) -> None:
        if kind != "c_call":
            return
        module = (
            getattr(called, "__module__", None)
            or type(getattr(called, "__self__", None)).__module__
        )
        name = str(getattr(called, "__qualname__", called))
        if module.startswith(CRYPTOGRAPHY) or name == "_compare_digest":
            self._work[name] += 1
