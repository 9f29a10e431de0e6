"""The operations on dynamic webhooks.

Source:
    Jira Cloud REST API v3, "Webhooks"; Jira documentation, "Webhooks": limits.

Differs:
    Texts are ours, but for those of the documentation. A user of an OAuth app sees and changes the
    webhooks that the app registered for them, not those it registered for others.
"""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from runtime.errors import JiraError
from runtime.identity.app_webhooks import (
    AppWebhook,
    Registrar,
    add_webhook,
    list_webhooks,
    refresh_webhooks,
    remove_expired,
    remove_webhooks,
)
from runtime.identity.connect.installations import find_descriptor
from runtime.identity.oauth.standing import find_grant_id
from runtime.jira.beans import Bean
from runtime.jira.context import Context, operation
from runtime.jira.paging import page_bean
from runtime.jira.payload import Payload
from runtime.jira.responses import Json, json_response
from runtime.jira.store import next_id
from runtime.jira.webhook_events import EVENT_NAMES
from runtime.jira.webhook_filters import filter_problems
from runtime.jira.webhook_queue import KEPT_S, Delivery, list_failed
from runtime.wire import JiraResponse

LIFE_MS = 30 * 86_400_000
MAX_OF_OAUTH_USER = 5
MAX_OF_CONNECT_APP = 100
PAGE = 100
MAX_URL = 2_048  # characters

APPS_ONLY = "Only Connect and OAuth 2.0 apps can use this operation."
CONNECT_ONLY = "Only Connect apps can use this operation."
ONE_URL = "Only a single URL per app is allowed to be registered via REST API."
OTHER_BASE = "The URL of the webhooks must begin with the base URL of the Connect app."
_APP_ONLY = "caller.not-the-app"


@dataclass(frozen=True, slots=True)
class _Caller:
    """The app that asks."""

    registrar: Registrar
    account_id: str
    grant_id: str | None

    @property
    def limit(self) -> int:
        return MAX_OF_CONNECT_APP if self.registrar.model == "connect" else MAX_OF_OAUTH_USER


@operation("getDynamicWebhooksForApp")
def get_webhooks(context: Context) -> JiraResponse:
    """Return a page of the webhooks that the calling app registered."""
    mine = _caller(context).registrar.mine
    hooks = list_webhooks(context.connection, mine, context.now_ms)
    return json_response(page_bean(context, "webhook", hooks, _bean, limit=PAGE, default=PAGE))


@operation("registerDynamicWebhooks")
def register_webhooks(context: Context) -> JiraResponse:
    """Register webhooks, each for itself: one that is wrong does not keep the others out."""
    caller = _caller(context)
    body = Payload(context.json_object())
    url = _url(context, caller, body.text("url"))
    wanted = [Payload(one) for one in body.items("webhooks")]
    if not wanted:
        raise JiraError(400, "At least one webhook must be given.")
    remove_expired(context.connection, context.site.cloud_id, context.now_ms)
    _require_one_url(context, caller, url)
    return json_response(
        {"webhookRegistrationResult": [_register(context, caller, url, one) for one in wanted]}
    )


@operation("deleteWebhookById")
def delete_webhooks(context: Context) -> JiraResponse:
    """Remove webhooks of the calling app; ids of others are ignored."""
    caller = _caller(context)
    remove_webhooks(context.connection, caller.registrar, _ids(context))
    return JiraResponse(202)


@operation("refreshWebhooks")
def refresh(context: Context) -> JiraResponse:
    """Let webhooks of the calling app live for 30 days from now; ids of others are ignored."""
    caller = _caller(context)
    ends_ms = context.now_ms + LIFE_MS
    refresh_webhooks(context.connection, caller.registrar, _ids(context), context.now_ms, ends_ms)
    return json_response({"expirationDate": ends_ms})


@operation("getFailedWebhooks")
def get_failed_webhooks(context: Context) -> JiraResponse:
    """Return what the calling Connect app did not take in 72 hours, after the last retry."""
    registrar = _caller(context, connect_only=True).registrar
    size = max(1, min(context.number("maxResults", PAGE), PAGE))
    after_ms, oldest_s = context.number("after", 0), context.now_ms / 1000 - KEPT_S
    kept = list_failed(context.connection, registrar.cloud_id, registrar.app_id, oldest_s)
    failed = tuple(one for one in kept if _failure_ms(one) > after_ms)
    shown = _whole_times(failed, size)
    answer: Bean = {"values": [_failed_bean(one) for one in shown], "maxResults": size}
    if shown:
        query = urlencode({"after": _failure_ms(shown[-1]), "maxResults": size})
        answer["next"] = context.link(f"webhook/failed?{query}")
    return json_response(answer)


# --- who asks -------------------------------------------------------------------------------------


