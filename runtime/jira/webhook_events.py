"""Which operations are events, what is sent of them, and when what was not taken is sent again.

Source:
    Jira documentation, "Webhooks": events, headers, which answers are tried again, and how often.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """What an operation brings about.

    Attributes:
        name: As webhooks name it.
        type_name: The finer name of events of issues; empty for others.
    """

    name: str
    type_name: str = ""

    @property
    def is_deletion(self) -> bool:
        """Return whether what is told of will not be there any more."""
        return self.name in ("jira:issue_deleted", "comment_deleted")


EVENTS: Mapping[str, Event] = {
    "createIssue": Event("jira:issue_created", "issue_created"),
    "createIssues": Event("jira:issue_created", "issue_created"),
    "editIssue": Event("jira:issue_updated", "issue_updated"),
    "assignIssue": Event("jira:issue_updated", "issue_assigned"),
    "doTransition": Event("jira:issue_updated", "issue_generic"),
    "deleteIssue": Event("jira:issue_deleted", "issue_deleted"),
    "addComment": Event("comment_created"),
    "updateComment": Event("comment_updated"),
    "deleteComment": Event("comment_deleted"),
    "setIssueProperty": Event("issue_property_set"),
    "deleteIssueProperty": Event("issue_property_deleted"),
}
"""Event by the key of the operation that brings it about."""
EVENT_NAMES = tuple(dict.fromkeys(event.name for event in EVENTS.values()))

RETRIED = frozenset({408, 409, 425, 429}) | frozenset(range(500, 600))
MAX_RETRIES = 5
RETRY_AFTER_S = (300.0, 900.0)


def delivery_headers(identifier: str, retry: int) -> tuple[tuple[str, str], ...]:
    """Return the headers that every webhook has; `retry` is 0 for the first attempt."""
    repeated = (("X-Atlassian-Webhook-Retry", str(retry)),) if retry else ()
    return (
        ("X-Atlassian-Webhook-Identifier", identifier),
        ("X-Atlassian-Webhook-Flow", "Primary"),
        *repeated,
    )
