"""What of Connect reaches out: the life of apps; made when it is needed."""

from functools import cached_property

from sqlalchemy import Engine

from runtime.audit.trail import AuditTrail
from runtime.clock import Clock
from runtime.ids import Ids
from runtime.server.connect.apps import ConnectApps
from runtime.server.connect.client import AppClient
from runtime.server.connect.parts import ConnectParts
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
    def apps(self) -> ConnectApps:
        """The life of apps."""
        return ConnectApps(
            engine=self._engine,
            parts=self._parts,
            client=AppClient(self._clock, self._settings.connect_hosts),
            audit=self._audit,
            clock=self._clock,
            ids=self._ids,
            frozen=self._settings.connect_frozen,
        )
