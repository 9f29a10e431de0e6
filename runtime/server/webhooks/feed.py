"""Tells who listens of what happens: stands around the product and looks at what succeeded.

Whom there is to tell is looked up before, what there is to tell after the product has answered; a
deletion is looked at before. What is to be sent is in the state database before the request is
answered, so an acknowledged change has its webhooks, whatever becomes of the process.

Differs:
    Deleting an issue with its subtasks is told of the issue alone.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from runtime.clock import Clock
from runtime.errors import JiraError
from runtime.ids import Ids
from runtime.jira.beans import Bean
from runtime.jira.product import Jira
from runtime.jira.webhook_events import EVENTS, Event
from runtime.jira.webhook_matching import WebhookMatcher
from runtime.jira.webhook_queue import Delivery
from runtime.policy.operations import OperationTable, Resolved
from runtime.server.webhooks.audience import Audience, Hook, Listener
from runtime.server.webhooks.deliveries import Deliveries
from runtime.server.webhooks.reader import SUCCESSES, ProductReader, json_object
from runtime.wire import JiraRequest, JiraResponse


@dataclass(frozen=True, slots=True)
class _Told:
    """What one listener is told."""

    listener: Listener
    facts: dict[str, object]
    matched: tuple[int, ...]


class WebhookFeed:
    """The product, and who listens to it.

    Args:
        product: Answers requests.
        operations: Resolves what a request is.
        audience: Knows who listens.
        deliveries: Sends; asked only when somebody listens.
        reader: Makes what reads the product as somebody; asked only then.
        matcher: Evaluates filters.
        clock: The world's clock: stamps events.
        ids: Names them.
    """

    def __init__(  # noqa: PLR0917  # one call site
        self,
        product: Jira,
        operations: OperationTable,
        audience: Audience,
        deliveries: Deliveries,
        reader: Callable[[], ProductReader],
        matcher: WebhookMatcher,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._product = product
        self._operations = operations
        self._audience = audience
        self._deliveries = deliveries
        self._make_reader = reader
        self._matcher = matcher
        self._clock = clock
        self._ids = ids

    @cached_property
    def _reader(self) -> ProductReader:
        return self._make_reader()

    def handle(self, request: JiraRequest) -> JiraResponse:
        """Answer one request, and tell of it if it changed what somebody listens to."""
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return self._product.handle(request)
        resolved = self._operations.resolve(request.method, request.path)
        event = None if resolved.operation is None else EVENTS.get(resolved.operation.key)
        if event is None:
            return self._product.handle(request)
        cloud_id = request.cloud_id
        listeners = self._audience.listeners(cloud_id, event.name)
        if not listeners:
            return self._product.handle(request)
        gone = []
        if event.is_deletion:
            gone = list(self._to_tell(cloud_id, event, listeners, resolved.params, None))
        answer = self._product.handle(request)
        if answer.status in SUCCESSES:
            self._tell(cloud_id, event, resolved, listeners, gone, answer)
        return answer

    def _tell(  # noqa: PLR0917  # one call site
        self,
        cloud_id: str,
        event: Event,
        resolved: Resolved,
        listeners: list[Listener],
        gone: list[_Told],
        answer: JiraResponse,
    ) -> None:
        change = self._matcher.change(answer.changes[0]) if answer.changes else None
        found = gone
        if not event.is_deletion:
            found = [
                told
                for params in _subjects(event, resolved, answer)
                for told in self._to_tell(cloud_id, event, listeners, params, change)
            ]
        self._deliveries.add(
            self._delivery(cloud_id, event, resolved.params, told, answer.account_id, change)
            for told in found
        )

    # --- what there is to tell -------------------------------------------------------------------

    def _to_tell(
        self,
        cloud_id: str,
        event: Event,
        listeners: list[Listener],
        params: Mapping[str, str],
        change: Bean | None,
    ) -> Iterator[_Told]:
        seen: dict[tuple[object, str], dict[str, object]] = {}
        for listener in listeners:
            key = (listener.principal, listener.base_url)
            if key not in seen:
                seen[key] = self._look(cloud_id, listener, params)
            facts = seen[key]
            if not facts:
                continue
            fitting = [
                hook
                for hook in listener.hooks
                if _concerns(hook, event, params, change)
                and self._fits(cloud_id, listener, facts, hook)
            ]
            if fitting:
                numbers = tuple(one.number for one in fitting if one.number is not None)
                yield _Told(listener, facts, numbers)

    def _look(
        self, cloud_id: str, listener: Listener, params: Mapping[str, str]
    ) -> dict[str, object]:
        """Return issue and comment as the listener itself sees them; nothing if it does not."""

        def read(path: str) -> dict[str, object]:
            return self._read(cloud_id, listener, f"/rest/api/2/issue/{path}")

        issue_key, comment_id = quote(params["issueIdOrKey"], safe=""), params.get("id")
        issue = read(issue_key)
        if not issue:
            return {}
        if comment_id is None:
            return {"issue": issue}
        comment = read(f"{issue_key}/comment/{quote(comment_id, safe='')}")
        return {"issue": issue, "comment": comment} if comment else {}

    def _read(self, cloud_id: str, listener: Listener, path: str) -> dict[str, object]:
        if listener.principal is not None:
            return self._reader.read(listener.principal, cloud_id, listener.base_url, path)
        try:
            answer = self._matcher.read(cloud_id, listener.base_url, path)
        except JiraError:
            return {}
        return {} if answer is None else json_object(answer.body)

    def _fits(
        self, cloud_id: str, listener: Listener, facts: dict[str, object], hook: Hook
    ) -> bool:
        issue = facts["issue"]
        if hook.jql is None or not isinstance(issue, dict):
            return hook.jql is None
        return self._matcher.fits(cloud_id, listener.principal, int(issue["id"]), hook.jql)

    # --- how it is told -----------------------------------------------------------------------

    def _delivery(  # noqa: PLR0917  # one call site
        self,
        cloud_id: str,
        event: Event,
        params: Mapping[str, str],
        told: _Told,
        actor_id: str | None,
        change: Bean | None,
    ) -> Delivery:
        listener, now_s = told.listener, self._clock.now_s()
        payload: dict[str, object] = {
            "timestamp": int(now_s * 1000),
            "webhookEvent": event.name,
            **({"issue_event_type_name": event.type_name} if event.type_name else {}),
            **({} if actor_id is None else {"user": {"accountId": actor_id}}),
            **told.facts,
            **({} if change is None else {"changelog": change}),
            **({"matchedWebhookIds": list(told.matched)} if told.matched else {}),
        }
        if event.name.startswith("issue_property"):
            payload["property"] = {"key": params.get("propertyKey")}
        delivery = Delivery(
            identifier=self._ids.uuid(),
            kind=listener.kind,
            model="basic" if listener.principal is None else listener.principal.model,
            cloud_id=cloud_id,
            app_id=listener.app_id,
            tenure=listener.tenure,
            actor_id=actor_id,
            event=event.name,
            url=listener.url(actor_id),
            body="" if listener.excludes_body else json.dumps(payload),
            created_s=now_s,
            due_s=now_s,
            account_id=None if listener.principal is None else listener.principal.account_id,
        )
        return _about(delivery, told.facts)


def _about(delivery: Delivery, facts: dict[str, Any]) -> Delivery:  # Any: beans
    """Note what has to be readable still when it is told."""
    issue, comment = facts["issue"], facts.get("comment")
    return replace(
        delivery,
        issue_id=int(issue["id"]),
        project_id=int(issue["fields"]["project"]["id"]),
        comment_id=None if comment is None else int(comment["id"]),
    )


def _subjects(
    event: Event, resolved: Resolved, answer: JiraResponse
) -> Iterator[Mapping[str, str]]:
    """Return what an event is about: issues or a comment that were made, or what the path names."""
    made = json_object(answer.body)
    if event.name == "jira:issue_created":
        issues = made.get("issues")
        for one in issues if isinstance(issues, list) else [made]:
            yield {"issueIdOrKey": str(one["id"])}
    elif event.name == "comment_created":
        yield {**resolved.params, "id": str(made.get("id"))}
    else:
        yield resolved.params


def _concerns(hook: Hook, event: Event, params: Mapping[str, str], change: Bean | None) -> bool:
    """Return whether a change is one of those that a webhook is for."""
    if event.name == "jira:issue_updated" and hook.field_ids is not None:
        return bool(_changed_fields(change) & set(hook.field_ids))
    if event.name.startswith("issue_property") and hook.property_keys is not None:
        return params.get("propertyKey") in hook.property_keys
    return True


def _changed_fields(change: Bean | None) -> set[object]:
    items = None if change is None else change["items"]
    return {item.get("fieldId") for item in items} if isinstance(items, list) else set()