def _caller(context: Context, *, connect_only: bool = False) -> _Caller:
    """Return the app that asks.

    Raises:
        JiraError: 403 if it is no app that may register webhooks.
    """
    who, account_id = context.principal, context.caller().account_id
    cloud_id = context.site.cloud_id
    if who.model == "connect" and who.app_id is not None:
        return _Caller(Registrar(cloud_id, "connect", who.app_id), account_id, None)
    if who.model == "oauth" and who.app_id is not None and not connect_only:
        grant_id = find_grant_id(context.connection, who.app_id, account_id, cloud_id)
        if grant_id is not None:
            return _Caller(
                Registrar(cloud_id, "oauth", who.app_id, account_id), account_id, grant_id
            )
    raise JiraError(403, CONNECT_ONLY if connect_only else APPS_ONLY, rule=_APP_ONLY)


# --- registering ----------------------------------------------------------------------------------


def _url(context: Context, caller: _Caller, url: str | None) -> str:
    if not url:
        raise JiraError(400, "The URL of the webhooks must be given.")
    if len(url) > MAX_URL or not is_webhook_url(url):
        raise JiraError(400, "The URL of the webhooks is not valid.")
    if caller.registrar.model == "connect":
        found = find_descriptor(context.connection, context.site.cloud_id, caller.registrar.app_id)
        base = "" if found is None else found.base_url.rstrip("/")
        if not base or (url != base and not url.startswith((f"{base}/", f"{base}?"))):
            raise JiraError(400, OTHER_BASE)
    return url


def is_webhook_url(url: str) -> bool:
    """Return whether a text is a URL that webhooks may be sent to, as far as its form goes.

    Where it leads is decided when something is sent: by name and by address.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not set(url) & set(" \\<>\"'{}|^`#")
    return plain and parts.scheme in ("http", "https") and bool(host) and "@" not in parts.netloc


def _require_one_url(context: Context, caller: _Caller, url: str) -> None:
    known = list_webhooks(context.connection, caller.registrar.of_app, context.now_ms)
    if any(one.url != url for one in known):
        raise JiraError(400, ONE_URL)


def _register(context: Context, caller: _Caller, url: str, wanted: Payload) -> Bean:
    events = tuple(dict.fromkeys(wanted.texts("events")))
    jql = wanted.text("jqlFilter")
    fields, keys = _optional(wanted, "fieldIdsFilter"), _optional(wanted, "issuePropertyKeysFilter")
    problems = _event_problems(events)
    problems += filter_problems(context, jql or "")
    count = len(list_webhooks(context.connection, caller.registrar.mine, context.now_ms))
    if count >= caller.limit:
        problems.append(f"The limit of {caller.limit} webhooks is reached.")
    if problems:
        return {"errors": list[Json](problems)}
    number = next_id(context.connection, "app_webhook")
    add_webhook(
        context.connection,
        AppWebhook(
            id=number,
            cloud_id=context.site.cloud_id,
            model=caller.registrar.model,
            app_id=caller.registrar.app_id,
            account_id=caller.account_id,
            grant_id=caller.grant_id,
            url=url,
            jql=jql or "",
            events=events,
            field_ids=fields,
            property_keys=keys,
            expires_ms=context.now_ms + LIFE_MS,
        ),
    )
    return {"createdWebhookId": number}


def _event_problems(events: tuple[str, ...]) -> list[str]:
    if not events:
        return ["At least one event must be given."]
    return [f"The event {event} is unsupported" for event in events if event not in EVENT_NAMES]


def _optional(wanted: Payload, name: str) -> tuple[str, ...] | None:
    return tuple(wanted.texts(name)) if name in wanted else None


def _ids(context: Context) -> list[int]:
    body = Payload(context.json_object())
    if "webhookIds" not in body:
        raise JiraError(400, "The list of webhook IDs must be given.")
    return body.numbers("webhookIds")


# --- showing --------------------------------------------------------------------------------------


def _bean(hook: AppWebhook) -> Bean:
    shown: Bean = {
        "id": hook.id,
        "url": hook.url,
        "jqlFilter": hook.jql,
        "events": list(hook.events),
        "expirationDate": hook.expires_ms,
    }
    if hook.field_ids is not None:
        shown["fieldIdsFilter"] = list(hook.field_ids)
    if hook.property_keys is not None:
        shown["issuePropertyKeysFilter"] = list(hook.property_keys)
    return shown


def _whole_times(failed: tuple[Delivery, ...], size: int) -> tuple[Delivery, ...]:
    """Return a page; failures of one moment are never split between two."""
    end = min(size, len(failed))
    while end < len(failed) and _failure_ms(failed[end]) == _failure_ms(failed[end - 1]):
        end += 1
    return failed[:end]


def _failed_bean(one: Delivery) -> Bean:
    return {
        "id": one.identifier,
        "body": one.body,
        "url": one.url,
        "failureTime": _failure_ms(one),
    }


def _failure_ms(one: Delivery) -> int:
    return int((one.ended_s or 0.0) * 1000)
