"""The one database: SQLAlchemy Core over SQLite in WAL mode, or PostgreSQL by URL.

Every room that keeps state declares its tables on `metadata` and is handed the `Engine`. Whatever
the file, the disk or another process's lock does to a statement, in whatever room, leaves as one
`StateError`; mistakes in a statement stay what they are.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateColumn

from runtime.errors import StateError

metadata = MetaData()
SCHEMA_VERSION = 1
"""Raised by every change of the tables that is not a new table or a new nullable column."""
BUSY_TIMEOUT_S = 30.0  # two processes may share one state; a writer waits this long for its turn

schema_version_table = Table(
    "schema_version", metadata, Column("version", Integer, primary_key=True, autoincrement=False)
)

# What makes a transaction a reader's snapshot, and what makes it the only writer, by dialect.
BEGIN_READING = {"sqlite": "BEGIN"}
BEGIN_WRITING = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "LOCK TABLE schema_version IN EXCLUSIVE MODE",
}


def open_database(url: str) -> Engine:
    """Open the database at an SQLAlchemy URL and bring its tables up to this version.

    ``sqlite://`` is an in-memory database of this process. A SQLite file is put in WAL mode with
    ``synchronous=NORMAL``: an acknowledged write survives the death of the process.

    Raises:
        StateError: ``STATE_UNUSABLE`` if it cannot be opened, is no database of Firebrick's, or is
            damaged; ``STATE_VERSION`` if a newer Firebrick made it, or one too old.
    """
    place = _place(url)
    try:
        engine = _create(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StateError(
            "STATE_UNUSABLE",
            f"There is no way to open the database {place}: known are SQLite, and PostgreSQL with "
            "the driver that the extra 'postgres' installs.",
        ) from error
    event.listen(engine, "handle_error", _Translator(place))
    try:
        _check_schema(engine, place)
        _keep_journal(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that is the only writer from its beginning.

    Nothing it reads can have changed when it writes. It commits, or on any error nothing of it
    remains.
    """
    begin = BEGIN_WRITING.get(engine.dialect.name)
    with engine.connect() as connection:
        if begin:
            connection.exec_driver_sql(begin)
        yield connection
        connection.commit()


@contextmanager
def joined(engine: Engine, inside: Connection | None) -> Iterator[Connection]:
    """Yield the caller's transaction, which stays the caller's; without one, one of its own."""
    if inside is not None:
        yield inside
        return
    with engine.begin() as connection:
        yield connection


# --- opening -------------------------------------------------------------------------------------


