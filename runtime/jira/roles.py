"""Project roles of the site, and who is in them by default. For Jira's administrators."""

from sqlalchemy import delete, insert, select, update

from runtime.errors import JiraError
from runtime.jira.context import Context, operation
from runtime.jira.payload import Payload
from runtime.jira.responses import json_response, no_content
from runtime.jira.role_actors import (
    add_actors,
    get_role,
    read_actors,
    remove_named_actor,
    role_bean,
)
from runtime.jira.schema import (
    comment_table,
    permission_grant_table,
    role_table,
    security_member_table,
    transition_table,
)
from runtime.jira.site import Role, Transition
from runtime.jira.store import next_id
from runtime.wire import JiraResponse

MEMBERS = frozenset({"name", "description"})


@operation("getAllProjectRoles")
def get_roles(context: Context) -> JiraResponse:
    """Return all roles with their default actors."""
    context.require_admin()
    return json_response([role_bean(context, role) for role in context.site.roles.values()])


@operation("createProjectRole")
def create_role(context: Context) -> JiraResponse:
    """Create a role; 409 if the name is taken."""
    context.require_admin()
    payload = Payload(context.json_object(), MEMBERS)
    name = _checked_name(context, payload.text("name"), None)
    role_id = next_id(context.connection, role_table.name)
    description = payload.text("description") or ""
    context.connection.execute(
        insert(role_table).values(
            id=role_id, cloud_id=context.site.cloud_id, name=name, description=description
        )
    )
    return _answer_changed(context, role_id)


@operation("getProjectRoleById")
def get_one_role(context: Context) -> JiraResponse:
    """Return one role with its default actors."""
    context.require_admin()
    return json_response(role_bean(context, get_role(context)))


@operation("partialUpdateProjectRole")
def update_role(context: Context) -> JiraResponse:
    """Change the name or the description of a role."""
    context.require_admin()
    role = get_role(context)
    payload = Payload(context.json_object(), MEMBERS)
    name, description = payload.text("name"), payload.text("description")
    if name is None and description is None:
        raise JiraError(400, "Name a new name or description of the role.")
    new_name = role.name if name is None else _checked_name(context, name, role)
    return _write(context, role, new_name, role.description if description is None else description)


@operation("fullyUpdateProjectRole")
def replace_role(context: Context) -> JiraResponse:
    """Set both the name and the description of a role."""
    context.require_admin()
    role = get_role(context)
    payload = Payload(context.json_object(), MEMBERS)
    name, description = payload.text("name"), payload.text("description")
    if description is None:
        raise JiraError(400, "Both the name and the description of the role must be given.")
    return _write(context, role, _checked_name(context, name, role), description)


@operation("deleteProjectRole")
def delete_role(context: Context) -> JiraResponse:
    """Delete a role; what names it passes to the role ``swap``, without which it must be unused."""
    context.require_admin()
    role = get_role(context)
    swap = context.number("swap", 0)
    if swap and (swap not in context.site.roles or swap == role.id):
        raise JiraError(400, f"The replacement role {swap} does not exist.")
    if swap:
        _replace_uses(context, role.id, swap)
    elif _is_used(context, role.id):
        raise JiraError(409, f"The role '{role.name}' is in use; name a replacement with 'swap'.")
    context.connection.execute(delete(role_table).where(role_table.c.id == role.id))
    context.configuration_changed()
    return no_content()


@operation("getProjectRoleActorsForRole")
def get_default_actors(context: Context) -> JiraResponse:
    """Return the default actors of a role."""
    context.require_admin()
    return json_response({"actors": role_bean(context, get_role(context))["actors"]})


@operation("addProjectRoleActorsToRole")
def add_default_actors(context: Context) -> JiraResponse:
    """Add default actors to a role; projects that exist stay as they are."""
    context.require_admin()
    role = get_role(context)
    named = read_actors(context, Payload(context.json_object(), {"user", "group", "groupId"}))
    add_actors(context, role, None, named)
    return _answer_changed(context, role.id)


@operation("deleteProjectRoleActorsFromRole")
def delete_default_actor(context: Context) -> JiraResponse:
    """Remove a default actor from a role; projects that exist stay as they are."""
    context.require_admin()
    role = get_role(context)
    remove_named_actor(context, role, None)
    return _answer_changed(context, role.id)


def _checked_name(context: Context, name: str | None, role: Role | None) -> str:
    if not name or name != name.strip():
        message = "The name of a role must not be empty, nor begin or end with white space."
        raise JiraError(400, message)
    if any(other.name == name and other != role for other in context.site.roles.values()):
        raise JiraError(409, f"A project role with name '{name}' already exists.")
    return name


def _write(context: Context, role: Role, name: str, description: str) -> JiraResponse:
    context.connection.execute(
        update(role_table)
        .where(role_table.c.id == role.id)
        .values(name=name, description=description)
    )
    return _answer_changed(context, role.id)


def _answer_changed(context: Context, role_id: int) -> JiraResponse:
    after = context.configuration_changed()
    return json_response(role_bean(after, after.site.roles[role_id]))


def _is_used(context: Context, role_id: int) -> bool:
    """Say whether a scheme, a level, a workflow or a comment names the role."""
    site = context.site
    holders = [
        holder
        for scheme in site.permission_schemes.values()
        for holders in scheme.holders.values()
        for holder in holders
    ]
    levels = (level for scheme in site.security_schemes.values() for level in scheme.levels)
    holders += [holder for level in levels for holder in level.holders]
    conditions = (
        condition
        for workflow in site.workflows.values()
        for transition in workflow.transitions
        for condition in transition.conditions
    )
    named = {holder.parameter for holder in holders if holder.type == "projectRole"}
    named |= {condition.value for condition in conditions if condition.type == "role"}
    comment = comment_table.c
    said = select(comment.id).where(
        comment.visibility_type == "role", comment.visibility_id == str(role_id)
    )
    return str(role_id) in named or context.connection.execute(said.limit(1)).first() is not None


def _replace_uses(context: Context, role_id: int, swap: int) -> None:
    """Let the schemes, levels, workflows and comments that name a role name another."""
    old, new = str(role_id), str(swap)
    for table in (permission_grant_table, security_member_table):
        context.connection.execute(
            update(table)
            .where(table.c.holder_type == "projectRole", table.c.parameter == old)
            .values(parameter=new)
        )
    comment = comment_table.c
    context.connection.execute(
        update(comment_table)
        .where(comment.visibility_type == "role", comment.visibility_id == old)
        .values(visibility_id=new)
    )
    for workflow in context.site.workflows.values():
        for transition in workflow.transitions:
            _replace_in_transition(context, workflow.id, transition, (old, new))


def _replace_in_transition(
    context: Context, workflow_id: int, transition: Transition, swap: tuple[str, str]
) -> None:
    before = [(condition.type, condition.value) for condition in transition.conditions]
    after = [("role", swap[1]) if one == ("role", swap[0]) else one for one in before]
    if after == before:
        return
    table = transition_table.c
    context.connection.execute(
        update(transition_table)
        .where(table.workflow_id == workflow_id, table.id == transition.id)
        .values(conditions=[{"type": kind, "value": value} for kind, value in after])
    )
