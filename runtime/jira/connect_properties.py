"""App properties of Connect apps: for the app alone, and for the Forge app that took its key over.

Source:
    Jira Cloud REST API v3, "App properties"; Connect documentation, "App properties": the user who
    has a page of the app open may read them through it.

Differs:
    A user who looks through the app's page may not write, whoever it is. No key is reserved.
"""

from dataclasses import replace

from runtime.errors import JiraError
from runtime.identity.connect.properties import (
    KEY_LENGTH,
    VALUE_LENGTH,
    compact,
    find_property,
    list_property_keys,
    put_property,
    remove_property,
)
from runtime.jira.context import Context, operation
from runtime.jira.failures import HIDDEN
from runtime.jira.responses import json_response, no_content
from runtime.wire import JiraResponse

NOT_AN_APP = "Access to this resource must be authenticated as an app."
NOT_FOUND = "Property with key not found."
APP_ONLY = "caller.not-the-app"


class OperationError(JiraError):
    """A refusal in the shape of these resources: ``message`` and ``statusCode``."""


def answered(error: OperationError) -> JiraResponse:
    """Return the answer of a refusal."""
    body = {"message": error.message, "statusCode": error.status}
    return replace(json_response(body, error.status), rule=error.rule or "request.invalid")


@operation("AddonPropertiesResource.getAddonProperties_get")
def get_addon_properties(context: Context) -> JiraResponse:
    """Return the keys of the app's properties."""
    try:
        app_key = _app(context)
    except OperationError as error:
        return answered(error)
    keys = list_property_keys(context.connection, context.site.cloud_id, app_key)
    return json_response(
        {"keys": [{"self": _link(context, app_key, key), "key": key} for key in keys]}
    )


@operation("AddonPropertiesResource.getAddonProperty_get")
def get_addon_property(context: Context) -> JiraResponse:
    """Return one property of the app."""
    try:
        app_key, key = _app(context), property_key(context)
    except OperationError as error:
        return answered(error)
    found = find_property(context.connection, context.site.cloud_id, app_key, key)
    if found is None:
        return answered(OperationError(404, NOT_FOUND, rule=HIDDEN))
    return json_response({"self": _link(context, app_key, key), "key": key, "value": found[0]})


@operation("AddonPropertiesResource.putAddonProperty_put", takes_body=False)
def put_addon_property(context: Context) -> JiraResponse:
    """Create or replace a property of the app; any JSON value, whatever media type it says."""
    try:
        app_key, key = _app(context, writes=True), property_key(context)
        value = property_value(context)
    except OperationError as error:
        return answered(error)
    if put_property(context.connection, context.site.cloud_id, app_key, key, value):
        return json_response({"message": "Property created.", "statusCode": 201}, 201)
    return json_response({"message": "Property updated.", "statusCode": 200})


@operation("AddonPropertiesResource.deleteAddonProperty_delete")
def delete_addon_property(context: Context) -> JiraResponse:
    """Delete a property of the app."""
    try:
        app_key, key = _app(context, writes=True), property_key(context)
    except OperationError as error:
        return answered(error)
    if not remove_property(context.connection, context.site.cloud_id, app_key, key):
        return answered(OperationError(404, NOT_FOUND, rule=HIDDEN))
    return no_content()


def _app(context: Context, *, writes: bool = False) -> str:
    """Return the app of the path if the caller is that app; another app finds nothing."""
    wanted, own = context.params["addonKey"], context.principal.connect_key
    if own is None:
        raise OperationError(401, NOT_AN_APP, rule=APP_ONLY)
    if own != wanted:
        raise OperationError(404, NOT_FOUND, rule=HIDDEN)
    if writes and context.caller().account_type != "app":
        raise OperationError(403, "Only the app itself may change its properties.", rule=APP_ONLY)
    return own


def property_key(context: Context) -> str:
    """Return the key that the path names.

    Raises:
        OperationError: It is too long.
    """
    key = context.params["propertyKey"]
    if len(key) > KEY_LENGTH:
        message = f"The property key cannot be longer than {KEY_LENGTH} characters."
        raise OperationError(400, message)
    return key


def property_value(context: Context) -> object:
    """Return the value that the body holds.

    Raises:
        OperationError: It is no JSON, or too long.
    """
    try:
        value = context.body()
    except JiraError as error:
        raise OperationError(400, "The property value must be valid JSON.") from error
    if len(compact(value)) > VALUE_LENGTH:
        message = f"The property value cannot be longer than {VALUE_LENGTH} characters."
        raise OperationError(400, message)
    return value


def _link(context: Context, app_key: str, key: str) -> str:
    return context.site_link(f"rest/atlassian-connect/1/addons/{app_key}/properties/{key}")
