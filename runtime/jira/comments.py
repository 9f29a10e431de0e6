"""The operations on comments.

Source:
    Jira Cloud REST API v3, "Issue comments".
"""

from dataclasses import replace
from operator import attrgetter

from sqlalchemy import delete, insert, update

from runtime.errors import JiraError
from runtime.jira.adf import Node, check_document, check_wiki, is_empty
from runtime.jira.comment_store import (
    Comment,
    comment_bean,
    get_comment,
    load_comments,
)
from runtime.jira.context import BAD_PAYLOAD, Context, operation
from runtime.jira.entity_properties import check_property, store_property
from runtime.jira.failures import UnreadableBodyError
from runtime.jira.issue_setters import WIKI_VERSION
from runtime.jira.issue_writes import touch_issue
from runtime.jira.issues_input import IssueUpdate
from runtime.jira.issues_store import Issue, get_issue
from runtime.jira.paging import requested_page
from runtime.jira.responses import Json, created, json_response, no_content
from runtime.jira.schema import comment_table, property_table
from runtime.jira.store import next_id
from runtime.jira.wiki import to_adf
from runtime.wire import JiraResponse

PAGE_LIMIT = 5000
INVALID_BODY = "Comment body is not valid!"
EMPTY_BODY = "Comment body can not be empty!"
ORDERS = {"created": False, "+created": False, "-created": True}


@operation("getComments")
def get_comments(context: Context) -> JiraResponse:
    """Return a page of an issue's comments that the caller may read."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    order = (context.text("orderBy") or "created").replace(" ", "+")
    if order not in ORDERS:
        raise JiraError(400, f"Comments cannot be ordered by '{order}'.")
    comments = load_comments(context, [issue])[issue.id]
    comments.sort(key=attrgetter("created_ms", "id"), reverse=ORDERS[order])
    page = requested_page(context, PAGE_LIMIT, PAGE_LIMIT)
    shown = comments[page.start_at : page.start_at + page.max_results]
    rendered = "renderedBody" in context.expands()
    return json_response(
        {
            "startAt": page.start_at,
            "maxResults": page.max_results,
            "total": len(comments),
            "comments": [comment_bean(context, one, rendered=rendered) for one in shown],
        }
    )


@operation("getComment")
def get_one_comment(context: Context) -> JiraResponse:
    """Return one comment."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    comment = get_comment(context, issue, context.params["id"])
    rendered = "renderedBody" in context.expands()
    return json_response(comment_bean(context, comment, rendered=rendered))


@operation("addComment")
def add_comment(context: Context) -> JiraResponse:
    """Comment on an issue, perhaps for a role or a group alone."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    comment = write_comment(context, issue, context.json_object())
    rendered = "renderedBody" in context.expands()
    return created(comment_bean(context, comment, rendered=rendered))


@operation("updateComment")
def update_comment(context: Context) -> JiraResponse:
    """Change a comment: anybody's with *Edit all comments*, one's own with *Edit own comments*."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    comment = get_comment(context, issue, context.params["id"])
    require_comment_right(context, issue, comment, "EDIT")
    body = context.json_object()
    editor = context.caller()
    kind, identifier = comment.visibility_type, comment.visibility_id
    if "visibility" in body:
        kind, identifier = read_visibility(context, issue, body["visibility"])
    changed = replace(
        comment,
        body=read_body(context, body.get("body")),
        update_author_id=editor.account_id,
        update_author=editor,
        updated_ms=context.now_ms,
        visibility_type=kind,
        visibility_id=identifier,
    )
    values = {name: getattr(changed, name) for name in _CHANGED}
    context.connection.execute(
        update(comment_table).where(comment_table.c.id == comment.id).values(values)
    )
    _set_properties(context, comment.id, body.get("properties"))
    touch_issue(context, issue)
    rendered = "renderedBody" in context.expands()
    return json_response(comment_bean(context, changed, rendered=rendered))


