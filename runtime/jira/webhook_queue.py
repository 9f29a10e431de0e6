"""Webhooks on their way, in the state database: what was not taken outlives every process.

A delivery is claimed before it is sent, by one sender at a time, and while one of a receiver's is
claimed no other of its is: so it gets them one by one, in order, whoever sends. If a process dies,
its claims end by themselves and the deliveries are sent once more, as retries with the same
identifier: each arrives at least once, and its receiver can tell.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal  # Any: a select of a whole table

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import RowMapping

from runtime.clock import Clock
from runtime.database import metadata, writing
from runtime.ids import Ids

Kind = Literal["descriptor", "dynamic", "admin"]
State = Literal["waiting", "failed", "refused"]
"""``failed``: it was tried as often as it may be. ``refused``: trying again would not help."""

CLAIM_S = 120.0  # longer than any attempt takes; a process that died leaves a claim for that long
KEPT_S = 72 * 3600.0  # how long the platform tells of failures

delivery_table = Table(
    "webhook_delivery",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("identifier", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("model", String(16), nullable=False),
    Column("cloud_id", String(64), nullable=False),
    Column("app_id", String(128), nullable=False),
    Column("tenure", String(64), nullable=False),
    Column("actor_id", String(128)),
    Column("event", String(64), nullable=False),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_s", Float, nullable=False),
    Column("due_s", Float, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("status", Integer),
    Column("failure", Text, nullable=False),
    Column("ended_s", Float),
    Column("claim", String(64)),
    Column("claimed_until_s", Float),
    Column("account_id", String(128)),
    Column("project_id", Integer),
    Column("issue_id", Integer),
    Column("comment_id", Integer),
    Index("webhook_delivery_due", "state", "due_s"),
    Index("webhook_delivery_claimed", "claimed_until_s"),
)
_TABLE = delivery_table.c


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook on its way to one receiver.

    Attributes:
        identifier: The same in every attempt.
        kind: Of a descriptor, a dynamic webhook, or one that an administrator defined.
        model: Security model of the receiver; ``basic`` for an administrator's.
        cloud_id: The site.
        app_id: Key or client id of the app; the number of an administrator's webhook.
        tenure: What must still be in force for it to be sent: the generation of a Connect
            installation, an OAuth grant; empty for an administrator's.
        actor_id: Who brought the event about.
        event: The event.
        url: Where to.
        body: The JSON text that is sent, and signed.
        created_s: When the event was.
        due_s: When the next attempt may be.
        retries: How often it was sent before.
        state: Whether it is still to be sent.
        status: What the last attempt was answered; None if nothing.
        failure: What the last attempt failed by.
        ended_s: When it failed for good.
        id: Filled by the database.
        claim: Of the process that sends it now.
        account_id: As whom the app is told; None for an administrator's.
        project_id: Of the issue; None where that was not noted, by an older version.
        issue_id: What it is about.
        comment_id: The comment that it is about, if any.
    """

    identifier: str
    kind: Kind
    model: str
    cloud_id: str
    app_id: str
    tenure: str
    actor_id: str | None
    event: str
    url: str
    body: str
    created_s: float
    due_s: float
    retries: int = 0
    state: State = "waiting"
    status: int | None = None
    failure: str = ""
    ended_s: float | None = None
    id: int = 0
    claim: str | None = None
    account_id: str | None = None
    project_id: int | None = None
    issue_id: int | None = None
    comment_id: int | None = None


