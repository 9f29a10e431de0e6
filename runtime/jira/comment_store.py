"""Comments as the store has them, who may read them, and how they are shown.

A comment may be restricted to a project role or a group. Whoever is not in it, administrators
included, finds no such comment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, select

from runtime.errors import JiraError
from runtime.identity.accounts import Account, account_table
from runtime.jira.adf import Node
from runtime.jira.adf_html import to_html
from runtime.jira.beans import Bean, user_bean
from runtime.jira.context import Context
from runtime.jira.failures import HIDDEN
from runtime.jira.issues_store import ID_DIGITS, Issue
from runtime.jira.responses import jira_time
from runtime.jira.schema import comment_table
from runtime.jira.site import Project
from runtime.jira.wiki import to_wiki


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment.

    Attributes:
        visibility_type: ``role``, ``group`` or None for everybody who sees the issue.
        visibility_id: The role's or the group's id.
    """

    id: int
    issue_id: int
    author_id: str
    update_author_id: str
    body: Node
    created_ms: int
    updated_ms: int
    visibility_type: str | None
    visibility_id: str | None
    jsd_public: bool
    author: Account
    update_author: Account


def readable(context: Context, project: Project, comment: Comment) -> bool:
    """Say whether the caller, who sees the issue, may read one of its comments."""
    if comment.visibility_type is None:
        return True
    if comment.visibility_id is None:
        return False
    if comment.visibility_type == "role":
        return context.permissions.in_role(project, int(comment.visibility_id))
    return comment.visibility_id in context.permissions.group_ids


def load_comments(context: Context, issues: Sequence[Issue]) -> dict[int, list[Comment]]:
    """Return the comments that the caller may read, the oldest first, by issue."""
    if len(issues) == 1:
        rows: Iterable[Row[Any]] = context.connection.execute(_OF_ISSUE, {"id": issues[0].id})
    else:
        ids = [issue.id for issue in issues]
        rows = context.connection.execute(_OF_ISSUES, {"ids": ids}) if ids else ()
    projects = {issue.id: issue.project(context) for issue in issues}
    found: dict[int, list[Comment]] = {issue.id: [] for issue in issues}
    for row in rows:
        comment = _comment(row)
        if readable(context, projects[comment.issue_id], comment):
            found[comment.issue_id].append(comment)
    return found


def get_comment(context: Context, issue: Issue, comment_id: str) -> Comment:
    """Return a comment of an issue.

    Raises:
        JiraError: 404 if it is missing, of another issue, or hidden: the same answer.
    """
    is_id = comment_id.isascii() and comment_id.isdigit() and len(comment_id) <= ID_DIGITS
    number = int(comment_id) if is_id else -1
    row = context.connection.execute(_ONE, {"id": issue.id, "comment": number}).first()
    comment = None if row is None else _comment(row)
    if comment is None or not readable(context, issue.project(context), comment):
        raise JiraError(404, f"Can not find a comment for the id: {comment_id}.", rule=HIDDEN)
    return comment


def comment_bean(context: Context, comment: Comment, *, rendered: bool = False) -> Bean:
    """Return a comment; `rendered` adds its body as HTML."""
    bean: Bean = {
        "self": context.link(f"issue/{comment.issue_id}/comment/{comment.id}"),
        "id": str(comment.id),
        "author": user_bean(context, comment.author),
        "body": rich_text(context, comment.body),
        "updateAuthor": user_bean(context, comment.update_author),
        "created": jira_time(comment.created_ms),
        "updated": jira_time(comment.updated_ms),
        "jsdPublic": comment.jsd_public,
    }
    if rendered:
        bean["renderedBody"] = to_html(comment.body)
    if comment.visibility_type is not None and comment.visibility_id is not None:
        bean["visibility"] = visibility_bean(
            context, comment.visibility_type, comment.visibility_id
        )
    return bean


def visibility_bean(context: Context, kind: str, identifier: str) -> Bean:
    """Return to whom a comment is restricted; a role is identified by its name."""
    if kind == "role":
        role = context.site.roles.get(int(identifier))
        name = identifier if role is None else role.name
        return {"type": "role", "value": name, "identifier": name}
    group = context.site.groups.get(identifier)
    name = identifier if group is None else group.name
    return {"type": "group", "value": name, "identifier": identifier}


def rich_text(context: Context, document: Node | None) -> object:
    """Return a stored document as this version of the API has it: ADF, or wiki text."""
    if document is None or context.version != 2:  # noqa: PLR2004  # the version with wiki text
        return document
    return to_wiki(document)


def _comment(row: Row[Any]) -> Comment:
    middle = _WIDTH + _ACCOUNT_WIDTH
    people = (Account(*row[_WIDTH:middle]), Account(*row[middle:]))
    values: tuple[Any, ...] = (*row[:_WIDTH], *people)  # columns of several types
    return Comment(*values)


_TABLE = comment_table.c
_NAMES = [name for name in Comment.__dataclass_fields__ if name in _TABLE]
_WIDTH = len(_NAMES)
_ACCOUNT_COLUMNS = tuple(Account.__dataclass_fields__)
_ACCOUNT_WIDTH = len(_ACCOUNT_COLUMNS)
_AUTHOR, _EDITOR = account_table.alias("author"), account_table.alias("editor")
_ALL = (
    select(
        *(_TABLE[name] for name in _NAMES),
        *(_AUTHOR.c[name] for name in _ACCOUNT_COLUMNS),
        *(_EDITOR.c[name] for name in _ACCOUNT_COLUMNS),
    )
    .select_from(
        comment_table.join(_AUTHOR, _TABLE.author_id == _AUTHOR.c.account_id).join(
            _EDITOR, _TABLE.update_author_id == _EDITOR.c.account_id
        )
    )
    .order_by(_TABLE.created_ms, _TABLE.id)
)
_OF_ISSUE = _ALL.where(_TABLE.issue_id == bindparam("id"))
_OF_ISSUES = _ALL.where(_TABLE.issue_id.in_(bindparam("ids", expanding=True)))
_ONE = _OF_ISSUE.where(_TABLE.id == bindparam("comment"))
