"""How each field of an issue is set: what clients send, checked, to what the store keeps."""

from collections.abc import Mapping
from datetime import date

from runtime.identity.accounts import Account
from runtime.jira.adf import Node, check_document, check_wiki, is_empty
from runtime.jira.beans import find_accounts
from runtime.jira.context import Context
from runtime.jira.custom_values import accept
from runtime.jira.issue_draft import NOT_SETTABLE, Draft, Setter, refuse
from runtime.jira.issues_store import Issue, find_visible_issue
from runtime.jira.permissions import Permissions
from runtime.jira.responses import Json
from runtime.jira.schema import KEY_LENGTH, site_user_table
from runtime.jira.site import CustomField, Project
from runtime.jira.wiki import to_adf

AUTOMATIC = "-1"  # the assignee that the project's default says
WIKI_VERSION = 2


def _summary(draft: Draft, value: Json) -> None:
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise refuse("summary", "Operation value must be a string")
    if not value.strip():
        raise refuse("summary", "You must specify a summary of the issue.")
    if "\n" in value or "\r" in value:
        text = "The summary is invalid because it contains newline characters."
        raise refuse("summary", text)
    if len(value) > KEY_LENGTH:
        raise refuse("summary", f"Summary can't exceed {KEY_LENGTH} characters.")
    draft.columns["summary"] = value.strip()


def rich_input(context: Context, value: Json, name: str) -> Node | None:
    """Return a rich text as the store keeps it: ADF; from version 2 of the API, wiki text.

    Raises:
        JiraError: 400 if this version of the API does not take it.
    """
    if value is None:
        return None
    if context.version == WIKI_VERSION:
        document = to_adf(check_wiki(value, name))
    else:
        document = check_document(value, name)
    return None if is_empty(document) else document


def _rich(name: str) -> Setter:
    def set_(draft: Draft, value: Json) -> None:
        draft.rest[name] = rich_input(draft.context, value, name)

    return set_


def _labels(draft: Draft, value: Json) -> None:
    if not isinstance(value, list):
        raise refuse("labels", "data was not an array" if value is not None else "null is not set")
    for label in value:
        if not isinstance(label, str) or not label:
            raise refuse("labels", "string expected at index 0")
        if any(letter.isspace() for letter in label):
            raise refuse("labels", f"The label '{label}' contains spaces which is invalid.")
        if len(label) > KEY_LENGTH:
            raise refuse(
                "labels", f"The label '{label[:20]}…' exceeds the limit of {KEY_LENGTH} characters."
            )
    draft.rest["labels"] = sorted(set(map(str, value)))


def _due(draft: Draft, value: Json) -> None:
    if value is None or value == "":
        draft.columns["due"] = None
        return
    if not isinstance(value, str):
        raise refuse("duedate", "Operation value must be a string")
    try:
        draft.columns["due"] = date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise refuse("duedate", f"Error parsing date string: {value}") from error


def _priority(draft: Draft, value: Json) -> None:
    priorities = draft.context.site.priorities
    if value is None:
        draft.columns["priority_id"] = None
        return
    found = find_named(priorities, value)
    if found is None:
        raise refuse("priority", "The priority selected is invalid.")
    draft.columns["priority_id"] = found


def _resolution(draft: Draft, value: Json) -> None:
    found = find_named(draft.context.site.resolutions, value)
    if found is None:
        raise refuse("resolution", "The resolution selected is invalid.")
    draft.columns["resolution_id"] = found


def _security(draft: Draft, value: Json) -> None:
    if value is None:
        draft.columns["security_level_id"] = None
        return
    levels = {level.id: level for level in draft.context.site.levels_of(draft.project)}
    found = find_named(levels, value)
    if found is None:
        raise refuse("security", "The security level selected is invalid.")
    draft.columns["security_level_id"] = found


def find_named(things: Mapping[int, object], value: Json) -> int | None:
    """Return the id of the configured thing that ``{"id": …}`` or ``{"name": …}`` means."""
    if not isinstance(value, dict):
        return None
    if value.get("id") is not None:
        return next((one for one in things if str(one) == str(value["id"])), None)
    name = value.get("name")
    return next(
        (one for one, thing in things.items() if getattr(thing, "name", None) == name), None
    )


# --- people ---------------------------------------------------------------------------------------


def _assignee(draft: Draft, value: Json) -> None:
    account_id = account_id_of(value)
    if account_id == AUTOMATIC:
        account_id = default_assignee(draft.project)
    if account_id is not None and not is_assignable(draft.context, draft.project, account_id):
        raise refuse("assignee", f"User '{account_id}' cannot be assigned issues.")
    draft.columns["assignee_id"] = account_id


