"""Roles in a project: which there are, and who is in them."""

from runtime.jira.beans import Bean
from runtime.jira.context import Context, operation
from runtime.jira.payload import Payload
from runtime.jira.permissions import ADDON_ROLE
from runtime.jira.project_beans import role_links
from runtime.jira.project_rights import require_role_admin
from runtime.jira.responses import json_response, no_content
from runtime.jira.role_actors import (
    GROUP_ACTOR,
    GROUP_ID_ACTOR,
    USER_ACTOR,
    add_actors,
    get_role,
    named_actors,
    read_actors,
    remove_actors,
    remove_named_actor,
    role_bean,
)
from runtime.jira.site import Project, Role
from runtime.jira.visibility import get_project
from runtime.wire import JiraResponse


@operation("getProjectRoles")
def get_project_roles(context: Context) -> JiraResponse:
    """Return a link to each role in a project, by name."""
    return json_response(role_links(context, _administered(context)))


@operation("getProjectRole")
def get_project_role(context: Context) -> JiraResponse:
    """Return a role and who is in it in a project."""
    project = _administered(context)
    return json_response(role_bean(context, get_role(context), project))


@operation("getProjectRoleDetails")
def get_project_role_details(context: Context) -> JiraResponse:
    """Return all roles with details; ``currentMember`` keeps those the caller is in."""
    project = _administered(context)
    roles = [role for role in context.site.roles.values() if _kept(context, project, role)]
    return json_response([_details(context, project, role) for role in roles])


@operation("addActorUsers")
def add_project_role_actors(context: Context) -> JiraResponse:
    """Put people or groups into a role in a project."""
    project = _administered(context)
    role = get_role(context)
    named = read_actors(context, Payload(context.json_object(), {"user", "group", "groupId"}))
    add_actors(context, role, project, named)
    return _answer_changed(context, project, role)


@operation("setActors")
def set_project_role_actors(context: Context) -> JiraResponse:
    """Replace everybody who is in a role in a project."""
    project = _administered(context)
    role = get_role(context)
    body = Payload(context.json_object(), {"id", "categorisedActors"})
    kinds = {USER_ACTOR, GROUP_ACTOR, GROUP_ID_ACTOR}
    categorised = Payload(body.value("categorisedActors") or {}, kinds)
    groups = [*categorised.texts(GROUP_ACTOR), *categorised.texts(GROUP_ID_ACTOR)]
    named = named_actors(context, categorised.texts(USER_ACTOR), groups)
    remove_actors(context, role, project)
    add_actors(context.configuration_changed(), role, project, named)
    return _answer_changed(context, project, role)


@operation("deleteActor")
def delete_project_role_actor(context: Context) -> JiraResponse:
    """Take one person or group out of a role in a project."""
    project = _administered(context)
    remove_named_actor(context, get_role(context), project)
    context.configuration_changed()
    return no_content()


def _administered(context: Context) -> Project:
    project = get_project(context, context.params["projectIdOrKey"])
    require_role_admin(context, project)
    return project


def _answer_changed(context: Context, project: Project, role: Role) -> JiraResponse:
    return json_response(role_bean(context.configuration_changed(), role, project))


def _kept(context: Context, project: Project, role: Role) -> bool:
    if role.name == ADDON_ROLE and context.flag("excludeConnectAddons", default=False):
        return False
    only_mine = context.flag("currentMember", default=False)
    return not only_mine or context.permissions.in_role(project, role.id)


def _details(context: Context, project: Project, role: Role) -> Bean:
    return {
        "self": context.link(f"project/{project.id}/role/{role.id}"),
        "name": role.name,
        "id": role.id,
        "description": role.description,
        "admin": role.name == "Administrators",
        "default": False,
        "roleConfigurable": True,
        "translatedName": role.name,
        "type": "DEFAULT",
    }
