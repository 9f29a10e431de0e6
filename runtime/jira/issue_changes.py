"""The history of issues: what a change was, and how it is shown.

Source:
    Jira Cloud REST API v3, schemas ``Changelog`` and ``ChangeDetails``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, insert, select

from runtime.jira.beans import Bean, find_accounts, user_bean
from runtime.jira.context import Context
from runtime.jira.custom_values import history_pair
from runtime.jira.issues_store import Issue, load_issues
from runtime.jira.paging import page_bean
from runtime.jira.responses import jira_time
from runtime.jira.schema import changelog_table
from runtime.jira.store import next_id
from runtime.jira.wiki import to_wiki

Pair = tuple[str | None, str | None]  # the id, and the text for people
Show = Callable[[Context, Issue], Pair]
PAGE_LIMIT = 100


def record_change(context: Context, before: Issue, after: Issue) -> None:
    """Write what differs between two states of an issue to its history; nothing if nothing does."""
    items = list(_differences(context, before, after))
    if not items:
        return
    change_id = next_id(context.connection, changelog_table.name)
    context.changes.append(change_id)
    context.connection.execute(
        insert(changelog_table).values(
            id=change_id,
            issue_id=after.id,
            author_id=context.caller().account_id,
            created_ms=context.now_ms,
            items=items,
        )
    )


def history_page(context: Context, issue: Issue) -> Bean:
    """Return one page of an issue's history, the oldest change first."""
    path = f"issue/{issue.key(context)}/changelog"
    histories = load_histories(context, [issue])[issue.id]
    return page_bean(context, path, histories, dict, limit=PAGE_LIMIT, default=PAGE_LIMIT)


def history_bean(histories: Sequence[Bean]) -> Bean:
    """Return a history as ``expand=changelog`` shows it, the newest change first."""
    shown = list(histories[::-1][:PAGE_LIMIT])
    return {
        "startAt": 0,
        "maxResults": len(shown),
        "total": len(histories),
        "histories": shown,
    }


def load_histories(context: Context, issues: Sequence[Issue]) -> dict[int, list[Bean]]:
    """Return the changes of issues, the oldest first, by issue; in two queries."""
    table = changelog_table.c
    rows = context.connection.execute(
        select(
            *(table.id, table.issue_id, table.author_id, table.created_ms),
            table["items"].label("details"),
        )
        .where(table.issue_id.in_([issue.id for issue in issues]))
        .order_by(table.id)
    ).all()
    people = find_accounts(context, (row.author_id for row in rows))
    found: dict[int, list[Bean]] = {issue.id: [] for issue in issues}
    for row in rows:
        found[row.issue_id].append(
            {
                "id": str(row.id),
                "author": user_bean(context, people[row.author_id]),
                "created": jira_time(row.created_ms),
                "items": row.details,
            }
        )
    return found


def load_change(connection: Connection, change_id: int) -> Bean | None:
    """Return one change as webhooks tell of it, or None."""
    table = changelog_table.c
    row = connection.execute(
        select(table.id, table["items"].label("details")).where(table.id == change_id)
    ).first()
    return None if row is None else {"id": str(row.id), "items": row.details}


def _differences(context: Context, before: Issue, after: Issue) -> Iterator[Bean]:
    for name, (label, show) in _TRACKED.items():
        old, new = show(context, before), show(context, after)
        if old != new:
            yield _item(label, name, old, new)
    yield from _custom_differences(context, before, after)


def _custom_differences(context: Context, before: Issue, after: Issue) -> Iterator[Bean]:
    for one in context.site.custom_fields.values():
        if before.fields.get(one.field_id) != after.fields.get(one.field_id):
            old = history_pair(context, one, before.fields)
            new = history_pair(context, one, after.fields)
            yield {**_item(one.name, one.field_id, old, new), "fieldtype": "custom"}


def _item(label: str, field_id: str, old: Pair, new: Pair) -> Bean:
    return {
        "field": label,
        "fieldtype": "jira",
        "fieldId": field_id,
        "from": old[0],
        "fromString": old[1],
        "to": new[0],
        "toString": new[1],
    }


def _named(thing: object) -> Pair:
    if thing is None:
        return (None, None)
    return (str(getattr(thing, "id", None)), str(getattr(thing, "name", None)))


def _person(account_id: str | None, context: Context) -> Pair:
    if account_id is None:
        return (None, None)
    account = find_accounts(context, [account_id]).get(account_id)
    return (account_id, None if account is None else account.display_name)


def _parent(context: Context, issue: Issue) -> Pair:
    if issue.parent_id is None:
        return (None, None)
    found = load_issues(context, [issue.parent_id])
    return (str(issue.parent_id), found[0].key(context) if found else None)


def _rich(name: str) -> Show:
    def show(_context: Context, issue: Issue) -> Pair:
        document = issue.fields.get(name)
        return (None, None if document is None else to_wiki(document))

    return show


_TRACKED: Mapping[str, tuple[str, Show]] = {
    "summary": ("summary", lambda _context, issue: (None, issue.summary)),
    "issuetype": ("issuetype", lambda context, issue: _named(issue.issue_type(context))),
    "status": ("status", lambda context, issue: _named(issue.status(context))),
    "resolution": ("resolution", lambda context, issue: _named(issue.resolution(context))),
    "priority": ("priority", lambda context, issue: _named(issue.priority(context))),
    "assignee": ("assignee", lambda context, issue: _person(issue.assignee_id, context)),
    "reporter": ("reporter", lambda context, issue: _person(issue.reporter_id, context)),
    "labels": (
        *("labels", lambda _context, issue: (None, " ".join(issue.fields.get("labels", [])))),
    ),
    "description": ("description", _rich("description")),
    "environment": ("environment", _rich("environment")),
    "duedate": ("duedate", lambda _context, issue: (issue.due, issue.due)),
    "security": ("security", lambda context, issue: _named(issue.security_level(context))),
    "parent": ("IssueParentAssociation", _parent),
}
"""Fields whose changes are kept: by id, the name in the history and what is shown of them."""
