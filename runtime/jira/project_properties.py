"""Project properties: JSON that apps keep beside a project."""

from runtime.jira.context import Context, operation
from runtime.jira.entity_properties import (
    delete_property,
    get_property,
    property_keys_bean,
    set_property,
)
from runtime.jira.project_rights import require_project_admin
from runtime.jira.responses import json_response, no_content
from runtime.jira.site import Project
from runtime.jira.visibility import get_browsable_project, get_project
from runtime.wire import JiraResponse

ENTITY = "project"


@operation("getProjectPropertyKeys")
def get_project_property_keys(context: Context) -> JiraResponse:
    """Return the keys of a project's properties."""
    project = get_browsable_project(context, context.params["projectIdOrKey"])
    path = f"project/{project.key}/properties"
    return json_response(property_keys_bean(context, ENTITY, str(project.id), path))


@operation("getProjectProperty")
def get_project_property(context: Context) -> JiraResponse:
    """Return one property of a project."""
    project = get_browsable_project(context, context.params["projectIdOrKey"])
    key = context.params["propertyKey"]
    return json_response(get_property(context, ENTITY, str(project.id), key))


@operation("setProjectProperty")
def set_project_property(context: Context) -> JiraResponse:
    """Create or replace a property of a project; for whoever administers it."""
    project = _administered(context)
    key = context.params["propertyKey"]
    is_new = set_property(context, ENTITY, str(project.id), key)
    return json_response({}, 201 if is_new else 200)


@operation("deleteProjectProperty")
def delete_project_property(context: Context) -> JiraResponse:
    """Delete a property of a project; for whoever administers it."""
    project = _administered(context)
    delete_property(context, ENTITY, str(project.id), context.params["propertyKey"])
    return no_content()


def _administered(context: Context) -> Project:
    project = get_project(context, context.params["projectIdOrKey"])
    require_project_admin(context, project)
    return project
