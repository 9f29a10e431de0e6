"""Contexts of custom fields, and what a Forge app keeps in them as its field's configuration.

Each field has one context, for all projects and all types of issues, and one configuration in it;
both have the number of the field.

Source:
    Jira Cloud REST API v3, "Issue custom field configuration (apps)" and "Issue custom field
    contexts": administrators may, and the app that provides the field, as itself.

Differs:
    On the platform administrators make further contexts. A schema is kept and not applied.
"""

import json
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select, update

from runtime.errors import JiraError
from runtime.jira.app_field_values import is_owner
from runtime.jira.beans import Bean
from runtime.jira.context import Context, operation, parse_long
from runtime.jira.custom_fields import get_custom_field
from runtime.jira.custom_values import MAX_TEXT, is_too_deep
from runtime.jira.failures import HIDDEN, admin_required
from runtime.jira.issues_store import find_visible_issue
from runtime.jira.paging import page_bean
from runtime.jira.responses import Json, json_response
from runtime.jira.schema import custom_field_table
from runtime.jira.site import CustomField
from runtime.wire import JiraResponse

MAX_FIELDS = 1_000  # of one request
MAX_CONFIGURATIONS = 1_000  # the platform's
PAGE_LIMIT = 1_000
DEFAULT_PAGE = 100
CONTEXT_PAGE = 50
_PARTS = ("configuration", "schema")
_MEMBERS = frozenset({"id", "fieldContextId", *_PARTS})
_FIELDS = custom_field_table.c


@operation("getCustomFieldConfiguration")
def get_custom_field_configuration(context: Context) -> JiraResponse:
    """Return the configurations of one field."""
    one = _configured(context, context.params["fieldIdOrKey"])
    found = _matching(context, [one])
    stored = _load(context, found)
    page = page_bean(
        context,
        f"app/field/{one.field_id}/context/configuration",
        found,
        lambda field: _bean(field, stored),
        limit=PAGE_LIMIT,
        default=DEFAULT_PAGE,
    )
    return json_response(page)


@operation("getCustomFieldsConfigurations", read_only=True)
def get_custom_fields_configurations(context: Context) -> JiraResponse:
    """Return the configurations of several fields."""
    fields = {one.id: one for one in (_configured(context, name) for name in _names(context))}
    found = _matching(context, list(fields.values()))
    stored = _load(context, found)
    page = page_bean(
        context,
        "app/field/context/configuration/list",
        found,
        lambda field: {"customFieldId": field.field_id, **_bean(field, stored)},
        limit=PAGE_LIMIT,
        default=DEFAULT_PAGE,
    )
    return json_response(page)


@operation("updateCustomFieldConfiguration")
def update_custom_field_configuration(context: Context) -> JiraResponse:
    """Replace configurations of a field; what an entry does not say is taken away."""
    one = _configured(context, context.params["fieldIdOrKey"])
    entry = _entry(context.json_object(), one)
    parts = {name: entry[name] for name in _PARTS if entry.get(name) is not None}
    context.connection.execute(
        update(custom_field_table).where(_FIELDS.id == one.id).values(configuration=parts or None)
    )
    return json_response({})


@operation("getContextsForField")
def get_contexts_for_field(context: Context) -> JiraResponse:
    """Return the contexts of a custom field, for administrators."""
    context.caller()
    if not context.permissions.is_admin():
        message = "Only Jira administrators can access custom field contexts."
        raise admin_required(message)
    one = context.site.custom_fields.get(context.params["fieldId"])
    if one is None:
        raise JiraError(404, "The custom field was not found.", rule=HIDDEN)
    ids = _numbers(context, "contextId")
    wanted = not ids or one.id in ids
    for name in ("isAnyIssueType", "isGlobalContext"):
        wanted = wanted and context.flag(name, default=True)
    page = page_bean(
        context,
        f"field/{one.field_id}/context",
        [one] if wanted else [],
        _context_bean,
        limit=CONTEXT_PAGE,
    )
    return json_response(page)


def _context_bean(one: CustomField) -> Bean:
    return {
        "id": str(one.id),
        "name": f"Default Configuration Scheme for {one.name}",
        "description": "",
        "isGlobalContext": True,
        "isAnyIssueType": True,
    }


# --- who, and which fields -----------------------------------------------------------------------


