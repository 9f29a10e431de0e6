"""What a manifest's checks may know about the files beside it: kinds, names and texts."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

FileKind = Literal["file", "folder", "outside"]
"""``outside``: the path, or a link on it, leads out of the app folder."""

SOURCE_LIMIT_BYTES = 1024 * 1024  # hand-written sources are far smaller; bundles are not scanned


class AppFiles(Protocol):
    """The files of an app, named by paths relative to its folder, with forward slashes."""

    def kind(self, path: str) -> FileKind | None:
        """Return what a path is, or None if nothing is there."""

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted; none if it is no folder."""

    def read(self, path: str) -> str | None:
        """Return the text of a file; None if it is no readable UTF-8 file of a source's size."""


class FolderFiles:
    """The files of a folder on disk. Nothing outside of it is looked at, not through links either.

    Args:
        folder: The app folder.
    """

    def __init__(self, folder: Path) -> None:
        self._root = Path(os.path.realpath(folder))

    def kind(self, path: str) -> FileKind | None:
        """Return what a path is, or None if nothing is there."""
        found = self._inside(path)
        if found is None:
            return "outside"
        if found.is_dir():
            return "folder"
        return "file" if found.is_file() else None

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted; none if it is no folder."""
        found = self._inside(path)
        try:
            return tuple(sorted(os.listdir(found))) if found else ()
        except OSError:
            return ()

    def read(self, path: str) -> str | None:
        """Return the text of a file; None if it is no readable UTF-8 file of a source's size."""
        found = self._inside(path)
        raw = read_limited(found, SOURCE_LIMIT_BYTES) if found else None
        if raw is None or len(raw) > SOURCE_LIMIT_BYTES:
            return None
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    def _inside(self, path: str) -> Path | None:
        try:
            found = Path(os.path.realpath(self._root / path))
        except (OSError, ValueError):  # a NUL or an endless name in the path
            return None
        return found if found.is_relative_to(self._root) else None


class MemoryFiles:
    """Files that are handed in; a value of None is an empty folder.

    Args:
        contents: Texts by path.
    """

    def __init__(self, contents: Mapping[str, str | None]) -> None:
        self._contents = {_clean(path): text for path, text in contents.items()}

    def kind(self, path: str) -> FileKind | None:
        """Return what a path is, or None if nothing is there."""
        clean = _clean(path)
        if clean.startswith(".."):
            return "outside"
        if self._contents.get(clean) is not None:
            return "file"
        return "folder" if clean in self._contents or self.names(clean) else None

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted; none if it is no folder."""
        parts = PurePosixPath(_clean(path)).parts
        below = (PurePosixPath(other).parts for other in self._contents)
        inside = {o[len(parts)] for o in below if len(o) > len(parts) and o[: len(parts)] == parts}
        return tuple(sorted(inside))

    def read(self, path: str) -> str | None:
        """Return the text of a file, or None."""
        return self._contents.get(_clean(path))


def read_limited(path: Path, limit_bytes: int) -> bytes | None:
    """Return up to one byte more than the limit of a regular file; None if there is none to read.

    Opening never waits: a pipe or a device is no regular file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit_bytes + 1)


def _clean(path: str) -> str:
    clean = os.path.normpath(path).strip("/")
    return "" if clean == "." else clean
