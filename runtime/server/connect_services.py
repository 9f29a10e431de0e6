"""What of Connect reaches out: the life of apps, and webhooks; each made when it is needed."""

from functools import cached_property

from sqlalchemy import Engine

from runtime.audit.trail import AuditTrail
from runtime.clock import Clock
from runtime.ids import Ids
from runtime.server.connect import ConnectApps
from runtime.server.connect_client import AppClient
from runtime.server.connect_parts import ConnectParts
from runtime.server.deliveries import Deliveries
from runtime.server.settings import Settings


class ConnectServices:
    """Services over one state.

    Args:
        engine: The state database.
        parts: Stores, keys and tokens.
        audit: Gets what happens.
        clock: Stamps it.
        ids: Makes ids and secrets.
        settings: Which hosts are allowed, and whether installs are over.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        parts: ConnectParts,
        audit: AuditTrail,
        clock: Clock,
        ids: Ids,
        settings: Settings,
    ) -> None:
        self._engine = engine
        self._parts = parts
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._settings = settings

    @cached_property
    def _client(self) -> AppClient:
        return AppClient(self._clock, self._settings.connect_hosts)

    @cached_property
    def deliveries(self) -> Deliveries:
        """Webhooks on their way."""
        return Deliveries(self._client, self._audit, self._clock, self._ids)

    @cached_property
    def apps(self) -> ConnectApps:
        """The life of apps."""
        return ConnectApps(
            engine=self._engine,
            parts=self._parts,
            client=self._client,
            audit=self._audit,
            clock=self._clock,
            ids=self._ids,
            frozen=self._settings.connect_frozen,
        )

    def close(self) -> None:
        """Let webhooks that have not been tried yet be tried."""
        deliveries = self.__dict__.pop("deliveries", None)
        if deliveries is not None:
            deliveries.close()
