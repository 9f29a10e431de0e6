"""The options of select fields of Connect apps, for the app itself and for administrators.

Source:
    Jira Cloud REST API v3, "Issue custom field options (apps)".

Differs:
    Deselecting an option everywhere is not emulated: it is a task in the background there. Another
    Connect app is refused even though the accounts of apps are administrators: none of these
    operations takes a scope of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update

from runtime.errors import JiraError
from runtime.jira.context import Context, operation
from runtime.jira.custom_fields import SELECTS
from runtime.jira.custom_options import FieldOption, load_options
from runtime.jira.custom_values import MAX_DEPTH, is_too_deep
from runtime.jira.failures import HIDDEN, admin_required
from runtime.jira.paging import page_bean
from runtime.jira.responses import Json, json_response, no_content
from runtime.jira.schema import KEY_LENGTH, custom_field_option_table, custom_value_table
from runtime.jira.site import CustomField
from runtime.wire import JiraResponse

PAGE_LIMIT = 50
MAX_OPTIONS = 10_000  # of one field
MAX_SCOPES = 10_000  # of one option
MAX_PROPERTIES = 32_767  # characters of JSON
MAX_ID = 2**31 - 1
NO_FIELD = "The field was not found, or does not support options."
ATTRIBUTES = frozenset({"notSelectable", "defaultValue"})
_OPTIONS = custom_field_option_table.c


@operation("getAllIssueFieldOptions")
def get_all_issue_field_options(context: Context) -> JiraResponse:
    """Return one page of a field's options."""
    one = _managed_field(context, missing=400)
    return _page(context, one, "option", list(load_options(context.connection, one.id).values()))


@operation("createIssueFieldOption")
def create_issue_field_option(context: Context) -> JiraResponse:
    """Add an option; its id is the next of the field."""
    one = _managed_field(context, missing=404)
    asked = _read(context.json_object())
    count, last = context.connection.execute(
        select(func.count(), func.max(_OPTIONS.id)).where(_OPTIONS.field_id == one.id)
    ).one()
    option_id = (last or 0) + 1
    _check_count(count)
    if option_id > MAX_ID:
        raise JiraError(400, "The field has no id left for another option.")
    return _insert(context, one, asked.option(option_id))


@operation("getIssueFieldOption")
def get_issue_field_option(context: Context) -> JiraResponse:
    """Return one option."""
    return json_response(_option(context, _managed_field(context, missing=400)).bean())


@operation("updateIssueFieldOption")
def update_issue_field_option(context: Context) -> JiraResponse:
    """Change an option, or add one under the id that the path says."""
    one = _managed_field(context, missing=404)
    option_id = context.path_number("optionId")
    body = context.json_object()
    if isinstance(body.get("id"), bool) or body.get("id") != option_id:
        raise JiraError(400, "The id in the body must be the one in the path.")
    if not 0 <= option_id <= MAX_ID:
        raise JiraError(400, f"The id of an option is between 0 and {MAX_ID}.")
    option = _read(body).option(option_id)
    present = load_options(context.connection, one.id)
    if option_id not in present:
        _check_count(len(present))
        return _insert(context, one, option)
    here = (_OPTIONS.field_id == one.id) & (_OPTIONS.id == option_id)
    context.connection.execute(
        update(custom_field_option_table).where(here).values(**_columns(option))
    )
    return json_response(option.bean())


@operation("deleteIssueFieldOption")
def delete_issue_field_option(context: Context) -> JiraResponse:
    """Remove an option that no issue has selected."""
    one = _managed_field(context, missing=404)
    option = _option(context, one)
    used = custom_value_table.c
    selected = select(used.issue_id).where(used.field_id == one.id, used.number == option.id)
    if context.connection.execute(selected.limit(1)).first() is not None:
        raise JiraError(409, "The option is selected in an issue.")
    here = (_OPTIONS.field_id == one.id) & (_OPTIONS.id == option.id)
    context.connection.execute(delete(custom_field_option_table).where(here))
    return no_content()


@operation("getSelectableIssueFieldOptions")
def get_selectable_issue_field_options(context: Context) -> JiraResponse:
    """Return the options that the caller may select, perhaps in one project."""
    one, places = _seen_field(context)
    options = load_options(context.connection, one.id).values()
    shown = [option for option in options if option.is_selectable(places)]
    return _page(context, one, "option/suggestions/edit", shown)


@operation("getVisibleIssueFieldOptions")
def get_visible_issue_field_options(context: Context) -> JiraResponse:
    """Return the options that the caller may see, perhaps in one project."""
    one, places = _seen_field(context)
    options = load_options(context.connection, one.id).values()
    shown = [option for option in options if option.is_visible(places)]
    return _page(context, one, "option/suggestions/search", shown)


# --- who, and which field ------------------------------------------------------------------------


def _managed_field(context: Context, *, missing: int) -> CustomField:
    """Return the field, for its own app and for administrators; to others no field is there."""
    context.caller()
    key = context.params["fieldKey"]
    one = context.site.find_custom_field(key)
    if not (is_own(context, one) or _is_administrator(context)):
        raise admin_required()
    if one is None or one.key != key or one.type not in SELECTS:
        raise JiraError(missing, NO_FIELD, rule=HIDDEN)
    return one


