"""Worker threads that call doors, so that ten calls of one guest are ten calls in flight."""

import logging
import threading
from dataclasses import dataclass
from queue import SimpleQueue

from runtime.sandbox.values import Door

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a door answered to call `call_id`; None when the host failed."""

    call_id: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class _Job:
    door: Door
    call_id: int
    name: str
    body: bytes
    replies: "SimpleQueue[Reply]"


class DoorPool:
    """Threads that start when they are needed and serve every guest of one engine.

    Args:
        most: How many calls can be in flight at once; more wait their turn.
    """

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._waiting = 0  # jobs not finished: queued or running

    def submit(
        self, door: Door, call_id: int, name: str, body: bytes, replies: "SimpleQueue[Reply]"
    ) -> None:
        """Call `door` on a worker thread and put its reply into `replies`."""
        with self._lock:
            self._waiting += 1
            if self._threads < min(self._waiting, self._most):
                self._threads += 1
                threading.Thread(target=self._work, name="guest-door", daemon=True).start()
        self._jobs.put(_Job(door, call_id, name, body, replies))

    def close(self) -> None:
        """Let the threads end once they are idle."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)
            self._threads = 0

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            reply = Reply(job.call_id, answer(job.door, job.name, job.body))
            with self._lock:
                self._waiting -= 1
            job.replies.put(reply)


def answer(door: Door, name: str, body: bytes) -> bytes | None:
    """Call a door here and now; None when the host failed.

    A door never raises; if one does, that is a bug of the host and stays on the host.
    """
    try:
        return bytes(door(name, body))
    except Exception:
        log.exception("the door failed inside the host")
        return None
