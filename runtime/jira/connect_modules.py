"""Dynamic modules of Connect apps; for the app itself alone.

Source:
    Jira Cloud REST API v3, "Dynamic modules"; Connect documentation, "Dynamic modules".
"""

from dataclasses import replace

from runtime.errors import JiraError
from runtime.identity.connect.descriptor import Descriptor
from runtime.identity.connect.dynamic_modules import (
    list_modules,
    register_modules,
    remove_modules,
)
from runtime.identity.connect.installations import find_descriptor
from runtime.jira.connect_fields import sync_connect_fields
from runtime.jira.context import Context, operation
from runtime.jira.responses import json_response, no_content
from runtime.wire import JiraResponse

NOT_CONNECT = "The request is not from a Connect app."


@operation("DynamicModulesResource.getModules_get")
def get_modules(context: Context) -> JiraResponse:
    """Return the dynamic modules of the app, by type."""
    app = _app(context)
    if app is None:
        return _not_connect()
    found: dict[str, list[object]] = {}
    for module in list_modules(context.connection, context.site.cloud_id, app.key):
        found.setdefault(module.type, []).append(dict(module.fields))
    return json_response(found)


@operation("DynamicModulesResource.registerModules_post")
def register(context: Context) -> JiraResponse:
    """Register modules, all or none; the object may also stand below ``modules``."""
    app = _app(context)
    if app is None:
        return _not_connect()
    value: object = context.json_object()
    if isinstance(value, dict) and set(value) == {"modules"}:
        value = value["modules"]
    try:
        register_modules(context.connection, context.site.cloud_id, app, value)
    except JiraError as error:
        body = {"message": error.message}
        return replace(json_response(body, error.status), rule=error.rule or "request.invalid")
    sync_connect_fields(context.connection, context.site.cloud_id, app)
    return JiraResponse(200)


@operation("DynamicModulesResource.removeModules_delete")
def remove(context: Context) -> JiraResponse:
    """Remove the modules named by ``moduleKey``; all of them if none is named."""
    app = _app(context)
    if app is None:
        return _not_connect()
    keys = [value for name, value in context.request.query if name == "moduleKey"]
    remove_modules(context.connection, context.site.cloud_id, app.key, keys or None)
    sync_connect_fields(context.connection, context.site.cloud_id, app)
    return no_content()


def _app(context: Context) -> Descriptor | None:
    """Return the app if it asks as itself."""
    principal = context.principal
    if principal.model != "connect" or principal.app_id is None:
        return None
    if context.caller().account_type != "app":
        return None
    return find_descriptor(context.connection, context.site.cloud_id, principal.app_id)


def _not_connect() -> JiraResponse:
    return replace(json_response({"message": NOT_CONNECT}, 401), rule="caller.not-the-app")
