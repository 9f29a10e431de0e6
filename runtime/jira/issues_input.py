"""What clients send to create or change an issue, read and sorted; and a new issue's beginnings."""

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.errors import JiraError
from runtime.jira.context import BAD_PAYLOAD, Context
from runtime.jira.failures import UnreadableBodyError
from runtime.jira.issue_draft import Draft, merge_updates, refuse
from runtime.jira.issue_setters import (
    COMMON_SETTERS,
    custom_setters,
    default_assignee,
    find_named,
    is_assignable,
)
from runtime.jira.responses import Json
from runtime.jira.site import IssueType, Project

EITHER = "one of 'fields' or 'update' required"
NO_PROJECT = "Specify a valid project ID or key"
NO_TYPE = "Specify a valid issue type"
NO_PARENT = "Issue type is a sub-task but parent issue key or id not specified."
MAY_NOT_CREATE = "You do not have permission to create issues in this project."
COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class IssueUpdate:
    """A request to create or change an issue.

    Attributes:
        fields: New values by field.
        update: Verbs by field, without those for comments.
        comments: What the verb ``add`` of ``comment`` says, in order.
        properties: Entity properties to set, by key.
    """

    fields: Mapping[str, Json]
    update: Mapping[str, Json]
    comments: tuple[Json, ...]
    properties: Mapping[str, Json]

    def values(self, draft: Draft) -> dict[str, Json]:
        """Return the value that each field shall have, verbs worked in."""
        merged = merge_updates(draft, self.update)
        for name in self.fields.keys() & self.update.keys():
            text = "The field is both in 'fields' and in 'update'; use one of them."
            draft.note(refuse(name, text))
        return {**self.fields, **merged}

    def is_empty(self) -> bool:
        """Say whether nothing is asked for."""
        return not (self.fields or self.update or self.comments or self.properties)


def read_update(body: Mapping[str, Json]) -> IssueUpdate:
    """Sort the body of a create, edit or transition request.

    Raises:
        JiraError: 400 if a part of it has the wrong type.
    """
    fields, update = _mapping(body.get("fields")), _mapping(body.get("update"))
    steps = update.pop(COMMENT, None) or []
    if not isinstance(steps, list):
        raise JiraError(400, fields={COMMENT: "data was not an array"})
    return IssueUpdate(
        fields, update, tuple(map(_added, steps)), _properties(body.get("properties"))
    )


def start_draft(context: Context, fields: Mapping[str, Json]) -> Draft:
    """Return the draft of a new issue: its project, its type and the right to create it.

    A hidden project is refused as a missing one is.

    Raises:
        JiraError: 400 if project or type are missing, or the caller may not create issues there.
    """
    project = _find_project(context, fields.get("project"))
    if project is None:
        raise refuse("project", NO_PROJECT)
    if not context.permissions.holds("CREATE_ISSUES", project=project):
        raise refuse("project", MAY_NOT_CREATE, "permission.CREATE_ISSUES")
    context.caller()
    offered = {one.id: one for one in context.site.issue_types_of(project)}
    type_id = find_named(offered, fields.get("issuetype"))
    if type_id is None:
        raise refuse("issuetype", NO_TYPE)
    return Draft(context, project, offered[type_id])


def fill_new(draft: Draft, update: IssueUpdate) -> None:
    """Set all fields of a new issue, with the defaults of those that are not given.

    Raises:
        JiraError: 400 with everything that is wrong.
    """
    values = update.values(draft)
    values = {name: values[name] for name in values if name not in ("project", "issuetype")}
    draft.columns.update(_defaults(draft))
    if draft.issue_type.subtask and values.get("parent") is None:
        draft.note(refuse("issuetype", NO_PARENT))
        values.pop("parent", None)
    setters = {**COMMON_SETTERS, **custom_setters(draft.context)}
    draft.set_all(setters, {"summary": None, **values})
    draft.check()


def _defaults(draft: Draft) -> dict[str, object]:
    context, project = draft.context, draft.project
    default = (one.id for one in context.site.priorities.values() if one.is_default)
    scheme_id = project.security_scheme_id
    level = None
    if scheme_id is not None:
        level = context.site.security_schemes[scheme_id].default_level_id
    assignee = default_assignee(project)
    if assignee is not None and not is_assignable(context, project, assignee):
        assignee = None
    return {
        "priority_id": next(default, None),
        "security_level_id": level,
        "reporter_id": context.account_id,
        "assignee_id": assignee,
    }


def _find_project(context: Context, value: Json) -> Project | None:
    given = value.get("id") or value.get("key") if isinstance(value, dict) else None
    project = None if given is None else context.site.find_project(str(given))
    return project if project is not None and context.permissions.sees(project) else None


def type_of(context: Context, project: Project, type_id: str) -> IssueType | None:
    """Return an issue type that a project offers, by id; None if there is none."""
    offered = context.site.issue_types_of(project)
    return next((one for one in offered if str(one.id) == type_id), None)


def _mapping(value: Json) -> dict[str, Json]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableBodyError(BAD_PAYLOAD)
    return dict(value)


def _added(step: Json) -> Json:
    if not isinstance(step, dict) or set(step) != {"add"}:
        raise JiraError(400, fields={COMMENT: "Only the verb 'add' is supported for comments."})
    return step["add"]


def _properties(value: Json) -> dict[str, Json]:
    if value is None:
        return {}
    if not isinstance(value, list):
        raise UnreadableBodyError(BAD_PAYLOAD)
    found: dict[str, Json] = {}
    for item in value:
        if not isinstance(item, dict) or not isinstance(item.get("key"), str):
            raise UnreadableBodyError(BAD_PAYLOAD)
        found[str(item["key"])] = item.get("value")
    return found
