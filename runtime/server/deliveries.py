"""Webhooks on their way: sent by a thread of their own, and again later where an app is not ready.

They are kept in this process alone: what waits when it ends is sent once more at its end, or lost.
"""

import threading
from dataclasses import dataclass, replace

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.errors import ForgeError
from runtime.identity.connect.webhooks import MAX_RETRIES, RETRIED, RETRY_AFTER_S, Webhook
from runtime.ids import Ids
from runtime.server.connect_client import AppClient, AppUnreachableError

WAKE_S = 1.0
CLOSE_S = 30.0


@dataclass(frozen=True, slots=True)
class _Due:
    webhook: Webhook
    at_s: float
    retry: int = 0


class Deliveries:
    """Sends webhooks.

    Args:
        client: Asks apps.
        audit: Gets one record for each attempt.
        clock: Says what is due.
        ids: Spreads the retries.
    """

    def __init__(self, client: AppClient, audit: AuditTrail, clock: Clock, ids: Ids) -> None:
        self._client = client
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._changed = threading.Condition()
        self._due: list[_Due] = []
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, webhook: Webhook, *, at_once: bool = True) -> None:
        """Send a webhook as soon as its turn comes.

        Args:
            webhook: What is sent.
            at_once: By the thread; otherwise it waits for `run_due`.
        """
        with self._changed:
            self._due.append(_Due(webhook, self._clock.now_s()))
            if at_once and self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Let what has not been tried yet be tried, then stop."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def waiting(self) -> int:
        """Return how many are not delivered yet."""
        with self._changed:
            return len(self._due)

    def run_due(self) -> int:
        """Send everything that is due now and return how many attempts that were."""
        attempts = 0
        while (one := self._next()) is not None:
            self._attempt(one)
            attempts += 1
        return attempts

    def _run(self) -> None:
        while True:
            self.run_due()
            with self._changed:
                if self._closed:
                    return
                self._changed.wait(WAKE_S)

    def _next(self) -> _Due | None:
        now_s = self._clock.now_s()
        with self._changed:
            found = next((one for one in self._due if one.at_s <= now_s), None)
            if found is not None:
                self._due.remove(found)
            return found

    def _attempt(self, one: _Due) -> None:
        hook = one.webhook
        try:
            reply = self._client.post(
                hook.url,
                hook.body,
                lambda: hook.authorization(self._clock.now_s()),
                hook.headers(one.retry),
                attempts=1,
            )
            status, failure = reply.status, f"it answered {reply.status}"
        except AppUnreachableError as error:
            status, failure = 503, str(error)
        except ForgeError as error:
            status, failure = 0, error.message
        delivered = 200 <= status < 300  # noqa: PLR2004  # HTTP
        self._record(one, status, "" if delivered else failure)
        if status in RETRIED and one.retry < MAX_RETRIES:
            with self._changed:
                self._due.append(replace(one, at_s=self._later_s(), retry=one.retry + 1))

    def _later_s(self) -> float:
        first, last = RETRY_AFTER_S
        share = int.from_bytes(self._ids.random_bytes(2)) / 65_536
        return self._clock.now_s() + first + share * (last - first)

    def _record(self, one: _Due, status: int, failure: str) -> None:
        self._audit.append(
            AuditRecord(
                kind="webhook",
                allowed=not failure,
                rule="app.not-told" if failure else "app.told",
                message=failure,
                model="connect",
                app_id=one.webhook.app.app_key,
                cloud_id=one.webhook.app.cloud_id,
                method="POST",
                path=one.webhook.url,
                status=status or None,
                detail={"identifier": one.webhook.identifier, "retry": one.retry},
            )
        )
