"""The JSON of projects.

Source:
    Jira Cloud REST API v3, the schema ``Project`` and the ``expand`` of "Projects".

Differs:
    ``projectKeys`` cannot be expanded: the official schema does not name it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from runtime.identity.accounts import Account
from runtime.jira.beans import (
    Bean,
    category_bean,
    find_accounts,
    issue_type_bean,
    project_avatars,
    user_bean,
)
from runtime.jira.context import Context
from runtime.jira.responses import jira_time
from runtime.jira.schema import issue_table, property_table
from runtime.jira.site import Project

EXPANDABLE = "description,lead,issueTypes,url,permissions,insight"


@dataclass(frozen=True, slots=True)
class ProjectDetails:
    """What the beans of some projects need from the store, fetched for all at once."""

    accounts: Mapping[str, Account]
    insights: Mapping[int, tuple[int, int | None]]
    properties: Mapping[int, Mapping[str, object]]


def fetch_details(context: Context, projects: Iterable[Project]) -> ProjectDetails:
    """Fetch what the projects' beans need, in at most one query of each kind."""
    found = tuple(projects)
    insights = _insights(context, found) if "insight" in context.expands() else {}
    people = {project.lead_id for project in found} | {project.deleted_by for project in found}
    return ProjectDetails(find_accounts(context, people), insights, _properties(context, found))


def short_project_bean(context: Context, project: Project, details: ProjectDetails) -> Bean:
    """Return a project as a list shows it, with what ``expand`` asks for."""
    bean: Bean = {
        "expand": EXPANDABLE,
        "self": context.link(f"project/{project.id}"),
        "id": str(project.id),
        "key": project.key,
        "name": project.name,
        "avatarUrls": project_avatars(context, project),
        "projectTypeKey": project.project_type,
        "simplified": False,
        "style": "classic",
        "isPrivate": False,
        "properties": details.properties.get(project.id, {}),
    }
    if project.category_id is not None:
        category = context.site.categories[project.category_id]
        bean["projectCategory"] = category_bean(context, category)
    _add_deletion(context, bean, project, details)
    _add_expanded(context, bean, project, details)
    return bean


def project_bean(context: Context, project: Project) -> Bean:
    """Return a project as its own resource shows it."""
    details = fetch_details(context, (project,))
    return {
        **short_project_bean(context, project, details),
        "description": project.description,
        "lead": user_bean(context, details.accounts[project.lead_id]),
        "components": [],
        "versions": [],
        "issueTypes": _issue_types(context, project),
        "assigneeType": project.assignee_type,
        "roles": role_links(context, project),
        "uuid": project.uuid,
        **({"url": project.url} if project.url else {}),
    }


def role_links(context: Context, project: Project) -> dict[str, str]:
    """Return a link to each role in a project, by the role's name."""
    roles = context.site.roles.values()
    return {role.name: context.link(f"project/{project.id}/role/{role.id}") for role in roles}


def _add_deletion(context: Context, bean: Bean, project: Project, details: ProjectDetails) -> None:
    if project.deleted_ms is None:
        return
    bean["deleted"] = True
    bean["deletedDate"] = jira_time(project.deleted_ms)
    if project.deleted_by is not None:
        bean["deletedBy"] = user_bean(context, details.accounts[project.deleted_by])


def _add_expanded(context: Context, bean: Bean, project: Project, details: ProjectDetails) -> None:
    expands = context.expands()
    if "description" in expands:
        bean["description"] = project.description
    if "lead" in expands:
        bean["lead"] = user_bean(context, details.accounts[project.lead_id])
    if "issueTypes" in expands:
        bean["issueTypes"] = _issue_types(context, project)
    if "url" in expands and project.url:
        bean["url"] = project.url
    if "permissions" in expands:
        bean["permissions"] = {"canEdit": context.permissions.administers(project)}
    if "insight" in expands:
        bean["insight"] = _insight(*details.insights.get(project.id, (0, None)))


def _issue_types(context: Context, project: Project) -> list[Bean]:
    return [issue_type_bean(context, kind) for kind in context.site.issue_types_of(project)]


def _insight(count: int, updated_ms: int | None) -> Bean:
    bean: Bean = {"totalIssueCount": count}
    if updated_ms is not None:
        bean["lastIssueUpdateTime"] = jira_time(updated_ms)
    return bean


def _insights(context: Context, projects: tuple[Project, ...]) -> dict[int, tuple[int, int | None]]:
    table = issue_table.c
    rows = context.connection.execute(
        select(table.project_id, func.count(), func.max(table.updated_ms))
        .where(table.project_id.in_([project.id for project in projects]))
        .group_by(table.project_id)
    )
    return {project_id: (count, updated_ms) for project_id, count, updated_ms in rows}


def _properties(context: Context, projects: tuple[Project, ...]) -> dict[int, dict[str, object]]:
    """Return the project properties that the query's ``properties`` names."""
    keys = context.texts("properties")
    found: dict[int, dict[str, object]] = {}
    if not keys:
        return found
    table = property_table.c
    rows = context.connection.execute(
        select(table.entity_id, table.key, table.value).where(
            table.cloud_id == context.site.cloud_id,
            table.entity == "project",
            table.entity_id.in_([str(project.id) for project in projects]),
            table.key.in_(keys),
        )
    )
    for entity_id, key, value in rows:
        found.setdefault(int(entity_id), {})[key] = value
    return found
