"""The JSON of what many operations answer with: people, projects, types, statuses, priorities.

Source:
    Jira Cloud REST API v3, the schemas ``User``, ``Project``, ``IssueTypeDetails``,
    ``StatusDetails``, ``Priority``, ``Resolution``.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from sqlalchemy import bindparam, select

from runtime.identity.accounts import Account, account_table
from runtime.jira.context import Context
from runtime.jira.site import (
    Category,
    IssueType,
    Priority,
    Project,
    ProjectCategory,
    Resolution,
    SecurityLevel,
    Status,
)

Bean = dict[str, object]

AVATAR_SIZES = (("48x48", ""), ("24x24", "small"), ("16x16", "xsmall"), ("32x32", "medium"))
CATEGORIES: Mapping[Category, tuple[int, str, str]] = {
    "new": (2, "blue-gray", "To Do"),
    "indeterminate": (4, "yellow", "In Progress"),
    "done": (3, "green", "Done"),
}
"""Status categories: number, colour and name. The same on every site."""


def find_accounts(context: Context, account_ids: Iterable[str | None]) -> dict[str, Account]:
    """Return accounts by id, in one query; ids that are None or unknown are left out."""
    wanted = sorted({account_id for account_id in account_ids if account_id is not None})
    if not wanted:
        return {}
    rows = context.connection.execute(_ACCOUNTS, {"ids": wanted})
    return {row[0]: Account(*row) for row in rows}


_ACCOUNTS = select(*(account_table.c[name] for name in Account.__dataclass_fields__)).where(
    account_table.c.account_id.in_(bindparam("ids", expanding=True))
)


def user_bean(context: Context, account: Account) -> Bean:
    """Return a person or an app as issues, comments and projects show it.

    The e-mail address shows to the account itself only, as with the default profile settings.
    """
    bean: Bean = {
        "self": context.link(f"user?accountId={quote(account.account_id, safe='')}"),
        "accountId": account.account_id,
        "avatarUrls": user_avatars(context, account),
        "displayName": account.display_name,
        "active": account.active,
        "timeZone": account.time_zone,
        "accountType": account.account_type,
    }
    if account.email is not None and account.account_id == context.account_id:
        bean["emailAddress"] = account.email
    return bean


def user_avatars(context: Context, account: Account) -> dict[str, str]:
    """Return links to an account's picture in four sizes."""
    root = context.site_link(f"secure/useravatar?ownerId={quote(account.account_id, safe='')}")
    return {size: f"{root}&size={name}" if name else root for size, name in AVATAR_SIZES}


def project_avatars(context: Context, project: Project) -> dict[str, str]:
    """Return links to a project's picture in four sizes."""
    root = context.link(f"universal_avatar/view/type/project/avatar/{project.avatar_id}")
    return {size: f"{root}?size={name}" if name else root for size, name in AVATAR_SIZES}


def project_reference(context: Context, project: Project) -> Bean:
    """Return a project as an issue shows it."""
    bean: Bean = {
        "self": context.link(f"project/{project.id}"),
        "id": str(project.id),
        "key": project.key,
        "name": project.name,
        "projectTypeKey": project.project_type,
        "simplified": False,
        "avatarUrls": project_avatars(context, project),
    }
    if project.category_id is not None:
        bean["projectCategory"] = category_bean(
            context, context.site.categories[project.category_id]
        )
    return bean


def category_bean(context: Context, category: ProjectCategory) -> Bean:
    """Return a project category."""
    return {
        "self": context.link(f"projectCategory/{category.id}"),
        "id": str(category.id),
        "name": category.name,
        "description": category.description,
    }


def issue_type_bean(context: Context, issue_type: IssueType) -> Bean:
    """Return an issue type."""
    icon = f"universal_avatar/view/type/issuetype/avatar/{issue_type.avatar_id}?size=medium"
    return {
        "self": context.link(f"issuetype/{issue_type.id}"),
        "id": str(issue_type.id),
        "description": issue_type.description,
        "iconUrl": context.link(icon),
        "name": issue_type.name,
        "subtask": issue_type.subtask,
        "avatarId": issue_type.avatar_id,
        "hierarchyLevel": issue_type.hierarchy_level,
    }


def status_bean(context: Context, status: Status) -> Bean:
    """Return a status with its category."""
    return {
        "self": context.link(f"status/{status.id}"),
        "description": status.description,
        "iconUrl": context.site_link("images/icons/status_generic.gif"),
        "name": status.name,
        "id": str(status.id),
        "statusCategory": status_category_bean(context, status.category),
    }


def status_category_bean(context: Context, category: Category) -> Bean:
    """Return a status category."""
    number, color, name = CATEGORIES[category]
    return {
        "self": context.link(f"statuscategory/{number}"),
        "id": number,
        "key": category,
        "colorName": color,
        "name": name,
    }


def priority_bean(context: Context, priority: Priority) -> Bean:
    """Return a priority."""
    return {
        "self": context.link(f"priority/{priority.id}"),
        "iconUrl": context.site_link(f"images/icons/priorities/{priority.icon}.svg"),
        "name": priority.name,
        "id": str(priority.id),
    }


def resolution_bean(context: Context, resolution: Resolution) -> Bean:
    """Return a resolution."""
    return {
        "self": context.link(f"resolution/{resolution.id}"),
        "id": str(resolution.id),
        "description": resolution.description,
        "name": resolution.name,
    }


def security_level_bean(context: Context, level: SecurityLevel) -> Bean:
    """Return an issue security level."""
    return {
        "self": context.link(f"securitylevel/{level.id}"),
        "id": str(level.id),
        "name": level.name,
        "description": level.description,
    }
