"""What is on its way, on the command line."""

import json
from pathlib import Path

from runtime.jira.admin_webhooks import AdminWebhook
from runtime.jira.webhook_queue import Delivery
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.cli.conftest import Firebrick

UPDATED = "jira:issue_updated"
URL = "http://127.0.0.1:1/hook?jwt=abcdef"


def fill(folder: Path, *, tried: bool) -> None:
    """Leave a webhook that nobody takes: it waits, or it was refused."""
    with open_firebrick(Settings(state=folder / "state")) as firebrick:
        cloud_id, now_s = firebrick.find_site(None), firebrick.world_clock.now_s()
        hook = firebrick.webhooks.admin.save(
            AdminWebhook(
                id=0, cloud_id=cloud_id, name="Mine", url=URL, events=(UPDATED,), filters={},
                exclude_body=False, enabled=True, sealed=None,
                updated_by=firebrick.find_person("amy").account_id, updated_ms=0,
            )
        )  # fmt: skip
        deliveries = firebrick.webhooks.deliveries
        deliveries.queue.add([
            Delivery(
                identifier=firebrick.ids.uuid(), kind="admin", model="basic", cloud_id=cloud_id,
                app_id=str(hook.id), tenure="", actor_id=None, event=UPDATED,
                url="http://10.0.0.1/hook?jwt=abcdef" if tried else URL, body="{}",
                created_s=now_s, due_s=now_s if tried else now_s + 900,
            )
        ])  # fmt: skip
        if tried:
            deliveries.run_due()


def test_what_waits_is_listed_without_secrets(firebrick: Firebrick, tmp_path: Path) -> None:
    assert firebrick("webhook", "list").out == "No webhook is on its way.\n"
    assert firebrick("webhook", "registered").out.startswith("No webhook is registered.")
    fill(tmp_path, tried=False)
    said = firebrick("webhook", "list")
    assert (said.code, "abcdef" in said.out) == (0, False)
    assert UPDATED in said.out
    assert firebrick("webhook", "list", "--failed").out == "No webhook was given up.\n"
    (row,) = json.loads(firebrick("webhook", "list", "--format", "json").out)
    assert (row["state"], row["retries"], row["givenUp"]) == ("waiting", 0, None)
    assert row["receiver"].startswith("administrator's ")
    (kept,) = json.loads(firebrick("webhook", "registered", "--format", "json").out)
    assert (kept["by"], kept["as"]) == ("administrator (Mine)", "amy")
    assert "amy" in firebrick("webhook", "registered").out


def test_what_was_given_up_says_why(firebrick: Firebrick, tmp_path: Path) -> None:
    fill(tmp_path, tried=True)
    said = firebrick("webhook", "list", "--failed")
    assert "FIREBRICK_CONNECT_ALLOW_HOSTS" in said.out
    (row,) = json.loads(firebrick("webhook", "list", "--failed", "--format", "json").out)
    assert (row["state"], row["due"]) == ("refused", None)
    assert firebrick("webhook", "list").out == "No webhook is on its way.\n"
