"""The queue of webhooks: what was not taken outlives the process, and nobody sends it twice."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from runtime.jira.admin_webhooks import AdminWebhook
from runtime.jira.webhook_queue import CLAIM_S, Delivery
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from tests.flows.serving import served
from tests.flows.webhook_app import Receiver, receiving
from tests.flows.webhook_place import hook_place

UPDATED = "jira:issue_updated"


def opened(folder: Path, clock: ManualClock) -> Firebrick:
    return open_firebrick(Settings(state=folder / "state", cache=folder / "cache"), clock=clock)


def define(firebrick: Firebrick, url: str) -> str:
    """Define an administrator's webhook and return its number."""
    hook = AdminWebhook(
        id=0, cloud_id=firebrick.find_site(None), name="q", url=url, events=(UPDATED,), filters={},
        exclude_body=False, enabled=True, sealed=None,
        updated_by=firebrick.find_person("amy").account_id, updated_ms=0,
    )  # fmt: skip
    return str(firebrick.webhooks.admin.save(hook).id)


def deliveries(firebrick: Firebrick, number: str, url: str, count: int) -> list[Delivery]:
    now_s = firebrick.world_clock.now_s()
    return [
        Delivery(
            identifier=firebrick.ids.uuid(), kind="admin", model="basic",
            cloud_id=firebrick.find_site(None), app_id=number, tenure="", actor_id=None,
            event=UPDATED, url=url, body=json.dumps({"n": n}), created_s=now_s, due_s=now_s,
        )
        for n in range(count)
    ]  # fmt: skip


def told(receiver: Receiver) -> list[int]:
    return [json.loads(body)["n"] for _, _, body in receiver.got]


def test_what_waits_goes_on_after_a_restart(tmp_path: Path) -> None:
    with hook_place(tmp_path) as place:
        place.receiver.answers = [503]
        headers = place.log_in()
        number = place.number(headers, "project = TEAM", UPDATED)
        with place.script("paul") as paul:
            paul.put("/rest/api/2/issue/TEAM-1", json={"fields": {"summary": "kept"}})
        before = place.waiting(1)
        clock, receiver_url = place.clock, place.receiver.url
        place.firebrick.close()
        assert len(place.receiver.got) == 1
        clock.advance(900)
        with opened(tmp_path, clock) as again, served(again):
            (_, first, _), (_, second, body) = place.receiver.wait(2)
    assert json.loads(body)["matchedWebhookIds"] == [number]
    identifier = "x-atlassian-webhook-identifier"
    assert first[identifier] == second[identifier] == before.identifier
    assert second["x-atlassian-webhook-retry"] == "1"
    assert before.url.startswith(receiver_url)


def test_what_was_never_tried_is_sent_by_the_next_server(tmp_path: Path) -> None:
    clock = ManualClock()
    with receiving() as receiver:
        with opened(tmp_path, clock) as first:
            number = define(first, receiver.url)
            first.webhooks.deliveries.queue.add(deliveries(first, number, receiver.url, 3))
        assert receiver.got == []
        with opened(tmp_path, clock) as second, served(second):
            receiver.wait(3)
        assert told(receiver) == [0, 1, 2]


