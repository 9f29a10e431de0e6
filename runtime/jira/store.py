"""Transactions, ids, and the one query that each request begins with."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from threading import Lock, RLock

from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlalchemy.pool import StaticPool

from runtime.database import BEGIN_READING, writing
from runtime.identity.accounts import Account, account_table
from runtime.jira import schema
from runtime.jira.configuration import SiteCache
from runtime.jira.site import Site


class Store:
    """Opens one transaction per operation.

    A reader works on a snapshot and takes no lock. A writer takes the database's write lock at its
    beginning, so that nothing it read can have changed when it writes. An in-memory database is one
    connection for all threads: there, operations take turns.

    Args:
        engine: The database.
        keep: Whether what is written is kept; else each transaction is rolled back at its end.
    """

    def __init__(self, engine: Engine, *, keep: bool = True) -> None:
        self._engine = engine
        self._keep = keep
        shared = isinstance(engine.pool, StaticPool)
        self._turn: AbstractContextManager[object] = RLock() if shared else nullcontext()
        self._writer = Lock()  # writers of one process queue here; SQLite's own waiting polls
        self._begin_reading = BEGIN_READING.get(engine.dialect.name)
        self._sites = SiteCache()

    def turn(self) -> AbstractContextManager[object]:
        """Return what is to be held for a whole request, its authentication too."""
        return self._turn

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a snapshot; whatever was written in it is dropped."""
        with self._turn, self._engine.connect() as connection:
            if self._begin_reading:
                connection.exec_driver_sql(self._begin_reading)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction for writing; it commits, or on any error nothing of it remains."""
        with self._turn, self._writer, writing(self._engine) as connection:
            yield connection
            if not self._keep:
                connection.rollback()

    def enter(
        self, connection: Connection, cloud_id: str, account_id: str | None
    ) -> "Entrance | None":
        """Return the site as of now and the account, if it is active; None without the site."""
        row = connection.execute(_ENTER, {"cloud": cloud_id, "account": account_id}).first()
        if row is None:
            return None
        site = self._sites.get(connection, cloud_id, row[0])
        account = None if row[1] is None else Account(*row[1:])
        return Entrance(site, account)


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a request begins with: the site, and the active account of its credential."""

    site: Site
    account: Account | None


def next_id(connection: Connection, kind: str, count: int = 1) -> int:
    """Return the first of `count` new ids in a row; ids begin at 10000 and are never used twice.

    Args:
        connection: A transaction for writing.
        kind: The name of the table.
        count: How many ids are taken.
    """
    sequence = schema.sequence_table
    taken = connection.execute(
        update(sequence)
        .where(sequence.c.kind == kind)
        .values(next_id=sequence.c.next_id + count)
        .returning(sequence.c.next_id)
    ).scalar()
    if taken is None:
        connection.execute(insert(sequence).values(kind=kind, next_id=schema.FIRST_ID + count))
        return schema.FIRST_ID
    return int(taken) - count


_ENTER = (
    select(
        schema.site_table.c.revision,
        *(account_table.c[name] for name in Account.__dataclass_fields__),
    )
    .select_from(
        schema.site_table.outerjoin(
            account_table,
            (account_table.c.account_id == bindparam("account")) & account_table.c.active,
        )
    )
    .where(schema.site_table.c.cloud_id == bindparam("cloud"))
)