class WebhookQueue:
    """Keeps deliveries.

    Args:
        engine: The state database.
        clock: Says what is due.
        ids: Makes claims.
    """

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Keep new deliveries, all or none, and forget failures that nobody asks for any more."""
        rows = [{name: getattr(one, name) for name in _KEPT} for one in deliveries]
        if not rows:
            return
        old = self._clock.now_s() - KEPT_S
        with writing(self._engine) as connection:
            connection.execute(insert(delivery_table), rows)
            connection.execute(delete(delivery_table).where(_TABLE.ended_s <= old))

    def claim(self) -> Delivery | None:
        """Return the delivery that is due longest, for this caller alone; None if there is none.

        A receiver to whom something is being sent has to wait for its next one.

        One whose claim has ended was sent, or nearly, by a process that died: it is a retry now.
        """
        now_s = self._clock.now_s()
        with self._engine.connect() as connection:  # an idle server takes no lock
            if connection.execute(_first_due(now_s)).first() is None:
                return None
        with writing(self._engine) as connection:
            row = connection.execute(_first_due(now_s)).first()
            if row is None:
                return None
            claim = self._ids.uuid()
            found = _delivery(row._mapping)
            retries = found.retries + (0 if found.claim is None else 1)
            connection.execute(
                update(delivery_table)
                .where(_TABLE.id == found.id)
                .values(claim=claim, claimed_until_s=now_s + CLAIM_S, retries=retries)
            )
        return replace(found, claim=claim, retries=retries)

    def done(self, connection: Connection, delivery: Delivery) -> bool:
        """Forget a delivery that was taken; return False if the claim had ended meanwhile."""
        return bool(connection.execute(delete(delivery_table).where(_held(delivery))).rowcount)

    def again(self, connection: Connection, delivery: Delivery, due_s: float) -> None:
        """Let a delivery be tried once more, later."""
        connection.execute(
            update(delivery_table)
            .where(_held(delivery))
            .values(
                **_outcome(delivery),
                due_s=due_s,
                retries=delivery.retries + 1,
                claim=None,
                claimed_until_s=None,
            )
        )

    def end(self, connection: Connection, delivery: Delivery, state: State) -> None:
        """Give a delivery up."""
        connection.execute(
            update(delivery_table)
            .where(_held(delivery))
            .values(
                **_outcome(delivery),
                state=state,
                ended_s=self._clock.now_s(),
                claim=None,
                claimed_until_s=None,
            )
        )

    def list(self, *, failed: bool) -> tuple[Delivery, ...]:
        """Return what waits, in the order of its time, or what was given up, the oldest first."""
        condition = _TABLE.state != "waiting" if failed else _TABLE.state == "waiting"
        order = (_TABLE.ended_s, _TABLE.id) if failed else (_TABLE.due_s, _TABLE.id)
        query = select(delivery_table).where(condition).order_by(*order)
        with self._engine.connect() as connection:
            return tuple(_delivery(row._mapping) for row in connection.execute(query))

    def count(self) -> int:
        """Return how many are not delivered yet."""
        query = select(func.count()).select_from(delivery_table).where(_TABLE.state == "waiting")
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())


def list_failed(
    connection: Connection, cloud_id: str, app_id: str, after_s: float
) -> tuple[Delivery, ...]:
    """Return what a Connect app did not take after the last retry since a time, oldest first."""
    query = (
        select(delivery_table)
        .where(
            _TABLE.state == "failed",
            _TABLE.model == "connect",
            _TABLE.cloud_id == cloud_id,
            _TABLE.app_id == app_id,
            _TABLE.ended_s > after_s,
        )
        .order_by(_TABLE.ended_s, _TABLE.id)
    )
    return tuple(_delivery(row._mapping) for row in connection.execute(query))


def _first_due(now_s: float) -> Select[Any]:
    other = delivery_table.alias()
    busy = exists().where(
        other.c.claimed_until_s > now_s,
        *(other.c[name] == _TABLE[name] for name in ("cloud_id", "model", "app_id")),
    )
    return (
        select(delivery_table)
        .where(_TABLE.state == "waiting", _TABLE.due_s <= now_s, ~busy)
        .order_by(_TABLE.due_s, _TABLE.id)
        .limit(1)
    )


def _held(delivery: Delivery) -> ColumnElement[bool]:
    return (_TABLE.id == delivery.id) & (_TABLE.claim == delivery.claim)


def _outcome(delivery: Delivery) -> dict[str, object]:
    return {"status": delivery.status, "failure": delivery.failure}


_FIELDS = tuple(Delivery.__dataclass_fields__)
_KEPT = tuple(name for name in _FIELDS if name not in ("id", "claim"))


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(**{name: row[name] for name in _FIELDS})
