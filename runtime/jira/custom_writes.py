"""Custom values that apps write, past the screens and the permissions of editing."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from runtime.jira.context import Context
from runtime.jira.custom_search import write_values
from runtime.jira.issue_changes import record_change
from runtime.jira.issues_store import Issue
from runtime.jira.schema import issue_table


def write_custom(
    context: Context, issue: Issue, values: Mapping[str, Any], *, changelog: bool
) -> None:
    """Store custom values of an issue; None takes one away.

    Args:
        context: The call.
        issue: The issue as it is.
        values: Stored values by field id.
        changelog: Whether the history tells of it.
    """
    rest = {**issue.fields, **values}
    rest = {name: value for name, value in rest.items() if value is not None}
    if rest == issue.fields:
        return
    context.connection.execute(
        update(issue_table)
        .where(issue_table.c.id == issue.id)
        .values(fields=rest, updated_ms=context.now_ms)
    )
    after = issue.with_fields(rest, context.now_ms)
    write_values(context, issue.fields, after)
    if changelog:
        record_change(context, issue, after)
