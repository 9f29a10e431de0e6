"""The search that was removed in 2025: gone by default, served for clients of Jira Data Center.

Source:
    Jira Cloud REST API v3, "Issue search", as it was before its removal (changelog CHANGE-2046).

Differs:
    With ``FIREBRICK_LEGACY_SEARCH`` it answers as it did. Then ``validateQuery`` changes nothing:
    a wrong query is always refused. At most 100 issues come at once, whatever fields are asked for.
"""

from dataclasses import dataclass

from runtime.errors import JiraError
from runtime.jira.beans import Bean
from runtime.jira.context import Context, operation
from runtime.jira.custom_fields import fields_of
from runtime.jira.issue_fields import select_fields
from runtime.jira.issue_views import IssueView, View, read_view
from runtime.jira.issues_store import load_issues
from runtime.jira.jql_page import count_all, offset_page
from runtime.jira.payload import Payload
from runtime.jira.responses import error_response, json_response
from runtime.wire import JiraResponse

MAX_PAGE = 100
MAX_START = 2**31 - 1  # the parameter is an integer of 32 bits
DEFAULT_PAGE = 50
REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full "
    "migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
_MEMBERS = frozenset(
    {"expand", "fields", "fieldsByKeys", "jql", "maxResults", "properties", "startAt"}
    | {"validateQuery"}
)
_OF_THE_WHOLE = frozenset({"names", "schema"})  # stand once beside the issues


@dataclass(frozen=True, slots=True)
class OldSearch:
    """What a search asks for."""

    jql: str
    start_at: int
    size: int
    fields: tuple[str, ...]
    expands: frozenset[str]
    properties: tuple[str, ...]


@operation("searchForIssuesUsingJql")
def old_search(context: Context) -> JiraResponse:
    """Search, everything in the query string; 410 unless the old search is switched on."""
    if not context.legacy_search:
        return _removed(context)
    return _answer(
        context,
        OldSearch(
            jql=context.request.first("jql") or "",
            start_at=context.number("startAt", 0),
            size=context.number("maxResults", DEFAULT_PAGE),
            fields=context.texts("fields"),
            expands=context.expands(),
            properties=context.texts("properties"),
        ),
    )


@operation("searchForIssuesUsingJqlPost", read_only=True, takes_body=False)
def old_search_by_post(context: Context) -> JiraResponse:
    """Search, everything in the body; 410 unless the old search is switched on."""
    if not context.legacy_search:
        return _removed(context)
    body = Payload(context.json_object(), _MEMBERS)
    size = body.number("maxResults")
    return _answer(
        context,
        OldSearch(
            jql=body.text("jql") or "",
            start_at=body.number("startAt") or 0,
            size=DEFAULT_PAGE if size is None else size,
            fields=tuple(body.texts("fields")),
            expands=frozenset(body.texts("expand")),
            properties=tuple(body.texts("properties")),
        ),
    )


def _removed(context: Context) -> JiraResponse:
    return error_response(JiraError(410, REMOVED, rule="operation.removed"), context.request)


def _answer(context: Context, search: OldSearch) -> JiraResponse:
    names = search.fields or ("*navigable",)
    fields = select_fields(names, "*navigable", fields_of(context.site))
    view = read_view(context, fields, search.expands - _OF_THE_WHOLE, search.properties)
    start_at = min(max(search.start_at, 0), MAX_START)
    size = min(max(search.size, 0), MAX_PAGE)
    body: Bean = {
        "expand": "schema,names",
        "startAt": start_at,
        "maxResults": size,
        "total": count_all(context, search.jql),
        "issues": _issues(context, search.jql, view, start_at, size),
    }
    whole = IssueView(context, [], view)
    if "names" in search.expands:
        body["names"] = whole.names()
    if "schema" in search.expands:
        body["schema"] = whole.schemas()
    return json_response(body)


def _issues(context: Context, jql: str, view: View, start_at: int, size: int) -> list[Bean]:
    issues = load_issues(context, offset_page(context, jql, start_at, size))
    shown = IssueView(context, issues, view)
    beans = [shown.bean(issue) for issue in issues]
    if not view.fields:
        for bean in beans:
            del bean["fields"]
    return beans
