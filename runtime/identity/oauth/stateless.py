"""Which apps ask for consent without ``state``: their callback takes anybody's code.

Source:
    RFC 6749 section 10.12. The platform does not refuse such a request; neither does this.
"""

from sqlalchemy import Column, Engine, Float, String, Table, delete, insert, select

from runtime.clock import Clock
from runtime.database import metadata, writing

stateless_table = Table(
    "oauth_stateless",
    metadata,
    Column("client_id", String(64), primary_key=True),
    Column("at_s", Float, nullable=False),
)


class StatelessRequests:
    """Remembers when an app last asked without ``state``.

    Args:
        engine: The state database.
        clock: Stamps requests.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def note(self, client_id: str, *, had_state: bool) -> None:
        """Remember a request; one that had a state clears what was remembered."""
        if had_state and self.find(client_id) is None:
            return
        with writing(self._engine) as connection:
            connection.execute(
                delete(stateless_table).where(stateless_table.c.client_id == client_id)
            )
            if not had_state:
                row = {"client_id": client_id, "at_s": self._clock.now_s()}
                connection.execute(insert(stateless_table).values(row))

    def find(self, client_id: str) -> float | None:
        """Return when an app's last request came without ``state``; None if it had one."""
        query = select(stateless_table.c.at_s).where(stateless_table.c.client_id == client_id)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar()
