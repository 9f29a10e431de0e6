"""Webhooks of a descriptor: which event an operation is, and what is sent to the app.

Source:
    Connect documentation, "Webhook" module; Jira documentation, "Webhooks": events, headers, which
    answers are tried again, and how often.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from runtime.identity.connect import qsh
from runtime.identity.connect.descriptor import Descriptor, Module
from runtime.identity.connect.installations import ConnectInstallation
from runtime.identity.connect.lifecycle import TOKEN_LIFETIME_S
from runtime.identity.connect.webtokens import mint_symmetric

EVENTS: Mapping[str, str] = {
    "createIssue": "jira:issue_created",
    "editIssue": "jira:issue_updated",
    "assignIssue": "jira:issue_updated",
    "doTransition": "jira:issue_updated",
    "deleteIssue": "jira:issue_deleted",
    "addComment": "comment_created",
    "updateComment": "comment_updated",
    "deleteComment": "comment_deleted",
    "setIssueProperty": "issue_property_set",
    "deleteIssueProperty": "issue_property_deleted",
}
"""Event by the key of the operation that brings it about."""
RETRIED = frozenset({408, 409, 425, 429}) | frozenset(range(500, 600))
MAX_RETRIES = 5
RETRY_AFTER_S = (300.0, 900.0)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One message to one app.

    Attributes:
        app: To whom.
        url: Where to, with who brought the event about.
        body: JSON.
        identifier: The same in every attempt.
        authorization: Makes the header's value, fresh for each attempt.
    """

    app: ConnectInstallation
    url: str
    body: bytes
    identifier: str
    authorization: Callable[[float], str]

    def headers(self, retry: int) -> tuple[tuple[str, str], ...]:
        """Return the headers of an attempt; `retry` is 0 for the first."""
        repeated = (("X-Atlassian-Webhook-Retry", str(retry)),) if retry else ()
        return (
            ("X-Atlassian-Webhook-Identifier", self.identifier),
            ("X-Atlassian-Webhook-Flow", "Primary"),
            *repeated,
        )


def listening(descriptor: Descriptor, event: str) -> tuple[Module, ...]:
    """Return the webhooks of a descriptor for an event."""
    return tuple(
        module
        for module in descriptor.modules_of("webhooks")
        if module.fields.get("event") == event
    )


def webhook(
    app: ConnectInstallation,
    module: Module,
    *,
    client_key: str,
    account_id: str | None,
    payload: Mapping[str, object],
    identifier: str,
) -> Webhook:
    """Return the message of an event to one webhook of an app."""
    path, _, query = module.url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if account_id is not None:
        pairs.append(("user_id", account_id))
    claims: dict[str, object] = {
        "iss": client_key,
        "qsh": qsh.query_hash("POST", path, pairs),
        **({} if account_id is None else {"sub": account_id}),
    }

    def authorization(now_s: float) -> str:
        times = {"iat": int(now_s), "exp": int(now_s) + TOKEN_LIFETIME_S}
        return f"JWT {mint_symmetric(claims | times, app.shared_secret)}"

    suffix = f"?{urlencode(pairs, quote_via=quote)}" if pairs else ""
    return Webhook(
        app,
        f"{app.descriptor.base_url}{path}{suffix}",
        json.dumps(payload).encode(),
        identifier,
        authorization,
    )
