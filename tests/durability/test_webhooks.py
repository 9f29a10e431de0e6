"""A change that was acknowledged has its webhook, wherever the process was killed."""

import shutil
from itertools import count
from pathlib import Path

import pytest

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.durability.hooked import SUMMARY, UPDATED, change, listen_to
from tests.durability.load import in_process
from tests.durability.processes import Running


@pytest.mark.hostile
def test_an_acknowledged_change_has_its_webhook_at_every_step(tmp_path: Path, cache: Path) -> None:
    start = Settings(state=tmp_path / "start", cache=cache)
    with open_firebrick(start) as firebrick:
        credential = listen_to(firebrick)
    for die_at in count(1):
        settings = Settings(state=tmp_path / str(die_at), cache=cache)
        shutil.copytree(start.state, settings.state)
        running = Running(change, settings, credential, die_at)
        acknowledged = running.hear()
        code = running.close()
        with open_firebrick(settings) as firebrick:
            waiting = firebrick.webhooks.deliveries.queue.list(failed=False)
            ask = in_process(firebrick, *credential)
            _, issue = ask("GET", "/rest/api/3/issue/TEAM-1", None)
        changed = issue["fields"]["summary"] == SUMMARY
        assert len(waiting) <= changed, "no webhook without its change"
        if acknowledged is not None:
            assert (acknowledged, changed) == (204, True)
            assert [one.event for one in waiting] == [UPDATED]
        shutil.rmtree(settings.state)
        if code == 0:
            assert die_at > 4, "it wrote nothing"
            break
