"""The state on disk: its folder, made once by whoever comes first, held while it is in use.

The database is built under another name and renamed when it is whole and seeded, so a crash while
it is made leaves nothing that could be taken for a state. Locks are the kernel's (``flock``): they
end with the process, however it ends.
"""

import fcntl
import os
import shutil
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.errors import StateError
from runtime.server.settings import CACHE, Settings
from runtime.server.steering import CLOCK_FILE
from runtime.tokens.vault import KEY_NAME

DATABASE = "state.db"
JOURNALS = ("state.db-wal", "state.db-shm")
NEW = "state.db.new"  # a database that is not whole yet
MARKER = "firebrick-state"  # names a folder as ours, so that `reset` removes nothing else
MARKER_TEXT = "This folder is a Firebrick state; 'firebrick reset' empties it.\n"


class StateFolder:
    """A state folder in use: until it is released, nobody can reset it.

    Args:
        folder: Made if it is missing.
        build: Writes a whole, seeded and closed database at a path; called only for a new state.

    Raises:
        StateError: ``STATE_UNUSABLE`` if the folder cannot be used, or a part of it is missing.
    """

    def __init__(self, folder: Path, build: Callable[[Path], None]) -> None:
        self.database = folder / DATABASE
        with _reported(folder):
            _make(folder)
            with _locked(folder):
                if is_new(folder):
                    _build(folder, build)
                handle = os.open(folder / MARKER, os.O_RDONLY | os.O_CLOEXEC)
                fcntl.flock(handle, fcntl.LOCK_SH)
        self._release = weakref.finalize(self, os.close, handle)

    def release(self) -> None:
        """Say that this process does not use the folder any more."""
        self._release()


def remove_state(settings: Settings) -> list[Path]:
    """Remove the files of a state folder and return what was removed.

    Only what Firebrick made is touched, and only in a folder that carries its marker.

    Raises:
        StateError: ``NOT_A_STATE`` if the folder is not one of ours, ``STATE_IN_USE`` while another
            process works on it, ``STATE_UNUSABLE`` if a file cannot be removed.
    """
    folder = settings.state
    if settings.database_url:
        raise StateError(
            "NOT_A_STATE",
            "The state is the database of FIREBRICK_DATABASE_URL, not a folder; nothing was "
            "removed. Drop that database and make it anew.",
        )
    if not folder.exists():
        return []
    if not (folder / MARKER).is_file():
        raise StateError("NOT_A_STATE", f"{folder} is no Firebrick state; nothing was removed.")
    with _reported(folder), _locked(folder):
        _require_unused(folder)
        return _remove(folder, with_cache=settings.cache is None)


def is_new(folder: Path) -> bool:
    """Whether there is no database yet; a part of one is not taken for nothing.

    Raises:
        StateError: ``STATE_UNUSABLE`` if only a part of a database is left.
    """
    database = folder / DATABASE
    if not database.exists():
        journal = folder / JOURNALS[0]
        if journal.exists() and journal.stat().st_size:
            raise _damaged(f"{database} is missing, but its journal {journal.name} is there")
        return True
    if not database.stat().st_size:
        raise _damaged(f"{database} is empty: what was in it is lost")
    return False


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((MARKER, MARKER_TEXT), (".gitignore", "*\n")):
        if not (folder / name).exists():
            (folder / name).write_text(content, encoding="utf-8")


def _build(folder: Path, build: Callable[[Path], None]) -> None:
    new = folder / NEW
    for left in folder.glob(f"{NEW}*"):  # of a process that died while it built
        left.unlink()
    try:
        build(new)
        new.replace(folder / DATABASE)
    finally:
        for left in folder.glob(f"{NEW}*"):
            left.unlink()


def _remove(folder: Path, *, with_cache: bool) -> list[Path]:
    """Remove the database first: without it nothing that is left is taken for a state."""
    removed = []
    for name in (DATABASE, *JOURNALS, NEW, KEY_NAME, CLOCK_FILE):
        path = folder / name
        if path.exists():
            path.unlink()
            removed.append(path)
    cache = folder / CACHE
    if with_cache and cache.is_dir():  # one elsewhere may serve other states too
        shutil.rmtree(cache)
        removed.append(cache)
    return removed


def _require_unused(folder: Path) -> None:
    handle = os.open(folder / MARKER, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateError(
            "STATE_IN_USE",
            f"Another process works on the state {folder}, such as 'firebrick serve'; nothing was "
            "removed. Let it end, then try again.",
        ) from None
    finally:
        os.close(handle)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Be the only one who makes, enters or removes the state in a folder; short by nature."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _reported(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateError(
            "STATE_UNUSABLE",
            f"The state folder {folder} cannot be used: {error.strerror}"
            f"{f' ({error.filename})' if error.filename else ''}. "
            "It must be a folder that can be written to, with space left; name another with "
            "--state.",
        ) from error


def _damaged(what: str) -> StateError:
    return StateError(
        "STATE_UNUSABLE",
        f"The state is damaged: {what}. Nothing was changed. Put the file back from a copy, or "
        "start afresh with 'firebrick reset'.",
    )
