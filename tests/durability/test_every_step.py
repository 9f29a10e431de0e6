"""Each kind of write, killed at each of its steps in turn: it has happened, or it has not."""

import shutil
from itertools import count
from pathlib import Path
from random import Random

import pytest

from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from tests.durability import writer
from tests.durability.checker import look_around
from tests.durability.ledger import Ledger
from tests.durability.load import AppLoad, Diary, IssueLoad, in_process
from tests.durability.processes import Running

ISSUE_STEPS = ("create", "edit", "move", "comment", "drop_comment", "set_property", "delete")


class Prepared:
    """A state to copy, with everything in it that a step may need."""

    def __init__(self, settings: Settings, apps: Path) -> None:
        self.settings = settings
        self.apps = apps
        self.ledger = Ledger()
        with open_firebrick(settings) as firebrick:
            paul = firebrick.find_person("paul")
            _, secret = firebrick.api_tokens.create(paul, "for the load")
            self.credential = (str(paul.email), secret.get_secret_value())
            self._fill(firebrick)

    def _fill(self, firebrick: Firebrick) -> None:
        diary = Diary(self.ledger.note, self.ledger.states)
        issues = IssueLoad(in_process(firebrick, *self.credential), diary, Random(1), "direct")
        issues.create()
        for step in (issues.edit, issues.comment, issues.comment, issues.set_property):
            step("direct1", diary.states["direct1"])
        app = AppLoad(firebrick, self.apps, diary, Random(1))
        app.deploy(NOTHING, "narrow1")
        app.install(diary.states["app"])
        app.invoke(diary.states["app"])

    def copy(self, folder: Path) -> Settings:
        """Return the settings of a copy."""
        shutil.copytree(self.settings.state, folder)
        return Settings(state=folder, cache=self.settings.cache)


NOTHING = {"versions": 0, "wide": False, "on": None}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, cache: Path, apps: Path) -> Prepared:
    return Prepared(Settings(state=tmp_path_factory.mktemp("prepared"), cache=cache), apps)


@pytest.mark.hostile
@pytest.mark.parametrize(
    "steps",
    [
        *((step,) for step in ISSUE_STEPS),
        ("invoke",),
        ("deploy narrow2",),
        ("deploy wide",),
        ("deploy wide", "install"),
        ("uninstall",),
        ("uninstall", "install"),
        ("token",),
    ],
    ids=", ".join,
)
def test_a_write_killed_at_any_step_has_happened_or_has_not(
    tmp_path: Path, prepared: Prepared, steps: tuple[str, ...]
) -> None:
    *before, last = steps
    start = prepared.copy(tmp_path / "start")
    ledger = Ledger(prepared.ledger.states)
    for step in before:
        assert run(prepared, start, ledger, step, 0) == 0
    for die_at in count(1):
        settings = Settings(state=tmp_path / str(die_at), cache=start.cache)
        shutil.copytree(start.state, settings.state)
        after = Ledger(ledger.states)
        code = run(prepared, settings, after, last, die_at)
        with open_firebrick(settings) as firebrick:
            said = look_around(firebrick, after.asked())
        assert said["wrong"] == [], die_at
        after.settle(said["found"])
        shutil.rmtree(settings.state)
        if code == 0:
            assert die_at > 2, "it wrote nothing"
            break
        assert code == -9


def run(
    prepared: Prepared, settings: Settings, ledger: Ledger, step: str, die_at: int
) -> int | None:
    """Do a step in a process of its own and return its exit code."""
    running = Running(
        writer.once, settings, prepared.apps, ledger.states, prepared.credential, step, die_at
    )
    while (said := running.hear()) is not None:
        ledger.note(said)
    return running.close()
