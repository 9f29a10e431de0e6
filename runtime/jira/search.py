"""The operations that search for issues by JQL.

Source:
    Jira Cloud REST API v3, "Issue search".

Differs:
    ``reconcileIssues`` and ``failFast`` are accepted and change nothing: every search sees every
    acknowledged write. The approximate count is exact.
"""

from dataclasses import dataclass

from runtime.errors import JiraError
from runtime.jira.beans import Bean
from runtime.jira.context import BAD_PAYLOAD, Context, operation
from runtime.jira.custom_fields import fields_of
from runtime.jira.failures import UnreadableBodyError
from runtime.jira.issue_fields import select_fields
from runtime.jira.issue_views import IssueView, View, read_view
from runtime.jira.issues_store import Issue, load_issues
from runtime.jira.jql_page import Page, count_matches, search_page
from runtime.jira.payload import Payload
from runtime.jira.responses import json_response
from runtime.wire import JiraResponse

MAX_PAGE = 5000
DEFAULT_PAGE = 50
MAX_RECONCILED = 50
_MEMBERS = frozenset(
    {"expand", "failFast", "fields", "fieldsByKeys", "jql", "maxResults", "nextPageToken"}
    | {"properties", "reconcileIssues"}
)
_OF_THE_WHOLE = frozenset({"names", "schema"})  # stand once beside the issues


@dataclass(frozen=True, slots=True)
class Search:
    """What a search asks for."""

    jql: str | None
    token: str | None
    size: int
    fields: tuple[str, ...]
    expands: frozenset[str]
    properties: tuple[str, ...]


@operation("searchAndReconsileIssuesUsingJql")
def search_issues(context: Context) -> JiraResponse:
    """Search, everything in the query string."""
    return _answer(
        context,
        Search(
            jql=context.request.first("jql"),
            token=context.text("nextPageToken"),
            size=context.number("maxResults", DEFAULT_PAGE),
            fields=context.texts("fields"),
            expands=context.expands(),
            properties=context.texts("properties"),
        ),
    )


@operation("searchAndReconsileIssuesUsingJqlPost", read_only=True)
def search_issues_by_post(context: Context) -> JiraResponse:
    """Search, everything in the body."""
    members = context.json_object()
    body = Payload(members, _MEMBERS)
    size = DEFAULT_PAGE
    if "maxResults" in members:
        size = body.number("maxResults") or 0
    if len(body.numbers("reconcileIssues")) > MAX_RECONCILED:
        raise JiraError(400, f"At most {MAX_RECONCILED} issues can be reconciled.")
    expands = (body.text("expand") or "").split(",")
    return _answer(
        context,
        Search(
            jql=body.text("jql"),
            token=body.text("nextPageToken"),
            size=size,
            fields=tuple(body.texts("fields")),
            expands=frozenset(name.strip() for name in expands if name),
            properties=tuple(body.texts("properties")),
        ),
    )


@operation("countIssues", read_only=True)
def count_issues(context: Context) -> JiraResponse:
    """Count the issues that fit a query and that the caller may see."""
    members = context.json_object()
    if not members.keys() <= {"jql"}:
        raise UnreadableBodyError(BAD_PAYLOAD)
    return json_response({"count": count_matches(context, Payload(members).text("jql"))})


def _answer(context: Context, search: Search) -> JiraResponse:
    if not 1 <= search.size <= MAX_PAGE:
        raise JiraError(400, f"The maxResults parameter must be between 1 and {MAX_PAGE}.")
    names = search.fields or ("id",)
    expands = search.expands - _OF_THE_WHOLE
    view = read_view(
        context,
        select_fields(names, "*navigable", fields_of(context.site)),
        expands,
        search.properties,
    )
    page = search_page(context, search.jql, search.token, search.size)
    body: Bean = {"issues": _issues(context, page, view, names)}
    whole = IssueView(context, [], view)
    if "names" in search.expands:
        body["names"] = whole.names()
    if "schema" in search.expands:
        body["schema"] = whole.schemas()
    if page.next_token is not None:
        body["nextPageToken"] = page.next_token
    body["isLast"] = page.next_token is None
    return json_response(body)


def _issues(context: Context, page: Page, view: View, names: tuple[str, ...]) -> list[Bean]:
    """Show the issues of a page; where only ids are asked for, only ids."""
    if set(names) == {"id"} and not view.expands and not view.properties:
        return [{"id": str(issue_id)} for issue_id in page.ids]
    issues: list[Issue] = load_issues(context, page.ids)
    shown = IssueView(context, issues, view)
    beans = [shown.bean(issue) for issue in issues]
    if not view.fields:
        for bean in beans:
            del bean["fields"]
    return beans
