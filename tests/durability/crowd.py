"""What several processes do to one state at the same moment."""

import logging
import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Connection as Database

from runtime.clock import Clock
from runtime.errors import InstallationError
from runtime.ids import Ids
from runtime.invocation.invoker import Order
from runtime.jira.world import seed_default_world
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.durability.load import document, in_process

WRITES = 40  # of each process; each takes a few ms, so that they meet all the time


def make(start: Barrier, settings: Settings, mouth: Connection) -> None:
    """Open a state that is not there yet."""
    start.wait()
    with open_firebrick(settings, seed=seed_slowly) as firebrick:
        people = [person.handle for person in firebrick.people()]
        mouth.send((firebrick.site_names(), people))


def seed_slowly(connection: Database, ids: Ids, clock: Clock) -> None:
    """Seed the default world, and leave the others time to come along."""
    time.sleep(0.2)
    seed_default_world(connection, ids, clock)


def write(
    start: Barrier, settings: Settings, me: int, credential: tuple[str, str], mouth: Connection
) -> None:
    """Comment on, label and make issues; say every answer that is not the right one."""
    with open_firebrick(settings) as firebrick:
        ask = in_process(firebrick, *credential)
        issue = "/rest/api/3/issue"
        fields = {"project": {"key": "PUB"}, "issuetype": {"name": "Task"}, "summary": f"by {me}"}
        start.wait()
        wrong = []
        for number in range(WRITES):
            label = {"update": {"labels": [{"add": f"label{me}x{number}"}]}}
            for expected, method, path, body in (
                (201, "POST", f"{issue}/PUB-1/comment", {"body": document(f"{me} {number}")}),
                (204, "PUT", f"{issue}/PUB-1", label),
                (201, "POST", issue, {"fields": fields}),
            ):
                status, answer = ask(method, path, body)
                if status != expected:
                    wrong.append((status, answer))
    mouth.send(wrong)


def deploy(start: Barrier, settings: Settings, app: Path, mouth: Connection) -> None:
    """Deploy the same app as the others; say its number and what was logged."""
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("runtime").addHandler(handler)
    with open_firebrick(settings) as firebrick:
        start.wait()
        version, _ = firebrick.apps.deploy(app, name="load")
    mouth.send((version.version, logged))


def install(start: Barrier, settings: Settings, mouth: Connection) -> None:
    """Install the app that is deployed, at the same moment as others; say what came of it."""
    with open_firebrick(settings) as firebrick:
        cloud_id = firebrick.find_site(None)
        plan = firebrick.apps.plan(firebrick.find_app("load", "development"), cloud_id)
        start.wait()
        try:
            firebrick.apps.install(plan, cloud_id, firebrick.find_person("amy"))
        except InstallationError as error:
            mouth.send(error.code)
        else:
            mouth.send("installed")


def invoke(settings: Settings, mouth: Connection) -> None:
    """Run the installed app; say its result and how many guests were compiled for it."""
    with open_firebrick(settings) as firebrick:
        cloud_id = firebrick.find_site(None)
        version = firebrick.find_app("load", "development")
        installation = firebrick.apps.find_installation(version, cloud_id)
        before = kept(settings)
        result = firebrick.invoker.invoke(
            Order(
                version=version,
                installation=installation,
                function="run",
                account_id=firebrick.find_person("amy").account_id,
                site_url=firebrick.site_url(cloud_id),
            )
        )
        mouth.send((result.value, kept(settings) == before))


def kept(settings: Settings) -> dict[str, int]:
    """Return name and time of each entry of the cache."""
    return {path.name: path.stat().st_mtime_ns for path in settings.cache_folder.glob("*.guest")}


def encrypt(start: Barrier, settings: Settings, me: int, mouth: Connection) -> None:
    """Encrypt something with the key of the state, which is not there yet."""
    with open_firebrick(settings) as firebrick:
        start.wait()
        mouth.send(firebrick.vault.encrypt(SecretStr(f"secret {me}")))