@operation("deleteComment")
def delete_comment(context: Context) -> JiraResponse:
    """Delete a comment: anybody's with *Delete all comments*, one's own with *Delete own*."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    comment = get_comment(context, issue, context.params["id"])
    require_comment_right(context, issue, comment, "DELETE")
    kept = property_table.c
    context.connection.execute(
        delete(property_table)
        .where(kept.cloud_id == context.site.cloud_id, kept.entity == "comment")
        .where(kept.entity_id == str(comment.id))
    )
    context.connection.execute(delete(comment_table).where(comment_table.c.id == comment.id))
    touch_issue(context, issue)
    return no_content()


def add_comments_of_update(context: Context, issue: Issue, change: IssueUpdate) -> None:
    """Add the comments that an edit or a transition brings along."""
    for said in change.comments:
        if not isinstance(said, dict):
            raise JiraError(400, fields={"comment": INVALID_BODY})
        write_comment(context, issue, said)


def write_comment(context: Context, issue: Issue, body: dict[str, Json]) -> Comment:
    """Store a new comment of the caller.

    Raises:
        JiraError: 400 without *Add comments*, or if the body or the visibility is wrong.
    """
    author = context.caller()
    if not context.permissions.holds("ADD_COMMENTS", issue=issue):
        message = f"{author.display_name}, you do not have the permission to comment on this issue."
        raise JiraError(400, message, rule="permission.ADD_COMMENTS")
    kind, identifier = read_visibility(context, issue, body.get("visibility"))
    comment = Comment(
        id=next_id(context.connection, comment_table.name),
        issue_id=issue.id,
        author_id=author.account_id,
        update_author_id=author.account_id,
        body=read_body(context, body.get("body")),
        created_ms=context.now_ms,
        updated_ms=context.now_ms,
        visibility_type=kind,
        visibility_id=identifier,
        jsd_public=body.get("public") is not False,
        author=author,
        update_author=author,
    )
    values = {name: getattr(comment, name) for name in comment_table.c.keys()}  # noqa: SIM118  # a collection of columns
    context.connection.execute(insert(comment_table).values(values))
    _set_properties(context, comment.id, body.get("properties"))
    touch_issue(context, issue)
    return comment


def read_body(context: Context, value: Json) -> Node:
    """Return a comment's text as the store keeps it.

    Raises:
        JiraError: 400 if it is empty, or not what this version of the API takes.
    """
    if context.version == WIKI_VERSION:
        body = to_adf(check_wiki(value, "comment", INVALID_BODY))
    else:
        body = check_document(value, "comment", INVALID_BODY)
    if is_empty(body):
        raise JiraError(400, fields={"comment": EMPTY_BODY})
    return body


def read_visibility(context: Context, issue: Issue, value: Json) -> tuple[str | None, str | None]:
    """Return to which role or group a comment is restricted; the caller must be in it.

    Raises:
        JiraError: 400 if there is none such, or the caller is not in it.
    """
    if value is None:
        return (None, None)
    if not isinstance(value, dict) or value.get("type") not in ("role", "group"):
        raise JiraError(400, fields={"commentLevel": "The visibility type must be role or group."})
    named = str(value.get("identifier") or value.get("value") or "")
    if value["type"] == "group":
        group = context.site.find_group(named)
        if group is None or group.group_id not in context.permissions.group_ids:
            raise _not_member("group", named)
        return ("group", group.group_id)
    for role in context.site.roles.values():
        fits = named in (role.name, str(role.id))
        if fits and context.permissions.in_role(issue.project(context), role.id):
            return ("role", str(role.id))
    raise _not_member("project role", named)


def _not_member(what: str, name: str) -> JiraError:
    return JiraError(
        400, fields={"commentLevel": f"You are currently not a member of the {what}: {name}."}
    )


def require_comment_right(
    context: Context, issue: Issue, comment: Comment, verb: str, status: int = 400
) -> None:
    """Refuse whoever may neither change all comments nor, being the author, one's own.

    Raises:
        JiraError: 401 to nobody, `status` to others.
    """
    context.caller()
    holds = context.permissions.holds
    if holds(f"{verb}_ALL_COMMENTS", issue=issue):
        return
    own = comment.author_id == context.account_id
    if own and holds(f"{verb}_OWN_COMMENTS", issue=issue):
        return
    rule = f"permission.{verb}_{'OWN' if own else 'ALL'}_COMMENTS"
    raise JiraError(status, "You do not have the permission for this comment.", rule=rule)


def _set_properties(context: Context, comment_id: int, value: Json) -> None:
    if value is None:
        return
    if not isinstance(value, list):
        raise UnreadableBodyError(BAD_PAYLOAD)
    for item in value:
        if not isinstance(item, dict) or not isinstance(item.get("key"), str):
            raise UnreadableBodyError(BAD_PAYLOAD)
        key = str(item["key"])
        store_property(
            context, "comment", str(comment_id), key, check_property(key, item.get("value"))
        )


_CHANGED = ("body", "update_author_id", "updated_ms", "visibility_type", "visibility_id")
