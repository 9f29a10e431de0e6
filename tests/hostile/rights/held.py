"""What every credential knows of itself, and the state all rules share."""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from tests.hostile.rights.facts import (
    BROWSE,
    CONFIGURE,
    DEVELOPERS,
    EDIT,
    GATEWAY,
    MANAGERS,
    OPERATIONS,
    PEOPLE,
    SITE,
    SITES,
    VIEWERS,
    Facts,
    Operation,
)
from tests.hostile.rights.place import RightsPlace, Seen

people, sites = st.sampled_from(PEOPLE), st.sampled_from(SITES)
often = st.booleans()
FIRST_SCHEME = frozenset(
    {(BROWSE, VIEWERS), (BROWSE, DEVELOPERS), (EDIT, DEVELOPERS), (BROWSE, MANAGERS),
     (EDIT, MANAGERS), (CONFIGURE, MANAGERS)}
)  # fmt: skip
MOST_CHANGED, MOST_NEW, MOST_OTHERS = 12, 3, 2
Key = tuple[int, str, int, str]
"""The number of a credential, an operation's name, a site and a host."""


@dataclass
class Credential(ABC):
    """A credential that somebody holds and can show; the reference sees it as `Held`."""

    facts: Facts = field(repr=False)
    who: str
    hosts: ClassVar[tuple[str, ...]] = (SITE, GATEWAY)

    @abstractmethod
    def alive(self, site: int, host: str) -> bool:
        """Say whether it proves who is asking, there and now."""

    @abstractmethod
    def covers(self, operation: Operation) -> bool:
        """Say whether its scopes, as they are now, cover an operation."""

    def silent(self, _host: str) -> bool:
        """Say whether a dead one is as good as none; most are refused."""
        return False

    @abstractmethod
    def show(self, place: RightsPlace, operation: Operation, site: int, host: str) -> Seen:
        """Ask for an operation with it."""


Asked = tuple[Key, Credential, Operation, bool]


class RightsMachine(RuleBasedStateMachine):
    """The world, the reference, every credential ever made, and the comparison after each step.

    Asked are the calls whose answer should have changed by the step, and some others in turn.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = RightsPlace(Path(self.folder.name))
        self.facts = Facts(self.place.clock.now_s())
        self.held: list[Credential] = []
        self.told: dict[Key, bool] = {}
        self.turn = 0
        for site in SITES:
            self.place.set_scheme(site, FIRST_SCHEME)
            self.facts.schemes[site] = FIRST_SCHEME

    def teardown(self) -> None:
        self.place.close()
        self.folder.cleanup()

    def advance(self, seconds: float) -> None:
        self.place.clock.advance(seconds)
        self.facts.now_s = self.place.clock.now_s()

    def hold(self, one: Credential) -> None:
        self.held.append(one)

    def renew(self) -> None:
        """Mend some of what has ended, and have each model hold something alive.

        What is dead proves less: without this a world is soon dead for good.
        """

    def lacks(self, kind: type[Credential], who: str, site: int) -> bool:
        """Say whether somebody holds nothing alive of a kind."""
        return not any(
            type(one) is kind and one.who == who and one.alive(site, host)
            for one in self.held
            for host in one.hosts
        )

    def calls(self) -> Iterator[tuple[int, Credential, Operation, int, str]]:
        for at, one in enumerate(self.held):
            for operation, site, host in product(OPERATIONS, SITES, one.hosts):
                yield at, one, operation, site, host

    def compare(self) -> None:
        """Show what should answer otherwise than before, something new, and some of the rest."""
        changed: list[Asked] = []
        new: list[Asked] = []
        others: list[Asked] = []
        for at, one, operation, site, host in self.calls():
            key = (at, operation.name, site, host)
            expected, told = self.facts.allows(one, operation, site, host), self.told.get(key)
            kind = others if told == expected else new if not (told or expected) else changed
            kind.append((key, one, operation, expected))
        self.turn += 1
        for key, one, operation, expected in (
            changed[:MOST_CHANGED] + self.some(new, MOST_NEW) + self.some(others, MOST_OTHERS)
        ):
            self.told[key] = expected
            self.check(one, operation, key[2], key[3], expected)

    def some(self, among: list[Asked], most: int) -> list[Asked]:
        """Return a few, spread over all and others each time."""
        step = max(1, len(among) // most)
        return among[self.turn * 7 % step :: step][:most]

    def check(
        self, one: Credential, operation: Operation, site: int, host: str, expected: bool
    ) -> None:
        """Show a credential: what the reference refuses is refused, what it allows is done."""
        status, account = one.show(self.place, operation, site, host)
        told = (repr(one)[:600], operation.name, site, host, status, account)
        assert status < 500, told
        assert (status == operation.done) == expected, told
        if expected:
            acting = self.place.account_id(one.who, site) if one.alive(site, host) else None
            assert account == acting, told
