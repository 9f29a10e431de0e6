"""Which fields an issue may be created and edited with, for whom.

Source:
    Jira Cloud REST API v3, "Get create issue metadata", "Get create metadata issue types for a
    project", "Get create field metadata", "Get edit issue metadata".
"""

from collections.abc import Callable, Mapping, Sequence

from runtime.errors import JiraError
from runtime.jira.beans import (
    Bean,
    issue_type_bean,
    priority_bean,
    project_avatars,
    project_reference,
    security_level_bean,
)
from runtime.jira.context import Context, operation
from runtime.jira.custom_fields import fields_of
from runtime.jira.custom_options import load_options, selected_bean
from runtime.jira.issue_draft import FIELD_PERMISSIONS, Draft
from runtime.jira.issue_fields import IssueField
from runtime.jira.issues_input import type_of
from runtime.jira.issues_store import Issue, get_issue
from runtime.jira.paging import requested_page
from runtime.jira.responses import json_response
from runtime.jira.site import IssueType, Project
from runtime.jira.visibility import get_project
from runtime.wire import JiraResponse

PAGE_LIMIT = 200
_CREATE = (
    *("summary", "issuetype", "project", "parent", "description", "environment", "priority"),
    *("labels", "assignee", "reporter", "duedate", "security"),
)
_EDIT = (*(name for name in _CREATE if name != "project"), "comment")
_REQUIRED = frozenset({"summary", "issuetype", "project", "reporter"})
_BEANS_EXPAND = "projects.issuetypes.fields"


@operation("getCreateIssueMeta")
def get_create_issue_meta(context: Context) -> JiraResponse:
    """Return the projects in which the caller may create issues, and of which types."""
    with_fields = _BEANS_EXPAND in context.expands()
    projects = [
        _project(context, project, types, with_fields=with_fields)
        for project, types in _asked_for(context)
    ]
    return json_response({"expand": "projects", "projects": projects})


@operation("getCreateIssueMetaIssueTypes")
def get_create_issue_types(context: Context) -> JiraResponse:
    """Return one page of the types of which the caller may create issues in a project."""
    project = get_project(context, context.params["projectIdOrKey"])
    may = context.permissions.holds("CREATE_ISSUES", project=project)
    types = context.site.issue_types_of(project) if may else ()
    return _page(context, "issueTypes", [issue_type_bean(context, one) for one in types])


@operation("getCreateIssueMetaIssueTypeId")
def get_create_fields(context: Context) -> JiraResponse:
    """Return one page of the fields with which the caller may create an issue of a type."""
    project = get_project(context, context.params["projectIdOrKey"])
    issue_type = type_of(context, project, context.params["issueTypeId"])
    if issue_type is None:
        raise JiraError(400, "The issue type selected is invalid.")
    may = context.permissions.holds("CREATE_ISSUES", project=project)
    fields = create_fields(context, project, issue_type) if may else {}
    return _page(context, "fields", [{"fieldId": name, **meta} for name, meta in fields.items()])


