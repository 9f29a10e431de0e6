"""Properties of comments, issue types and users: JSON that apps keep beside them.

Source:
    Jira Cloud REST API v3, "Issue comment properties", "Issue type properties", "User properties".
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from runtime.errors import JiraError
from runtime.jira.comment_store import Comment, get_comment
from runtime.jira.comments import require_comment_right
from runtime.jira.context import Context, operation
from runtime.jira.entity_properties import (
    delete_property,
    get_property,
    property_keys_bean,
    set_property,
)
from runtime.jira.failures import HIDDEN
from runtime.jira.fields import visible_types
from runtime.jira.issue_setters import find_site_account
from runtime.jira.issues_store import Issue, find_visible_issue
from runtime.jira.responses import json_response, no_content
from runtime.jira.schema import comment_table
from runtime.wire import JiraResponse


@dataclass(frozen=True, slots=True)
class _Holder:
    """What a property hangs on: the kind, the id, and the path of its properties."""

    entity: str
    id: str
    path: str


_Find = Callable[[Context], _Holder]


def _keys(context: Context, find: _Find) -> JiraResponse:
    one = find(context)
    return json_response(property_keys_bean(context, one.entity, one.id, one.path))


def _get(context: Context, find: _Find) -> JiraResponse:
    one = find(context)
    return json_response(get_property(context, one.entity, one.id, context.params["propertyKey"]))


def _set(context: Context, find: _Find) -> JiraResponse:
    one = find(context)
    is_new = set_property(context, one.entity, one.id, context.params["propertyKey"])
    return json_response({}, 201 if is_new else 200)


def _delete(context: Context, find: _Find) -> JiraResponse:
    one = find(context)
    delete_property(context, one.entity, one.id, context.params["propertyKey"])
    return no_content()


# --- comments ------------------------------------------------------------------------------------


@operation("getCommentPropertyKeys")
def get_comment_property_keys(context: Context) -> JiraResponse:
    """Return the keys of a comment's properties."""
    return _keys(context, _read_comment)


@operation("getCommentProperty")
def get_comment_property(context: Context) -> JiraResponse:
    """Return one property of a comment."""
    return _get(context, _read_comment)


@operation("setCommentProperty")
def set_comment_property(context: Context) -> JiraResponse:
    """Create or replace a property of a comment; for whoever may edit that."""
    return _set(context, _edited_comment)


@operation("deleteCommentProperty")
def delete_comment_property(context: Context) -> JiraResponse:
    """Delete a property of a comment; for whoever may edit that."""
    return _delete(context, _edited_comment)


def find_comment(context: Context, comment_id: str) -> tuple[Issue, Comment]:
    """Return a comment that the caller may read, with its issue.

    Raises:
        JiraError: 404 if it is missing or hidden: the same answer.
    """
    missing = JiraError(404, f"Can not find a comment for the id: {comment_id}.", rule=HIDDEN)
    if not (comment_id.isascii() and comment_id.isdigit()) or len(comment_id) > len(str(2**62)):
        raise missing
    table = comment_table.c
    query = select(table.issue_id).where(table.id == int(comment_id))
    row = context.connection.execute(query).first()
    issue = None if row is None else find_visible_issue(context, str(row.issue_id))
    if issue is None:
        raise missing
    return issue, get_comment(context, issue, comment_id)


def find_editable_comment(context: Context, comment_id: str) -> Comment:
    """Return a comment that the caller may edit.

    Raises:
        JiraError: 404 if it is missing or hidden, 401 to nobody, 403 without the permission.
    """
    issue, comment = find_comment(context, comment_id)
    require_comment_right(context, issue, comment, "EDIT", 403)
    return comment


def _read_comment(context: Context) -> _Holder:
    return _of_comment(find_comment(context, context.params["commentId"])[1])


def _edited_comment(context: Context) -> _Holder:
    return _of_comment(find_editable_comment(context, context.params["commentId"]))


def _of_comment(comment: Comment) -> _Holder:
    return _Holder("comment", str(comment.id), f"comment/{comment.id}/properties")


# --- issue types ---------------------------------------------------------------------------------


@operation("getIssueTypePropertyKeys")
def get_issue_type_property_keys(context: Context) -> JiraResponse:
    """Return the keys of an issue type's properties."""
    return _keys(context, _read_type)


@operation("getIssueTypeProperty")
def get_issue_type_property(context: Context) -> JiraResponse:
    """Return one property of an issue type."""
    return _get(context, _read_type)


@operation("setIssueTypeProperty")
def set_issue_type_property(context: Context) -> JiraResponse:
    """Create or replace a property of an issue type; for administrators."""
    return _set(context, _configured_type)


@operation("deleteIssueTypeProperty")
def delete_issue_type_property(context: Context) -> JiraResponse:
    """Delete a property of an issue type; for administrators."""
    return _delete(context, _configured_type)


def find_configured_type(context: Context, type_id: str) -> str:
    """Return the id of an issue type, to administrators.

    Raises:
        JiraError: 401 to nobody, 403 to others, 404 if it is missing.
    """
    context.require_admin()
    if type_id not in map(str, context.site.issue_types):
        raise JiraError(404, f"The issue type with id '{type_id}' was not found.", rule=HIDDEN)
    return type_id


def _read_type(context: Context) -> _Holder:
    wanted = context.params["issueTypeId"]
    if wanted not in (str(one.id) for one in visible_types(context)):
        raise JiraError(404, f"The issue type with id '{wanted}' was not found.", rule=HIDDEN)
    return _of_type(wanted)


def _configured_type(context: Context) -> _Holder:
    return _of_type(find_configured_type(context, context.params["issueTypeId"]))


def _of_type(type_id: str) -> _Holder:
    return _Holder("issuetype", type_id, f"issuetype/{type_id}/properties")


# --- users ---------------------------------------------------------------------------------------


@operation("getUserPropertyKeys")
def get_user_property_keys(context: Context) -> JiraResponse:
    """Return the keys of a user's properties, to that user and to administrators."""
    return _keys(context, _user)


@operation("getUserProperty")
def get_user_property(context: Context) -> JiraResponse:
    """Return one property of a user, to that user and to administrators."""
    return _get(context, _user)


@operation("setUserProperty")
def set_user_property(context: Context) -> JiraResponse:
    """Create or replace a property of a user, for that user and for administrators."""
    return _set(context, _user)


@operation("deleteUserProperty")
def delete_user_property(context: Context) -> JiraResponse:
    """Delete a property of a user, for that user and for administrators."""
    return _delete(context, _user)


def _user(context: Context) -> _Holder:
    context.require_product()
    wanted = context.text("accountId")
    if wanted is None:
        raise JiraError(400, "The query parameter `accountId` is missing.")
    if wanted != context.account_id:
        context.require_admin()
    if find_site_account(context, wanted) is None:
        raise JiraError(404, "The user was not found.", rule=HIDDEN)
    return _Holder("user", wanted, "user/properties")
