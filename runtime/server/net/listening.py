"""Where servers of a state answer, told to other commands on the same machine.

Each server keeps a small file in the state folder and a lock on it. The lock ends with the process,
however it ends, so what a dead server left behind is never believed.
"""

import fcntl
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from runtime.server.net.clientenv import Reach

log = logging.getLogger(__name__)

PREFIX, SUFFIX = "listening-", ".json"


@contextmanager
def announced(state: Path, reach: Reach) -> Iterator[None]:
    """Say where this process answers, as long as it does; not where nobody can write."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(dir=state, prefix=f".{PREFIX}", suffix=SUFFIX)
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, json.dumps(asdict(reach)).encode())
        path = Path(fresh).rename(state / Path(fresh).name.removeprefix("."))  # locked and whole
    except OSError as error:
        log.warning("other commands are not told of this server: %s", error)
        yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def find_reach(state: Path) -> Reach | None:
    """Return where the server that started last answers; None if none runs."""
    found = [one for path in state.glob(f"{PREFIX}*{SUFFIX}") if (one := _read(path)) is not None]
    return max(found, key=lambda one: one[0])[1] if found else None


def _read(path: Path) -> tuple[int, Reach] | None:
    """Return since when a living server answers where; what a dead one left is removed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.fstat(handle).st_mtime_ns, Reach(**json.loads(os.read(handle, 4096)))
    else:
        path.unlink(missing_ok=True)
        return None
    finally:
        os.close(handle)
