"""Permission schemes, their grants, and which scheme a project has."""

from collections.abc import Iterable

from sqlalchemy import delete, insert, update

from runtime.errors import JiraError
from runtime.jira.beans import Bean
from runtime.jira.context import Context, operation
from runtime.jira.failures import HIDDEN, not_permitted
from runtime.jira.holder_beans import grant_bean, read_grant
from runtime.jira.payload import Payload
from runtime.jira.project_rights import require_project_admin
from runtime.jira.responses import Json, created, json_response, no_content
from runtime.jira.schema import permission_grant_table, permission_scheme_table, project_table
from runtime.jira.site import Grant, Holder, PermissionScheme
from runtime.jira.store import next_id
from runtime.jira.visibility import get_project
from runtime.wire import JiraResponse

EXPANDABLE = "permissions,user,group,projectRole,field,all"


@operation("getAllPermissionSchemes")
def get_permission_schemes(context: Context) -> JiraResponse:
    """Return all permission schemes; any ``expand`` adds their grants."""
    context.require_product()
    schemes = context.site.permission_schemes.values()
    return json_response({"permissionSchemes": [_scheme(context, scheme) for scheme in schemes]})


@operation("createPermissionScheme")
def create_permission_scheme(context: Context) -> JiraResponse:
    """Create a permission scheme, perhaps with grants; for Jira's administrators."""
    context.require_admin()
    payload = Payload(context.json_object())
    name = _checked_name(context, payload.text("name"), None)
    scheme_id = next_id(context.connection, permission_scheme_table.name)
    context.connection.execute(
        insert(permission_scheme_table).values(
            id=scheme_id,
            cloud_id=context.site.cloud_id,
            name=name,
            description=payload.text("description") or "",
        )
    )
    _add_grants(context, scheme_id, payload.items("permissions"))
    return _answer_changed(context, scheme_id, 201)


@operation("getPermissionScheme")
def get_permission_scheme(context: Context) -> JiraResponse:
    """Return one permission scheme; any ``expand`` adds its grants."""
    context.require_product()
    return json_response(_scheme(context, _get_scheme(context)))


@operation("updatePermissionScheme")
def update_permission_scheme(context: Context) -> JiraResponse:
    """Change a permission scheme; grants, if given, replace all it had. For administrators."""
    context.require_admin()
    scheme = _get_scheme(context)
    payload = Payload(context.json_object())
    values = {"name": _checked_name(context, payload.text("name"), scheme)}
    description = payload.text("description")
    if description is not None:
        values["description"] = description
    context.connection.execute(
        update(permission_scheme_table)
        .where(permission_scheme_table.c.id == scheme.id)
        .values(values)
    )
    if "permissions" in payload:
        grants = permission_grant_table
        context.connection.execute(delete(grants).where(grants.c.scheme_id == scheme.id))
        _add_grants(context, scheme.id, payload.items("permissions"))
    return _answer_changed(context, scheme.id, 200)


@operation("deletePermissionScheme")
def delete_permission_scheme(context: Context) -> JiraResponse:
    """Delete a permission scheme that no project uses; for Jira's administrators."""
    context.require_admin()
    scheme = _get_scheme(context)
    users = (project.permission_scheme_id for project in context.site.projects.values())
    if scheme.id in users:
        raise JiraError(400, f"The permission scheme '{scheme.name}' is used by projects.")
    table = permission_scheme_table
    context.connection.execute(delete(table).where(table.c.id == scheme.id))
    context.configuration_changed()
    return no_content()


@operation("getPermissionSchemeGrants")
def get_grants(context: Context) -> JiraResponse:
    """Return the grants of a permission scheme."""
    context.require_product()
    return json_response(
        {"permissions": _grants(context, _get_scheme(context)), "expand": EXPANDABLE}
    )


@operation("createPermissionGrant")
def create_grant(context: Context) -> JiraResponse:
    """Add a grant to a permission scheme; for Jira's administrators."""
    context.require_admin()
    scheme = _get_scheme(context)
    permission, holder = read_grant(context, context.json_object())
    known = {(grant.permission, grant.holder) for grant in scheme.grants}
    if (permission, holder) in known:
        raise JiraError(400, "The permission grant exists already.")
    (grant,) = _insert_grants(context, scheme.id, [(permission, holder)])
    context.configuration_changed()
    return created(grant_bean(context, scheme.id, grant))


