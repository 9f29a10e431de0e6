"""May a receiver still read what a webhook tells: asked by its rights at each attempt."""

from collections.abc import Callable
from functools import cached_property

from runtime.identity.principal import Principal
from runtime.jira.webhook_matching import WebhookMatcher
from runtime.jira.webhook_queue import Delivery
from runtime.server.webhooks.reader import ProductReader

CLOSED = "an administrator blocks the app from the content of the project: app-access.blocked"
UNREADABLE = "who was to be told may not read it any more"


class ReadingRights:
    """Asks the product, as the receiver, for what a webhook is about.

    Args:
        reader: Makes what reads the product as somebody; asked only when there is a webhook.
        matcher: Reads the product as the site itself.
    """

    def __init__(self, reader: Callable[[], ProductReader], matcher: WebhookMatcher) -> None:
        self._make_reader = reader
        self._matcher = matcher

    @cached_property
    def _reader(self) -> ProductReader:
        return self._make_reader()

    def why_not(self, delivery: Delivery, who: Principal) -> str:
        """Return why a receiver may not be told any more; nothing if it may.

        An app access rule counts as it stands now, and so do scopes, permissions, levels and the
        visibility of a comment. Of an issue or a comment that is not there any more, the project
        is left to ask for.
        """
        project_id, issue_id = delivery.project_id, delivery.issue_id
        if project_id is None or issue_id is None:  # kept by a Firebrick that did not note them
            return ""
        if self._matcher.is_closed(delivery.cloud_id, who.app_id, project_id):
            return CLOSED
        issue = f"/rest/api/2/issue/{issue_id}"
        paths = [issue]
        if delivery.comment_id is not None:
            paths.append(f"{issue}/comment/{delivery.comment_id}")
        there = [one for one in paths if self._matcher.is_there(delivery.cloud_id, one)]
        asked = there or [f"/rest/api/2/project/{project_id}"]
        if all(self._reader.read(who, delivery.cloud_id, "", one) for one in asked):
            return ""
        return UNREADABLE
