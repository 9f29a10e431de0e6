"""One state in PostgreSQL: the same load, the same checks, several processes, killed writers."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import create_engine, update
from sqlalchemy.engine import make_url

from runtime.database import open_database, schema_version_table
from runtime.errors import StateError
from runtime.jira import schema
from runtime.jira.configuration import load_site
from runtime.jira.custom_fields import FieldSpec
from runtime.jira.custom_sync import sync_fields
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from runtime.wire import JiraRequest, JiraResponse
from tests.durability import checker, crowd, postgres, writer
from tests.durability.commands import firebrick as command
from tests.durability.ledger import Ledger
from tests.durability.processes import Running, answer_of
from tests.durability.test_two_processes import CROWD, together

pytestmark = [pytest.mark.postgres, pytest.mark.hostile]
KILLS = 12


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.running() as url:
        yield url


@pytest.fixture
def settings(server: str, tmp_path: Path, cache: Path, request: pytest.FixtureRequest) -> Settings:
    name = f"of_{request.node.name.partition('[')[0]}"[:60]
    driver = make_url(server.format("postgres")).set(drivername="postgresql+psycopg")
    engine = create_engine(driver, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    engine.dispose()
    return Settings(state=tmp_path / "state", cache=cache, database_url=server.format(name))


def test_processes_that_make_a_state_at_once_make_one(settings: Settings) -> None:
    people = ["amy", "dana", "dora", "otto", "paul", "vera"]
    assert together(crowd.make, settings) == [(["acme.atlassian.net"], people)] * CROWD


def test_writers_lose_nothing(settings: Settings) -> None:
    credential = token_of_paul(settings)
    assert together(crowd.write, settings, credential, numbered=True) == [[]] * CROWD
    total = CROWD * crowd.WRITES
    with open_firebrick(settings) as firebrick, firebrick.engine.connect() as database:
        assert list(checker.issues(database)) == []
        made = checker.count_of(database, schema.issue_table)
        assert made == 40 + total
        labels = checker.count_of(database, schema.issue_label_table)
        assert labels >= total


def test_killed_writers_leave_nothing_half_done(settings: Settings, apps: Path) -> None:
    credential = token_of_paul(settings)
    ledger, random = Ledger(), Random(1)
    for _ in range(KILLS):
        die_at, seed = random.randrange(1, 200), random.randrange(10**9)
        running = Running(writer.write, settings, apps, seed, ledger.states, credential, die_at)
        while (said := running.hear()) is not None:
            ledger.note(said)
        assert running.close() == -9
        looked = answer_of(checker.check, settings, ledger.asked(), credential)
        assert looked["wrong"] == []
        ledger.settle(looked["found"])
    assert ledger.acknowledged > KILLS


def test_custom_fields_are_kept_and_searched(settings: Settings) -> None:
    email, secret = token_of_paul(settings)
    basic = base64.b64encode(f"{email}:{secret}".encode()).decode()
    specs = [FieldSpec(kind, f"A {kind}", "", kind) for kind in ("number", "string", "date")]
    with open_firebrick(settings) as firebrick:
        cloud_id = firebrick.find_site(None)
        with firebrick.engine.begin() as connection:
            sync_fields(connection, cloud_id, "connect", "app", specs)
            fields = load_site(connection, cloud_id).custom_fields.values()
        ids = {one.name: one.field_id for one in fields}

        def ask(method: str, path: str, body: object) -> JiraResponse:
            headers = {"authorization": f"Basic {basic}", "content-type": "application/json"}
            path = f"/rest/api/3/{path}"
            text = json.dumps(body).encode()
            return firebrick.jira.handle(
                JiraRequest(method=method, path=path, headers=headers, body=text, cloud_id=cloud_id)
            )

        values = {ids["A number"]: 4.5, ids["A string"]: "Long Words", ids["A date"]: "2024-02-29"}
        assert ask("PUT", "issue/TEAM-1", {"fields": values}).status == 204
        for jql in (
            '"A number" > 4', '"A string" ~ words', '"A date" = 2024-02-29',
            '"A number" is not EMPTY',
        ):  # fmt: skip
            found = json.loads(ask("POST", "search/jql", {"jql": jql, "fields": ["key"]}).body)
            assert [one["key"] for one in found["issues"]] == ["TEAM-1"], jql


def test_the_command_line_works_by_url(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIREBRICK_DATABASE_URL", settings.database_url)
    assert command(settings.state, "token", "create", "dana", "--label", "kept").code == 0
    assert "kept" in command(settings.state, "token", "list").out
    assert "postgresql" in command(settings.state, "doctor").out
    said = command(settings.state, "reset", "--yes")
    assert said.err.startswith("Error NOT_A_STATE")
    assert "kept" in command(settings.state, "token", "list").out


def test_a_newer_version_is_left_alone(settings: Settings) -> None:
    engine = open_database(settings.database_url)
    with engine.begin() as connection:
        connection.execute(update(schema_version_table).values(version=99))
    engine.dispose()
    with pytest.raises(StateError, match="version 99"):
        open_database(settings.database_url)


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    url = f"postgresql://firebrick:hush@/nowhere?host={tmp_path}"
    with pytest.raises(StateError) as caught:
        open_database(url)
    assert caught.value.code == "STATE_UNUSABLE"
    assert "Look at the server" in caught.value.message
    assert "hush" not in caught.value.message


def token_of_paul(settings: Settings) -> tuple[str, str]:
    """Make an API token for the load."""
    with open_firebrick(settings) as firebrick:
        paul = firebrick.find_person("paul")
        _, secret = firebrick.api_tokens.create(paul, "for the load")
    return str(paul.email), secret.get_secret_value()
