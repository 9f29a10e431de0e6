"""The kinds of entities that have properties: how each is named, and found by whom.

Whoever may see an entity reads its properties; whoever may change it writes them.

Source:
    Jira Cloud REST API v3, "Issue properties", "Project properties", "Issue comment properties",
    "Issue type properties", "User properties": the permissions of each operation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import select

from runtime.errors import JiraError
from runtime.jira.comment_store import Comment, get_comment
from runtime.jira.comments import require_comment_right
from runtime.jira.context import Context
from runtime.jira.failures import HIDDEN
from runtime.jira.fields import visible_types
from runtime.jira.issue_rights import get_editable_issue
from runtime.jira.issue_setters import find_site_account
from runtime.jira.issues_store import ID_DIGITS, Issue, find_visible_issue, get_issue
from runtime.jira.project_rights import require_project_admin
from runtime.jira.schema import comment_table
from runtime.jira.site import Project
from runtime.jira.visibility import get_browsable_project, get_project

NOWHERE = "0"  # an id that no issue has: ids begin at 10000


@dataclass(frozen=True, slots=True)
class Entity:
    """What properties hang on.

    Attributes:
        id: Its id, as the store keeps it beside a property.
        path: Path of its properties below the API's version.
        query: What a link to one of them has behind it.
    """

    id: str
    path: str
    query: str = ""


Find = Callable[[Context, str], Entity]


@dataclass(frozen=True, slots=True)
class PropertyKind:
    """One kind of entities that have properties.

    Attributes:
        name: As the store calls it.
        parameter: The parameter of a call, in its path or else its query, that names one.
        readable: Finds one whose properties the caller may read; raises `JiraError` otherwise.
        writable: Finds one whose properties the caller may write; raises `JiraError` otherwise.
    """

    name: str
    parameter: str
    readable: Find
    writable: Find

    def named(self, context: Context) -> str:
        """Return what a call names its entity by; empty if it names none."""
        return context.params.get(self.parameter) or context.text(self.parameter) or ""


# --- issues and projects -------------------------------------------------------------------------


def _issue(context: Context, issue: Issue) -> Entity:
    return Entity(str(issue.id), f"issue/{issue.key(context)}/properties")


def _project(project: Project) -> Entity:
    return Entity(str(project.id), f"project/{project.key}/properties")


def _administered(context: Context, id_or_key: str) -> Entity:
    project = get_project(context, id_or_key)
    require_project_admin(context, project)
    return _project(project)


# --- comments ------------------------------------------------------------------------------------


def _find_comment(context: Context, comment_id: str) -> tuple[Issue, Comment]:
    """Return a comment that the caller may read, with its issue; 404 if missing or hidden."""
    is_id = comment_id.isascii() and comment_id.isdigit() and len(comment_id) <= ID_DIGITS
    table = comment_table.c
    query = select(table.issue_id).where(table.id == (int(comment_id) if is_id else -1))
    issue_id = context.connection.execute(query).scalar()
    # asked for no issue, too: a statement less would tell which comments there are
    issue = find_visible_issue(context, NOWHERE if issue_id is None else str(issue_id))
    if issue is None:
        raise JiraError(404, f"Can not find a comment for the id: {comment_id}.", rule=HIDDEN)
    return issue, get_comment(context, issue, comment_id)


def _comment(comment: Comment) -> Entity:
    return Entity(str(comment.id), f"comment/{comment.id}/properties")


def _edited_comment(context: Context, comment_id: str) -> Entity:
    issue, comment = _find_comment(context, comment_id)
    require_comment_right(context, issue, comment, "EDIT", 403)
    return _comment(comment)


# --- issue types ---------------------------------------------------------------------------------


def _read_type(context: Context, type_id: str) -> Entity:
    if type_id not in (str(one.id) for one in visible_types(context)):
        raise JiraError(404, f"The issue type with id '{type_id}' was not found.", rule=HIDDEN)
    return Entity(type_id, f"issuetype/{type_id}/properties")


def _configured_type(context: Context, type_id: str) -> Entity:
    context.require_admin()
    return _read_type(context, type_id)


# --- users ---------------------------------------------------------------------------------------


def _user(context: Context, account_id: str) -> Entity:
    """Find oneself, or anybody if one is an administrator: nobody else learns who there is."""
    context.require_product()
    if not account_id:
        raise JiraError(400, "The query parameter `accountId` is missing.")
    if account_id != context.account_id:
        context.require_admin()
    if find_site_account(context, account_id) is None:
        raise JiraError(404, "The user was not found.", rule=HIDDEN)
    return Entity(account_id, "user/properties", f"?accountId={quote(account_id, safe='')}")


# --- the table -----------------------------------------------------------------------------------

ISSUE = PropertyKind(
    "issue",
    "issueIdOrKey",
    lambda context, named: _issue(context, get_issue(context, named)),
    lambda context, named: _issue(context, get_editable_issue(context, named)),
)
PROJECT = PropertyKind(
    "project",
    "projectIdOrKey",
    lambda context, named: _project(get_browsable_project(context, named)),
    _administered,
)
COMMENT = PropertyKind(
    "comment",
    "commentId",
    lambda context, named: _comment(_find_comment(context, named)[1]),
    _edited_comment,
)
ISSUE_TYPE = PropertyKind("issuetype", "issueTypeId", _read_type, _configured_type)
USER = PropertyKind("user", "accountId", _user, _user)
