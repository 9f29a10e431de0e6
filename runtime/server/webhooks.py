"""Tells Connect apps of what happens: stands around the product and looks at what succeeded.

Differs:
    The platform's own events carry a change log; these do not. An app is told only of issues that
    its own account sees, and needs the scope to read them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from runtime.clock import Clock
from runtime.identity.connect.descriptor import Module
from runtime.identity.connect.installations import ConnectInstallation
from runtime.identity.connect.webhooks import EVENTS, listening, webhook
from runtime.ids import Ids
from runtime.jira.product import Jira
from runtime.policy.operations import OperationTable, Resolved
from runtime.server.connect_parts import ConnectParts
from runtime.server.connect_services import ConnectServices
from runtime.wire import JiraRequest, JiraResponse

DELETED = frozenset({"jira:issue_deleted", "comment_deleted"})
SUCCESSES = range(200, 300)


@dataclass(frozen=True, slots=True)
class _Listener:
    app: ConnectInstallation
    module: Module
    before: dict[str, object]  # what is told of something that will not be there any more


class WebhookFeed:
    """The product, and who listens to it.

    Args:
        product: Answers requests.
        operations: Resolves what a request is.
        parts: Knows the apps.
        services: Sends; asked only when somebody listens.
        clock: Stamps events.
        ids: Names them.
    """

    def __init__(  # noqa: PLR0917  # one call site
        self,
        product: Jira,
        operations: OperationTable,
        parts: ConnectParts,
        services: ConnectServices,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._product = product
        self._operations = operations
        self._parts = parts
        self._services = services
        self._clock = clock
        self._ids = ids

    def handle(self, request: JiraRequest) -> JiraResponse:
        """Answer one request, and tell of it if it changed what somebody listens to."""
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return self._product.handle(request)
        resolved = self._operations.resolve(request.method, request.path)
        event = EVENTS.get(resolved.operation.key) if resolved.operation is not None else None
        if event is None:
            return self._product.handle(request)
        listeners = self._listeners(request.cloud_id, event, resolved)
        answer = self._product.handle(request)
        if answer.status in SUCCESSES:
            for listener in listeners:
                self._tell(listener, event, resolved, answer)
        return answer

    def _listeners(self, cloud_id: str, event: str, resolved: Resolved) -> list[_Listener]:
        return [
            _Listener(app, module, self._look(app, resolved.params) if event in DELETED else {})
            for app in self._parts.installations.list(cloud_id)
            if app.state == "enabled"
            for module in listening(app.descriptor, event)
        ]

    def _tell(
        self, listener: _Listener, event: str, resolved: Resolved, answer: JiraResponse
    ) -> None:
        app = listener.app
        params = dict(resolved.params)
        made = _object(answer.body)
        if event == "jira:issue_created":
            params["issueIdOrKey"] = str(made.get("id"))
        elif event == "comment_created":
            params["id"] = str(made.get("id"))
        facts = listener.before or self._look(app, params)
        if not facts:
            return
        payload = {
            "timestamp": int(self._clock.now_s() * 1000),
            "webhookEvent": event,
            **({"user": {"accountId": answer.account_id}} if answer.account_id else {}),
            **facts,
        }
        if event.startswith("issue_property"):
            payload["property"] = {"key": params.get("propertyKey")}
        self._services.deliveries.add(
            webhook(
                app,
                listener.module,
                client_key=self._parts.site_keys.keys(app.cloud_id).client_key,
                account_id=answer.account_id,
                payload=payload,
                identifier=self._ids.uuid(),
            )
        )

    def _look(self, app: ConnectInstallation, params: Mapping[str, str]) -> dict[str, object]:
        """Return issue and comment as the app itself sees them; nothing if it does not."""
        issue_key, comment_id = quote(params["issueIdOrKey"], safe=""), params.get("id")
        issue = self._read(app, f"/rest/api/2/issue/{issue_key}")
        if not issue:
            return {}
        if comment_id is None:
            return {"issue": issue}
        comment = self._read(app, f"/rest/api/2/issue/{issue_key}/comment/{comment_id}")
        return {"issue": issue, "comment": comment} if comment else {}

    def _read(self, app: ConnectInstallation, path: str) -> dict[str, object]:
        token = self._parts.user_tokens.mint(app, app.account_id, app.scopes, in_page=True)
        answer = self._product.handle(
            JiraRequest(
                "GET",
                path,
                headers={"authorization": f"Bearer {token.get_secret_value()}"},
                cloud_id=app.cloud_id,
                base_url=app.host_url,
            )
        )
        return _object(answer.body) if answer.status in SUCCESSES else {}


def _object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
