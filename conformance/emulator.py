"""The emulator as people run it: ``firebrick serve`` in a process, driven by its commands."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any  # JSON

import httpx

from conformance.environment import ROOT

START_WAITS = 600  # of a tenth of a second
COMMAND_S = 120
STOP_S = 60
COMMAND = (sys.executable, "-m", "runtime.cli")


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, by which API token."""

    email: str
    secret: str = field(repr=False)
    account_id: str

    @property
    def pair(self) -> tuple[str, str]:
        """The two as HTTP clients take them."""
        return self.email, self.secret


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, as the audit trail has it."""

    records: list[dict[str, Any]]

    @property
    def calls(self) -> list[tuple[str | None, int]]:
        """Each operation that was asked, and the status of its answer."""
        return [(one["operation"], one["status"]) for one in self.records if one["kind"] == "http"]

    @property
    def callers(self) -> set[tuple[str, str | None]]:
        """By which models was asked, and as which accounts."""
        asked = (one for one in self.records if one["kind"] == "http")
        return {(one["model"], one["account_id"]) for one in asked}

    @property
    def rules(self) -> list[str]:
        """By which rules was decided."""
        return [one["rule"] for one in self.records]


@dataclass(slots=True)
class Emulator:
    """A server that runs, and the commands on its state.

    Attributes:
        base: Where it is reached.
        output: What it printed.
        environment: Environment of its commands.
        seen: The last record of the audit trail that was looked at.
    """

    base: str
    output: Path = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    seen: int = 0

    def say(self, *arguments: str) -> str:
        """Run ``firebrick`` with arguments; return what it printed."""
        done = subprocess.run(
            [*COMMAND, *arguments], check=False, cwd=ROOT, env=dict(self.environment),
            capture_output=True, text=True, timeout=COMMAND_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tell(self, *arguments: str) -> Any:
        """Run ``firebrick`` with arguments; return the JSON it printed."""
        return json.loads(self.say(*arguments, "--format", "json"))

    def login(self, handle: str, *options: str) -> Login:
        """Make an API token for a person."""
        made = self.tell("token", "create", handle, *options)
        email, secret = made["email"], made["token"]
        login = Login(email, secret, self._account_id(handle, (email, secret)))
        self.asked()  # that was no client
        return login

    def _account_id(self, handle: str, pair: tuple[str, str]) -> str:
        answer = httpx.get(f"{self.base}/rest/api/3/myself", auth=pair)
        assert answer.status_code == 200, (handle, answer.text)
        account_id: str = answer.json()["accountId"]
        return account_id

    @property
    def cloud_id(self) -> str:
        """The site's cloud id."""
        cloud_id: str = httpx.get(f"{self.base}/_edge/tenant_info").json()["cloudId"]
        return cloud_id

    @property
    def gateway(self) -> str:
        """Where OAuth clients find the site."""
        return f"{self.base}/ex/jira/{self.cloud_id}"

    @property
    def names(self) -> dict[str, str]:
        """The variables that lead a client here under the platform's names."""
        variables: dict[str, str] = json.loads(self.say("tls", "env", "--shell", "json"))
        return variables

    def asked(self) -> Asked:
        """Return what was asked since the last time."""
        records = self.tell("audit", "--limit", "1000")
        new = [record for record in records if record["id"] > self.seen]
        self.seen = max((record["id"] for record in new), default=self.seen)
        return Asked(new)


@contextmanager
def emulating(folder: Path, *options: str, **settings: str) -> Iterator[Emulator]:
    """Serve a fresh world.

    Args:
        folder: Where the state and the output go.
        options: Further options of ``firebrick serve``.
        settings: Environment variables without ``FIREBRICK_``, in lower case.
    """
    folder.mkdir(parents=True, exist_ok=True)
    named = {f"FIREBRICK_{name.upper()}": value for name, value in settings.items()}
    state = {"FIREBRICK_STATE": str(folder / "state"), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
    environment = {**os.environ, **state, **named}
    output = folder / "output"
    with output.open("wb") as log:
        server = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", *options], cwd=ROOT, env=environment,
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield Emulator(_address(server, output), output, environment)
    finally:
        server.terminate()
        server.wait(timeout=STOP_S)


def _address(server: "subprocess.Popen[bytes]", output: Path) -> str:
    """Return where it serves, once it answers."""
    for _ in range(START_WAITS):
        for line in output.read_text().splitlines():
            base = line.rpartition(" on ")[2]
            if line.startswith("Serving ") and _answers(base):
                return base
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(output.read_text())


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/_firebrick/health").status_code == 200
    except httpx.TransportError:
        return False
