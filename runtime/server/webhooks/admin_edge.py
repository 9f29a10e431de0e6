"""Webhooks that administrators define over HTTP, with a secret if they want what is sent signed.

Source:
    Jira documentation, "Webhooks": ``/rest/webhooks/1.0/webhook``, "Secure admin webhooks".

Differs:
    Only the events that are emulated can be named. Errors have the shape of the REST API. A body
    without ``secret`` leaves the secret as it is; ``null`` or an empty one removes it.
"""

from collections.abc import Callable
from dataclasses import replace

from pydantic import SecretStr

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.errors import CredentialError, JiraError
from runtime.identity.accounts import Account
from runtime.identity.principal import Principal
from runtime.jira.admin_webhooks import ISSUE_FILTER, AdminWebhook, AdminWebhooks
from runtime.jira.beans import Bean
from runtime.jira.context import BAD_PAYLOAD
from runtime.jira.failures import HIDDEN, UnreadableBodyError, admin_required
from runtime.jira.payload import Payload, as_text
from runtime.jira.responses import (
    created,
    credential_answer,
    error_response,
    json_response,
    login_denied,
    login_reason,
    must_authenticate,
    no_content,
)
from runtime.jira.webhook_events import EVENT_NAMES
from runtime.jira.webhook_matching import WebhookMatcher
from runtime.jira.webhooks import is_webhook_url
from runtime.jira.xsrf import XsrfMode, xsrf_refusal
from runtime.server.webhooks.reader import json_object
from runtime.wire import JiraRequest, JiraResponse

ROOT = "/rest/webhooks/1.0/webhook"
MAX_NAME = 255  # characters, as the column has them
MAX_DIGITS = 18  # of a number of 64 bits
DELETED = "The webhook does not exist."

Authenticate = Callable[[JiraRequest], Principal]
FindAccount = Callable[[str], Account | None]
IsAdmin = Callable[[str, Account], bool]


