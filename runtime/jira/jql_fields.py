"""The fields of JQL: their names, their kind, and how far each is evaluated.

Differs:
    Fields and operators in `UNEVALUATED` and `HISTORY` parse and are refused by name, never
    answered wrongly: see `runtime.jira.jql_errors.not_evaluated`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["reference", "user", "issue", "label", "text", "moment", "day", "custom"]

SETS = ("=", "!=", "in", "not in", "is", "is not")
ORDERED = (*SETS, "<", "<=", ">", ">=")
TEXT = ("~", "!~", "is", "is not")
HISTORY = frozenset({"was", "was not", "was in", "was not in", "changed"})
HISTORY_FIELDS = frozenset({"status", "assignee", "priority", "reporter", "resolution"})


@dataclass(frozen=True, slots=True)
class JqlField:
    """A field that is evaluated.

    Attributes:
        id: Canonical name, as in the list of fields.
        names: Names it goes by in a query, lower case; the first is shown in refusals.
        kind: What its values are.
        operators: Operators it knows.
        column: Column of the issue table it is kept in; None for fields with a table of their own.
        sortable: It may stand in ``ORDER BY``.
    """

    id: str
    names: tuple[str, ...]
    kind: Kind
    operators: tuple[str, ...]
    column: str | None = None
    sortable: bool = True


_FIELDS = (
    JqlField("project", ("project",), "reference", SETS, "project_id"),
    JqlField("issuetype", ("issuetype", "type"), "reference", SETS, "issue_type_id"),
    JqlField("status", ("status",), "reference", SETS, "status_id"),
    JqlField("statusCategory", ("statuscategory",), "reference", SETS, "status_id"),
    JqlField("priority", ("priority",), "reference", ORDERED, "priority_id"),
    JqlField("resolution", ("resolution",), "reference", SETS, "resolution_id"),
    JqlField("security", ("level",), "reference", SETS, "security_level_id", sortable=False),
    JqlField("assignee", ("assignee",), "user", SETS, "assignee_id"),
    JqlField("reporter", ("reporter",), "user", SETS, "reporter_id"),
    JqlField("creator", ("creator",), "user", SETS, "creator_id"),
    JqlField("issuekey", ("issuekey", "key", "issue", "id"), "issue", ORDERED, "id"),
    JqlField("parent", ("parent",), "issue", SETS, "parent_id", sortable=False),
    JqlField("labels", ("labels",), "label", SETS),
    JqlField("summary", ("summary",), "text", TEXT, "summary"),
    JqlField("description", ("description",), "text", TEXT, "description_text", sortable=False),
    JqlField("text", ("text",), "text", ("~",), sortable=False),
    JqlField("created", ("created", "createddate"), "moment", ORDERED, "created_ms"),
    JqlField("updated", ("updated", "updateddate"), "moment", ORDERED, "updated_ms"),
    JqlField(*("resolutiondate", ("resolved", "resolutiondate"), "moment", ORDERED, "resolved_ms")),
    JqlField("duedate", ("due", "duedate"), "day", ORDERED, "due"),
)
FIELDS: Mapping[str, JqlField] = {name: field for field in _FIELDS for name in field.names}
"""The evaluated fields by every name."""

CLAUSE_NAMES: Mapping[str, tuple[str, ...]] = {
    **{field.id: field.names for field in _FIELDS},
    "statusCategory": ("statusCategory",),
    "created": ("created", "createdDate"),
    "updated": ("updated", "updatedDate"),
    "issuekey": ("id", "issue", "issuekey", "key"),
}
"""How the list of fields names each field's clauses."""

UNEVALUATED = frozenset(
    {
        "affectedversion",
        "approvals",
        "attachments",
        "category",
        "comment",
        "component",
        "epic link",
        "filter",
    }
    | {
        "environment",
        "fixversion",
        "hierarchylevel",
        "issuelinktype",
        "lastviewed",
        "originalestimate",
    }
    | {"parentepic", "projecttype", "rank", "remainingestimate", "request", "savedfilter", "sprint"}
    | {"searchrequest", "statuscategorychangeddate", "team", "timeestimate", "timespent", "votes"}
    | {"timeoriginalestimate", "voter", "watcher", "watchers", "worklogauthor", "worklogcomment"}
    | {"worklogdate", "workratio", "development", "issue.property"}
)
"""Fields of the product that are known and not evaluated."""
