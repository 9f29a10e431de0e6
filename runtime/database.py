"""The one database: SQLAlchemy Core over SQLite in WAL mode, or any URL SQLAlchemy knows.

Every room that keeps state declares its tables on `metadata` and is handed the `Engine`.
"""

from pathlib import Path

from sqlalchemy import Engine, MetaData, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import StaticPool

from runtime.errors import StateError

metadata = MetaData()
BUSY_TIMEOUT_MS = 10_000  # two processes may share one state; a writer waits this long


def open_database(url: str) -> Engine:
    """Open the database at an SQLAlchemy URL and create the tables that are missing.

    ``sqlite://`` is an in-memory database of this process. A SQLite file is put in WAL mode with
    ``synchronous=NORMAL``: an acknowledged write survives the death of the process.

    Raises:
        StateError: ``STATE_UNUSABLE`` if the file cannot be opened, is not a database, or is
            read-only.
    """
    engine = _create(url)
    try:
        metadata.create_all(engine)
    except (DatabaseError, OSError) as error:
        engine.dispose()
        raise StateError("STATE_UNUSABLE", _explain(url, error)) from error
    return engine


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


def _create(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url)
    memory = url in ("sqlite://", "sqlite:///:memory:")
    arguments: dict[str, object] = {"connect_args": {"check_same_thread": False}}
    if memory:
        arguments["poolclass"] = StaticPool
    engine = create_engine(url, **arguments)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection of sqlite3
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "cache_size=-65536",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _explain(url: str, error: Exception) -> str:
    cause = str(error.orig) if isinstance(error, OperationalError | DatabaseError) else str(error)
    return (
        f"The state database {url} cannot be used: {cause}. "
        "Check the folder's rights and free space, name another with --state, "
        "or start afresh with 'firebrick reset'."
    )