def _create(url: str) -> Engine:
    if url.startswith("postgresql:"):
        url = url.replace("postgresql:", "postgresql+psycopg:", 1)
    if not url.startswith("sqlite"):
        patience = {"options": f"-c lock_timeout={BUSY_TIMEOUT_S:.0f}s"}
        return create_engine(url, isolation_level="REPEATABLE READ", connect_args=patience)
    arguments: dict[str, object] = {
        "connect_args": {"check_same_thread": False, "timeout": BUSY_TIMEOUT_S}
    }
    if url in ("sqlite://", "sqlite:///:memory:"):
        arguments["poolclass"] = StaticPool
    engine = create_engine(url, **arguments)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection of sqlite3
    for pragma in (
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "cache_size=-65536",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _keep_journal(engine: Engine) -> None:
    """Put a SQLite file in WAL mode: readers and the writer do not wait for each other."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _place(url: str) -> str:
    """Return how messages name a database: the path of a file, or the URL without its password."""
    try:
        parsed: URL = make_url(url)
    except ArgumentError:
        return "of FIREBRICK_DATABASE_URL"
    if parsed.get_backend_name() == "sqlite":
        return parsed.database or "in memory"
    return parsed.render_as_string(hide_password=True)


# --- the schema and its version ------------------------------------------------------------------

_SQLITE_COLUMNS = text(
    "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c "
    "WHERE t.type = 'table'"
)


def _check_schema(engine: Engine, place: str) -> None:
    with engine.connect() as connection:
        if _is_current(connection, place):
            return
    _make_lock(engine)
    with writing(engine) as connection:
        if not _is_current(connection, place):
            _upgrade(connection, place)


def _make_lock(engine: Engine) -> None:
    """Make the table that writers lock, where they lock one; several may come at once."""
    if engine.dialect.name != "sqlite":
        with suppress(IntegrityError, ProgrammingError):  # another process was first
            schema_version_table.create(engine, checkfirst=True)


def _is_current(connection: Connection, place: str) -> bool:
    present = _columns(connection)
    if present and not present.keys() & metadata.tables.keys():
        raise StateError(
            "STATE_UNUSABLE",
            f"The database {place} belongs to something else: it holds none of Firebrick's "
            "tables. Nothing was changed; name another with --state or FIREBRICK_DATABASE_URL.",
        )
    version = _version(connection) if schema_version_table.name in present else 0
    if version > SCHEMA_VERSION:
        raise StateError(
            "STATE_VERSION",
            f"The state {place} is of version {version}; this Firebrick knows versions up to "
            f"{SCHEMA_VERSION}. Nothing was changed: use the newer Firebrick that made it, or name "
            "another state with --state.",
        )
    return version == SCHEMA_VERSION and not any(
        set(table.columns.keys()) - present.get(table.name, set())
        for table in metadata.tables.values()
    )


def _version(connection: Connection) -> int:
    return connection.execute(select(schema_version_table.c.version)).scalar() or 0


def _columns(connection: Connection) -> dict[str, set[str]]:
    """Return the names of all columns there are, by table."""
    found: dict[str, set[str]] = {}
    if connection.dialect.name == "sqlite":
        for table, column in connection.execute(_SQLITE_COLUMNS):
            found.setdefault(table, set()).add(column)
        return found
    for (_, table), columns in inspect(connection).get_multi_columns().items():
        found[table] = {column["name"] for column in columns}
    return found


def _upgrade(connection: Connection, place: str) -> None:
    """Add the tables and columns that are missing, and say which version this is now."""
    present = _columns(connection)
    for table in metadata.tables.values():
        if table.name in present:
            missing = [one for one in table.columns if one.name not in present[table.name]]
            for column in missing:
                _add_column(connection, column, place)
    metadata.create_all(connection)
    if not _version(connection):
        connection.execute(insert(schema_version_table).values(version=SCHEMA_VERSION))


def _add_column(connection: Connection, column: Column[object], place: str) -> None:
    if not column.nullable:
        raise StateError(
            "STATE_VERSION",
            f"The state {place} was made by an older Firebrick and cannot be brought up to "
            f"version {SCHEMA_VERSION}: {column} is missing. Nothing was changed: go on with that "
            "Firebrick, name another state with --state, or start afresh with 'firebrick reset'.",
        )
    definition = CreateColumn(column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {column.table.name} ADD COLUMN {definition}")


# --- what can go wrong ---------------------------------------------------------------------------

_RIGHTS = "Mend the rights of the folder and its files, or name another with --state."
_DAMAGED = (
    "Copy the folder away before anything else; restore a backup, or start afresh with "
    "'firebrick reset'."
)
_BUSY = "Another process holds it: let that one end, then try again."

# By SQLite's primary result code: what happened, and how to mend it.
_FAULTS = {
    sqlite3.SQLITE_PERM: ("may not be opened", _RIGHTS),
    sqlite3.SQLITE_BUSY: (f"stayed locked for {BUSY_TIMEOUT_S:.0f} s", _BUSY),
    sqlite3.SQLITE_LOCKED: ("is locked", _BUSY),
    sqlite3.SQLITE_READONLY: ("is read-only", _RIGHTS),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written",
        "Look at the disk: its space, its quota, its health. What was acknowledged is kept.",
    ),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _DAMAGED),
    sqlite3.SQLITE_FULL: (
        "cannot grow: the disk is full",
        "Make room and try again. What was acknowledged is kept.",
    ),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _RIGHTS),
    sqlite3.SQLITE_PROTOCOL: ("stayed locked", _BUSY),
    sqlite3.SQLITE_NOTADB: ("is damaged, or is no SQLite database", _DAMAGED),
}


class _Translator:
    """Turns what the machine did to a statement into the one error that says so.

    Args:
        place: How messages name the database.
    """

    def __init__(self, place: str) -> None:
        self._place = place

    def __call__(self, context: ExceptionContext) -> StateError | None:
        """Return the error to be raised instead; None to leave it as it is."""
        cause = context.original_exception
        if isinstance(cause, sqlite3.Error):
            fault = _FAULTS.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
            return None if fault is None else self._error(*fault, cause)
        if isinstance(context.sqlalchemy_exception, OperationalError):
            return self._error("failed", "Look at the server and its log, then try again.", cause)
        return None

    def _error(self, what: str, mend: str, cause: BaseException) -> StateError:
        return StateError(
            "STATE_UNUSABLE", f"The state database {self._place} {what} ({cause}). {mend}"
        )