@operation("getEditIssueMeta")
def get_edit_issue_meta(context: Context) -> JiraResponse:
    """Return the fields of an issue that the caller may edit; none without *Edit issues*."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    return json_response({"fields": edit_fields(context, issue)})


def create_fields(context: Context, project: Project, issue_type: IssueType) -> dict[str, Bean]:
    """Return the fields with which the caller may create an issue of a type."""
    draft = Draft(context, project, issue_type)
    return _metas(draft, _CREATE)


def edit_fields(context: Context, issue: Issue) -> dict[str, Bean]:
    """Return the fields of an issue that the caller may edit; none without *Edit issues*."""
    if not context.permissions.holds("EDIT_ISSUES", issue=issue):
        return {}
    draft = Draft(context, issue.project(context), issue.issue_type(context), issue)
    return _metas(draft, _EDIT)


def _metas(draft: Draft, names: Sequence[str]) -> dict[str, Bean]:
    fields = fields_of(draft.context.site)
    metas = {name: _meta(draft, fields[name]) for name in names if _settable(draft, name)}
    custom = [one for one in draft.context.site.custom_fields.values() if not one.read_only]
    return metas | {one.field_id: _meta(draft, fields[one.field_id]) for one in custom}


def _settable(draft: Draft, name: str) -> bool:
    if name == "security" and not draft.context.site.levels_of(draft.project):
        return False
    permission = FIELD_PERMISSIONS.get(name, "ADD_COMMENTS" if name == "comment" else None)
    return permission is None or draft.holds(permission)


def _meta(draft: Draft, field: IssueField) -> Bean:
    name = field.id
    required = name in _REQUIRED or (name == "parent" and draft.issue_type.subtask)
    meta: Bean = {
        "required": required,
        "schema": field.schema(),
        "name": field.name,
        "key": field.key or field.id,
        "hasDefaultValue": name in ("priority", "reporter"),
        "operations": list(field.operations),
    }
    values = _VALUES.get(name)
    if "option" in (field.type, field.items):
        meta["allowedValues"] = _options(draft, field)
    if values is not None:
        meta["allowedValues"] = values(draft)
    if name == "labels":
        meta["autoCompleteUrl"] = draft.context.site_link("rest/api/1.0/labels/suggest?query=")
    if name in ("assignee", "reporter"):
        link = draft.context.link(f"user/assignable/search?project={draft.project.key}&query=")
        meta["autoCompleteUrl"] = link
    return meta


def _options(draft: Draft, field: IssueField) -> list[Bean]:
    options = load_options(draft.context.connection, field.custom_id or 0).values()
    return [
        selected_bean(draft.context.link(f"field/{field.key}/option/{one.id}"), one)
        for one in options
        if one.is_selectable([draft.project.id])
    ]


_VALUES: Mapping[str, Callable[[Draft], list[Bean]]] = {
    "issuetype": lambda draft: [issue_type_bean(draft.context, draft.issue_type)],
    "project": lambda draft: [project_reference(draft.context, draft.project)],
    "priority": lambda draft: [
        priority_bean(draft.context, one) for one in draft.context.site.priorities.values()
    ],
    "security": lambda draft: [
        security_level_bean(draft.context, one)
        for one in draft.context.site.levels_of(draft.project)
    ],
}


def _asked_for(context: Context) -> list[tuple[Project, list[IssueType]]]:
    """Return the projects and types that the query names and in which one may create issues."""
    ids, keys = set(context.texts("projectIds")), set(context.texts("projectKeys"))
    type_ids, names = set(context.texts("issuetypeIds")), set(context.texts("issuetypeNames"))
    found = []
    for project in context.permissions.visible_projects("CREATE_ISSUES"):
        asked = not (ids or keys) or str(project.id) in ids or project.key in keys
        if asked and context.permissions.sees(project):
            types = [
                one
                for one in context.site.issue_types_of(project)
                if not (type_ids or names) or str(one.id) in type_ids or one.name in names
            ]
            found.append((project, types))
    return found


def _project(
    context: Context, project: Project, types: Sequence[IssueType], *, with_fields: bool
) -> Bean:
    beans = []
    for issue_type in types:
        bean = issue_type_bean(context, issue_type)
        if with_fields:
            bean["expand"] = "fields"
            bean["fields"] = create_fields(context, project, issue_type)
        beans.append(bean)
    return {
        "expand": "issuetypes",
        "self": context.link(f"project/{project.id}"),
        "id": str(project.id),
        "key": project.key,
        "name": project.name,
        "avatarUrls": project_avatars(context, project),
        "issuetypes": beans,
    }


def _page(context: Context, name: str, beans: Sequence[Bean]) -> JiraResponse:
    page = requested_page(context, PAGE_LIMIT)
    shown = beans[page.start_at : page.start_at + page.max_results]
    return json_response(
        {
            "maxResults": page.max_results,
            "startAt": page.start_at,
            "total": len(beans),
            name: list(shown),
        }
    )