def _configured(context: Context, id_or_key: str) -> CustomField:
    """Return a Forge app's field, for that app and for administrators.

    Raises:
        JiraError: 404 if there is none, 403 if the caller is neither; people who are not learn
            nothing of which there are.
    """
    account = context.caller()
    is_admin = context.permissions.is_admin()
    is_app = context.principal.model == "forge" and account.account_type == "app"
    if not (is_admin or is_app):
        raise admin_required()
    one = get_custom_field(context, id_or_key)
    if not (is_admin or is_owner(context, one)):
        raise admin_required()
    if one.model != "forge":
        raise JiraError(404, "The custom field was not found.", rule=HIDDEN)
    return one


def _names(context: Context) -> Sequence[str]:
    body = context.json_object()
    _refuse_others(body, {"fieldIdsOrKeys"})
    asked = body.get("fieldIdsOrKeys")
    names = [one for one in asked if isinstance(one, str)] if isinstance(asked, list) else []
    if not isinstance(asked, list) or not names or len(names) < len(asked):
        raise JiraError(400, "`fieldIdsOrKeys` must be a list of ids or keys, and not empty.")
    if len(names) > MAX_FIELDS:
        raise JiraError(400, f"A request names at most {MAX_FIELDS} fields.")
    return names


# --- which configurations ------------------------------------------------------------------------


def _matching(context: Context, fields: list[CustomField]) -> list[CustomField]:
    """Return the fields whose configuration the query asks for; all if it asks for none.

    Raises:
        JiraError: 400 if it filters in two ways at once, or says half of one.
    """
    ids = _numbers(context, "id") | _numbers(context, "fieldContextId")
    project, issue_type = context.text("projectKeyOrId"), context.text("issueTypeId")
    if (project is None) != (issue_type is None):
        raise JiraError(400, "`projectKeyOrId` and `issueTypeId` must be given together.")
    ways = ("id", "fieldContextId", "issueId", "projectKeyOrId")
    if sum(context.text(name) is not None for name in ways) > 1:
        raise JiraError(400, f"Only one of these filters may be given: {', '.join(ways)}.")
    if ids:
        return [one for one in fields if one.id in ids]
    if context.text("issueId") is not None:
        issue = find_visible_issue(context, str(context.number("issueId", 0)))
        return [] if issue is None else fields
    if project is not None and issue_type is not None:
        return fields if _is_used(context, project, issue_type) else []
    return fields


def _is_used(context: Context, project: str, issue_type: str) -> bool:
    """Say whether the caller sees that project and it has that type of issues."""
    found = context.site.find_project(project)
    if found is None or not context.permissions.sees(found):
        return False
    return issue_type in {str(one.id) for one in context.site.issue_types_of(found)}


def _numbers(context: Context, name: str) -> set[int]:
    return {parse_long(name, value) for value in context.texts(name)}


# --- configurations ------------------------------------------------------------------------------


def _load(context: Context, fields: Collection[CustomField]) -> Mapping[int, Bean]:
    ids = [one.id for one in fields]
    rows = context.connection.execute(
        select(_FIELDS.id, _FIELDS.configuration).where(_FIELDS.id.in_(ids))
    )
    return {row.id: row.configuration or {} for row in rows}


def _bean(one: CustomField, stored: Mapping[int, Bean]) -> Bean:
    return {"id": str(one.id), "fieldContextId": str(one.id), **stored.get(one.id, {})}


def _entry(body: Mapping[str, Json], one: CustomField) -> Mapping[str, Json]:
    """Return what a body says of the one configuration that a field has."""
    _refuse_others(body, {"configurations"})
    asked = body.get("configurations")
    if not isinstance(asked, list) or not 0 < len(asked) <= MAX_CONFIGURATIONS:
        message = f"`configurations` must be a list of 1 to {MAX_CONFIGURATIONS} configurations."
        raise JiraError(400, message)
    entries = [entry for entry in asked if isinstance(entry, dict)]
    if len(entries) < len(asked):
        raise JiraError(400, "Each configuration must be an object.")
    for entry in entries:
        _refuse_others(entry, _MEMBERS)
        for name in ("id", "fieldContextId"):
            if (name == "id" or name in entry) and entry.get(name) != str(one.id):
                raise JiraError(400, "The field has no such configuration.")
    if len(entries) > 1:
        raise JiraError(400, "Each configuration may be named once.")
    _check_size(entries[0])
    return entries[0]


def _check_size(entry: Mapping[str, Json]) -> None:
    for name in _PARTS:
        if is_too_deep(entry.get(name)):
            raise JiraError(400, f"`{name}` is nested too deep.")
        if len(json.dumps(entry.get(name))) > MAX_TEXT:
            raise JiraError(400, f"`{name}` is larger than {MAX_TEXT} characters of JSON.")


def _refuse_others(given: Mapping[str, Json], known: Collection[str]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise JiraError(400, f'Unrecognized field "{unknown[0][:100]}"')
