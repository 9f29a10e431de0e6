"""A PostgreSQL server for the length of a session, where the machine has one."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")
PEOPLE = ("postgres", "nobody")  # the server refuses to run as root


def missing() -> str:
    """Return why the tests with PostgreSQL cannot run here; empty if they can."""
    if importlib.util.find_spec("psycopg") is None:
        return "its driver is not installed (the extra 'postgres')"
    if _program("initdb") is None:
        return "its server is not installed"
    return ""


@contextmanager
def running() -> Iterator[str]:
    """Run a server on a socket of its own; yield a URL without the name of the database."""
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    data, log = folder / "data", folder / "log"
    if user is not None:
        shutil.chown(folder, user)
    folder.chmod(0o755)
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    try:
        _run(user, "initdb", "-D", data, "-A", "trust", "-U", "firebrick", "--no-sync")
        _run(user, "pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start")
        try:
            yield f"postgresql://firebrick@/{{}}?host={folder}"
        finally:
            _run(user, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> str | None:
    if os.geteuid():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in PEOPLE if name in known)


def _run(user: str | None, program: str, *arguments: object) -> None:
    path = _program(program)
    assert path is not None
    done = subprocess.run(
        [path, *map(str, arguments)],
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, (program, done.returncode)


def _program(name: str) -> str | None:
    found = shutil.which(name)
    if found is not None or not DEBIAN.is_dir():
        return found
    return next((str(path) for path in sorted(DEBIAN.glob(f"*/bin/{name}"), reverse=True)), None)