def test_processes_on_one_state_send_each_delivery_once_and_in_order(tmp_path: Path) -> None:
    clock, count = ManualClock(), 10
    with (
        receiving() as receiver,
        opened(tmp_path, clock) as first,
        opened(tmp_path, clock) as second,
    ):
        numbers = [define(first, receiver.url) for _ in range(4)]
        mixed = zip(
            *(deliveries(first, one, f"{receiver.url}/{one}", count) for one in numbers),
            strict=True,
        )
        queue = first.webhooks.deliveries.queue
        queue.add([one for some in mixed for one in some])
        workers = [
            threading.Thread(target=one.webhooks.deliveries.run_due)
            for one in (first, second, first, second)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert queue.count() == 0
    for number in numbers:
        mine = [json.loads(body)["n"] for path, _, body in receiver.got if path == f"/{number}"]
        assert mine == list(range(count))


def test_a_receiver_that_hangs_delays_itself_alone(tmp_path: Path) -> None:
    with receiving() as slow, receiving() as quick, opened(tmp_path, ManualClock()) as firebrick:
        sender = firebrick.webhooks.deliveries
        numbers = [define(firebrick, one.url) for one in (slow, quick)]
        slow.hold.clear()
        sender.add(deliveries(firebrick, numbers[0], slow.url, 2))
        slow.wait(1)
        sender.add(deliveries(firebrick, numbers[1], quick.url, 2))
        quick.wait(2)
        assert (len(slow.got), sender.queue.claim()) == (1, None)
        slow.hold.set()
        slow.wait(2)
        assert told(slow) == [0, 1]


CRASH = """
import json, os, signal, sys
from pathlib import Path
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings

folder = Path(sys.argv[1])
firebrick = open_firebrick(Settings(state=folder / "state", cache=folder / "cache"))
one = firebrick.webhooks.deliveries.queue.claim()
print(one.identifier, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_was_sending_is_sent_again_as_a_retry(tmp_path: Path) -> None:
    with receiving() as receiver:
        clock = ManualClock(1_000_000_000.0)
        with opened(tmp_path, clock) as firebrick:
            number = define(firebrick, receiver.url)
            firebrick.webhooks.deliveries.queue.add(deliveries(firebrick, number, receiver.url, 1))
        killed = subprocess.run(
            [sys.executable, "-c", CRASH, str(tmp_path)],
            stdout=subprocess.PIPE, text=True, check=False, env=os.environ,
        )  # fmt: skip
        assert killed.returncode == -signal.SIGKILL
        later = ManualClock(time.time())
        with opened(tmp_path, later) as firebrick:
            sender = firebrick.webhooks.deliveries
            assert sender.run_due() == 0, "the claim of the dead still holds"
            later.advance(2 * CLAIM_S)
            assert sender.run_due() == 1
        ((_, headers, _),) = receiver.got
        assert headers["x-atlassian-webhook-identifier"] == killed.stdout.strip()
        assert headers["x-atlassian-webhook-retry"] == "1"


def test_a_delivery_whose_attempts_all_broke_off_is_given_up(tmp_path: Path) -> None:
    clock = ManualClock()
    with receiving() as receiver, opened(tmp_path, clock) as firebrick:
        number = define(firebrick, receiver.url)
        sender = firebrick.webhooks.deliveries
        sender.queue.add(deliveries(firebrick, number, receiver.url, 1))
        for _ in range(6):
            assert sender.queue.claim() is not None
            assert sender.queue.claim() is None
            clock.advance(CLAIM_S)
        assert sender.run_due() == 1
        (kept,) = sender.queue.list(failed=True)
        assert (kept.state, kept.failure) == ("failed", "every attempt was broken off")
        assert receiver.got == []


def test_whoever_lost_a_claim_changes_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    with opened(tmp_path, clock) as firebrick:
        number = define(firebrick, "http://127.0.0.1:1/")
        queue = firebrick.webhooks.deliveries.queue
        queue.add(deliveries(firebrick, number, "http://127.0.0.1:1/", 1))
        slow = queue.claim()
        clock.advance(CLAIM_S)
        quick = queue.claim()
        assert slow is not None
        assert quick is not None
        with firebrick.engine.begin() as connection:
            assert not queue.done(connection, slow)
            queue.end(connection, slow, "failed")
            queue.again(connection, slow, 0.0)
        (kept,) = queue.list(failed=False)
        assert (kept.claim, kept.retries) == (quick.claim, 1)


def test_failures_are_forgotten_after_three_days(tmp_path: Path) -> None:
    clock = ManualClock()
    with opened(tmp_path, clock) as firebrick:
        sender = firebrick.webhooks.deliveries
        number = define(firebrick, "http://10.1.2.3/")
        for age_s in (0, 71 * 3600, 3600):
            clock.advance(age_s)
            sender.queue.add(deliveries(firebrick, number, "http://10.1.2.3/", 1))
            sender.run_due()
        assert len(sender.queue.list(failed=True)) == 2


def test_trouble_with_the_state_stops_no_sender(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    with receiving() as receiver, opened(tmp_path, clock) as firebrick:
        number = define(firebrick, receiver.url)
        sender = firebrick.webhooks.deliveries
        with firebrick.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE webhook_delivery RENAME TO away")
        sender.start()
        for _ in range(600):
            if "failed inside the host" in caplog.text:
                break
            threading.Event().wait(0.05)
        with firebrick.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE away RENAME TO webhook_delivery")
        sender.add(deliveries(firebrick, number, receiver.url, 1))
        receiver.wait(1)
    assert "failed inside the host" in caplog.text
