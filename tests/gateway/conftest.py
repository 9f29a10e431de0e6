from dataclasses import replace
from pathlib import Path

import pytest

from runtime.audit.trail import AuditTrail
from runtime.clock import ManualClock
from runtime.database import open_database, sqlite_url
from runtime.gateway.gateway import Gateway
from runtime.gateway.values import Caller, CallReport, ProductCall, ProductReply
from runtime.ids import Ids
from runtime.installation.consents import ConsentStore
from runtime.installation.model import AppVersion, Installation
from runtime.installation.store import InstallationStore
from runtime.server.operations import load_operations
from runtime.tokens.broker import TokenBroker
from runtime.wire import JiraRequest, JiraResponse

IMPERSONATIONS = 3  # a minute
CALLER = Caller("invocation", "app", "installation", "cloud", "1:app", "1:user")


class RecordingProduct:
    """Answers what it is told to and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[JiraRequest] = []
        self.response = JiraResponse(200, (("content-type", "application/json"),), b"{}")
        self.operation_id: str | None = None

    def handle(self, request: JiraRequest) -> JiraResponse:
        self.requests.append(request)
        resolved = load_operations().resolve(request.method, request.path).operation
        key = self.operation_id or (None if resolved is None else resolved.key)
        return replace(self.response, operation_id=key)


class Door:
    """A gateway over a fresh state with one installation."""

    def __init__(self, folder: Path) -> None:
        engine = open_database(sqlite_url(folder / "state.db"))
        clock = ManualClock()
        self.engine = engine
        self.clock = clock
        self.product = RecordingProduct()
        self.people = {("cloud", "1:user"), ("cloud", "1:amy")}
        self.audit = AuditTrail(engine, clock)
        self.broker = TokenBroker(engine, clock, Ids())
        self.store = InstallationStore(engine)
        self.consents = ConsentStore(engine, clock)
        self.gateway = Gateway(
            product=self.product,
            operations=load_operations(),
            installations=self.store,
            consents=self.consents,
            broker=self.broker,
            audit=self.audit,
            clock=clock,
            may_use=lambda cloud_id, account_id: (cloud_id, account_id) in self.people,
            rates=self.broker.rates,
            impersonations_per_minute=IMPERSONATIONS,
        )

    def install(
        self,
        scopes: dict[str, bool],
        granted: set[str] | None = None,
        *,
        user_consent: bool = False,
    ) -> None:
        version = self.store.add_version(
            AppVersion(0, "app", "development", "1.0.0", "app", "", scopes, (), "", "", 0.0)
        )
        granted = set(scopes) if granted is None else granted
        with self.engine.begin() as connection:
            self.store.add_installation(
                connection,
                Installation(
                    "installation", "app", "development", "cloud", version.id,
                    frozenset(granted), "1:app", "1:admin", 0.0, True, user_consent,
                ),
            )  # fmt: skip

    def send(self, call: ProductCall, caller: Caller = CALLER) -> tuple[ProductReply, CallReport]:
        return self.gateway.send(caller, call)


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)
