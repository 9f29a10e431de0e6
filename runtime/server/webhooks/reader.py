"""Reads the product as somebody who is to be told of something, by their rights of this moment.

The product trusts a credential alone, here too: each read is shown a ticket, a random text that
stands for one principal, once, in this process, and that no wire can bring.
"""

import hmac
import json
import threading

from sqlalchemy import Engine

from runtime.clock import Clock
from runtime.errors import CredentialError
from runtime.identity.principal import Principal
from runtime.ids import Ids
from runtime.jira.product import Jira
from runtime.policy.operations import OperationTable
from runtime.wire import JiraRequest

SUCCESSES = range(200, 300)
TICKET_BYTES = 32


class Tickets:
    """Believes tickets, each once.

    Args:
        ids: Makes them.
    """

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._lock = threading.Lock()
        self._issued: dict[str, Principal] = {}

    def issue(self, principal: Principal) -> str:
        """Return a ticket for one request of a principal."""
        ticket = self._ids.random_bytes(TICKET_BYTES).hex()
        with self._lock:
            self._issued[ticket] = principal
        return ticket

    def authenticate(self, request: JiraRequest) -> Principal:
        """Return whose ticket a request shows.

        Raises:
            CredentialError: It shows none that is valid.
        """
        shown = request.headers.get("authorization", "").encode()
        with self._lock:
            found = next((one for one in self._issued if _same(one, shown)), None)
            principal = None if found is None else self._issued.pop(found)
        if principal is None:
            raise CredentialError
        return principal


class ProductReader:
    """Asks the product for one resource as somebody.

    Args:
        engine: The state database.
        operations: All operations.
        clock: The world's clock.
        ids: Makes tickets.
    """

    def __init__(self, engine: Engine, operations: OperationTable, clock: Clock, ids: Ids) -> None:
        self._tickets = Tickets(ids)
        self._jira = Jira(engine, operations, self._tickets, clock, ids)

    def read(self, who: Principal, cloud_id: str, base_url: str, path: str) -> dict[str, object]:
        """Return a resource as somebody sees it; nothing if they do not, whyever."""
        answer = self._jira.handle(
            JiraRequest(
                "GET",
                path,
                headers={"authorization": self._tickets.issue(who)},
                cloud_id=cloud_id,
                base_url=base_url,
            )
        )
        return json_object(answer.body) if answer.status in SUCCESSES else {}


def json_object(body: bytes) -> dict[str, object]:
    """Return the JSON object of a body; an empty one if it is anything else."""
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _same(ticket: str, shown: bytes) -> bool:
    return hmac.compare_digest(ticket.encode(), shown)
