"""A hundred kills in the middle of writes: what was acknowledged is there, nothing is half done."""

import base64
import json
import os
import re
import threading
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from random import Random
from typing import Any  # JSON

import pytest

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.durability import checker, writer
from tests.durability.ledger import Ledger
from tests.durability.load import Ask, Diary, IssueLoad, UnexpectedError
from tests.durability.processes import PATIENCE_S, Running, answer_of

SHARDS = 10
ROUNDS = 10  # in each shard, on one state that lives through all of them
MAX_STEPS = 200  # writes and commits of the database, some twenty writes of the load
MAX_WRITES = 40


class Kill:
    """One state, what is known of it, and the two processes that write to it."""

    def __init__(self, settings: Settings, apps: Path, seed: int) -> None:
        self.settings = settings
        self.apps = apps
        self.random = Random(seed)
        self.ledger = Ledger()
        self.over_http = 0
        with open_firebrick(settings) as firebrick:
            paul = firebrick.find_person("paul")
            _, secret = firebrick.api_tokens.create(paul, "for the load")
        self.credential = (str(paul.email), secret.get_secret_value())

    def round(self) -> None:
        """Start both writers, kill them at some point, and look at what they left."""
        die_at = self.random.randrange(1, MAX_STEPS) if self.random.random() < 0.5 else 0
        enough = self.ledger.acknowledged + self.random.randrange(1, MAX_WRITES)
        pause_s = self.random.random() * 0.004
        server = Running(writer.serve, self.settings.state)
        known = self.ledger.of("direct", "app", "token", "invocation")
        direct = Running(
            writer.write, self.settings, self.apps, self._seed(), known, self.credential, die_at
        )
        client = threading.Thread(target=self._client, args=(server, self._seed()))
        client.start()
        while (said := direct.hear()) is not None:
            self.ledger.note(said)
            if not die_at and self.ledger.acknowledged >= enough:
                break
        time.sleep(pause_s)
        for victim in self.random.sample([server, direct], 2):
            victim.kill()
        while (said := direct.hear()) is not None:
            self.ledger.note(said)
        client.join(PATIENCE_S)
        assert not client.is_alive()
        assert [direct.close(), server.close()] == [-9, -9]
        self.look()

    def look(self) -> None:
        """Check the state in a fresh process, and take over what was on its way."""
        said = answer_of(checker.check, self.settings, self.ledger.asked(), self.credential)
        assert said["wrong"] == []
        assert said["http"] >= self.over_http
        self.ledger.settle(said["found"])

    def _seed(self) -> int:
        return self.random.randrange(10**9)

    def _client(self, server: Running, seed: int) -> None:
        """Write over HTTP until the server is gone."""
        diary = Diary(self.ledger.note, self.ledger.of("wire"))
        try:
            with closing(
                HTTPConnection("127.0.0.1", port_of(server), timeout=PATIENCE_S)
            ) as connection:
                load = IssueLoad(self._over_http(connection), diary, Random(seed), "wire")
                while True:
                    load.step()
        except (OSError, HTTPException):
            return
        except UnexpectedError as error:
            self.ledger.note({"want": "the server's answers", "state": str(error)})

    def _over_http(self, connection: HTTPConnection) -> Ask:
        pair = ":".join(self.credential).encode()
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "Content-Type": "application/json",
        }

        def ask(method: str, path: str, body: Any) -> tuple[int, Any]:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            read = answer.read()
            self.over_http += 1
            return answer.status, json.loads(read) if read else None

        return ask


def port_of(server: Running) -> int:
    """Read the output of ``serve`` until it names its address."""
    said = ""
    while not (found := re.search(r"on http://127\.0\.0\.1:(\d+)\s", said)):
        more = os.read(server.ears.fileno(), 4096).decode()
        if not more:
            raise ConnectionError
        said += more
    return int(found.group(1))


@pytest.mark.hostile
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_kill_loses_nothing_acknowledged_and_leaves_nothing_half_done(
    tmp_path: Path, cache: Path, apps: Path, shard: int
) -> None:
    kill = Kill(Settings(state=tmp_path / "state", cache=cache), apps, seed=shard)
    for _ in range(ROUNDS):
        kill.round()
    assert kill.ledger.acknowledged > ROUNDS


@pytest.mark.hostile
def test_a_state_whose_making_was_killed_is_made_by_the_next(tmp_path: Path, cache: Path) -> None:
    for die_at in count(1, 17):
        settings = Settings(state=tmp_path / str(die_at), cache=cache)
        making = Running(writer.make, settings, die_at)
        lived = making.hear() is not None
        assert making.close() == (0 if lived else -9)
        assert answer_of(writer.make, settings, 0) == ["acme.atlassian.net"]
        assert not list(settings.state.glob("*.new*"))
        if lived:
            break
    assert die_at > 100, "it was killed too seldom"