def _is_administrator(context: Context) -> bool:
    as_app = context.principal.model == "connect" and context.caller().account_type == "app"
    return context.permissions.is_admin() and not as_app


def is_own(context: Context, one: CustomField | None) -> bool:
    """Say whether the caller is the Connect app that a field belongs to, asking as itself."""
    principal, account = context.principal, context.account
    if one is None or account is None or account.account_type != "app":
        return False
    if principal.model != "connect" or one.model != "connect":
        return False
    return principal.app_id == one.owner


def _seen_field(context: Context) -> tuple[CustomField, list[int]]:
    """Return the field and the projects that are asked about: of those that the caller sees."""
    context.require_product()
    key = context.params["fieldKey"]
    one = context.site.find_custom_field(key)
    if one is None or one.key != key or one.type not in SELECTS:
        raise JiraError(404, NO_FIELD, rule=HIDDEN)
    seen = [project.id for project in context.permissions.visible_projects("BROWSE_PROJECTS")]
    if context.text("projectId") is None:
        return one, seen
    wanted = context.number("projectId", 0)
    return one, [project_id for project_id in seen if project_id == wanted]


def _option(context: Context, one: CustomField) -> FieldOption:
    option_id = context.path_number("optionId")
    found = None
    if 0 <= option_id <= MAX_ID:
        found = load_options(context.connection, one.id, [option_id]).get(option_id)
    if found is None:
        raise JiraError(404, "The option was not found.", rule=HIDDEN)
    return found


def _page(
    context: Context, one: CustomField, path: str, options: list[FieldOption]
) -> JiraResponse:
    path = f"field/{one.key}/{path}"
    return json_response(
        page_bean(context, path, options, FieldOption.bean, limit=PAGE_LIMIT, default=PAGE_LIMIT)
    )


def _insert(context: Context, one: CustomField, option: FieldOption) -> JiraResponse:
    values = {"field_id": one.id, "id": option.id, **_columns(option)}
    context.connection.execute(insert(custom_field_option_table).values(**values))
    return json_response(option.bean())


def _columns(option: FieldOption) -> dict[str, object]:
    return {
        "value": option.value,
        "properties": dict(option.properties),
        "config": dict(option.config),
    }


# --- reading an option ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    value: str
    properties: Mapping[str, Json]
    config: Mapping[str, Json]

    def option(self, option_id: int) -> FieldOption:
        return FieldOption(option_id, self.value, self.properties, self.config)


def _read(body: Mapping[str, Json]) -> _Asked:
    value = body.get("value")
    if not isinstance(value, str) or not value.strip() or len(value) > KEY_LENGTH:
        raise JiraError(400, f"`value` must be a text of 1 to {KEY_LENGTH} characters.")
    properties = body.get("properties")
    properties = {} if properties is None else properties
    if not isinstance(properties, dict):
        raise JiraError(400, "`properties` must be an object.")
    if is_too_deep(properties):
        raise JiraError(400, f"`properties` is nested deeper than {MAX_DEPTH}.")
    if len(json.dumps(properties)) > MAX_PROPERTIES:
        raise JiraError(400, f"`properties` has more than {MAX_PROPERTIES} characters of JSON.")
    return _Asked(value, properties, _config(body.get("config")))


def _config(value: Json) -> Mapping[str, Json]:
    config = _object(value, "config", {"attributes", "scope"})
    _attributes(config, "config")
    scope = _object(config.get("scope"), "config.scope", {"global", "projects", "projects2"})
    if "global" in scope:
        _attributes(
            _object(scope["global"], "config.scope.global", {"attributes"}), "config.scope.global"
        )
    places = [scope.get("projects") or [], scope.get("projects2") or []]
    if not all(isinstance(place, list) for place in places):
        raise JiraError(400, "`projects` and `projects2` of a scope must be lists.")
    if sum(len(place) for place in places if isinstance(place, list)) > MAX_SCOPES:
        raise JiraError(400, f"An option has at most {MAX_SCOPES} scopes.")
    for place in places[0] if isinstance(places[0], list) else ():
        _project_id(place)
    for place in places[1] if isinstance(places[1], list) else ():
        named = _object(place, "config.scope.projects2", {"id", "attributes"})
        _project_id(named.get("id"))
        _attributes(named, "config.scope.projects2")
    return config


def _object(value: Json, name: str, known: set[str]) -> dict[str, Json]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not value.keys() <= known:
        raise JiraError(400, f"`{name}` is an object of {', '.join(sorted(known))}.")
    return value


def _attributes(value: Mapping[str, Json], name: str) -> None:
    given = value.get("attributes", [])
    if not isinstance(given, list) or not all(
        isinstance(one, str) and one in ATTRIBUTES for one in given
    ):
        raise JiraError(400, f"`{name}.attributes` lists {' and '.join(sorted(ATTRIBUTES))}.")


def _project_id(value: Json) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise JiraError(400, "The projects of a scope are named by their numbers.")


def _check_count(count: int) -> None:
    if count >= MAX_OPTIONS:
        raise JiraError(400, f"A field has at most {MAX_OPTIONS} options.")
