"""What is kept of an invocation so that it can be run again, offline, to the same bytes (I13).

A recording holds what the guest was given, what it asked, what it was answered and in which order,
and what came of it. Whose credential went along is not in it: the gateway adds that behind the
guest, and what the guest itself says is scrubbed.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
)

from runtime.database import metadata
from runtime.installation.model import AppVersion
from runtime.installation.variables import thaw
from runtime.invocation.scrubbing import Scrubber
from runtime.sandbox.journal import Journal
from runtime.sandbox.limits import Limits
from runtime.sandbox.values import Outcome, Start

PRUNE_EVERY = 50  # recordings; removing the oldest one by one would cost as much as keeping one

recording_table = Table(
    "recording",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("invocation_id", String(64), nullable=False, unique=True),
    Column("version_id", Integer, nullable=False),  # of the app; its sources stand there
    Column("scrubbed", Boolean, nullable=False),  # whether anything had to be taken out
    Column("body", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Recording:
    """One invocation, ready to be run again.

    Attributes:
        invocation_id: The invocation.
        function: What was asked for, such as ``resolver:getText``.
        app_name: What the app is called.
        app_id: Its ARI.
        environment: The environment.
        version: The version that ran.
        digest: SHA-256 of its manifest and sources.
        image: SHA-256 over everything that decides how the guest behaves.
        firebrick: Version of the emulator.
        began_at_s: The host's clock when the guest began.
        start: What the guest was given; of its variables only the plain ones.
        secrets: SHA-256 of each encrypted variable, by name.
        limits: Its budgets.
        journal: What reached it, and what it asked.
        outcome: What came of it; `usage` is not kept.
    """

    invocation_id: str
    function: str
    app_name: str
    app_id: str
    environment: str
    version: str
    digest: str
    image: str
    firebrick: str
    began_at_s: float
    start: Start
    secrets: Mapping[str, str]
    limits: Limits
    journal: Journal
    outcome: Outcome

    def with_secrets(self, variables: Mapping[str, str]) -> "Recording":
        """Return the recording with the values of its encrypted variables in the start."""
        env = {**self.start.env, **{name: variables[name] for name in self.secrets}}
        return replace(self, start=replace(self.start, env=env))

    def lacks(self, variables: Mapping[str, str]) -> list[str]:
        """Return the encrypted variables whose value is not there, or is another one."""
        return [
            name
            for name, digest in sorted(self.secrets.items())
            if name not in variables or hash_of(variables[name]) != digest
        ]


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording as it is stored.

    Attributes:
        number: Counts recordings.
        invocation_id: The invocation.
        version_id: Row of the app version.
        scrubbed: Whether anything had to be taken out of it.
        body: The recording as JSON text; see `runtime.invocation.recordfile`.
    """

    number: int
    invocation_id: str
    version_id: int
    scrubbed: bool
    body: str


class RecordingStore:
    """Keeps the newest recordings.

    Args:
        engine: The state database.
        most: How many are kept, up to `PRUNE_EVERY` more; 0 keeps none.
    """

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine
        self._most = most

    @property
    def wanted(self) -> bool:
        """Whether any are kept at all."""
        return self._most > 0

    def append_in(
        self, connection: Connection, invocation_id: str, version: AppVersion, text: str
    ) -> None:
        """Keep a recording inside the caller's transaction.

        Args:
            connection: The transaction that writes the invocation record too.
            invocation_id: The invocation.
            version: What ran.
            text: The recording as JSON text, scrubbed of variables and credentials.
        """
        row = connection.execute(
            _INSERT,
            {
                "invocation_id": invocation_id,
                "version_id": version.id,
                "scrubbed": "***" in text,
                "body": text,
            },
        )
        number = (row.inserted_primary_key or (0,))[0]
        if number % PRUNE_EVERY == 0:
            connection.execute(_PRUNE, {"last": number - self._most})

    def find(self, name: str) -> tuple[Kept, ...]:
        """Return the recordings whose invocation id begins so, the newest first."""
        table = recording_table.c
        query = (
            select(recording_table)
            .where(table.invocation_id.startswith(name, autoescape=True))
            .order_by(table.number.desc())
        )
        with self._engine.connect() as connection:
            return tuple(Kept(*row) for row in connection.execute(query))

    def newest(self) -> Kept | None:
        """Return the newest recording, or None."""
        query = select(recording_table).order_by(recording_table.c.number.desc()).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Kept(*row)


_INSERT = insert(recording_table)
_PRUNE = delete(recording_table).where(recording_table.c.number <= bindparam("last"))


def hash_of(value: str) -> str:
    """Return the SHA-256 of a variable's value."""
    return hashlib.sha256(value.encode()).hexdigest()


def secret_variables(version: AppVersion, env: Mapping[str, str]) -> dict[str, str]:
    """Return the encrypted variables of a version with their values."""
    if version.variables == "[]":
        return {}
    return {one.key: env[one.key] for one in thaw(version.variables) if one.secure}


Write = Callable[[Recording], str]


def scrubbed_text(recording: Recording, secrets: Mapping[str, str], write: Write) -> str:
    """Return a recording as JSON text that holds neither a credential nor a secret variable."""
    return Scrubber(secrets).scrub(write(recording))
