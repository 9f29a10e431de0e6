"""Refusals that the operations on issues share.

An issue that the caller cannot see has been answered with 404 before any of these is asked.
"""

from runtime.jira.context import Context
from runtime.jira.failures import not_permitted
from runtime.jira.issues_store import Issue, get_issue

CANNOT_EDIT = "You do not have permission to edit issues in this project."


def require_issue_edit(context: Context, issue: Issue) -> None:
    """Refuse whoever may not edit an issue that they see.

    Raises:
        JiraError: 403.
    """
    if not context.permissions.holds("EDIT_ISSUES", issue=issue):
        raise not_permitted("EDIT_ISSUES", CANNOT_EDIT)


def get_editable_issue(context: Context, id_or_key: str) -> Issue:
    """Return an issue that the caller may see and edit.

    Raises:
        JiraError: 404 if it is missing or hidden, 403 if it may be seen alone.
    """
    issue = get_issue(context, id_or_key)
    require_issue_edit(context, issue)
    return issue
