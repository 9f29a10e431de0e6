"""Compiled guests on disk. What is loaded from here runs as native code, so it must be ours.

Every entry carries a keyed digest over its name and its bytes; the key lies in the same folder,
readable by its owner alone. An entry that is damaged, renamed, or written by somebody without the
key is removed and compiled again, never loaded. What was checked is what is used: the bytes are
read once.
"""

import fcntl
import hashlib
import hmac
import logging
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

KEY_NAME = "cache.key"
KEY_BYTES = 32
TAG_BYTES = 32
SUFFIX = ".guest"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the cache: where it is, how large, and whether it can be trusted."""

    path: Path
    size: int
    sound: bool


class GuestCache:
    """A folder of compiled guests.

    A folder that cannot be read or written is as good as an empty one: caching is never the reason
    why something fails.

    Args:
        folder: Made if it is missing, for its owner alone.
        random_bytes: Where the key comes from.
    """

    def __init__(self, folder: Path, random_bytes: Callable[[int], bytes]) -> None:
        self.folder = folder
        self._random_bytes = random_bytes
        self._key = self._open_key()

    @property
    def usable(self) -> bool:
        """Whether entries can be kept at all."""
        return self._key is not None

    def load(self, name: str) -> bytes | None:
        """Return what was kept under `name`, or None if there is nothing that can be trusted."""
        path = self._path(name)
        try:
            data = _read(path)
        except OSError:
            return None
        if self._is_ours(name, data):
            return data[TAG_BYTES:]
        log.warning("dropped a cache entry whose integrity check failed: %s", path)
        self.drop(name)
        return None

    def store(self, name: str, data: bytes) -> None:
        """Keep `data`; readers see all of it or nothing."""
        if self._key is None:
            return
        try:
            self._replace(self._path(name), self._tag(self._key, name, data) + data)
        except OSError as error:
            log.warning("could not write to the guest cache: %s", error)

    def drop(self, name: str) -> None:
        """Forget an entry."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            log.warning("could not remove a cache entry: %s", error)

    def entries(self) -> Iterator["Entry"]:
        """Yield every entry and whether it can be trusted; nothing is removed."""
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            try:
                data = _read(path)
            except OSError:
                yield Entry(path, 0, sound=False)
            else:
                name = path.name.removesuffix(SUFFIX)
                yield Entry(path, len(data), sound=self._is_ours(name, data))

    def _is_ours(self, name: str, data: bytes) -> bool:
        return self._key is not None and hmac.compare_digest(
            data[:TAG_BYTES], self._tag(self._key, name, data[TAG_BYTES:])
        )

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{SUFFIX}"

    @staticmethod
    def _tag(key: bytes, name: str, data: bytes) -> bytes:
        digest = hmac.new(key, name.encode() + b"\0", hashlib.sha256)
        digest.update(data)
        return digest.digest()

    def _replace(self, path: Path, data: bytes) -> None:
        handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _open_key(self) -> bytes | None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.folder / KEY_NAME
            if not _is_private(path):
                self._make_key(path)
            key = path.read_bytes()
        except OSError as error:
            log.warning("the guest cache cannot be used: %s", error)
            return None
        return key if len(key) == KEY_BYTES else None

    def _make_key(self, path: Path) -> None:
        """Make a key where there is none, or a bad one; of several processes one key remains."""
        with _alone(self.folder):
            if not _is_private(path):
                self._replace(path, self._random_bytes(KEY_BYTES))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only process in here, until this is left or the process ends."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(path: Path) -> bytes:
    """Return the bytes of a plain file: not through a link, and never waiting for a pipe."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("not a plain file")
        return file.read()


def _is_private(path: Path) -> bool:
    """Whether a key file exists, is ours, whole, and was never readable by others."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_uid == os.geteuid()
        and stat.S_IMODE(status.st_mode) & 0o077 == 0
        and status.st_size == KEY_BYTES
    )
