"""The operations on single issues: get, create, edit, assign, delete, history.

Each looks the issue up as the caller sees it, before anything else: a hidden issue and a missing
one answer alike, also to writes.

Source:
    Jira Cloud REST API v3, "Issues".
"""

from collections.abc import Mapping

from runtime.errors import JiraError
from runtime.jira.beans import Bean
from runtime.jira.comments import add_comments_of_update
from runtime.jira.context import BAD_PAYLOAD, Context, operation
from runtime.jira.custom_fields import fields_of
from runtime.jira.entity_properties import check_property, store_property
from runtime.jira.failures import UnreadableBodyError, not_permitted
from runtime.jira.issue_changes import history_page
from runtime.jira.issue_draft import Draft
from runtime.jira.issue_fields import select_fields
from runtime.jira.issue_rights import require_issue_edit
from runtime.jira.issue_setters import EDIT_SETTERS, custom_setters
from runtime.jira.issue_views import IssueView, read_view
from runtime.jira.issue_writes import insert_issue, remove_issues, save_issue
from runtime.jira.issues_input import EITHER, IssueUpdate, fill_new, read_update, start_draft
from runtime.jira.issues_store import Issue, children, get_issue, get_issue_and_people
from runtime.jira.responses import Json, created, json_response, no_content
from runtime.wire import JiraResponse

BULK_LIMIT = 50
SUBTASKS_LEFT = (
    "The issue '{}' has subtasks.  You must specify the 'deleteSubtasks' parameter to delete this "
    "issue and all its subtasks."
)


@operation("getIssue")
def get_one_issue(context: Context) -> JiraResponse:
    """Return one issue with the fields that are asked for, all by default."""
    issue, people = get_issue_and_people(context, context.params["issueIdOrKey"])
    wanted = select_fields(context.texts("fields"), "*all", fields_of(context.site))
    view = read_view(context, wanted, context.expands(), context.texts("properties"))
    return json_response(IssueView(context, [issue], view, people).bean(issue))


@operation("createIssue")
def create_issue(context: Context) -> JiraResponse:
    """Create an issue or a subtask."""
    issue = create_from(context, context.json_object())
    return created(_created_bean(context, issue))


@operation("createIssues")
def create_issues(context: Context) -> JiraResponse:
    """Create up to 50 issues; those that are refused do not keep others from being created."""
    requests = context.json_object().get("issueUpdates")
    if not isinstance(requests, list):
        raise UnreadableBodyError(BAD_PAYLOAD)
    if len(requests) > BULK_LIMIT:
        raise JiraError(400, f"At most {BULK_LIMIT} issues can be created at once.")
    issues: list[Bean] = []
    errors: list[Bean] = []
    for number, request in enumerate(requests):
        try:
            with context.connection.begin_nested():
                issues.append(_created_bean(context, create_from(context, request)))
        except JiraError as error:
            errors.append(_element_error(error, number))
    return json_response({"issues": issues, "errors": errors}, 201 if issues else 400)


@operation("editIssue")
def edit_issue(context: Context) -> JiraResponse:
    """Change fields of an issue, by value or by verb; with *Edit issues*."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    context.caller()
    require_issue_edit(context, issue)
    update = read_update(context.json_object())
    if update.is_empty():
        raise JiraError(400, EITHER)
    after = _edit(context, issue, update)
    if not context.flag("returnIssue", default=False):
        return no_content()
    wanted = select_fields((), "*all", fields_of(context.site))
    view = read_view(context, wanted, context.expands(), ())
    return json_response(IssueView(context, [after], view).bean(after))


@operation("assignIssue")
def assign_issue(context: Context) -> JiraResponse:
    """Assign an issue to somebody, to the project's default (``-1``) or to nobody (null)."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    context.caller()
    if not context.permissions.holds("ASSIGN_ISSUES", issue=issue):
        message = "You do not have permission to assign issues in this project."
        raise not_permitted("ASSIGN_ISSUES", message)
    body = context.json_object()
    _edit(context, issue, IssueUpdate({"assignee": body}, {}, (), {}))
    return no_content()


@operation("deleteIssue")
def delete_issue(context: Context) -> JiraResponse:
    """Delete an issue; one with subtasks only together with them."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    context.caller()
    if not context.permissions.holds("DELETE_ISSUES", issue=issue):
        message = "You do not have permission to delete issues in this project."
        raise not_permitted("DELETE_ISSUES", message)
    types = context.site.issue_types
    below = children(context, [issue.id])
    subtasks = [child.id for child in below if types[child.issue_type_id].subtask]
    if subtasks and not context.flag("deleteSubtasks", default=False):
        raise JiraError(400, SUBTASKS_LEFT.format(issue.key(context)))
    remove_issues(context, [*subtasks, issue.id])
    return no_content()


@operation("getChangeLogs")
def get_change_logs(context: Context) -> JiraResponse:
    """Return one page of an issue's history."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    return json_response(history_page(context, issue))


def create_from(context: Context, body: Json) -> Issue:
    """Create an issue as a request's body says.

    Raises:
        JiraError: 400 with everything that is wrong with it.
    """
    if not isinstance(body, dict):
        raise UnreadableBodyError(BAD_PAYLOAD)
    update = read_update(body)
    if update.is_empty():
        raise JiraError(400, EITHER)
    draft = start_draft(context, update.fields)
    fill_new(draft, update)
    issue = insert_issue(draft)
    _finish(context, issue, update)
    return issue


def _edit(context: Context, issue: Issue, update: IssueUpdate) -> Issue:
    draft = Draft(context, issue.project(context), issue.issue_type(context), issue)
    draft.set_all({**EDIT_SETTERS, **custom_setters(context)}, update.values(draft))
    draft.check()
    after = save_issue(draft, issue)
    _finish(context, after, update)
    return after


def _finish(context: Context, issue: Issue, update: IssueUpdate) -> None:
    add_comments_of_update(context, issue, update)
    for key, value in update.properties.items():
        store_property(context, "issue", str(issue.id), key, check_property(key, value))


def _created_bean(context: Context, issue: Issue) -> Bean:
    link = context.link(f"issue/{issue.id}")
    return {"id": str(issue.id), "key": issue.key(context), "self": link}


def _element_error(error: JiraError, number: int) -> Bean:
    errors: Mapping[str, str] = error.fields
    collection = {"errorMessages": list(error.messages), "errors": errors}
    return {"status": error.status, "elementErrors": collection, "failedElementNumber": number}
