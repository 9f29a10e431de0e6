"""Pages by offset: ``startAt``, ``maxResults``, ``total``, ``isLast`` and the link to the next.

Source:
    Jira Cloud REST API v3, "Pagination". A negative offset counts as 0, and the size is clamped to
    1..limit rather than refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from runtime.jira.beans import Bean
from runtime.jira.context import Context

T = TypeVar("T")
DEFAULT_PAGE = 50
_PAGE_PARAMETERS = frozenset({"startAt", "maxResults"})


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    start_at: int
    max_results: int


def requested_page(context: Context, limit: int, default: int = DEFAULT_PAGE) -> Page:
    """Return the page that the query asks for, clamped to what the operation allows."""
    size = context.number("maxResults", default)
    return Page(max(0, context.number("startAt", 0)), min(max(1, size), limit))


def page_bean(
    context: Context,
    path: str,
    items: Sequence[T],
    bean: Callable[[T], Bean],
    *,
    limit: int,
    default: int = DEFAULT_PAGE,
) -> Bean:
    """Return one page of a whole list, with links.

    Args:
        context: The call.
        path: The list's path below the API's version.
        items: The whole list.
        bean: Makes the JSON of an item.
        limit: The largest page of this operation.
        default: The page size without ``maxResults``.
    """
    page = requested_page(context, limit, default)
    end = page.start_at + page.max_results
    shown: Bean = {"self": _link(context, path, page.start_at, page.max_results)}
    if end < len(items):
        shown["nextPage"] = _link(context, path, end, page.max_results)
    shown.update(
        maxResults=page.max_results,
        startAt=page.start_at,
        total=len(items),
        isLast=end >= len(items),
        values=[bean(item) for item in items[page.start_at : end]],
    )
    return shown


def _link(context: Context, path: str, start_at: int, max_results: int) -> str:
    kept = [pair for pair in context.request.query if pair[0] not in _PAGE_PARAMETERS]
    kept += [("startAt", str(start_at)), ("maxResults", str(max_results))]
    return context.link(f"{path}?{urlencode(kept)}")
