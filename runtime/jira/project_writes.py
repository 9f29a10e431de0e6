"""Create, change, delete and restore projects."""

from sqlalchemy import String, cast, delete, insert, select, update

from runtime.errors import JiraError
from runtime.jira.context import Context, operation
from runtime.jira.failures import project_not_found
from runtime.jira.payload import Payload
from runtime.jira.project_beans import project_bean
from runtime.jira.project_input import OWN_MEMBERS, SCHEMES, TYPES, UNSUPPORTED, ProjectInput
from runtime.jira.project_rights import forbidden_scheme_change, require_project_admin
from runtime.jira.responses import created, json_response, no_content
from runtime.jira.role_actors import insert_actors
from runtime.jira.schema import (
    comment_table,
    issue_table,
    project_key_table,
    project_table,
    property_table,
)
from runtime.jira.site import Project
from runtime.jira.store import next_id
from runtime.jira.visibility import get_project
from runtime.wire import JiraResponse

AVATAR_ID = 10_400
UPDATABLE = (
    OWN_MEMBERS
    | UNSUPPORTED
    | {
        "key",
        "permissionScheme",
        "issueSecurityScheme",
        "releasedProjectKeys",
    }
)
CREATABLE = (
    OWN_MEMBERS
    | UNSUPPORTED
    | SCHEMES.keys()
    | {
        "key",
        "projectTypeKey",
        "projectTemplateKey",
    }
)


@operation("createProject")
def create_project(context: Context) -> JiraResponse:
    """Create a project; for Jira's administrators.

    It gets the site's first schemes unless others are named, and the default actors of each role.

    Differs: a template only stands for the project type; it brings no schemes of its own.
    """
    context.require_admin()
    payload = Payload(context.json_object(), CREATABLE)
    columns = ProjectInput(context, payload, None).columns()
    kind = payload.text("projectTypeKey") or "software"
    if kind not in TYPES:
        raise JiraError(400, fields={"projectTypeKey": "The project type is not valid."})
    project_id = _insert_project(context, {**_defaults(context), "project_type": kind, **columns})
    _copy_default_actors(context, project_id)
    context.configuration_changed()
    self_link = context.link(f"project/{project_id}")
    return created({"self": self_link, "id": project_id, "key": columns["key"]})


@operation("updateProject")
def update_project(context: Context) -> JiraResponse:
    """Change a project.

    *Administer projects* suffices for its own members: name, description, lead, assignee type, URL,
    avatar and category. Its key and its schemes need *Administer Jira*. Anonymous callers get 401,
    callers without the right 403, and whoever does not see the project gets 404.
    """
    project = get_project(context, context.params["projectIdOrKey"])
    require_project_admin(context, project)
    payload = Payload(context.json_object(), UPDATABLE)
    wanted = ProjectInput(context, payload, project)
    if wanted.changes_schemes_or_key() and not context.permissions.is_admin():
        raise forbidden_scheme_change(context)
    columns = wanted.columns()
    if columns:
        context.connection.execute(
            update(project_table).where(project_table.c.id == project.id).values(columns)
        )
    _change_keys(context, project, columns, payload.texts("releasedProjectKeys"))
    after = context.configuration_changed()
    return json_response(project_bean(after, after.site.projects[project.id]))


@operation("deleteProject")
def delete_project(context: Context) -> JiraResponse:
    """Delete a project; for Jira's administrators.

    With ``enableUndo`` (the default) it goes to the recycle bin, from which it can be restored; it
    is then hidden from everybody, with all its issues. Otherwise it is gone at once.
    """
    project = get_project(context, context.params["projectIdOrKey"])
    _require_deleting(context)
    if context.flag("enableUndo", default=True):
        context.connection.execute(
            update(project_table)
            .where(project_table.c.id == project.id)
            .values(deleted_ms=context.now_ms, deleted_by=context.account_id)
        )
    else:
        _erase(context, project)
    context.configuration_changed()
    return no_content()


@operation("restore", takes_body=False)
def restore_project(context: Context) -> JiraResponse:
    """Bring a project back from the recycle bin; for Jira's administrators."""
    id_or_key = context.params["projectIdOrKey"]
    project = context.site.find_any_project(id_or_key)
    if project is None or not context.permissions.is_admin():
        raise project_not_found(id_or_key)
    if project.deleted_ms is None:
        raise JiraError(400, f"The project '{project.key}' is not in the recycle bin.")
    context.connection.execute(
        update(project_table)
        .where(project_table.c.id == project.id)
        .values(deleted_ms=None, deleted_by=None)
    )
    after = context.configuration_changed()
    return json_response(project_bean(after, after.site.projects[project.id]))


def _require_deleting(context: Context) -> None:
    if context.account is None:
        raise JiraError(401, "Authentication is required.", rule="caller.anonymous")
    if not context.permissions.is_admin():  # documented as 404, not 403
        missing = project_not_found(context.params["projectIdOrKey"])
        raise JiraError(404, *missing.messages, rule="permission.ADMINISTER")


def _defaults(context: Context) -> dict[str, object]:
    site = context.site
    return {
        "cloud_id": site.cloud_id,
        "uuid": context.ids.uuid(),
        "avatar_id": AVATAR_ID,
        "permission_scheme_id": min(site.permission_schemes),
        "issue_type_scheme_id": min(site.issue_type_ids),
        "workflow_scheme_id": min(site.workflow_schemes),
    }


def _insert_project(context: Context, columns: dict[str, object]) -> int:
    project_id = next_id(context.connection, project_table.name)
    context.connection.execute(insert(project_table).values(id=project_id, **columns))
    _add_key(context, project_id, str(columns["key"]))
    return project_id


def _add_key(context: Context, project_id: int, key: str) -> None:
    context.connection.execute(
        insert(project_key_table).values(
            cloud_id=context.site.cloud_id, key=key, project_id=project_id
        )
    )


def _copy_default_actors(context: Context, project_id: int) -> None:
    actors = [one for one in context.site.role_actors if one.project_id is None]
    insert_actors(context.connection, project_id, [(one.role_id, one) for one in actors])


def _change_keys(
    context: Context, project: Project, columns: dict[str, object], released: list[str]
) -> None:
    """Keep the old key as a former one, and give up the former keys that are released."""
    key = str(columns.get("key", project.key))
    if key not in (project.key, *project.former_keys):
        _add_key(context, project.id, key)
    gone = set(released) & {project.key, *project.former_keys} - {key}
    if gone != set(released):
        raise JiraError(400, fields={"releasedProjectKeys": "Not a former key of the project."})
    table = project_key_table.c
    context.connection.execute(
        delete(project_key_table).where(
            table.cloud_id == context.site.cloud_id, table.key.in_(sorted(gone))
        )
    )


def _erase(context: Context, project: Project) -> None:
    """Delete a project, its issues and whatever hangs on them."""
    issues = select(issue_table.c.id).where(issue_table.c.project_id == project.id)
    comments = select(comment_table.c.id).where(comment_table.c.issue_id.in_(issues))
    table = property_table.c
    entities = {
        "issue": issues.with_only_columns(cast(issue_table.c.id, String)),
        "comment": comments.with_only_columns(cast(comment_table.c.id, String)),
    }
    for entity, ids in entities.items():
        context.connection.execute(
            delete(property_table).where(table.entity == entity, table.entity_id.in_(ids))
        )
    context.connection.execute(
        delete(property_table).where(table.entity == "project", table.entity_id == str(project.id))
    )
    context.connection.execute(delete(project_table).where(project_table.c.id == project.id))
