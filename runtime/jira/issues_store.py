"""Read issues from the store: one by id or key, many by id, with the people in them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import Integer, Row, bindparam, select, union_all

from runtime.identity.accounts import Account, account_table
from runtime.jira.context import Context
from runtime.jira.failures import issue_not_found
from runtime.jira.schema import issue_table
from runtime.jira.site import IssueType, Priority, Project, Resolution, SecurityLevel, Status

People = dict[str, Account]
KEY_DIGITS = 9  # of an issue's number, which is a 32-bit integer
ID_DIGITS = 18  # of an id, which is a 64-bit integer


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue as the store has it.

    Attributes:
        fields: What has no column of its own: description and environment (ADF), labels.
    """

    id: int
    project_id: int
    number: int
    issue_type_id: int
    status_id: int
    priority_id: int | None
    resolution_id: int | None
    security_level_id: int | None
    parent_id: int | None
    assignee_id: str | None
    reporter_id: str | None
    creator_id: str
    summary: str
    due: str | None
    created_ms: int
    updated_ms: int
    resolved_ms: int | None
    fields: Mapping[str, Any]  # JSON by field id

    def with_fields(self, fields: Mapping[str, Any], updated_ms: int) -> "Issue":  # JSON
        """Return the issue with other values of what has no column."""
        return replace(self, fields=fields, updated_ms=updated_ms)

    def project(self, context: Context) -> Project:
        """Return its project."""
        return context.site.projects[self.project_id]

    def key(self, context: Context) -> str:
        """Return its key."""
        return f"{self.project(context).key}-{self.number}"

    def issue_type(self, context: Context) -> IssueType:
        """Return its issue type."""
        return context.site.issue_types[self.issue_type_id]

    def status(self, context: Context) -> Status:
        """Return its status."""
        return context.site.statuses[self.status_id]

    def priority(self, context: Context) -> Priority | None:
        """Return its priority, if it has one."""
        return None if self.priority_id is None else context.site.priorities[self.priority_id]

    def resolution(self, context: Context) -> Resolution | None:
        """Return its resolution; None while it is open."""
        if self.resolution_id is None:
            return None
        return context.site.resolutions[self.resolution_id]

    def security_level(self, context: Context) -> SecurityLevel | None:
        """Return its security level, if it has one that its project knows."""
        levels = context.site.levels_of(self.project(context))
        return next((level for level in levels if level.id == self.security_level_id), None)


def get_issue(context: Context, id_or_key: str) -> Issue:
    """Return an issue that the caller may see.

    Raises:
        JiraError: 404 if it is missing or hidden: the same answer.
    """
    return get_issue_and_people(context, id_or_key)[0]


def get_issue_and_people(context: Context, id_or_key: str) -> tuple[Issue, People]:
    """Return an issue that the caller may see, and the accounts in it, in one query.

    Raises:
        JiraError: 404 if it is missing or hidden: the same answer.
    """
    row = _find_row(context, id_or_key)
    if row is None:
        raise issue_not_found()
    issue = Issue(*row[:_WIDTH])
    if not context.permissions.holds("BROWSE_PROJECTS", issue=issue):
        raise issue_not_found()
    return issue, _people(row)


def find_visible_issue(context: Context, id_or_key: str) -> Issue | None:
    """Return an issue that the caller may see, or None."""
    row = _find_row(context, id_or_key)
    issue = None if row is None else Issue(*row[:_WIDTH])
    seen = issue is not None and context.permissions.holds("BROWSE_PROJECTS", issue=issue)
    return issue if seen else None


def load_issues(context: Context, ids: Sequence[int]) -> list[Issue]:
    """Return issues in the order of their ids, whether or not the caller may see them."""
    rows = context.connection.execute(_BY_IDS, {"ids": list(ids)}) if ids else ()
    found = {row[0]: Issue(*row) for row in rows}
    return [found[one] for one in ids if one in found]


def visible_only(context: Context, issues: Iterable[Issue]) -> list[Issue]:
    """Return the issues that the caller may see."""
    holds = context.permissions.holds
    return [issue for issue in issues if holds("BROWSE_PROJECTS", issue=issue)]


def children(context: Context, ids: Sequence[int]) -> list[Issue]:
    """Return the issues right below these, by id, whether or not the caller may see them."""
    rows = context.connection.execute(_CHILDREN, {"ids": list(ids)}) if ids else ()
    return [Issue(*row) for row in rows]


def family(context: Context, issue: Issue) -> list[Issue]:
    """Return an issue's parent and children, by id, in one query."""
    values = {"id": issue.id, "parent": issue.parent_id}
    return [Issue(*row) for row in context.connection.execute(_FAMILY, values)]


NO_PROJECT = -1  # ids begin at 10000


def _find_row(context: Context, id_or_key: str) -> Row[Any] | None:
    if id_or_key.isascii() and id_or_key.isdigit():
        number = int(id_or_key) if len(id_or_key) <= ID_DIGITS else -1
        row = context.connection.execute(_BY_ID, {"id": number}).first()
        here = row is not None and row.project_id in context.site.projects
        return row if here else None  # ids are unique over all sites of the database
    key, _, digits = id_or_key.upper().rpartition("-")
    if not _is_number(digits):
        return None
    # asked for no project, too: a statement less would tell which keys of projects there are
    project_id = context.site.project_ids.get(key, NO_PROJECT)
    return context.connection.execute(
        _BY_KEY, {"project": project_id, "number": int(digits)}
    ).first()


def _is_number(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) <= KEY_DIGITS


def _people(row: Row[Any]) -> People:
    people = {}
    for start in range(_WIDTH, len(row), _ACCOUNT_WIDTH):
        if row[start] is not None:
            people[row[start]] = Account(*row[start : start + _ACCOUNT_WIDTH])
    return people


_COLUMNS = [issue_table.c[field.name] for field in fields(Issue)]
_WIDTH = len(_COLUMNS)
_ACCOUNT_COLUMNS = tuple(Account.__dataclass_fields__)
_ACCOUNT_WIDTH = len(_ACCOUNT_COLUMNS)
_ROLES = {name: account_table.alias(name) for name in ("assignee_id", "reporter_id", "creator_id")}
_FROM: Any = issue_table  # a join of the tables below
for _name, _alias in _ROLES.items():
    _FROM = _FROM.outerjoin(_alias, issue_table.c[_name] == _alias.c.account_id)
_WITH_PEOPLE = select(
    *_COLUMNS, *(alias.c[column] for alias in _ROLES.values() for column in _ACCOUNT_COLUMNS)
).select_from(_FROM)
_BY_ID = _WITH_PEOPLE.where(issue_table.c.id == bindparam("id"))
_BY_KEY = _WITH_PEOPLE.where(
    issue_table.c.project_id == bindparam("project"), issue_table.c.number == bindparam("number")
)
_PLAIN = select(*_COLUMNS)
_BY_IDS = _PLAIN.where(issue_table.c.id.in_(bindparam("ids", expanding=True)))
_CHILDREN = _PLAIN.where(issue_table.c.parent_id.in_(bindparam("ids", expanding=True))).order_by(
    issue_table.c.id
)
# two lookups by index; an OR of the two is a scan where few issues have a parent
_FAMILY = _PLAIN.where(
    issue_table.c.id.in_(
        union_all(
            select(issue_table.c.id).where(issue_table.c.parent_id == bindparam("id")),
            select(bindparam("parent", type_=Integer)),
        )
    )
).order_by(issue_table.c.id)
