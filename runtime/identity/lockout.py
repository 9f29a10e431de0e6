"""Failed logins by basic authentication, and the lock that too many of them close.

Source:
    Jira's CAPTCHA rule: after several failures a correct credential is refused as well, until the
    person proves themselves in a browser.

Differs:
    The platform does not publish the number of failures.
"""

import hashlib

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Engine,
    Float,
    Integer,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from runtime.clock import Clock
from runtime.database import metadata, writing

MAX_STRANGERS = 10_000  # names of nobody that are remembered, lest guesses fill the disk

login_failure_table = Table(
    "login_failure",
    metadata,
    Column("name_hash", String(64), primary_key=True),  # whoever mistypes may type a secret
    Column("failures", Integer, nullable=False),
    Column("last_at_s", Float, nullable=False),
    Column("known", Boolean, nullable=False),
)


class Lockout:
    """Counts failures by the name that was shown, whether or not somebody has it.

    An unknown name is locked like a known one, so that the lock does not tell who exists.

    Args:
        engine: The state database.
        clock: Stamps failures.
        limit: How many failures close the lock; 0 for never.
    """

    def __init__(self, engine: Engine, clock: Clock, limit: int) -> None:
        self._engine = engine
        self._clock = clock
        self._limit = limit

    def is_locked(self, name: str) -> bool:
        """Return whether a name has failed too often."""
        return self.closes_after(self.failures(name))

    def closes_after(self, failures: int) -> bool:
        """Return whether that many failures close the lock."""
        return bool(self._limit) and failures >= self._limit

    def failures(self, name: str) -> int:
        """Return how often a name has failed since it last succeeded."""
        with self._engine.connect() as connection:
            found = connection.execute(_FAILURES, {"wanted": _hash(name)}).scalar()
        return int(found or 0)

    def fail(self, name: str, *, known: bool) -> None:
        """Count one failure.

        Args:
            name: The user part that was shown.
            known: Whether it is an account's; the oldest of all others are forgotten at some time.
        """
        if not self._limit:
            return
        table, now_s = login_failure_table.c, self._clock.now_s()
        with writing(self._engine) as connection:
            again = {"failures": table.failures + 1, "last_at_s": now_s, "known": known}
            counted = connection.execute(
                update(login_failure_table).where(_named(name)).values(again)
            )
            if counted.rowcount:
                return
            first = {"failures": 1, "last_at_s": now_s, "known": known}
            connection.execute(insert(login_failure_table).values(name_hash=_hash(name), **first))
            strangers = select(func.count()).where(~table.known)
            if (connection.execute(strangers).scalar() or 0) > MAX_STRANGERS:
                oldest = select(table.name_hash).where(~table.known).order_by(table.last_at_s)
                connection.execute(
                    delete(login_failure_table).where(
                        table.name_hash.in_(oldest.limit(MAX_STRANGERS // 10))
                    )
                )

    def clear(self, name: str) -> bool:
        """Forget the failures of a name; return whether there were any."""
        if not self.failures(name):
            return False
        with writing(self._engine) as connection:
            return bool(
                connection.execute(delete(login_failure_table).where(_named(name))).rowcount
            )


def _named(name: str) -> ColumnElement[bool]:
    return login_failure_table.c.name_hash == _hash(name)


def _hash(name: str) -> str:
    return hashlib.sha256(name.lower().encode()).hexdigest()


_FAILURES = select(login_failure_table.c.failures).where(
    login_failure_table.c.name_hash == bindparam("wanted")
)
