"""Several processes on one state: none loses what another wrote, each sees it at once."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any  # what a process says

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from runtime.database import open_database
from runtime.jira import schema
from runtime.sandbox.cache import GuestCache
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from runtime.tokens.broker import TokenGrant
from tests.durability import crowd, writer
from tests.durability.checker import issues, look_around
from tests.durability.commands import firebrick as command
from tests.durability.load import in_process
from tests.durability.processes import CONTEXT, PATIENCE_S, Running, answer_of
from tests.durability.test_kill import port_of

CROWD = 4


def together(
    function: Callable[..., None], *arguments: object, numbered: bool = False, crowd: int = CROWD
) -> list[Any]:
    """Run a function in several processes that start at one moment; return what each says."""
    start = CONTEXT.Barrier(crowd)
    running = [
        Running(function, start, arguments[0], *([me] if numbered else []), *arguments[1:])
        for me in range(crowd)
    ]
    said = [one.hear() for one in running]
    assert [one.close() for one in running] == [0] * crowd
    return said


@pytest.fixture
def settings(tmp_path: Path, cache: Path) -> Settings:
    return Settings(state=tmp_path / "state", cache=cache)


@pytest.mark.hostile
@pytest.mark.parametrize("way", ["folder", "url", "url with tables"])
def test_processes_that_make_a_state_at_once_make_one(
    settings: Settings, tmp_path: Path, way: str
) -> None:
    if way != "folder":
        settings = Settings(state=tmp_path, database_url=f"sqlite:///{tmp_path}/one.db")
    if way == "url with tables":
        open_database(settings.database_url).dispose()
    said = together(crowd.make, settings)
    people = ["amy", "dana", "dora", "otto", "paul", "vera"]
    assert said == [(["acme.atlassian.net"], people)] * CROWD
    with open_firebrick(settings) as firebrick, firebrick.engine.connect() as database:
        assert look_around(firebrick, {})["wrong"] == []
        count = select(func.count()).select_from(schema.issue_table)
        assert database.execute(count).scalar() == 40


@pytest.mark.hostile
def test_writers_lose_nothing_and_none_is_told_that_the_state_is_locked(settings: Settings) -> None:
    with open_firebrick(settings) as firebrick:
        paul = firebrick.find_person("paul")
        _, secret = firebrick.api_tokens.create(paul, "for the crowd")
    credential = (str(paul.email), secret.get_secret_value())
    assert together(crowd.write, settings, credential, numbered=True) == [[]] * CROWD
    total = CROWD * crowd.WRITES
    with open_firebrick(settings) as firebrick, firebrick.engine.connect() as database:
        assert list(issues(database)) == []
        first = database.execute(
            select(schema.issue_table).where(schema.issue_table.c.summary.like("by %"))
        ).all()
        assert len(first) == total
        numbers = sorted(row.number for row in first)
        assert numbers == list(range(numbers[0], numbers[0] + total))
        comments, label = schema.comment_table.c, schema.issue_label_table.c
        one = database.execute(
            select(schema.issue_table.c.id)
            .join(schema.project_table)
            .where(schema.project_table.c.key == "PUB", schema.issue_table.c.number == 1)
        ).scalar_one()
        said = database.execute(select(comments.body).where(comments.issue_id == one)).scalars()
        words = [body["content"][0]["content"][0]["text"] for body in said]
        assert {f"{me} {n}" for me in range(CROWD) for n in range(crowd.WRITES)} <= set(words)
        labels = set(database.execute(select(label.label).where(label.issue_id == one)).scalars())
        assert {f"label{me}x{n}" for me in range(CROWD) for n in range(crowd.WRITES)} <= labels


@pytest.mark.hostile
def test_processes_that_deploy_and_compile_the_same_app_at_once(tmp_path: Path, apps: Path) -> None:
    settings = Settings(state=tmp_path / "state")  # with a cache of its own, which is empty
    with open_firebrick(settings):
        shutil.rmtree(settings.cache_folder, ignore_errors=True)
    said = together(crowd.deploy, settings, apps / "narrow1", crowd=2)
    assert sorted(version for version, _ in said) == ["1.0.0", "1.1.0"]
    assert [logged for _, logged in said] == [[], []]
    assert not list(settings.cache_folder.glob("*.tmp"))
    outcomes = together(crowd.install, settings)
    assert sorted(outcomes) == [*["PLAN_OUTDATED"] * (CROWD - 1), "installed"]
    assert answer_of(crowd.invoke, settings) == ([200, 200], True)
    with open_firebrick(settings) as firebrick:
        assert look_around(firebrick, {})["wrong"] == []


@pytest.mark.hostile
def test_two_that_make_the_key_of_a_cache_at_once_agree_on_it(tmp_path: Path) -> None:
    both = threading.Barrier(2)

    def random_bytes(count: int) -> bytes:
        with suppress(threading.BrokenBarrierError):  # the other one waits for its turn: good
            both.wait(0.5)
        return os.urandom(count)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: GuestCache(tmp_path, random_bytes), range(2))
    one.store("app", b"compiled")
    assert other.load("app") == b"compiled"


def test_processes_that_make_the_key_of_secrets_at_once_make_one(settings: Settings) -> None:
    with open_firebrick(settings) as firebrick:
        texts = together(crowd.encrypt, settings, numbered=True)
        secrets = {firebrick.vault.decrypt(text).get_secret_value() for text in texts}
    assert secrets == {f"secret {me}" for me in range(CROWD)}
    assert len(list(settings.state.glob("secrets.key*"))) == 1


# --- a server and a command line -----------------------------------------------------------------


@contextmanager
def served(state: Path) -> Iterator[httpx.Client]:
    """Run ``firebrick serve`` in a process of its own."""
    server = Running(writer.serve, state)
    address = f"http://127.0.0.1:{port_of(server)}"
    try:
        with httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
            yield client
    finally:
        server.kill()
        server.close()


@pytest.fixture
def installed(settings: Settings, apps: Path) -> Iterator[Firebrick]:
    with open_firebrick(settings) as firebrick:
        version, _ = firebrick.apps.deploy(apps / "narrow1", name="load")
        cloud_id = firebrick.find_site(None)
        plan = firebrick.apps.plan(version, cloud_id)
        firebrick.apps.install(plan, cloud_id, firebrick.find_person("amy"))
        yield firebrick


@pytest.mark.hostile
def test_a_server_sees_at_once_what_the_command_line_does(installed: Firebrick) -> None:
    firebrick, state = installed, installed.settings.state
    vera = firebrick.find_person("vera")
    token, secret = firebrick.api_tokens.create(vera, "for the server")
    pair = (str(vera.email), secret.get_secret_value())
    with served(state) as client:
        assert client.get("/rest/api/3/myself", auth=pair).status_code == 200
        assert command(state, "token", "revoke", token.id).code == 0
        assert client.get("/rest/api/3/myself", auth=pair).status_code == 401

        bearer = {"Authorization": f"Bearer {app_token(firebrick).get_secret_value()}"}
        path = f"/ex/jira/{firebrick.find_site(None)}/rest/api/3/myself"
        assert client.get(path, headers=bearer).status_code == 200
        assert command(state, "uninstall", "--app", "load").code == 0
        assert client.get(path, headers=bearer).status_code == 401


@pytest.mark.hostile
def test_a_server_sees_at_once_who_lost_a_role(installed: Firebrick) -> None:
    firebrick = installed
    credentials = {}
    for handle in ("paul", "vera"):
        person = firebrick.find_person(handle)
        _, secret = firebrick.api_tokens.create(person, "for the server")
        credentials[handle] = (str(person.email), secret.get_secret_value())
    ask = in_process(firebrick, *credentials["paul"])
    roles = ask("GET", "/rest/api/3/project/TEAM/role", None)[1]
    role = roles["Viewers"].partition("/rest/")[2]
    vera = firebrick.find_person("vera").account_id
    with served(firebrick.settings.state) as client:

        def seen() -> int:
            return client.get("/rest/api/3/issue/TEAM-1", auth=credentials["vera"]).status_code

        assert seen() == 200
        assert ask("PUT", f"/rest/{role}", {"categorisedActors": {}})[0] == 200
        assert seen() == 404
        actors = {"categorisedActors": {"atlassian-user-role-actor": [vera]}}
        assert ask("PUT", f"/rest/{role}", actors)[0] == 200
        assert seen() == 200


@pytest.mark.hostile
def test_a_state_in_use_is_not_reset(installed: Firebrick) -> None:
    state = installed.settings.state
    installed.close()
    with served(state) as client:
        said = command(state, "reset", "--yes")
        assert said.code == 1
        assert said.err.startswith("Error STATE_IN_USE")
        assert client.get("/rest/api/3/serverInfo").status_code == 200
    assert "load" in command(state, "apps").out
    assert command(state, "reset", "--yes").code == 0
    assert "No app is deployed" in command(state, "apps").out


def app_token(firebrick: Firebrick) -> SecretStr:
    """Mint an access token of the installed app, as the gateway does."""
    (installation,) = firebrick.installations.list_active()
    return firebrick.broker.access_token(
        TokenGrant(
            installation_id=installation.id,
            app_id=installation.app_id,
            cloud_id=installation.cloud_id,
            account_id=installation.app_account_id,
            scopes=installation.granted,
        )
    )
