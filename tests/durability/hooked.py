"""A state in which an administrator listens, and a process that changes an issue and may die."""

from multiprocessing.connection import Connection

from runtime.jira.admin_webhooks import AdminWebhook
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from tests.durability.load import in_process
from tests.durability.writer import die_at_step

UPDATED = "jira:issue_updated"
SUMMARY = "changed"


def listen_to(firebrick: Firebrick) -> tuple[str, str]:
    """Define a webhook that nobody receives; return e-mail and token of who changes issues."""
    firebrick.webhooks.admin.save(
        AdminWebhook(
            id=0, cloud_id=firebrick.find_site(None), name="q", url="http://127.0.0.1:9/",
            events=(UPDATED,), filters={}, exclude_body=False, enabled=True, sealed=None,
            updated_by=firebrick.find_person("amy").account_id, updated_ms=0,
        )
    )  # fmt: skip
    paul = firebrick.find_person("paul")
    _, secret = firebrick.api_tokens.create(paul, "for the change")
    return str(paul.email), secret.get_secret_value()


def change(settings: Settings, credential: tuple[str, str], die_at: int, mouth: Connection) -> None:
    """Change an issue, say so when it is acknowledged; die at a step."""
    with open_firebrick(settings) as firebrick:
        firebrick.webhooks.deliveries.close()  # nothing is sent meanwhile
        ask = in_process(firebrick, *credential)
        die_at_step(die_at)
        status, _ = ask("PUT", "/rest/api/3/issue/TEAM-1", {"fields": {"summary": SUMMARY}})
        mouth.send(status)
