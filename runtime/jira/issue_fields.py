"""The fields an issue has: names, types, and how they may be set.

Source:
    Jira Cloud REST API v3, "Get fields" (``FieldDetails``) and the create and edit metadata.

Differs:
    Custom fields are those of apps: see `runtime.jira.custom_fields`. Links, attachments, work
    logs, votes, watches, components and versions are shown as an issue without any has them, and
    cannot be set.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.jira.jql_fields import CLAUSE_NAMES


@dataclass(frozen=True, slots=True)
class IssueField:
    """A field of an issue.

    Attributes:
        id: Id and key.
        name: Name on the screen.
        type: Type of its value.
        items: Type of its items, for an array.
        operations: How it may be set: ``set``, ``add``, ``remove``; empty for read-only fields.
        navigable: It is part of ``*navigable``.
        orderable: It may stand on a screen.
        key: Its key, where that is not its id.
        custom: What a custom field is, by the name of its kind; None for the product's own.
        custom_id: The number of a custom field.
        clauses: What a query calls a custom field.
    """

    id: str
    name: str
    type: str | None
    items: str | None = None
    operations: tuple[str, ...] = ()
    navigable: bool = True
    orderable: bool = True
    key: str | None = None
    custom: str | None = None
    custom_id: int | None = None
    clauses: tuple[str, ...] = ()

    def schema(self) -> dict[str, object] | None:
        """Return the JSON type of the field's values."""
        if self.type is None:
            return None
        items = {"items": self.items} if self.items else {}
        if self.custom is not None:
            return {"type": self.type, **items, "custom": self.custom, "customId": self.custom_id}
        return {"type": self.type, **items, "system": self.id}

    def details(self) -> dict[str, object]:
        """Return the field as the list of fields shows it."""
        names = self.clauses or CLAUSE_NAMES.get(self.id, ())
        schema = self.schema()
        return {
            "id": self.id,
            "key": self.key or self.id,
            "name": self.name,
            "custom": self.custom is not None,
            "orderable": self.orderable,
            "navigable": self.navigable,
            "searchable": bool(names),
            "clauseNames": list(names),
            **({"schema": schema} if schema else {}),
        }


_SET = ("set",)
_LIST = ("add", "set", "remove")
_FIELDS = (
    IssueField("statusCategory", "Status Category", "statusCategory", orderable=False),
    IssueField("summary", "Summary", "string", operations=_SET),
    IssueField("issuetype", "Issue Type", "issuetype", operations=_SET),
    IssueField("project", "Project", "project", operations=_SET, orderable=False),
    IssueField("parent", "Parent", "issuelink", operations=_SET, orderable=False),
    IssueField("status", "Status", "status", orderable=False),
    IssueField("resolution", "Resolution", "resolution", operations=_SET),
    IssueField("resolutiondate", "Resolved", "datetime", orderable=False),
    IssueField("priority", "Priority", "priority", operations=_SET),
    IssueField("assignee", "Assignee", "user", operations=_SET),
    IssueField("reporter", "Reporter", "user", operations=_SET),
    IssueField("creator", "Creator", "user", orderable=False),
    IssueField("labels", "Labels", "array", "string", _LIST),
    IssueField("description", "Description", "string", operations=_SET),
    IssueField("environment", "Environment", "string", operations=_SET),
    IssueField("duedate", "Due date", "date", operations=_SET),
    IssueField("created", "Created", "datetime", orderable=False),
    IssueField("updated", "Updated", "datetime", orderable=False),
    IssueField("security", "Security Level", "securitylevel", operations=_SET),
    IssueField("subtasks", "Sub-tasks", "array", "issuelinks", orderable=False),
    IssueField("issuelinks", "Linked Issues", "array", "issuelinks"),
    IssueField("attachment", "Attachment", "array", "attachment"),
    IssueField("components", "Components", "array", "component"),
    IssueField("versions", "Affects versions", "array", "version"),
    IssueField("fixVersions", "Fix versions", "array", "version"),
    IssueField("votes", "Votes", "votes", orderable=False),
    IssueField("watches", "Watchers", "watches", orderable=False),
    IssueField("progress", "Progress", "progress", orderable=False),
    IssueField("aggregateprogress", "Σ Progress", "progress", orderable=False),
    IssueField("workratio", "Work Ratio", "number", orderable=False),
    IssueField("timespent", "Time Spent", "number", orderable=False),
    IssueField("timeestimate", "Remaining Estimate", "number", orderable=False),
    IssueField("timeoriginalestimate", "Original estimate", "number", orderable=False),
    IssueField("lastViewed", "Last Viewed", "datetime", orderable=False),
    IssueField("timetracking", "Time tracking", "timetracking", navigable=False),
    IssueField("comment", "Comment", "comments-page", operations=("add",), navigable=False),
    IssueField("worklog", "Log Work", "array", "worklog", navigable=False),
    IssueField("issuekey", "Key", None, orderable=False),
)
ISSUE_FIELDS: Mapping[str, IssueField] = {field.id: field for field in _FIELDS}
"""All fields by id."""

SHOWN = frozenset(ISSUE_FIELDS) - {"issuekey"}
"""Fields that stand below ``fields`` of an issue."""


def select_fields(
    names: tuple[str, ...], default: str, fields: Mapping[str, IssueField] = ISSUE_FIELDS
) -> frozenset[str]:
    """Return the ids of the fields that a ``fields`` parameter asks for.

    ``*all`` and ``*navigable`` name groups, ``-name`` takes one out; a list that only takes out
    starts from the default. Unknown names are ignored.

    Args:
        names: What is asked for.
        default: The group that stands for nothing.
        fields: The fields of the site.
    """
    shown = SHOWN if fields is ISSUE_FIELDS else frozenset(fields) - {"issuekey"}
    wanted: set[str] = set()
    if not names or all(name.startswith("-") for name in names):
        names = (default, *names)
    for name in names:
        if name == "*all":
            wanted |= shown
        elif name == "*navigable":
            wanted |= {one for one in shown if fields[one].navigable}
        elif name.startswith("-"):
            wanted.discard(name.removeprefix("-"))
        elif name in shown:
            wanted.add(name)
    return frozenset(wanted)
