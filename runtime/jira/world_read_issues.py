"""Read the issues and comments of a site's world out of a database."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from sqlalchemy import Connection, Row, select

from runtime.jira import schema
from runtime.jira.site import Project, Site
from runtime.jira.world_build_issues import NO_RESOLUTION
from runtime.jira.world_model import CommentEntry, IssueEntry
from runtime.jira.world_text import document_text, moment_text

CUSTOM = "customfield_"  # fields belong to apps, which are no part of a world
OWN_FIELDS = frozenset({"description", "labels"})  # kept as fields, written as keys of their own

_Row = Row[Any]  # Any: the columns differ by table


class _HasName(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


def read_issues(
    connection: Connection,
    site: Site,
    projects: Iterable[Project],
    handles: Mapping[str, str],
) -> list[IssueEntry]:
    """Return the issues of projects with their comments, the oldest first."""
    keys = {project.id: project.key for project in projects}
    table = schema.issue_table
    rows = connection.execute(
        select(table).where(table.c.project_id.in_(list(keys))).order_by(table.c.id)
    ).all()
    reader = _Issues(connection, site, handles, {row.id: _key(keys, row) for row in rows})
    return [reader.entry(row, at) for at, row in enumerate(rows)]


def _key(keys: Mapping[int, str], row: _Row) -> str:
    return f"{keys[row.project_id]}-{row.number}"


class _Issues:
    """Turns rows into entries."""

    def __init__(
        self,
        connection: Connection,
        site: Site,
        handles: Mapping[str, str],
        keys: Mapping[int, str],
    ) -> None:
        self._site = site
        self._handles = handles
        self._keys = keys
        self._types = unique_names(site.issue_types.values())
        self._statuses = unique_names(site.statuses.values())
        self._resolutions = unique_names(site.resolutions.values())
        self._properties = _properties(connection, site)
        self._comments = _comments(connection, keys)

    def entry(self, row: _Row, at: int) -> IssueEntry:
        """Return one issue; what a builder would choose anyway is left out."""
        site, fields = self._site, dict(row.fields)
        described = fields.get("description")
        changed = row.updated_ms != row.created_ms
        return IssueEntry(
            key=self._keys[row.id],
            type=self._types[row.issue_type_id],
            summary=row.summary,
            status=self._statuses[row.status_id],
            priority=row.priority_id and site.priorities[row.priority_id].name,
            resolution=self._resolution(row),
            reporter=self._handle(row.reporter_id),
            creator=self._handle(row.creator_id) if row.creator_id != row.reporter_id else None,
            assignee=self._handle(row.assignee_id),
            labels=list(fields.get("labels") or []),
            level=self._level(row),
            parent=self._keys.get(row.parent_id),
            due=row.due,
            created=moment_text(row.created_ms),
            updated=moment_text(row.updated_ms) if changed else None,
            resolved=self._resolved(row),
            rank=None if row.rank == f"0|i{at:05d}:" else row.rank,
            description=None if described is None else document_text(described),
            fields={
                name: fields[name]
                for name in sorted(fields.keys() - OWN_FIELDS)
                if not name.startswith(CUSTOM)
            },
            comments=[self._comment(row, said) for said in self._comments.get(row.id, [])],
            properties=self._properties.get(("issue", str(row.id)), {}),
        )

    def _handle(self, account_id: str | None) -> str | None:
        return None if account_id is None else self._handles[account_id]

    def _resolution(self, row: _Row) -> str | None:
        if row.resolution_id is not None:
            return self._resolutions[row.resolution_id]
        done = self._site.statuses[row.status_id].category == "done"
        return NO_RESOLUTION if done else None

    def _resolved(self, row: _Row) -> str | None:
        if row.resolved_ms is None or row.resolved_ms == row.updated_ms:
            return None
        return moment_text(row.resolved_ms)

    def _level(self, row: _Row) -> str | None:
        project = self._site.projects[row.project_id]
        levels = {one.id: one.name for one in self._site.levels_of(project)}
        return levels.get(row.security_level_id)

    def _comment(self, issue: _Row, row: _Row) -> CommentEntry:
        role = group = None
        if row.visibility_type == "role":
            role = self._site.roles[int(row.visibility_id)].name
        elif row.visibility_type == "group":
            group = self._site.groups[row.visibility_id].name
        changed = row.updated_ms != row.created_ms
        by_other = row.update_author_id != row.author_id
        return CommentEntry(
            author=self._handles[row.author_id],
            body=document_text(row.body),
            role=role,
            group=group,
            created=None if row.created_ms == issue.updated_ms else moment_text(row.created_ms),
            updated=moment_text(row.updated_ms) if changed else None,
            update_author=self._handles[row.update_author_id] if by_other else None,
            jsd_public=row.jsd_public,
            properties=self._properties.get(("comment", str(row.id)), {}),
        )


def _comments(connection: Connection, keys: Mapping[int, str]) -> dict[int, list[_Row]]:
    table = schema.comment_table
    found: dict[int, list[_Row]] = {}
    for row in connection.execute(select(table).order_by(table.c.id)):
        if row.issue_id in keys:
            found.setdefault(row.issue_id, []).append(row)
    return found


def _properties(connection: Connection, site: Site) -> dict[tuple[str, str], dict[str, object]]:
    table = schema.property_table
    query = select(table).where(table.c.cloud_id == site.cloud_id).order_by(table.c.key)
    found: dict[tuple[str, str], dict[str, object]] = {}
    for row in connection.execute(query):
        found.setdefault((row.entity, row.entity_id), {})[row.key] = row.value
    return found


def unique_names(things: Iterable[_HasName]) -> dict[int, str]:
    """Return names by number; of two that are the same, the later one gets its number behind it."""
    names: dict[int, str] = {}
    for thing in things:
        taken = thing.name in names.values()
        names[thing.id] = f"{thing.name} ({thing.id})" if taken else thing.name
    return names
