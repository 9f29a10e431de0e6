"""What clients and guests are told while the state cannot be used, and what the log says."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from runtime import database
from runtime.clock import ManualClock
from runtime.errors import StateError
from runtime.gateway.values import Caller
from runtime.hostfunctions.doors import HostFunction
from runtime.hostfunctions.fetch import Egress, Fetch
from runtime.hostfunctions.request_jira import RequestJira
from runtime.policy.decision import Decision
from runtime.server.net.serving import create_app
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings

pytestmark = [pytest.mark.hostile, pytest.mark.anyio]
CALLER = Caller("invocation", "app", "installation", "cloud", "1:app", "1:user")
CALLS = {
    "requestJira": {"path": "/rest/api/3/myself", "provider": "app"},
    "fetch": {"url": "https://h.test/", "method": "GET"},
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def firebrick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Firebrick]:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)
    with open_firebrick(Settings(state=tmp_path / "state")) as opened:
        yield opened


@contextmanager
def locked(firebrick: Firebrick) -> Iterator[None]:
    path = firebrick.settings.state / "state.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield


async def get(firebrick: Firebrick, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=create_app(firebrick))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(path)


async def test_a_client_is_told_503_and_the_log_why(
    firebrick: Firebrick, caplog: pytest.LogCaptureFixture
) -> None:
    path = "/rest/api/3/serverInfo"
    with locked(firebrick):  # it can read, but not write down what it decided
        answer = await get(firebrick, f"{path}?access_token=fbk_at_{'0' * 64}")
    assert answer.status_code == 503
    assert answer.json()["errorMessages"] != []
    assert "state.db" not in answer.text
    (record,) = caplog.records
    assert "stayed locked" in record.getMessage()
    assert "fbk_at_" not in record.getMessage()
    assert record.exc_info is None
    assert (await get(firebrick, path)).status_code == 200


async def test_the_pages_are_told_likewise(
    firebrick: Firebrick, caplog: pytest.LogCaptureFixture
) -> None:
    app_paths = ("/", "/_firebrick/health")
    create_app(firebrick)
    transport = httpx.ASGITransport(app=create_app(firebrick))
    firebrick.engine.dispose()
    path = firebrick.settings.state / "state.db"
    path.write_bytes(b"\0" * path.stat().st_size)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for page in app_paths:
            answer = await client.get(page)
            assert answer.status_code == 503
            assert "state.db" not in answer.text
    assert all("damaged" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_guest_is_told_nothing_of_the_host(
    firebrick: Firebrick, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    doors: dict[str, HostFunction] = {
        "requestJira": RequestJira(firebrick.gateway, CALLER),
        "fetch": Fetch(
            firebrick.audit, CALLER, (), clock=ManualClock(), egress=Egress(), outside=no_outside
        ),
    }
    with locked(firebrick), caplog.at_level(logging.ERROR):
        answer = json.loads(doors[name](json.dumps(CALLS[name]).encode()))
    assert answer == {"error": {"code": "INTERNAL", "message": "The host failed."}}
    (record,) = caplog.records
    assert "stayed locked" in record.getMessage()
    assert record.exc_info is None


def no_outside(*_arguments: object) -> Decision:
    raise AssertionError("nothing goes out in this test")


def test_a_mistake_in_a_statement_stays_what_it_is(firebrick: Firebrick) -> None:
    with firebrick.engine.connect() as connection, pytest.raises(Exception, match="no such") as it:
        connection.exec_driver_sql("SELECT * FROM nowhere")
    assert not isinstance(it.value, StateError)
