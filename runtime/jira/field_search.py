"""A page of the fields, perhaps only some of them.

Source:
    Jira Cloud REST API v3, "Get fields paginated".

Differs:
    There are no screens: all fields count as shown on one. When a field was last used is not
    tracked, and only names put an order to them. `projectIds` leaves out no field, as each is in
    every project; projects that the caller does not see are not counted.
"""

from collections.abc import Callable, Mapping

from runtime.errors import JiraError
from runtime.jira.beans import Bean
from runtime.jira.context import Context, operation
from runtime.jira.custom_fields import fields_of
from runtime.jira.issue_fields import IssueField
from runtime.jira.paging import page_bean
from runtime.jira.responses import json_response
from runtime.wire import JiraResponse

PAGE_LIMIT = 50
KINDS = frozenset({"custom", "system"})
ORDERS = frozenset({"contextsCount", "lastUsed", "name", "screensCount", "projectsCount"})


@operation("getFieldsPaginated")
def get_fields_paginated(context: Context) -> JiraResponse:
    """Return one page of the fields, by name or as the query orders them."""
    context.require_product()
    found = [one for one in fields_of(context.site).values() if one.type is not None]
    found = [one for one in found if _asked_for(context, one)]
    order = (context.text("orderBy") or "name").strip()
    if order.removeprefix("-").removeprefix("+") not in ORDERS:
        raise JiraError(400, f"The orderBy value '{order[:100]}' is not supported.")
    found.sort(key=lambda one: one.name.lower(), reverse=order == "-name")
    shown = [maker for name, maker in _MORE.items() if name in context.expands()]
    page = page_bean(
        context, "field/search", found, lambda one: _bean(context, one, shown), limit=PAGE_LIMIT
    )
    return json_response(page)


def _asked_for(context: Context, one: IssueField) -> bool:
    kinds, ids = set(context.texts("type")), set(context.texts("id"))
    if not kinds <= KINDS:
        raise JiraError(400, "`type` is custom or system.")
    if kinds and ("system" if one.custom is None else "custom") not in kinds:
        return False
    text = (context.text("query") or "").lower()
    said = (one.name, _description(context, one))
    return (not ids or one.id in ids) and any(text in words.lower() for words in said)


_More = Callable[[Context, IssueField], Bean]


def _bean(context: Context, one: IssueField, shown: list[_More]) -> Bean:
    bean: Bean = {"id": one.id, "name": one.name, "schema": one.schema()}
    if one.custom is not None:
        bean["description"] = _description(context, one)
    for more in shown:
        bean |= more(context, one)
    return bean


def _description(context: Context, one: IssueField) -> str:
    custom = context.site.custom_fields.get(one.id)
    return "" if custom is None else custom.description


_MORE: Mapping[str, _More] = {
    "key": lambda _context, one: {"key": one.key or one.id},
    "lastUsed": lambda _context, _one: {"lastUsed": {"type": "NOT_TRACKED"}},
    "screensCount": lambda _context, _one: {"screensCount": 1},
    "contextsCount": lambda _context, one: {} if one.custom is None else {"contextsCount": 1},
    "projectsCount": lambda context, _one: {
        "projectsCount": len(context.permissions.visible_projects())
    },
    "isLocked": lambda _context, one: {"isLocked": one.custom is not None},
}
"""What ``expand`` may ask of a field; other names are ignored."""
