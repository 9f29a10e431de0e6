"""Read projects: one, a list, a search, and what a project is made of."""

from collections.abc import Callable, Mapping

from runtime.errors import JiraError
from runtime.jira.beans import Bean, security_level_bean, status_bean
from runtime.jira.context import Context, operation, parse_long
from runtime.jira.failures import CANNOT_CONFIGURE, HIDDEN, not_permitted
from runtime.jira.paging import page_bean
from runtime.jira.permissions import Permissions
from runtime.jira.project_beans import fetch_details, project_bean, short_project_bean
from runtime.jira.responses import json_response
from runtime.jira.site import IssueType, Project, SecurityLevel
from runtime.jira.visibility import get_browsable_project, get_project
from runtime.wire import JiraResponse

SEARCH_LIMIT = 100  # the platform's largest page of project/search
FILTER_LIMIT = 50  # of ids, and of keys

ACTIONS: Mapping[str, Callable[[Permissions, Project], bool]] = {
    "view": Permissions.sees,
    "browse": lambda who, project: who.holds("BROWSE_PROJECTS", project=project),
    "edit": Permissions.administers,
    "create": lambda who, project: who.holds("CREATE_ISSUES", project=project),
}
"""What ``action`` of a search may ask of a project."""

ORDERS: Mapping[str, Callable[[Project], tuple[object, ...]]] = {
    "key": lambda project: (project.key,),
    "name": lambda project: (project.name.lower(), project.key),
    "owner": lambda project: (project.lead_id, project.key),
    "category": lambda project: (project.category_id or 0, project.key),
    "deletedDate": lambda project: (project.deleted_ms or 0, project.key),
}
"""What ``orderBy`` may name. Differs: issue counts and dates, and archiving, are not there."""


@operation("getProject")
def get_one_project(context: Context) -> JiraResponse:
    """Return one project, found by id or by a current or former key.

    A hidden project answers exactly like a missing one.
    """
    project = get_project(context, context.params["projectIdOrKey"])
    return json_response(project_bean(context, project))


@operation("getAllProjects")
def get_all_projects(context: Context) -> JiraResponse:
    """Return the projects that the caller may browse or administer, by key.

    Differs: ``recent`` is ignored; nothing records what was looked at last.
    """
    permissions = context.permissions
    projects = tuple(
        project
        for project in context.site.live_projects()
        if permissions.holds("BROWSE_PROJECTS", project=project)
        or permissions.holds("ADMINISTER_PROJECTS", project=project)
    )
    details = fetch_details(context, projects)
    return json_response([short_project_bean(context, project, details) for project in projects])


@operation("searchProjects")
def search_projects(context: Context) -> JiraResponse:
    """Return a page of the projects that the caller may see and that pass the filters."""
    action = ACTIONS.get(context.text("action") or "view")
    if action is None:
        raise JiraError(400, f"The action '{context.text('action')}' is not valid.")
    found = [project for project in _by_status(context) if action(context.permissions, project)]
    for keep in _filters(context):
        found = [project for project in found if keep(project)]
    ordered = _ordered(context, found)
    details = fetch_details(context, ordered)
    return json_response(
        page_bean(
            context,
            "project/search",
            ordered,
            lambda project: short_project_bean(context, project, details),
            limit=SEARCH_LIMIT,
        )
    )


@operation("getAllStatuses")
def get_project_statuses(context: Context) -> JiraResponse:
    """Return the statuses that issues of each type may have in a project."""
    project = get_browsable_project(context, context.params["projectIdOrKey"])
    types = context.site.issue_types_of(project)
    return json_response([_type_with_statuses(context, project, kind) for kind in types])


@operation("getSecurityLevelsForProject")
def get_project_security_levels(context: Context) -> JiraResponse:
    """Return the security levels that the caller may set on an issue of the project.

    Empty without *Set issue security*; otherwise the levels that let the caller through.
    """
    project = get_browsable_project(context, context.params["projectKeyOrId"])
    levels: list[SecurityLevel] = []
    if context.permissions.holds("SET_ISSUE_SECURITY", project=project):
        levels = [
            level
            for level in context.site.levels_of(project)
            if any(context.permissions.fits(holder, project) for holder in level.holders)
        ]
    return json_response({"levels": [security_level_bean(context, level) for level in levels]})


@operation("getProjectIssueSecurityScheme")
def get_project_security_scheme(context: Context) -> JiraResponse:
    """Return the issue security scheme of a project to whoever administers it."""
    project = get_project(context, context.params["projectKeyOrId"])
    if not context.permissions.administers(project):
        raise not_permitted("ADMINISTER_PROJECTS", CANNOT_CONFIGURE)
    if project.security_scheme_id is None:
        raise JiraError(404, "The project has no issue security scheme.", rule=HIDDEN)
    scheme = context.site.security_schemes[project.security_scheme_id]
    bean: Bean = {
        "self": context.link(f"issuesecurityschemes/{scheme.id}"),
        "id": scheme.id,
        "name": scheme.name,
        "description": scheme.description,
        "levels": [security_level_bean(context, level) for level in scheme.levels],
    }
    if scheme.default_level_id is not None:
        bean["defaultSecurityLevelId"] = scheme.default_level_id
    return json_response(bean)


def _type_with_statuses(context: Context, project: Project, kind: IssueType) -> Bean:
    workflow = context.site.workflow_of(project, kind.id)
    statuses = [context.site.statuses[status_id] for status_id in workflow.status_ids()]
    return {
        "self": context.link(f"issuetype/{kind.id}"),
        "id": str(kind.id),
        "name": kind.name,
        "subtask": kind.subtask,
        "statuses": [status_bean(context, status) for status in statuses],
    }


def _by_status(context: Context) -> tuple[Project, ...]:
    """Return live projects, and for administrators those in the recycle bin if asked for."""
    wanted = set(context.texts("status")) or {"live"}
    if not wanted <= {"live", "archived", "deleted"}:
        raise JiraError(400, "The status must be live, archived or deleted.")
    projects = context.site.live_projects() if "live" in wanted else ()
    if "deleted" in wanted and context.permissions.is_admin():
        every = context.site.projects.values()
        projects += tuple(project for project in every if project.deleted_ms is not None)
    return projects


def _filters(context: Context) -> list[Callable[[Project], bool]]:
    """Return the filters that the query's parameters stand for."""
    values = context.request.query
    ids = {parse_long("id", value) for key, value in values if key == "id" and value}
    keys = {value for key, value in values if key == "keys" and value}
    if len(ids) > FILTER_LIMIT or len(keys) > FILTER_LIMIT:
        raise JiraError(400, f"At most {FILTER_LIMIT} ids or keys may be given.")
    types, text = set(context.texts("typeKey")), (context.text("query") or "").lower()
    category = context.number("categoryId", 0)
    filters: list[Callable[[Project], bool]] = []
    if ids:
        filters.append(lambda project: project.id in ids)
    if keys:
        filters.append(lambda project: not keys.isdisjoint({project.key, *project.former_keys}))
    if types:
        filters.append(lambda project: project.project_type in types)
    if text:
        filters.append(lambda project: text in project.key.lower() or text in project.name.lower())
    if category:
        filters.append(lambda project: project.category_id == category)
    return filters


def _ordered(context: Context, projects: list[Project]) -> list[Project]:
    wanted = context.text("orderBy") or "key"
    order = ORDERS.get(wanted.lstrip("+- "))
    if order is None:
        raise JiraError(400, f"The orderBy value '{wanted}' is not supported.")
    return sorted(projects, key=order, reverse=wanted.startswith("-"))
