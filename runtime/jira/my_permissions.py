"""Which permissions there are, and which the caller or another account holds.

Source:
    Jira Cloud REST API v3, "Permissions".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from runtime.errors import JiraError
from runtime.jira.beans import Bean, find_accounts
from runtime.jira.comment_store import get_comment
from runtime.jira.context import Context, operation, parse_long
from runtime.jira.failures import HIDDEN, admin_required
from runtime.jira.issues_store import find_visible_issue, get_issue, load_issues
from runtime.jira.payload import Payload
from runtime.jira.permission_keys import (
    ALL_PERMISSIONS,
    GLOBAL_PERMISSIONS,
    PROJECT_PERMISSIONS,
    PermissionKey,
)
from runtime.jira.permissions import Permissions, SecuredIssue
from runtime.jira.responses import Json, json_response
from runtime.jira.schema import comment_table
from runtime.jira.site import Project
from runtime.jira.visibility import get_project
from runtime.wire import JiraResponse

CHECK_LIMIT = 1000  # projects, and issues, of one check
BROWSE = "BROWSE_PROJECTS"


@dataclass(frozen=True, slots=True)
class Where:
    """In which context permissions are asked: globally, in a project, or on an issue."""

    project: Project | None = None
    issue: SecuredIssue | None = None


@operation("getAllPermissions")
def get_all_permissions(context: Context) -> JiraResponse:
    """Return every permission there is, global and of projects."""
    del context  # the same on every site
    return json_response({"permissions": {key: _bean(at) for key, at in ALL_PERMISSIONS.items()}})


@operation("getMyPermissions")
def get_my_permissions(context: Context) -> JiraResponse:
    """Return which of the named permissions the caller holds.

    Asked of nothing, a project permission is held if it is in any project; asked of a project or an
    issue that the caller does not see, the answer is that of a missing one.
    """
    keys = context.texts("permissions")
    if not keys:
        raise JiraError(400, "The 'permissions' query parameter is required.")
    unknown = [key for key in keys if key not in ALL_PERMISSIONS]
    if unknown:
        raise JiraError(400, f"Unrecognized permission: {unknown[0]}")
    if context.text("commentId") and set(keys) != {BROWSE}:
        raise JiraError(400, f"With a comment, only {BROWSE} can be asked for.")
    where = _where(context)
    return json_response({"permissions": {key: _held_bean(context, key, where) for key in keys}})


@operation("getBulkPermissions", read_only=True)
def check_permissions(context: Context) -> JiraResponse:
    """Return which permissions an account holds, globally and in lists of projects and issues.

    Another account's permissions are for Jira's administrators. Ids of nothing, and of what the
    account does not see, are left out.
    """
    payload = Payload(
        context.json_object(), {"accountId", "globalPermissions", "projectPermissions"}
    )
    who = _checked_account(context, payload.text("accountId"))
    wanted = payload.texts("globalPermissions")
    _refuse_unknown(wanted, GLOBAL_PERMISSIONS)
    grants: list[Bean] = []
    for item in payload.items("projectPermissions"):
        if item is not None:
            grants += _check_projects(context, who, item)
    held = [key for key in dict.fromkeys(wanted) if who.holds(key)]
    return json_response({"globalPermissions": held, "projectPermissions": grants})


@operation("getPermittedProjects", read_only=True)
def get_permitted_projects(context: Context) -> JiraResponse:
    """Return the projects in which the caller holds all of the named permissions."""
    keys = Payload(context.json_object(), {"permissions"}).texts("permissions")
    _refuse_unknown(keys, PROJECT_PERMISSIONS)
    if not keys:
        raise JiraError(400, "At least one permission must be named.")
    permissions = context.permissions
    projects = [
        {"id": project.id, "key": project.key}
        for project in context.site.live_projects()
        if permissions.sees(project)
        and all(permissions.holds(key, project=project) for key in keys)
    ]
    return json_response({"projects": projects})


def _where(context: Context) -> Where:
    comment_id, issue_id = context.text("commentId"), context.text("issueId")
    if comment_id:
        return Where(issue=_issue_of_comment(context, comment_id))
    if issue_id or context.text("issueKey"):
        return Where(issue=get_issue(context, issue_id or context.text("issueKey") or ""))
    project = context.text("projectId") or context.text("projectKey")
    return Where(project=get_project(context, project) if project else None)


def _issue_of_comment(context: Context, comment_id: str) -> SecuredIssue:
    """Return the issue of a comment that the caller may read; 404 alike if hidden or missing."""
    number = parse_long("commentId", comment_id)
    issue_id = context.connection.execute(
        select(comment_table.c.issue_id).where(comment_table.c.id == number)
    ).scalar()
    issue = None if issue_id is None else find_visible_issue(context, str(issue_id))
    if issue is None:
        raise JiraError(404, f"Can not find a comment for the id: {number}.", rule=HIDDEN)
    get_comment(context, issue, str(number))  # refuses in the same words
    return issue


def _held_bean(context: Context, key: str, where: Where) -> Bean:
    held = context.permissions.holds(key, project=where.project, issue=where.issue)
    return {**_bean(ALL_PERMISSIONS[key]), "havePermission": held}


def _bean(permission: PermissionKey) -> Bean:
    return {
        "id": permission.id,
        "key": permission.key,
        "name": permission.name,
        "type": permission.kind,
        "description": permission.description,
    }


def _checked_account(context: Context, account_id: str | None) -> Permissions:
    """Return the permissions that a check is about: the caller's own, or another account's."""
    if account_id is None or account_id == context.account_id:
        return context.permissions
    if not context.permissions.is_admin():
        raise admin_required("Only Jira administrators can perform this operation.")
    account = find_accounts(context, (account_id,)).get(account_id)
    if account is None:
        raise JiraError(400, f"The account '{account_id}' does not exist.")
    return Permissions(context.site, account)


def _check_projects(context: Context, who: Permissions, value: Json) -> list[Bean]:
    """Return one answer for each permission of an item: the projects and issues it is held in."""
    payload = Payload(value, {"permissions", "projects", "issues"})
    keys = [key for key in payload.texts("permissions") if key]
    _refuse_unknown(keys, PROJECT_PERMISSIONS)
    if not keys:
        raise JiraError(400, "At least one project permission must be named.")
    project_ids = list(dict.fromkeys(payload.numbers("projects")))
    issue_ids = list(dict.fromkeys(payload.numbers("issues")))
    if len(project_ids) > CHECK_LIMIT or len(issue_ids) > CHECK_LIMIT:
        raise JiraError(400, f"At most {CHECK_LIMIT} projects and issues can be checked.")
    found = (context.site.find_project(str(project_id)) for project_id in project_ids)
    projects = [project for project in found if project is not None and who.sees(project)]
    issues = [issue for issue in load_issues(context, issue_ids) if who.holds(BROWSE, issue=issue)]
    return [
        {
            "permission": key,
            "projects": [one.id for one in projects if who.holds(key, project=one)],
            "issues": [one.id for one in issues if who.holds(key, issue=one)],
        }
        for key in dict.fromkeys(keys)
    ]


def _refuse_unknown(keys: Iterable[str], known: Mapping[str, PermissionKey]) -> None:
    unknown = {key: "Unrecognized permission" for key in keys if key not in known}
    if unknown:
        raise JiraError(400, fields=unknown)
