"""``doctor``: what this machine and this state can do, and how to mend what they cannot."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from sqlalchemy import text

from runtime.database import SCHEMA_VERSION, open_database, sqlite_url
from runtime.errors import ForgeError
from runtime.server.settings import Settings
from runtime.server.statefolder import DATABASE, is_new

MIN_FREE_BYTES = 100 * 1024 * 1024  # a compiled app takes some 3 MB, a world some 10 MB


class Finding(NamedTuple):
    """One line of the report."""

    state: Literal["ok", "warn", "failed"]
    what: str
    finding: str


def examine(settings: Settings) -> list[Finding]:
    """Check everything; a check that itself fails is a finding."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _python,
        _state,
        _database,
        _sandbox,
        _secrets,
    )
    findings: list[Finding] = []
    for check in checks:
        try:
            findings.extend(check(settings))
        except (ForgeError, OSError) as error:
            findings.append(Finding("failed", check.__name__.strip("_"), str(error)))
    return findings


def _python(_settings: Settings) -> Iterator[Finding]:
    version = platform.python_version()
    known = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        "ok" if known else "warn",
        "python",
        f"{version} on {platform.system()} {platform.machine()}"
        + ("" if known else "; tested with 3.11 to 3.13"),
    )


def _state(settings: Settings) -> Iterator[Finding]:
    folder = settings.state
    if not folder.exists():
        yield Finding("ok", "state", f"{folder} does not exist yet; the first command makes it")
        return
    if not folder.is_dir():
        yield Finding("failed", "state", f"{folder} is no folder: name another with --state")
        return
    if not os.access(folder, os.W_OK):
        yield Finding(
            "failed", "state", f"{folder} is not writable: mend its rights or use --state"
        )
        return
    free = shutil.disk_usage(folder).free
    enough = free >= MIN_FREE_BYTES
    yield Finding(
        "ok" if enough else "warn",
        "state",
        f"{folder}, {free // 2**20} MiB free" + ("" if enough else ": make room"),
    )


def _database(settings: Settings) -> Iterator[Finding]:
    path = settings.state / DATABASE
    if not settings.database_url and is_new(settings.state):
        yield Finding("ok", "database", "will be made and seeded by the first command")
        return
    engine = open_database(settings.database_url or sqlite_url(path))
    try:
        with engine.connect() as connection:
            if engine.dialect.name != "sqlite":
                yield Finding("ok", "database", engine.dialect.name)
                return
            verdict = connection.execute(text("PRAGMA integrity_check")).scalar()
            mode = connection.execute(text("PRAGMA journal_mode")).scalar()
    finally:
        engine.dispose()
    if verdict == "ok":
        yield Finding(
            "ok", "database", f"SQLite, journal mode {mode}, version {SCHEMA_VERSION}, sound"
        )
    else:
        yield Finding(
            "failed",
            "database",
            f"{path} is damaged ({verdict}): copy it away, then 'firebrick reset'",
        )


def _sandbox(settings: Settings) -> Iterator[Finding]:
    from runtime.sandbox.engine import Engine  # noqa: PLC0415  # loads the WebAssembly engine

    engine = Engine(
        settings.cache_folder if settings.state.is_dir() else None, pooling=settings.pooling
    )
    for what, finding in engine.describe().items():
        yield Finding("ok", f"sandbox {what}", str(finding))


def _secrets(settings: Settings) -> Iterator[Finding]:
    folder = settings.cache_folder
    if not folder.is_dir():
        return
    loose = [path for path in folder.glob("*.key") if path.stat().st_mode & 0o077]
    for path in loose:
        yield Finding("failed", "key file", f"{path} is readable by others: chmod 600 {path}")
    if not loose:
        yield Finding("ok", "key file", "readable by its owner alone")
