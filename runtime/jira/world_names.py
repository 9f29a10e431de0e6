"""The numbers that the names of a world got: what its builder inserts rows with."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, Table, insert

from runtime.jira import schema
from runtime.jira.store import next_id
from runtime.jira.world_model import SiteWorld
from runtime.jira.world_text import split_actor, split_holder

Row = dict[str, object]


class Names:
    """Inserts rows of one site and remembers which number each name got."""

    def __init__(
        self, connection: Connection, world: SiteWorld, accounts: Mapping[str, str]
    ) -> None:
        self.connection = connection
        self.world = world
        self.accounts = accounts
        self.groups: dict[str, str] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    def insert(self, table: Table, rows: Iterable[Mapping[str, object]]) -> None:
        """Insert rows as they are."""
        listed = [dict(row) for row in rows]
        if listed:
            self.connection.execute(insert(table), listed)

    def add(self, table: Table, rows: Sequence[Row]) -> list[int]:
        """Insert rows of a table with numbers of its own and return those."""
        if not rows:
            return []
        first = next_id(self.connection, table.name, len(rows))
        numbers = list(range(first, first + len(rows)))
        self.insert(table, ({**row, "id": at} for row, at in zip(rows, numbers, strict=True)))
        return numbers

    def add_named(self, table: Table, rows: Sequence[Row]) -> list[int]:
        """Insert named rows of the site and remember their numbers by name."""
        numbers = self.add(table, [self.of_site(**row) for row in rows])
        for row, at in zip(rows, numbers, strict=True):
            self.remember(table, str(row["name"]), at)
        return numbers

    def of_site(self, **values: object) -> Row:
        """Return a row that belongs to the site."""
        return {"cloud_id": self.world.cloud_id, **values}

    def remember(self, table: Table, name: str, number: int) -> None:
        """Remember what number a name has."""
        self._numbers[table.name, name] = number

    def number(self, table: Table, name: str) -> int:
        """Return the number of a name."""
        return self._numbers[table.name, name]

    def find(self, table: Table, name: str | None) -> int | None:
        """Return the number of a name; None for none."""
        return None if name is None else self._numbers[table.name, name]

    def holder(self, text: str) -> tuple[str, str | None]:
        """Return type and parameter of a holder, as the store keeps them."""
        kind, name = split_holder(text)
        if name is None:
            return kind, None
        if kind == "projectRole":
            return kind, str(self.number(schema.role_table, name))
        known = {"group": self.groups, "user": self.accounts}.get(kind, {})
        return kind, known.get(name, name)

    def actor(self, text: str) -> tuple[str, str]:
        """Return kind and parameter of a role's actor, as the store keeps them."""
        kind, name = split_actor(text)
        return kind, self.groups[name] if kind == "group" else self.accounts[name]
