"""How many tokens were asked for within this minute, in the state: all its processes count alike.

Minutes are those of the clock, one after the other. A key has one row, and only while its minute
lasts or until the next one of any key begins.
"""

import math

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from runtime.clock import Clock
from runtime.database import metadata, writing

WINDOW_S = 60

token_rate_table = Table(
    "token_rate",
    metadata,
    Column("key", String(320), primary_key=True),
    Column("minute", Integer, nullable=False),  # since 1970
    Column("made", Integer, nullable=False),
)


class TokenRates:
    """Counts tokens by the minute.

    Args:
        engine: The state database.
        clock: Says which minute it is.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def take(self, key: str, limit: int, inside: Connection | None = None) -> int:
        """Count one more, unless the limit is reached; return how many there were before it.

        Args:
            key: Whose tokens of which kind.
            limit: How many there may be in a minute.
            inside: The caller's transaction, the only writer from its beginning (`writing`); None
                for one of its own.
        """
        minute = int(self._clock.now_s() // WINDOW_S)
        if inside is not None:
            return _take(inside, key, minute, limit)
        with writing(self._engine) as connection:
            return _take(connection, key, minute, limit)

    def next_in_s(self) -> int:
        """Return in how many whole seconds the next minute has begun; at least one."""
        return max(1, math.ceil(WINDOW_S - self._clock.now_s() % WINDOW_S))


def _take(connection: Connection, key: str, minute: int, limit: int) -> int:
    row = connection.execute(_BY_KEY, {"wanted": key}).one_or_none()
    if row is None or row.minute != minute:
        connection.execute(_FORGET, {"now": minute})
        if limit > 0:
            connection.execute(_INSERT, {"key": key, "minute": minute, "made": 1})
        return 0
    if row.made < limit:
        connection.execute(_ONE_MORE, {"wanted": key})
    return int(row.made)


_BY_KEY = select(token_rate_table.c.minute, token_rate_table.c.made).where(
    token_rate_table.c.key == bindparam("wanted")
)
_FORGET = delete(token_rate_table).where(token_rate_table.c.minute != bindparam("now"))
_INSERT = insert(token_rate_table)
_ONE_MORE = (
    update(token_rate_table)
    .where(token_rate_table.c.key == bindparam("wanted"))
    .values(made=token_rate_table.c.made + 1)
)
