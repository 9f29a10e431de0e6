"""Put issues into the store, change them, and take them out."""

from dataclasses import fields, replace
from typing import Any

from sqlalchemy import delete, insert, select, update

from runtime.jira.adf import plain_text
from runtime.jira.context import Context
from runtime.jira.custom_search import write_values
from runtime.jira.issue_changes import record_change
from runtime.jira.issue_draft import Draft
from runtime.jira.issues_store import Issue
from runtime.jira.schema import (
    comment_table,
    issue_label_table,
    issue_table,
    project_table,
    property_table,
)
from runtime.jira.store import next_id


def insert_issue(draft: Draft) -> Issue:
    """Store a new issue and return it; its number is the next of its project."""
    context = draft.context
    workflow = context.site.workflow_of(draft.project, draft.issue_type.id)
    issue_id = next_id(context.connection, issue_table.name)
    values: dict[str, Any] = {  # columns of several types
        **dict.fromkeys(field.name for field in fields(Issue)),
        **draft.columns,
        "id": issue_id,
        "project_id": draft.project.id,
        "number": _next_number(context, draft.project.id),
        "issue_type_id": draft.issue_type.id,
        "status_id": workflow.initial_status_id,
        "creator_id": context.caller().account_id,
        "created_ms": context.now_ms,
        "updated_ms": context.now_ms,
        "fields": {"labels": [], **_present(draft.rest)},
    }
    issue = Issue(**values)
    context.connection.execute(
        insert(issue_table).values(
            **values, rank=f"0|j{issue_id:010d}:", description_text=_searchable(issue)
        )
    )
    _write_labels(context, issue)
    write_values(context, {}, issue)
    return issue


def save_issue(draft: Draft, issue: Issue) -> Issue:
    """Store what a draft changes of an issue, note it in the history, and return the new state."""
    context = draft.context
    rest = _present({**issue.fields, **draft.rest})
    after = replace(issue, **draft.columns, fields=rest, updated_ms=context.now_ms)
    if replace(after, updated_ms=issue.updated_ms) == issue:
        return issue
    changed = {**draft.columns, "fields": rest, "updated_ms": context.now_ms}
    context.connection.execute(
        update(issue_table)
        .where(issue_table.c.id == issue.id)
        .values(**changed, description_text=_searchable(after))
    )
    if after.fields.get("labels") != issue.fields.get("labels"):
        label = issue_label_table
        context.connection.execute(delete(label).where(label.c.issue_id == issue.id))
        _write_labels(context, after)
    write_values(context, issue.fields, after)
    record_change(context, issue, after)
    return after


def touch_issue(context: Context, issue: Issue) -> None:
    """Say that something of an issue changed that is not a field, such as a comment."""
    context.connection.execute(
        update(issue_table).where(issue_table.c.id == issue.id).values(updated_ms=context.now_ms)
    )


def remove_issues(context: Context, ids: list[int]) -> None:
    """Delete issues with all that hangs on them, the properties too; orphans lose their parent."""
    connection, texts = context.connection, [str(issue_id) for issue_id in ids]
    comment = comment_table.c
    comments = connection.execute(select(comment.id).where(comment.issue_id.in_(ids)))
    comment_ids = [str(row.id) for row in comments]
    for entity, entity_ids in (("issue", texts), ("comment", comment_ids)):
        kept = property_table.c
        connection.execute(
            delete(property_table)
            .where(kept.cloud_id == context.site.cloud_id, kept.entity == entity)
            .where(kept.entity_id.in_(entity_ids))
        )
    orphans = issue_table.c.parent_id.in_(ids)
    connection.execute(update(issue_table).where(orphans).values(parent_id=None))
    connection.execute(delete(issue_table).where(issue_table.c.id.in_(ids)))


def _next_number(context: Context, project_id: int) -> int:
    table = project_table.c
    return int(
        context.connection.execute(
            update(project_table)
            .where(table.id == project_id)
            .values(last_issue_number=table.last_issue_number + 1)
            .returning(table.last_issue_number)
        ).scalar_one()
    )


def _present(rest: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rest.items() if value is not None}


def _searchable(issue: Issue) -> str:
    document = issue.fields.get("description")
    return "" if document is None else plain_text(document)


def _write_labels(context: Context, issue: Issue) -> None:
    """Keep the labels where a search finds them: in lower case, since searches ignore case."""
    labels = sorted({label.lower() for label in issue.fields.get("labels", [])})
    if labels:
        context.connection.execute(
            insert(issue_label_table),
            [{"issue_id": issue.id, "label": label} for label in labels],
        )
