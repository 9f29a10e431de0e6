"""The command line in a process of its own, on a machine that may be ill."""

import ctypes
import errno
import os
import resource
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from runtime import database
from runtime.cli.main import app
from tests.durability.processes import answer_of

PREFIX = "FIREBRICK_"
CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18

Illness = Callable[[Path], None]


class Said(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str


def firebrick(state: Path, *arguments: str, ill: Illness | None = None) -> Said:
    """Run one command on a state, in a process that is ill as told."""
    names = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    environment = {**names, f"{PREFIX}STATE": str(state)}
    return Said(*answer_of(_command, environment, arguments, ill))


def _command(
    environment: dict[str, str],
    arguments: tuple[str, ...],
    ill: Illness | None,
    mouth: Connection,
) -> None:
    os.environ.update(environment)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        if ill is not None:
            ill(Path(environment[f"{PREFIX}STATE"]))
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            app(list(arguments))
        except SystemExit as end:
            code = end.code
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    mouth.send((code, *texts))


# --- illnesses -----------------------------------------------------------------------------------


def read_only(state: Path) -> None:
    """Make a folder read-only for this process: by its rights, or by a mount that root obeys."""
    if os.geteuid():
        for path in (*state.iterdir(), state):
            path.chmod(0o555 if path.is_dir() else 0o444)
        return
    own_mounts()
    mount(str(state), str(state), MS_BIND)
    mount("", str(state), MS_BIND | MS_REMOUNT | MS_RDONLY)


def own_mounts() -> None:
    """Leave the mounts of the machine: what is mounted from now on ends with this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    mount("none", "/", MS_REC | MS_PRIVATE)


def mount(source: str, target: str, flags: int, kind: str = "", options: str = "") -> None:
    """Call mount(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode())
    if done:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


class SmallDisk:
    """Little space below a folder: a small file system, or where none may be made, small files.

    Args:
        folder: Where; what is in it is hidden meanwhile.
        size_bytes: How much space.
    """

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self._folder = folder
        self._mounted = _mounts_here()
        if self._mounted:
            mount("tmpfs", str(folder), 0, "tmpfs", f"size={size_bytes}")
        else:
            self._limit(size_bytes)

    def grow(self, size_bytes: int) -> None:
        """Make room."""
        if self._mounted:
            mount("", str(self._folder), MS_REMOUNT, "", f"size={size_bytes}")
        else:
            self._limit(resource.RLIM_INFINITY)

    def _limit(self, size_bytes: int) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))


def _mounts_here() -> bool:
    try:
        own_mounts()
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS):
            return False
        raise
    return True


def lock_at_once(_state: Path) -> None:
    """Wait for another process's lock for a moment only."""
    database.BUSY_TIMEOUT_S = 0.1
