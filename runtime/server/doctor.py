"""``doctor``: what this machine and this state can do, and how to mend what they cannot."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Engine, text

from runtime.clock import Clock, SystemClock
from runtime.database import SCHEMA_VERSION, open_database, sqlite_url
from runtime.errors import ForgeError
from runtime.server.doctor_state import STATE_CHECKS
from runtime.server.finding import Finding
from runtime.server.net.tlsfolder import FOLDER as TLS_FOLDER
from runtime.server.settings import Settings
from runtime.server.statefolder import DATABASE, is_new
from runtime.tokens.vault import KEY_NAME

MIN_FREE_BYTES = 100 * 1024 * 1024  # a compiled app takes some 3 MB, a world some 10 MB
OTHERS = 0o077  # rights of anybody but the owner


def examine(settings: Settings, clock: Clock | None = None) -> list[Finding]:
    """Check everything; a check that itself fails is a finding.

    Args:
        settings: Where the state is.
        clock: The host's clock; the machine's by default.
    """
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _python,
        _state,
        _sandbox,
        _cache,
        _keys,
        _world_file,
        _database,
    )
    findings: list[Finding] = []
    for check in checks:
        findings += _guarded(check.__name__.strip("_"), lambda check=check: check(settings))  # type: ignore[misc]  # bound now
    if not any(one.what == "database" and one.state == "failed" for one in findings):
        findings += _inside(settings, clock or SystemClock())
    return findings


def _guarded(name: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(check())
    except (ForgeError, OSError) as error:
        return [Finding("failed", name.replace("_", " "), str(error))]


def _inside(settings: Settings, clock: Clock) -> list[Finding]:
    """Check what is in the state, if there is one."""
    engine = _open(settings)
    if engine is None:
        return []
    try:
        return [
            one
            for name, check in STATE_CHECKS.items()
            for one in _guarded(name, lambda check=check: check(engine, settings, clock))  # type: ignore[misc]  # bound now
        ]
    finally:
        engine.dispose()


def _open(settings: Settings) -> Engine | None:
    if not settings.database_url and is_new(settings.state):
        return None
    return open_database(settings.database_url or sqlite_url(settings.state / DATABASE))


def _python(_settings: Settings) -> Iterator[Finding]:
    version = platform.python_version()
    known = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        "ok" if known else "warn",
        "python",
        f"{version} on {platform.system()} {platform.machine()}",
        "" if known else "tested with 3.11 to 3.13: use one of those",
    )


def _state(settings: Settings) -> Iterator[Finding]:
    folder = settings.state
    if not folder.exists():
        yield Finding("ok", "state", f"{folder} does not exist yet; the first command makes it")
    elif not folder.is_dir():
        yield Finding("failed", "state", f"{folder} is no folder", "name another with --state")
    elif not os.access(folder, os.W_OK):
        mend = f"chmod u+w {folder}, or name another with --state"
        yield Finding("failed", "state", f"{folder} is not writable", mend)
    else:
        free = shutil.disk_usage(folder).free
        enough = free >= MIN_FREE_BYTES
        yield Finding(
            "ok" if enough else "warn",
            "state",
            f"{folder}, {free // 2**20} MiB free",
            "" if enough else "make room on the disk, or name another folder with --state",
        )


def _database(settings: Settings) -> Iterator[Finding]:
    engine = _open(settings)
    if engine is None:
        yield Finding("ok", "database", "will be made and seeded by the first command")
        return
    try:
        with engine.connect() as connection:
            if engine.dialect.name != "sqlite":
                yield Finding("ok", "database", f"{engine.dialect.name}, version {SCHEMA_VERSION}")
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
        path = settings.state / DATABASE
        mend = "copy it away for what can be saved, then 'firebrick reset'"
        yield Finding("failed", "database", f"{path} is damaged ({verdict})", mend)


def _sandbox(settings: Settings) -> Iterator[Finding]:
    from runtime.sandbox.engine import Engine as Sandbox  # noqa: PLC0415  # loads wasmtime

    cache = settings.cache_folder if settings.state.is_dir() else None
    sandbox = Sandbox(cache, pooling=settings.pooling)
    try:
        described = sandbox.describe()
    finally:
        sandbox.close()
    slow = {
        "allocator": ("on demand", "guests start slower: allow more address space (ulimit -v)"),
        "calls": ("public", "calls are slower: install the pinned wasmtime"),
    }
    for what, finding in described.items():
        word, mend = slow.get(what, ("", ""))
        found = word and finding == word and (what != "allocator" or settings.pooling)
        yield Finding(
            "warn" if found else "ok", f"sandbox {what}", str(finding), mend if found else ""
        )


def _cache(settings: Settings) -> Iterator[Finding]:
    from runtime.sandbox.cache import GuestCache  # noqa: PLC0415  # for this check alone

    folder = settings.cache_folder
    if not folder.is_dir():
        return
    entries = list(GuestCache(folder, os.urandom).entries())
    total = sum(entry.size for entry in entries)
    damaged = [entry.path.name for entry in entries if not entry.sound]
    if damaged:
        shown = ", ".join(damaged[:3]) + (", …" if damaged[3:] else "")
        mend = "none is ever run; the next start of the app compiles it again"
        yield Finding(
            "warn", "cache", f"{len(damaged)} of {len(entries)} entries fail: {shown}", mend
        )
    else:
        yield Finding(
            "ok", "cache", f"{len(entries)} compiled apps, {total // 2**20} MiB, all intact"
        )
    left = [path for path in folder.glob("*.tmp") if path.is_file()]
    if left:
        mend = f"rm {folder}/*.tmp while nothing runs"
        yield Finding("warn", "cache", f"{len(left)} files of writers that died", mend)


def _keys(settings: Settings) -> Iterator[Finding]:
    keys = [settings.state / KEY_NAME, *sorted(settings.cache_folder.glob("*.key"))]
    keys += sorted((settings.state / TLS_FOLDER).glob("*-key.pem"))
    found = [path for path in keys if path.is_file()]
    loose = [path for path in found if path.stat().st_mode & OTHERS]
    for path in loose:
        yield Finding("failed", "key file", f"{path} is readable by others", f"chmod 600 {path}")
    if found and not loose:
        yield Finding("ok", "key file", "readable by its owner alone")


def _world_file(settings: Settings) -> Iterator[Finding]:
    from runtime.server.world.file import read_world  # noqa: PLC0415  # where there is one alone

    path: Path = settings.world_file
    if not path.is_file():
        return
    problems = read_world(path).problems
    errors = [one for one in problems if one.level == "error"]
    if errors:
        yield Finding("failed", "world file", errors[0].text().partition("\n")[0], "mend the file")
    else:
        yield Finding("ok", "world file", f"{path}, {len(problems)} warnings")
