"""The operations that list what issues are made of: fields, types, statuses, priorities.

Source:
    Jira Cloud REST API v3, "Issue fields", "Issue types", "Workflow statuses", "Workflow status
    categories", "Issue priorities", "Issue resolutions".
"""

from collections.abc import Iterable

from runtime.errors import JiraError
from runtime.jira.beans import (
    CATEGORIES,
    Bean,
    issue_type_bean,
    priority_bean,
    resolution_bean,
    status_bean,
    status_category_bean,
)
from runtime.jira.context import Context, operation
from runtime.jira.custom_fields import fields_of
from runtime.jira.failures import HIDDEN
from runtime.jira.paging import page_bean
from runtime.jira.responses import json_response
from runtime.jira.site import IssueType, Priority, Resolution
from runtime.jira.visibility import get_browsable_project
from runtime.wire import JiraResponse

PAGE_LIMIT = 100


@operation("getFields")
def get_fields(context: Context) -> JiraResponse:
    """Return all fields; everybody may see them."""
    return json_response([field.details() for field in fields_of(context.site).values()])


@operation("getIssueAllTypes")
def get_issue_types(context: Context) -> JiraResponse:
    """Return the issue types of the projects that the caller may browse; all of them to admins."""
    return json_response([issue_type_bean(context, one) for one in visible_types(context)])


@operation("getIssueType")
def get_issue_type(context: Context) -> JiraResponse:
    """Return one issue type; one that is only used in hidden projects does not exist."""
    wanted = context.params["id"]
    for issue_type in visible_types(context):
        if str(issue_type.id) == wanted:
            return json_response(issue_type_bean(context, issue_type))
    raise _missing("issue type", wanted)


@operation("getIssueTypesForProject")
def get_project_issue_types(context: Context) -> JiraResponse:
    """Return the issue types of one project, perhaps of one hierarchy level."""
    project_id = context.number("projectId", 0)
    project = get_browsable_project(context, str(project_id))
    types: Iterable[IssueType] = context.site.issue_types_of(project)
    if context.text("level") is not None:
        level = context.number("level", 0)
        types = (one for one in types if one.hierarchy_level == level)
    return json_response([issue_type_bean(context, one) for one in types])


@operation("getStatuses")
def get_statuses(context: Context) -> JiraResponse:
    """Return the statuses that are part of a workflow."""
    return json_response([status_bean(context, one) for one in context.site.statuses.values()])


@operation("getStatus")
def get_status(context: Context) -> JiraResponse:
    """Return one status, by id or by name."""
    wanted = context.params["idOrName"]
    statuses = context.site.statuses.values()
    for status in sorted(statuses, key=lambda one: str(one.id) != wanted):
        if wanted in (str(status.id), status.name):
            return json_response(status_bean(context, status))
    raise JiraError(404, f"Could not find status with id or name '{wanted}'.", rule=HIDDEN)


@operation("getStatusCategories")
def get_status_categories(context: Context) -> JiraResponse:
    """Return the status categories, which are the same everywhere."""
    return json_response([status_category_bean(context, key) for key in CATEGORIES])


@operation("getStatusCategory")
def get_status_category(context: Context) -> JiraResponse:
    """Return one status category, by number or key."""
    wanted = context.params["idOrKey"]
    for key, (number, _color, _name) in CATEGORIES.items():
        if wanted in (str(number), key):
            return json_response(status_category_bean(context, key))
    raise _missing("status category", wanted)


@operation("getPriorities")
def get_priorities(context: Context) -> JiraResponse:
    """Return all priorities, the greatest first."""
    priorities = context.site.priorities.values()
    return json_response([_priority_details(context, one) for one in priorities])


@operation("getPriority")
def get_priority(context: Context) -> JiraResponse:
    """Return one priority."""
    wanted = context.params["id"]
    for priority in context.site.priorities.values():
        if str(priority.id) == wanted:
            return json_response(_priority_details(context, priority))
    raise _missing("priority", wanted)


@operation("searchPriorities")
def search_priorities(context: Context) -> JiraResponse:
    """Return one page of the priorities, perhaps only some ids, one name, or the default."""
    ids = {value for name, value in context.request.query if name == "id"}
    name = (context.text("priorityName") or "").lower()
    only_default = context.flag("onlyDefault", default=False)
    found = [
        one
        for one in context.site.priorities.values()
        if (not ids or str(one.id) in ids)
        and name in one.name.lower()
        and (one.is_default or not only_default)
    ]
    page = page_bean(
        context,
        "priority/search",
        found,
        lambda one: _priority_details(context, one),
        limit=PAGE_LIMIT,
    )
    return json_response(page)


@operation("getResolutions")
def get_resolutions(context: Context) -> JiraResponse:
    """Return all resolutions."""
    return json_response(
        [resolution_bean(context, one) for one in context.site.resolutions.values()]
    )


@operation("getResolution")
def get_resolution(context: Context) -> JiraResponse:
    """Return one resolution."""
    wanted = context.params["id"]
    found: list[Resolution] = [
        one for one in context.site.resolutions.values() if str(one.id) == wanted
    ]
    if not found:
        raise _missing("resolution", wanted)
    return json_response(resolution_bean(context, found[0]))


def visible_types(context: Context) -> list[IssueType]:
    """Return the issue types of the projects that the caller may browse; all to administrators."""
    types = context.site.issue_types
    if context.permissions.is_admin():
        return list(types.values())
    visible = {
        one.id
        for project in context.permissions.visible_projects()
        for one in context.site.issue_types_of(project)
    }
    return [one for one in types.values() if one.id in visible]


def _priority_details(context: Context, priority: Priority) -> Bean:
    return {
        **priority_bean(context, priority),
        "statusColor": priority.status_color,
        "description": priority.description,
        "isDefault": priority.is_default,
    }


def _missing(what: str, wanted: str) -> JiraError:
    return JiraError(404, f"The {what} with id '{wanted}' does not exist", rule=HIDDEN)
