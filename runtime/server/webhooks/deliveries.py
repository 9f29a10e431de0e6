"""Sends webhooks: by threads of its own, and again later where a receiver is not ready.

What is to be sent stands in the state database (`runtime.jira.webhook_queue`). Every process that
serves takes from it, and none takes what another has taken. A receiver gets one at a time, in
order; one that is slow keeps a thread, not the others' webhooks.
"""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlalchemy.pool import StaticPool

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.database import writing
from runtime.errors import ForgeError, StateError
from runtime.ids import Ids
from runtime.jira.webhook_events import MAX_RETRIES, RETRIED, RETRY_AFTER_S, delivery_headers
from runtime.jira.webhook_queue import Delivery, WebhookQueue
from runtime.server.connect.client import AppClient, AppUnreachableError, Patience
from runtime.server.webhooks.recipients import NoRecipientError, Recipients

log = logging.getLogger(__name__)

SENDERS = 4  # so many receivers are sent to at once
WAKE_S = 1.0  # how often the state is looked at for what other processes left
PATIENCE = Patience(connect_s=5.0, answer_s=20.0)  # measured on the platform by third parties
CLOSE_S = PATIENCE.answer_s + 5.0
SUCCESSES = range(200, 300)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one attempt: why it failed, and whether another may help."""

    status: int | None
    failure: str = ""
    again: bool = False


class Deliveries:
    """Sends what is due.

    Args:
        engine: The state database.
        queue: What is to be sent.
        recipients: Says whether it may be, and signs it.
        client: Sends.
        audit: Gets one record for each attempt.
        clock: The clock of the queue.
        ids: Spreads the retries.
    """

    def __init__(  # noqa: PLR0917  # one call site
        self,
        engine: Engine,
        queue: WebhookQueue,
        recipients: Recipients,
        client: AppClient,
        audit: AuditTrail,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._engine = engine
        self._in_memory = isinstance(engine.pool, StaticPool)
        self.queue = queue
        self._recipients = recipients
        self.client = client
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._troubled = False

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Keep deliveries, and send them as soon as their turn comes."""
        found = list(deliveries)
        if found:
            self.queue.add(found)
            self._wake()

    def start(self) -> None:
        """Begin to send what waits: also what other processes left.

        A state in memory has no other processes, and one connection that a thread is not to
        disturb: there sending begins with the first delivery.
        """
        if not self._in_memory:
            self._wake()

    def close(self) -> None:
        """Let what has not been tried yet be tried, then stop; what is not taken stays."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(CLOSE_S)

    def run_due(self) -> int:
        """Send everything that is due now and return how many attempts that were."""
        attempts = 0
        while (one := self.queue.claim()) is not None:
            with self._changed:
                self._changed.notify()  # there may be something for another thread, too
            self._attempt(one)
            attempts += 1
        return attempts

    def _wake(self) -> None:
        with self._changed:
            if not self._threads and not self._closed:
                helpers = 0 if self._in_memory else SENDERS - 1
                for patience_s in (WAKE_S, *[None] * helpers):
                    thread = threading.Thread(target=self._run, args=(patience_s,), daemon=True)
                    self._threads.append(thread)
                    thread.start()
            self._changed.notify()

    def _run(self, patience_s: float | None) -> None:
        """Send until closed; without patience, look again only when there is something."""
        while True:
            self._run_safely()
            with self._changed:
                if self._closed:
                    return
                self._changed.wait(patience_s)

    def _run_safely(self) -> None:
        """Send what is due; trouble with the state is said once, and tried again.

        Whatever else goes wrong with one delivery, its claim keeps it away for a while, and the
        thread goes on with the others.
        """
        try:
            self.run_due()
            self._troubled = False
        except StateError as error:
            if not self._troubled:
                log.warning("webhooks wait: %s", error.message)
            self._troubled = True
        except Exception:
            log.exception("a webhook failed inside the host")

    def _attempt(self, one: Delivery) -> None:
        outcome = self._send(one)
        tried = replace(one, status=outcome.status, failure=outcome.failure)
        with writing(self._engine) as connection:
            if not outcome.failure:
                self.queue.done(connection, tried)
            elif not outcome.again:
                self.queue.end(connection, tried, "refused")
            elif one.retries >= MAX_RETRIES:
                self.queue.end(connection, tried, "failed")
            else:
                self.queue.again(connection, tried, self._later_s())
            self._audit.append_in(connection, _record(tried))

    def _send(self, one: Delivery) -> _Outcome:
        if one.retries > MAX_RETRIES:  # it was claimed that often by processes that did not live on
            return _Outcome(None, "every attempt was broken off", again=True)
        try:
            proof = self._recipients.sign(one)
            headers = (*proof, *delivery_headers(one.identifier, one.retries))
            reply = self.client.send(one.url, one.body.encode(), headers)
        except NoRecipientError as error:
            return _Outcome(None, str(error))
        except AppUnreachableError as error:
            return _Outcome(None, str(error), again=True)
        except ForgeError as error:
            return _Outcome(None, error.message, again=isinstance(error, StateError))
        if reply.status in SUCCESSES:
            return _Outcome(reply.status)
        answered = f"it answered {reply.status}"
        return _Outcome(reply.status, answered, again=reply.status in RETRIED)

    def _later_s(self) -> float:
        first, last = RETRY_AFTER_S
        share = int.from_bytes(self._ids.random_bytes(2)) / 65_536
        return self._clock.now_s() + first + share * (last - first)


def _record(one: Delivery) -> AuditRecord:
    return AuditRecord(
        kind="webhook",
        allowed=not one.failure,
        rule="app.not-told" if one.failure else "app.told",
        message=one.failure,
        model=one.model,
        app_id=one.app_id,
        cloud_id=one.cloud_id,
        method="POST",
        path=one.url,
        status=one.status,
        detail={"identifier": one.identifier, "retry": one.retries, "event": one.event},
    )