def account_id_of(value: Json) -> str | None:
    """Return the account id in ``{"accountId": …}`` or ``{"id": …}``; None for nobody."""
    if not isinstance(value, dict):
        return None if value is None else str(value)
    found = value.get("accountId", value.get("id"))
    return None if found is None else str(found)


def default_assignee(project: Project) -> str | None:
    """Return whom a project's new issues go to: its lead, or nobody."""
    return project.lead_id if project.assignee_type == "PROJECT_LEAD" else None


def is_assignable(context: Context, project: Project, account_id: str) -> bool:
    """Say whether issues of a project may be assigned to an account of this site."""
    account = find_site_account(context, account_id)
    if account is None or not account.active:
        return False
    return Permissions(context.site, account).holds("ASSIGNABLE_USER", project=project)


def find_site_account(context: Context, account_id: str) -> Account | None:
    """Return an account of this site, or None."""
    account = find_accounts(context, [account_id]).get(account_id)
    member = site_user_table.select().where(
        site_user_table.c.cloud_id == context.site.cloud_id,
        site_user_table.c.account_id == account_id,
    )
    return account if account and context.connection.execute(member).first() else None


def _reporter(draft: Draft, value: Json) -> None:
    account_id = account_id_of(value)
    if account_id is None:
        raise refuse("reporter", "Reporter is required.")
    if find_site_account(draft.context, account_id) is None:
        raise refuse("reporter", "The reporter specified is not a user.")
    draft.columns["reporter_id"] = account_id


# --- the issue's place ----------------------------------------------------------------------------


def _parent(draft: Draft, value: Json) -> None:
    parent = None if value is None else _find_parent(draft, value)
    if parent is None:
        if draft.issue_type.subtask:
            raise refuse("parent", "A sub-task must have a parent issue.")
        draft.columns["parent_id"] = None
        return
    levels = draft.context.site.issue_types
    if levels[parent.issue_type_id].hierarchy_level != draft.issue_type.hierarchy_level + 1:
        text = "Given parent work item does not belong to appropriate hierarchy."
        raise refuse("parent", text)
    if draft.issue_type.subtask and parent.project_id != draft.project.id:
        text = "Sub-tasks must be created in the same project as the parent."
        raise refuse("project", text)
    draft.columns["parent_id"] = parent.id


def _find_parent(draft: Draft, value: Json) -> Issue:
    given = value.get("id") or value.get("key") if isinstance(value, dict) else None
    found = None if given is None else find_visible_issue(draft.context, str(given))
    if found is None or (draft.issue is not None and found.id == draft.issue.id):
        raise refuse("parent", "Could not find issue by id or key.")
    return found


def _issue_type(draft: Draft, value: Json) -> None:
    """Change the type of an issue: to one that its project offers and that works the same way."""
    site, before = draft.context.site, draft.issue_type
    offered = {one.id: one for one in site.issue_types_of(draft.project)}
    found = find_named(offered, value)
    if found is None:
        raise refuse("issuetype", "The issue type selected is invalid.")
    same_level = offered[found].hierarchy_level == before.hierarchy_level
    workflows = {site.workflow_of(draft.project, one).id for one in (found, before.id)}
    if not same_level or len(workflows) > 1:
        raise refuse("issuetype", "The issue type selected is invalid.")
    draft.columns["issue_type_id"] = found


def _project(draft: Draft, value: Json) -> None:
    """Accept the project an issue is in already; an edit does not move issues."""
    given = value.get("id") or value.get("key") if isinstance(value, dict) else None
    if str(given) not in (str(draft.project.id), draft.project.key):
        raise refuse("project", NOT_SETTABLE.format("project"))


def custom_setters(context: Context) -> dict[str, Setter]:
    """Return the setters of the custom fields that people and apps may set on an issue."""
    fields = context.site.custom_fields.values()
    return {one.field_id: _custom(one) for one in fields if not one.read_only}


def _custom(one: CustomField) -> Setter:
    def set_(draft: Draft, value: Json) -> None:
        draft.rest[one.field_id] = accept(draft.context, one, value, draft.project)

    return set_


COMMON_SETTERS: Mapping[str, Setter] = {
    "summary": _summary,
    "description": _rich("description"),
    "environment": _rich("environment"),
    "labels": _labels,
    "duedate": _due,
    "priority": _priority,
    "security": _security,
    "assignee": _assignee,
    "reporter": _reporter,
    "parent": _parent,
}
"""Setters of the fields that may be set both when an issue is created and later."""
EDIT_SETTERS: Mapping[str, Setter] = {
    **COMMON_SETTERS,
    "issuetype": _issue_type,
    "project": _project,
}
SCREEN_SETTERS: Mapping[str, Setter] = {"resolution": _resolution}
"""Setters of the fields on the screen of a transition that resolves an issue."""
