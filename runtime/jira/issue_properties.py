"""Issue properties: JSON that apps keep beside an issue.

Reading takes what seeing the issue takes; writing takes *Edit issues*.
"""

from runtime.jira.context import Context, operation
from runtime.jira.entity_properties import (
    delete_property,
    get_property,
    property_keys_bean,
    set_property,
)
from runtime.jira.failures import not_permitted
from runtime.jira.issues_store import Issue, get_issue
from runtime.jira.responses import json_response, no_content
from runtime.wire import JiraResponse

ENTITY = "issue"


@operation("getIssuePropertyKeys")
def get_issue_property_keys(context: Context) -> JiraResponse:
    """Return the keys of an issue's properties."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    path = f"issue/{issue.key(context)}/properties"
    return json_response(property_keys_bean(context, ENTITY, str(issue.id), path))


@operation("getIssueProperty")
def get_issue_property(context: Context) -> JiraResponse:
    """Return one property of an issue."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    key = context.params["propertyKey"]
    return json_response(get_property(context, ENTITY, str(issue.id), key))


@operation("setIssueProperty")
def set_issue_property(context: Context) -> JiraResponse:
    """Create or replace a property of an issue."""
    issue = _editable(context)
    is_new = set_property(context, ENTITY, str(issue.id), context.params["propertyKey"])
    return json_response({}, 201 if is_new else 200)


@operation("deleteIssueProperty")
def delete_issue_property(context: Context) -> JiraResponse:
    """Delete a property of an issue."""
    issue = _editable(context)
    delete_property(context, ENTITY, str(issue.id), context.params["propertyKey"])
    return no_content()


def _editable(context: Context) -> Issue:
    issue = get_issue(context, context.params["issueIdOrKey"])
    if not context.permissions.holds("EDIT_ISSUES", issue=issue):
        message = "You do not have permission to edit issues in this project."
        raise not_permitted("EDIT_ISSUES", message)
    return issue
