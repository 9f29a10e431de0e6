"""Load a site's configuration, cache it by its revision, and bump that on every write.

Two processes may share the database, so the revision is read with each request (`find_revision`);
the configuration itself only when the revision is new. A write inside a transaction must call
`touch` in that transaction; `load_site` then shows the new state to the same transaction without
putting it into the cache, because it may still be rolled back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, Table, select, update

from runtime.jira import schema
from runtime.jira.site import (
    Condition,
    CustomField,
    Grant,
    Group,
    Holder,
    IssueType,
    Members,
    PermissionScheme,
    Priority,
    Project,
    ProjectCategory,
    Resolution,
    Role,
    RoleActor,
    SecurityLevel,
    SecurityScheme,
    Site,
    Status,
    Transition,
    Workflow,
    WorkflowScheme,
)

T = TypeVar("T")
K = TypeVar("K")
Rows = Iterable[Row[Any]]  # Any: the columns differ by table


class SiteCache:
    """Remembers the newest configuration of each site of one process."""

    def __init__(self) -> None:
        self._sites: dict[str, Site] = {}

    def get(self, connection: Connection, cloud_id: str, revision: int) -> Site:
        """Return the site at that committed revision."""
        site = self._sites.get(cloud_id)
        if site is None or site.revision != revision:
            site = load_site(connection, cloud_id)
            self._sites[cloud_id] = site
        return site


def touch(connection: Connection, cloud_id: str) -> None:
    """Say that the configuration of a site changes in this transaction."""
    site = schema.site_table
    connection.execute(
        update(site).where(site.c.cloud_id == cloud_id).values(revision=site.c.revision + 1)
    )


def load_site(connection: Connection, cloud_id: str) -> Site:
    """Read the whole configuration of a site as this transaction sees it."""
    reader = _Reader(connection, cloud_id)
    site = connection.execute(
        select(schema.site_table).where(schema.site_table.c.cloud_id == cloud_id)
    ).one()
    actors = reader.children(RoleActor, schema.role_actor_table, schema.role_table, "role_id")
    return Site(
        **site._mapping,
        projects=reader.projects(),
        project_ids=reader.project_ids(),
        categories=reader.table(ProjectCategory, schema.project_category_table),
        groups={
            group.group_id: group for group in reader.values(Group, schema.group_table, "name")
        },
        group_ids=reader.group_ids(),
        global_permissions=reader.group_sets(schema.global_permission_table, "permission"),
        applications=reader.group_sets(schema.application_access_table, "application_key"),
        permission_schemes=reader.permission_schemes(),
        roles=reader.table(Role, schema.role_table),
        role_actors=actors,
        role_members=_role_members(actors),
        security_schemes=reader.security_schemes(),
        issue_types=reader.table(IssueType, schema.issue_type_table),
        issue_type_ids=reader.issue_type_ids(),
        statuses=reader.table(Status, schema.status_table),
        priorities=reader.table(Priority, schema.priority_table, "position"),
        resolutions=reader.table(Resolution, schema.resolution_table, "position"),
        workflows=reader.workflows(),
        workflow_schemes=reader.workflow_schemes(),
        app_access=reader.app_access(),
        custom_fields=reader.custom_fields(),
    )


class _Reader:
    """Reads the tables of one site."""

    def __init__(self, connection: Connection, cloud_id: str) -> None:
        self._connection = connection
        self._cloud_id = cloud_id

    def values(self, kind: type[T], table: Table, order: str = "") -> tuple[T, ...]:
        """Return the rows of a top-level table as values."""
        names = [column.name for column in fields(kind)]  # type: ignore[arg-type]  # a dataclass
        query = select(*(table.c[name] for name in names))
        query = query.where(table.c.cloud_id == self._cloud_id)
        query = query.order_by(table.c[order or names[0]])
        return tuple(_make(kind, row) for row in self._rows(query))

    def table(self, kind: type[T], table: Table, order: str = "id") -> dict[int, T]:
        """Return the rows of a top-level table as values by id."""
        return {value.id: value for value in self.values(kind, table, order)}  # type: ignore[attr-defined]  # each has an id

    def children(self, kind: type[T], table: Table, parent: Table, via: str) -> tuple[T, ...]:
        """Return the rows that hang below a top-level table, by id."""
        names = [column.name for column in fields(kind)]  # type: ignore[arg-type]  # a dataclass
        query = self._below(table, parent, via, *(table.c[name] for name in names))
        return tuple(_make(kind, row) for row in self._rows(query.order_by(table.c.id)))

    def _below(
        self, table: Table, parent: Table, via: str, *columns: Any
    ) -> Select[Any]:  # Any: a column of any type
        joined = table.join(parent, table.c[via] == parent.c.id)
        return select(*columns).select_from(joined).where(parent.c.cloud_id == self._cloud_id)

    def _rows(self, query: Select[Any]) -> Rows:
        return self._connection.execute(query).all()

    def projects(self) -> dict[int, Project]:
        """Return all projects with their former keys."""
        former = self._former_keys()
        table = schema.project_table
        names = [column.name for column in fields(Project) if column.name != "former_keys"]
        query = select(*(table.c[name] for name in names))
        query = query.where(table.c.cloud_id == self._cloud_id).order_by(table.c.id)
        return {
            row.id: Project(**row._mapping, former_keys=tuple(former.get(row.id, ())))
            for row in self._rows(query)
        }

    def _former_keys(self) -> Mapping[int, list[str]]:
        keys, projects = schema.project_key_table, schema.project_table
        query = self._below(keys, projects, "project_id", keys.c.project_id, keys.c.key)
        query = query.where(keys.c.key != projects.c.key).order_by(keys.c.key)
        return _grouped((row.project_id, row.key) for row in self._rows(query))

    def project_ids(self) -> dict[str, int]:
        """Return project ids by every current and former key."""
        table = schema.project_key_table
        query = select(table.c.key, table.c.project_id).where(table.c.cloud_id == self._cloud_id)
        return {row.key: row.project_id for row in self._rows(query)}

    def app_access(self) -> dict[int, dict[str, bool]]:
        """Return what administrators say of apps, by project and app."""
        table = schema.app_access_rule_table.c
        query = select(table.project_id, table.app_id, table.blocked)
        found: dict[int, dict[str, bool]] = {}
        for row in self._rows(query.where(table.cloud_id == self._cloud_id)):
            found.setdefault(row.project_id, {})[row.app_id] = row.blocked
        return found

    def custom_fields(self) -> dict[str, CustomField]:
        """Return the fields of the apps that are there, by field id."""
        table = schema.custom_field_table
        query = select(*(table.c[one.name] for one in fields(CustomField)))
        query = query.where(table.c.cloud_id == self._cloud_id, table.c.active)
        found = (_make(CustomField, row) for row in self._rows(query.order_by(table.c.id)))
        return {one.field_id: one for one in found}

    def group_ids(self) -> dict[str, frozenset[str]]:
        """Return the group ids of each account."""
        members, groups = schema.membership_table, schema.group_table
        query = (
            select(members.c.account_id, members.c.group_id)
            .select_from(members.join(groups, members.c.group_id == groups.c.group_id))
            .where(groups.c.cloud_id == self._cloud_id)
        )
        return _sets((row.account_id, row.group_id) for row in self._rows(query))

    def group_sets(self, table: Table, by: str) -> dict[str, frozenset[str]]:
        """Return the group ids that a table names for each value of a column."""
        query = select(table.c[by], table.c.group_id).where(table.c.cloud_id == self._cloud_id)
        return _sets((row._mapping[by], row.group_id) for row in self._rows(query))

    def permission_schemes(self) -> dict[int, PermissionScheme]:
        """Return the permission schemes with their grants."""
        grants, schemes = schema.permission_grant_table, schema.permission_scheme_table
        columns = grants.c
        query = self._below(
            grants,
            schemes,
            "scheme_id",
            *(columns.scheme_id, columns.id, columns.permission),
            *(columns.holder_type, columns.parameter),
        ).order_by(columns.id)
        by_scheme = _grouped(
            (row.scheme_id, Grant(row.id, row.permission, Holder(row.holder_type, row.parameter)))
            for row in self._rows(query)
        )
        query = select(schemes).where(schemes.c.cloud_id == self._cloud_id).order_by(schemes.c.id)
        return {row.id: _permission_scheme(row, by_scheme) for row in self._rows(query)}

    def security_schemes(self) -> dict[int, SecurityScheme]:
        """Return the issue security schemes with their levels."""
        levels, schemes = schema.security_level_table, schema.security_scheme_table
        holders = self._security_holders()
        columns = (levels.c.id, levels.c.scheme_id, levels.c.name, levels.c.description)
        query = self._below(levels, schemes, "scheme_id", *columns).order_by(levels.c.id)
        by_scheme = _grouped(
            (row.scheme_id, SecurityLevel(**row._mapping, holders=tuple(holders.get(row.id, ()))))
            for row in self._rows(query)
        )
        query = select(schemes).where(schemes.c.cloud_id == self._cloud_id).order_by(schemes.c.id)
        return {
            row.id: SecurityScheme(
                row.id,
                row.name,
                row.description,
                row.default_level_id,
                tuple(by_scheme.get(row.id, ())),
            )
            for row in self._rows(query)
        }

    def _security_holders(self) -> Mapping[int, list[Holder]]:
        members, levels = schema.security_member_table, schema.security_level_table
        schemes = schema.security_scheme_table
        query = (
            select(members.c.level_id, members.c.holder_type, members.c.parameter)
            .select_from(members.join(levels).join(schemes))
            .where(schemes.c.cloud_id == self._cloud_id)
            .order_by(members.c.id)
        )
        return _grouped(
            (row.level_id, Holder(row.holder_type, row.parameter)) for row in self._rows(query)
        )

    def issue_type_ids(self) -> dict[int, tuple[int, ...]]:
        """Return the issue types of each issue type scheme, in order."""
        items, schemes = schema.issue_type_scheme_item_table, schema.issue_type_scheme_table
        columns = (items.c.scheme_id, items.c.issue_type_id)
        query = self._below(items, schemes, "scheme_id", *columns).order_by(items.c.position)
        grouped = _grouped((row.scheme_id, row.issue_type_id) for row in self._rows(query))
        return {scheme_id: tuple(ids) for scheme_id, ids in grouped.items()}

    def workflows(self) -> dict[int, Workflow]:
        """Return the workflows with their transitions."""
        table, workflows = schema.transition_table, schema.workflow_table
        query = self._below(table, workflows, "workflow_id", table).order_by(table.c.position)
        by_workflow = _grouped((row.workflow_id, _transition(row)) for row in self._rows(query))
        query = select(workflows).where(workflows.c.cloud_id == self._cloud_id)
        return {
            row.id: Workflow(
                row.id,
                row.name,
                row.description,
                row.initial_status_id,
                tuple(by_workflow.get(row.id, ())),
            )
            for row in self._rows(query.order_by(workflows.c.id))
        }

    def workflow_schemes(self) -> dict[int, WorkflowScheme]:
        """Return the workflow schemes."""
        items, schemes = schema.workflow_scheme_item_table, schema.workflow_scheme_table
        columns = (items.c.scheme_id, items.c.issue_type_id, items.c.workflow_id)
        query = self._below(items, schemes, "scheme_id", *columns)
        by_scheme = _grouped(
            (row.scheme_id, (row.issue_type_id, row.workflow_id)) for row in self._rows(query)
        )
        query = select(schemes).where(schemes.c.cloud_id == self._cloud_id).order_by(schemes.c.id)
        return {
            row.id: WorkflowScheme(
                row.id, row.name, row.default_workflow_id, dict(by_scheme.get(row.id, ()))
            )
            for row in self._rows(query)
        }


def _make(kind: type[T], row: Row[Any]) -> T:
    return kind(**row._mapping)


def _permission_scheme(row: Row[Any], by_scheme: Mapping[int, list[Grant]]) -> PermissionScheme:
    grants = tuple(by_scheme.get(row.id, ()))
    holders = _grouped((grant.permission, grant.holder) for grant in grants)
    return PermissionScheme(
        row.id, row.name, row.description, grants, {key: tuple(who) for key, who in holders.items()}
    )


def _transition(row: Row[Any]) -> Transition:
    conditions = tuple(Condition(item["type"], str(item["value"])) for item in row.conditions)
    return Transition(
        row.id, row.name, row.from_status_id, row.to_status_id, conditions, row.resolution_id
    )


def _role_members(actors: Iterable[RoleActor]) -> dict[tuple[int, int], Members]:
    in_projects = [actor for actor in actors if actor.project_id is not None]
    accounts = _sets(
        ((actor.project_id, actor.role_id), actor.parameter)
        for actor in in_projects
        if actor.actor_type == "user"
    )
    groups = _sets(
        ((actor.project_id, actor.role_id), actor.parameter)
        for actor in in_projects
        if actor.actor_type == "group"
    )
    return {
        (project_id, role_id): Members(
            accounts.get((project_id, role_id), frozenset()),
            groups.get((project_id, role_id), frozenset()),
        )
        for project_id, role_id in accounts.keys() | groups.keys()
        if project_id is not None
    }


def _grouped(pairs: Iterable[tuple[K, T]]) -> dict[K, list[T]]:
    found: dict[K, list[T]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _sets(pairs: Iterable[tuple[K, T]]) -> dict[K, frozenset[T]]:
    return {key: frozenset(values) for key, values in _grouped(pairs).items()}
