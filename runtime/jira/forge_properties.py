"""App properties of Forge apps, for the app as itself alone.

Source:
    Jira Cloud REST API v3, "App properties", the operations for Forge: only by ``asApp()``.

Differs:
    A Forge app that took the key of a Connect app over has one set of properties with it: what one
    writes the other reads. The platform says so of the Connect app's address; that this address
    leads to the same properties is our reading.
"""

from dataclasses import replace

from runtime.identity.connect.properties import (
    find_property,
    list_property_keys,
    put_property,
    remove_property,
)
from runtime.jira.connect_properties import (
    APP_ONLY,
    NOT_AN_APP,
    NOT_FOUND,
    OperationError,
    answered,
    property_key,
    property_value,
)
from runtime.jira.context import Context, operation
from runtime.jira.failures import HIDDEN
from runtime.jira.responses import json_response, no_content
from runtime.wire import JiraResponse


@operation("getForgeAppPropertyKeys")
def get_forge_app_property_keys(context: Context) -> JiraResponse:
    """Return the keys of the app's properties."""
    app = _app(context)
    if app is None:
        return _refused()
    keys = list_property_keys(context.connection, context.site.cloud_id, app)
    return json_response({"keys": [{"self": _link(context, key), "key": key} for key in keys]})


@operation("getForgeAppProperty")
def get_forge_app_property(context: Context) -> JiraResponse:
    """Return one property of the app."""
    app = _app(context)
    if app is None:
        return _refused()
    try:
        key = property_key(context)
    except OperationError as error:
        return answered(error)
    found = find_property(context.connection, context.site.cloud_id, app, key)
    if found is None:
        return answered(OperationError(404, NOT_FOUND, rule=HIDDEN))
    return json_response({"key": key, "value": found[0]})


@operation("putForgeAppProperty", takes_body=False)
def put_forge_app_property(context: Context) -> JiraResponse:
    """Create or replace a property of the app; any JSON value."""
    app = _app(context)
    if app is None:
        return _refused()
    try:
        key, value = property_key(context), property_value(context)
    except OperationError as error:
        return answered(error)
    if put_property(context.connection, context.site.cloud_id, app, key, value):
        return json_response({"message": "Property created.", "statusCode": 201}, 201)
    return json_response({"message": "Property updated.", "statusCode": 200})


@operation("deleteForgeAppProperty")
def delete_forge_app_property(context: Context) -> JiraResponse:
    """Delete a property of the app."""
    app = _app(context)
    if app is None:
        return _refused()
    try:
        key = property_key(context)
    except OperationError as error:
        return answered(error)
    if not remove_property(context.connection, context.site.cloud_id, app, key):
        return answered(OperationError(404, NOT_FOUND, rule=HIDDEN))
    return no_content()


def _app(context: Context) -> str | None:
    """Return whose properties these are, if a Forge app asks as itself."""
    principal = context.principal
    if principal.model != "forge" or context.caller().account_type != "app":
        return None
    return principal.connect_key or principal.app_id


def _refused() -> JiraResponse:
    return replace(json_response({"errorMessages": [NOT_AN_APP]}, 403), rule=APP_ONLY)


def _link(context: Context, key: str) -> str:
    return context.site_link(f"rest/forge/1/app/properties/{key}")