@operation("getPermissionSchemeGrant")
def get_grant(context: Context) -> JiraResponse:
    """Return one grant of a permission scheme."""
    context.require_product()
    scheme = _get_scheme(context)
    grant = _find_grant(context, scheme)
    if grant is None:
        raise _no_grant(404)
    return json_response(grant_bean(context, scheme.id, grant))


@operation("deletePermissionSchemeEntity")
def delete_grant(context: Context) -> JiraResponse:
    """Take a grant out of a permission scheme; for Jira's administrators."""
    context.require_admin()
    grant = _find_grant(context, _get_scheme(context))
    if grant is None:
        raise _no_grant(400)  # so documented
    table = permission_grant_table
    context.connection.execute(delete(table).where(table.c.id == grant.id))
    context.configuration_changed()
    return no_content()


@operation("getAssignedPermissionScheme")
def get_project_scheme(context: Context) -> JiraResponse:
    """Return the permission scheme of a project to whoever administers it."""
    project = get_project(context, context.params["projectKeyOrId"])
    require_project_admin(context, project)
    scheme = context.site.permission_schemes[project.permission_scheme_id]
    return json_response(_scheme(context, scheme))


@operation("assignPermissionScheme")
def assign_project_scheme(context: Context) -> JiraResponse:
    """Give a project another permission scheme; for Jira's administrators."""
    project = get_project(context, context.params["projectKeyOrId"])
    if not context.permissions.is_admin():
        message = "You must have global administrator rights to assign a permission scheme."
        raise not_permitted("ADMINISTER", message)
    scheme_id = Payload(context.json_object(), {"id"}).number("id")
    if scheme_id is None or scheme_id not in context.site.permission_schemes:
        raise _no_scheme(scheme_id)
    context.connection.execute(
        update(project_table)
        .where(project_table.c.id == project.id)
        .values(permission_scheme_id=scheme_id)
    )
    return _answer_changed(context, scheme_id, 200)


def _get_scheme(context: Context) -> PermissionScheme:
    scheme_id = context.path_number("schemeId")
    scheme = context.site.permission_schemes.get(scheme_id)
    if scheme is None:
        raise _no_scheme(scheme_id)
    return scheme


def _find_grant(context: Context, scheme: PermissionScheme) -> Grant | None:
    wanted = context.path_number("permissionId")
    return next((grant for grant in scheme.grants if grant.id == wanted), None)


def _checked_name(context: Context, name: str | None, scheme: PermissionScheme | None) -> str:
    if not name or not name.strip():
        raise JiraError(400, fields={"name": "The name of a permission scheme must not be empty."})
    others = context.site.permission_schemes.values()
    if any(other.name == name and other != scheme for other in others):
        raise JiraError(400, fields={"name": f"A permission scheme named '{name}' exists."})
    return name


def _add_grants(context: Context, scheme_id: int, values: Iterable[Json]) -> None:
    wanted = [read_grant(context, value) for value in values]
    _insert_grants(context, scheme_id, list(dict.fromkeys(wanted)))


def _insert_grants(
    context: Context, scheme_id: int, wanted: list[tuple[str, Holder]]
) -> list[Grant]:
    if not wanted:
        return []
    first = next_id(context.connection, permission_grant_table.name, len(wanted))
    grants = [Grant(first + at, *grant) for at, grant in enumerate(wanted)]
    rows = [
        {
            "id": grant.id,
            "scheme_id": scheme_id,
            "permission": grant.permission,
            "holder_type": grant.holder.type,
            "parameter": grant.holder.parameter,
        }
        for grant in grants
    ]
    context.connection.execute(insert(permission_grant_table), rows)
    return grants


def _answer_changed(context: Context, scheme_id: int, status: int) -> JiraResponse:
    after = context.configuration_changed()
    return json_response(_scheme(after, after.site.permission_schemes[scheme_id]), status)


def _scheme(context: Context, scheme: PermissionScheme) -> Bean:
    bean: Bean = {
        "expand": EXPANDABLE,
        "id": scheme.id,
        "self": context.link(f"permissionscheme/{scheme.id}"),
        "name": scheme.name,
        "description": scheme.description,
    }
    if context.expands():
        bean["permissions"] = _grants(context, scheme)
    return bean


def _grants(context: Context, scheme: PermissionScheme) -> list[Bean]:
    return [grant_bean(context, scheme.id, grant) for grant in scheme.grants]


def _no_scheme(scheme_id: int | None) -> JiraError:
    return JiraError(404, f"The permission scheme {scheme_id} does not exist.", rule=HIDDEN)


def _no_grant(status: int) -> JiraError:
    return JiraError(status, "The permission grant does not exist.", rule=HIDDEN)
