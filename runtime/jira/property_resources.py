"""Properties over REST: listed, read, written and deleted, alike for every kind of entity.

`property_kinds` says who may do so.
"""

from runtime.jira.context import Context, operation
from runtime.jira.entity_properties import (
    delete_property,
    get_property,
    property_keys_bean,
    set_property,
)
from runtime.jira.property_kinds import (
    COMMENT,
    ISSUE,
    ISSUE_TYPE,
    PROJECT,
    USER,
    Entity,
    PropertyKind,
)
from runtime.jira.responses import json_response, no_content
from runtime.wire import JiraResponse


def _keys(context: Context, kind: PropertyKind) -> JiraResponse:
    one = kind.readable(context, kind.named(context))
    return json_response(property_keys_bean(context, kind.name, one.id, one.path, one.query))


def _get(context: Context, kind: PropertyKind) -> JiraResponse:
    one = kind.readable(context, kind.named(context))
    return json_response(get_property(context, kind.name, one.id, context.params["propertyKey"]))


def _set(context: Context, kind: PropertyKind) -> JiraResponse:
    one = _writable(context, kind)
    is_new = set_property(context, kind.name, one.id, context.params["propertyKey"])
    return json_response({}, 201 if is_new else 200)


def _delete(context: Context, kind: PropertyKind) -> JiraResponse:
    one = _writable(context, kind)
    delete_property(context, kind.name, one.id, context.params["propertyKey"])
    return no_content()


def _writable(context: Context, kind: PropertyKind) -> Entity:
    return kind.writable(context, kind.named(context))


# --- issues --------------------------------------------------------------------------------------


@operation("getIssuePropertyKeys")
def get_issue_property_keys(context: Context) -> JiraResponse:
    """Return the keys of an issue's properties."""
    return _keys(context, ISSUE)


@operation("getIssueProperty")
def get_issue_property(context: Context) -> JiraResponse:
    """Return one property of an issue."""
    return _get(context, ISSUE)


@operation("setIssueProperty")
def set_issue_property(context: Context) -> JiraResponse:
    """Create or replace a property of an issue; for whoever may edit it."""
    return _set(context, ISSUE)


@operation("deleteIssueProperty")
def delete_issue_property(context: Context) -> JiraResponse:
    """Delete a property of an issue; for whoever may edit it."""
    return _delete(context, ISSUE)


# --- projects ------------------------------------------------------------------------------------


@operation("getProjectPropertyKeys")
def get_project_property_keys(context: Context) -> JiraResponse:
    """Return the keys of a project's properties."""
    return _keys(context, PROJECT)


@operation("getProjectProperty")
def get_project_property(context: Context) -> JiraResponse:
    """Return one property of a project."""
    return _get(context, PROJECT)


@operation("setProjectProperty")
def set_project_property(context: Context) -> JiraResponse:
    """Create or replace a property of a project; for whoever administers it."""
    return _set(context, PROJECT)


@operation("deleteProjectProperty")
def delete_project_property(context: Context) -> JiraResponse:
    """Delete a property of a project; for whoever administers it."""
    return _delete(context, PROJECT)


# --- comments ------------------------------------------------------------------------------------


@operation("getCommentPropertyKeys")
def get_comment_property_keys(context: Context) -> JiraResponse:
    """Return the keys of a comment's properties."""
    return _keys(context, COMMENT)


@operation("getCommentProperty")
def get_comment_property(context: Context) -> JiraResponse:
    """Return one property of a comment."""
    return _get(context, COMMENT)


@operation("setCommentProperty")
def set_comment_property(context: Context) -> JiraResponse:
    """Create or replace a property of a comment; for whoever may edit it."""
    return _set(context, COMMENT)


@operation("deleteCommentProperty")
def delete_comment_property(context: Context) -> JiraResponse:
    """Delete a property of a comment; for whoever may edit it."""
    return _delete(context, COMMENT)


# --- issue types ---------------------------------------------------------------------------------


@operation("getIssueTypePropertyKeys")
def get_issue_type_property_keys(context: Context) -> JiraResponse:
    """Return the keys of an issue type's properties."""
    return _keys(context, ISSUE_TYPE)


@operation("getIssueTypeProperty")
def get_issue_type_property(context: Context) -> JiraResponse:
    """Return one property of an issue type."""
    return _get(context, ISSUE_TYPE)


@operation("setIssueTypeProperty")
def set_issue_type_property(context: Context) -> JiraResponse:
    """Create or replace a property of an issue type; for administrators."""
    return _set(context, ISSUE_TYPE)


@operation("deleteIssueTypeProperty")
def delete_issue_type_property(context: Context) -> JiraResponse:
    """Delete a property of an issue type; for administrators."""
    return _delete(context, ISSUE_TYPE)


# --- users ---------------------------------------------------------------------------------------


@operation("getUserPropertyKeys")
def get_user_property_keys(context: Context) -> JiraResponse:
    """Return the keys of a user's properties, to that user and to administrators."""
    return _keys(context, USER)


@operation("getUserProperty")
def get_user_property(context: Context) -> JiraResponse:
    """Return one property of a user, to that user and to administrators."""
    return _get(context, USER)


@operation("setUserProperty")
def set_user_property(context: Context) -> JiraResponse:
    """Create or replace a property of a user, for that user and for administrators."""
    return _set(context, USER)


@operation("deleteUserProperty")
def delete_user_property(context: Context) -> JiraResponse:
    """Delete a property of a user, for that user and for administrators."""
    return _delete(context, USER)