class AdminWebhookEdge:
    """Serves the webhooks of administrators.

    Args:
        store: Keeps them.
        matcher: Checks their filters.
        authenticate: Says who asks.
        find_account: Returns an account by its id.
        is_admin: Whether an account administers a site.
        xsrf: How strictly requests of browsers are looked at.
        audit: Gets one record for each request.
        clock: The world's clock.
    """

    def __init__(
        self,
        *,
        store: AdminWebhooks,
        matcher: WebhookMatcher,
        authenticate: Authenticate,
        find_account: FindAccount,
        is_admin: IsAdmin,
        xsrf: XsrfMode,
        audit: AuditTrail,
        clock: Clock,
    ) -> None:
        self._store = store
        self._matcher = matcher
        self._authenticate = authenticate
        self._find_account = find_account
        self._is_admin = is_admin
        self._xsrf: XsrfMode = xsrf
        self._audit = audit
        self._clock = clock

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a request for webhooks of administrators; None for any other path."""
        if request.path != ROOT and not request.path.startswith(f"{ROOT}/"):
            return None
        answer = self._answer(request)
        self._audit.append(
            AuditRecord(
                kind="http",
                allowed=answer.rule.startswith("allowed"),
                rule=answer.rule,
                model="anonymous" if answer.account_id is None else "basic",
                cloud_id=request.cloud_id,
                account_id=answer.account_id,
                method=request.method[:16],
                path=request.path[:2048],
                status=answer.status,
            )
        )
        return answer

    def _answer(self, request: JiraRequest) -> JiraResponse:
        forged = xsrf_refusal(request, None, self._xsrf)
        if forged is not None:
            return forged
        try:
            who = self._authenticate(request)
        except CredentialError:
            return must_authenticate(request)
        except JiraError as error:
            return credential_answer(error, request)
        if who.login_denied:
            return login_denied()
        account = None if who.account_id is None else self._find_account(who.account_id)
        if who.model != "basic" or account is None or not account.active:
            failed = who.login_failed or who.model == "basic"
            answer = must_authenticate(request)
            reason = login_reason(failed=failed, denied=False)
            return replace(answer, headers=(*answer.headers, *reason))
        try:
            if not self._is_admin(request.cloud_id, account):
                raise admin_required()
            answer = self._serve(request, account)
        except JiraError as error:
            answer = error_response(error, request)
        return replace(answer, account_id=account.account_id)

    def _serve(self, request: JiraRequest, admin: Account) -> JiraResponse:
        if request.path == ROOT:
            if request.method in ("GET", "HEAD"):
                hooks = self._store.list(request.cloud_id)
                return json_response([self._bean(request, one) for one in hooks])
            if request.method == "POST":
                return created(self._bean(request, self._create(request, admin)))
            raise JiraError(405, "This method is not supported.", rule="operation.method")
        hook = self._get(request, request.path.removeprefix(f"{ROOT}/"))
        if request.method in ("GET", "HEAD"):
            return json_response(self._bean(request, hook))
        if request.method == "PUT":
            changed = self._changed(request, hook, admin)
            return json_response(self._bean(request, self._store.save(changed)))
        if request.method == "DELETE":
            self._store.remove(request.cloud_id, hook.id)
            return no_content()
        raise JiraError(405, "This method is not supported.", rule="operation.method")

    def _get(self, request: JiraRequest, number: str) -> AdminWebhook:
        found = None
        if number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS:
            found = self._store.find(request.cloud_id, int(number))
        if found is None:
            raise JiraError(404, DELETED, rule=HIDDEN)
        return found

    def _create(self, request: JiraRequest, admin: Account) -> AdminWebhook:
        blank = AdminWebhook(
            id=0,
            cloud_id=request.cloud_id,
            name="",
            url="",
            events=(),
            filters={},
            exclude_body=False,
            enabled=True,
            sealed=None,
            updated_by=admin.account_id,
            updated_ms=0,
        )
        return self._store.save(self._changed(request, blank, admin))

    def _changed(self, request: JiraRequest, hook: AdminWebhook, admin: Account) -> AdminWebhook:
        """Return a webhook with what a request says of it.

        Raises:
            JiraError: 400 with what is wrong.
        """
        members = json_object(request.body)
        body = Payload(members)  # type: ignore[arg-type]  # parsed JSON
        after = replace(
            hook,
            name=(body.text("name") or hook.name).strip(),
            url=body.text("url") or hook.url,
            events=tuple(dict.fromkeys(body.texts("events"))) if "events" in body else hook.events,
            filters=_filters(body) if "filters" in body else hook.filters,
            exclude_body=_flag(members, "excludeBody", default=hook.exclude_body),
            enabled=_flag(members, "enabled", default=hook.enabled),
            updated_by=admin.account_id,
            updated_ms=int(self._clock.now_s() * 1000),
        )
        if "secret" in members:
            secret = body.text("secret")
            after = replace(after, sealed=self._store.seal(SecretStr(secret)) if secret else None)
        self._check(after)
        return after

    def _check(self, hook: AdminWebhook) -> None:
        problems: list[str] = []
        if not 0 < len(hook.name) <= MAX_NAME:
            problems.append(f"The name must have between 1 and {MAX_NAME} characters.")
        if not is_webhook_url(hook.url):
            problems.append("The URL is not valid.")
        if not hook.events:
            problems.append("At least one event must be given.")
        problems += [
            f"The event {event} is unsupported" for event in hook.events if event not in EVENT_NAMES
        ]
        jql = hook.filters.get(ISSUE_FILTER)
        if jql:
            problems += self._matcher.problems(hook.cloud_id, jql)
        if problems:
            raise JiraError(400, *problems)

    def _bean(self, request: JiraRequest, hook: AdminWebhook) -> Bean:
        admin = self._find_account(hook.updated_by)
        return {
            "name": hook.name,
            "url": hook.url,
            "excludeBody": hook.exclude_body,
            "filters": dict(hook.filters),
            "events": list(hook.events),
            "enabled": hook.enabled,
            "isSigned": hook.sealed is not None,
            "self": f"{request.base_url}{ROOT}/{hook.id}",
            "lastUpdatedUser": hook.updated_by,
            "lastUpdatedDisplayName": hook.updated_by if admin is None else admin.display_name,
            "lastUpdated": hook.updated_ms,
        }


def _filters(body: Payload) -> dict[str, str]:
    value = body.value("filters")
    if not isinstance(value, dict):
        raise UnreadableBodyError(BAD_PAYLOAD)
    return {name: as_text(text) for name, text in value.items() if text is not None}


def _flag(members: dict[str, object], name: str, *, default: bool) -> bool:
    value = members.get(name, default)
    if not isinstance(value, bool):
        raise UnreadableBodyError(BAD_PAYLOAD)
    return value
