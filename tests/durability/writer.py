"""The processes that are killed: one writes in process, one is ``firebrick serve``."""

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any  # JSON

from sqlalchemy import Engine, event

from runtime.cli.main import app
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.durability.load import AppLoad, Diary, IssueLoad, States, in_process


def write(  # noqa: PLR0917  # the arguments of a process
    settings: Settings,
    apps: Path,
    seed: int,
    states: States,
    credential: tuple[str, str],
    die_at: int,
    mouth: Connection,
) -> None:
    """Write until killed.

    Args:
        settings: The state.
        apps: Variants of the app to deploy.
        seed: Makes the load the same every time.
        states: What is known of the entities.
        credential: E-mail and API token.
        die_at: Die at the so manyth write or commit; 0 to live until killed by another.
        mouth: Where to say what is done.
    """
    random = Random(seed)
    die_at_step(die_at)
    firebrick = open_firebrick(settings)
    diary = Diary(mouth.send, states)
    issues = IssueLoad(in_process(firebrick, *credential), diary, random, "direct")
    running = AppLoad(firebrick, apps, diary, random)
    while True:
        (issues if random.random() < 0.5 else running).step()


def once(  # noqa: PLR0917  # the arguments of a process
    settings: Settings,
    apps: Path,
    states: States,
    credential: tuple[str, str],
    step: str,
    die_at: int,
    mouth: Connection,
) -> None:
    """Do one step of the load, by its name, and die in it.

    Args:
        settings: The state.
        apps: Variants of the app to deploy.
        states: What is known of the entities.
        credential: E-mail and API token.
        step: ``create``, ``deploy narrow2`` and so on.
        die_at: Die at the so manyth write or commit; 0 to live.
        mouth: Where to say what is wanted and done.
    """
    with open_firebrick(settings) as firebrick:
        diary = Diary(mouth.send, states)
        random = Random(1)
        issues = IssueLoad(in_process(firebrick, *credential), diary, random, "direct")
        running = AppLoad(firebrick, apps, diary, random)
        name, *variant = step.split()
        die_at_step(die_at)
        if hasattr(running, name):
            getattr(running, name)(states["app"], *variant)
        elif name == "create":
            issues.create()
        else:
            getattr(issues, name)("direct1", states["direct1"])


def make(settings: Settings, die_at: int, mouth: Connection) -> None:
    """Make a state, and say so if there was time."""
    die_at_step(die_at)
    with open_firebrick(settings) as firebrick:
        mouth.send(firebrick.site_names())


def die_at_step(count: int) -> None:
    """Kill this process before its so manyth write or commit; a step that only reads is none."""
    left = count

    def step(*arguments: Any) -> None:
        nonlocal left
        statement = arguments[2] if len(arguments) > 1 else "COMMIT"
        left -= not statement.startswith(("SELECT", "PRAGMA", "BEGIN"))
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if count:
        event.listen(Engine, "before_cursor_execute", step)
        event.listen(Engine, "commit", step)


def serve(state: Path, mouth: Connection) -> None:
    """Run the command ``serve``; what it prints goes into the connection, as it is."""
    os.dup2(mouth.fileno(), 1)
    app(["serve", "--port", "0", "--state", str(state)], standalone_mode=False)
