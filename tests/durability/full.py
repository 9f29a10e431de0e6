"""What a process sees whose disk becomes full, and has room again."""

import json
import logging
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any  # JSON

import anyio
import httpx
from typer.testing import CliRunner

from runtime.cli.main import app
from runtime.errors import StateError
from runtime.server.net.serving import create_app
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from tests.durability.checker import look_around
from tests.durability.commands import SmallDisk
from tests.durability.ledger import Ledger
from tests.durability.load import Diary, IssueLoad, in_process

MIB = 2**20
EMAIL = "paul@acme.example"


def run_full(folder: Path, mouth: Connection) -> None:
    """Write until the disk is full, ask everybody, make room, and look what is there.

    It says what was seen.
    """
    disk = SmallDisk(folder, 2 * MIB)
    settings = Settings(state=folder / "state")
    ledger = Ledger()
    seen: dict[str, Any] = {}
    logged = Logged()
    with open_firebrick(settings) as firebrick:
        paul = firebrick.find_person("paul")
        _, secret = firebrick.api_tokens.create(paul, "for the load")
        token = secret.get_secret_value()
        seen["error"] = fill(firebrick, token, ledger)
        seen["http"] = anyio.run(ask_over_http, firebrick, token)
        seen["log"] = logged.lines
        seen["made"] = 0
        while (said := command("token", "create", "dana", settings=settings))[0] == 0:
            seen["made"] += 1
        seen["token"] = said
        seen["audit"] = command("audit", settings=settings)
        disk.grow(20 * MIB)
        seen["after"] = anyio.run(ask_over_http, firebrick, token)
    with open_firebrick(settings) as firebrick:
        dana = firebrick.find_person("dana").account_id
        seen["tokens"] = len(firebrick.api_tokens.list(dana))
        seen["looked"] = look_around(firebrick, ledger.asked())
    seen["acknowledged"] = ledger.acknowledged
    ledger.settle(seen["looked"]["found"])
    mouth.send(seen)


def run_new(folder: Path, size_bytes: int, mouth: Connection) -> None:
    """Make a state where there is no room for it, then make room."""
    disk = SmallDisk(folder, size_bytes)
    settings = Settings(state=folder / "state")
    first = command("apps", settings=settings)
    left = sorted(path.name for path in settings.state.glob("state.db*"))
    disk.grow(20 * MIB)
    mouth.send({"first": first, "left": left, "second": command("apps", settings=settings)})


def fill(firebrick: Firebrick, token: str, ledger: Ledger) -> tuple[str, str]:
    """Write until the state says that it cannot; return how it says so."""
    load = IssueLoad(
        in_process(firebrick, EMAIL, token),
        Diary(ledger.note, ledger.states),
        Random(1),
        "direct",
    )
    try:
        while True:
            load.step()
    except StateError as error:
        return error.code, error.message


async def ask_over_http(firebrick: Firebrick, token: str) -> tuple[int, Any]:
    """Create an issue over the wire."""
    transport = httpx.ASGITransport(app=create_app(firebrick), raise_app_exceptions=True)
    fields = {
        "project": {"key": "PUB"},
        "issuetype": {"name": "Task"},
        "summary": "x" * 250,
        "environment": None,
        "labels": [f"{'y' * 200}{number}" for number in range(2000)],  # a few hundred kilobytes
    }
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post(
            "/rest/api/3/issue", json={"fields": fields}, auth=(EMAIL, token)
        )
    return answer.status_code, json.loads(answer.text)


def command(*arguments: str, settings: Settings) -> tuple[int, str]:
    """Run a command in this process; any exception that is not its own leaves."""
    said = CliRunner().invoke(
        app, [*arguments, "--state", str(settings.state)], catch_exceptions=False
    )
    return said.exit_code, said.output


class Logged(logging.Handler):
    """Keeps what is logged as an error or worse."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []
        logging.getLogger("runtime").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record, with its traceback if it has one."""
        self.lines.append(self.format(record))
