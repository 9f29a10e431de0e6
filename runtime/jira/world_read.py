"""Read a site's world out of a database: numbers become names again."""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby

from sqlalchemy import Connection, Table, func, select

from runtime.jira import schema
from runtime.jira.configuration import load_site
from runtime.jira.permission_keys import PROJECT_PERMISSIONS
from runtime.jira.site import (
    Condition,
    Grant,
    Holder,
    PermissionScheme,
    Project,
    RoleActor,
    SecurityScheme,
    Site,
    Transition,
    Workflow,
    WorkflowScheme,
)
from runtime.jira.world_model import (
    Application,
    CategoryEntry,
    GrantEntry,
    GroupEntry,
    IssueTypeEntry,
    IssueTypeSchemeEntry,
    LevelEntry,
    PermissionSchemeEntry,
    PriorityEntry,
    ProjectEntry,
    ResolutionEntry,
    Right,
    RoleEntry,
    SecuritySchemeEntry,
    SiteWorld,
    StatusEntry,
    TransitionEntry,
    WorkflowEntry,
    WorkflowSchemeEntry,
)
from runtime.jira.world_read_issues import read_issues, unique_names

NOT_READ = frozenset({"changelog", "custom_field", "custom_value"})
"""Tables of what happened rather than of what is; a world file does not hold them."""


def read_site(connection: Connection, cloud_id: str, handles: Mapping[str, str]) -> SiteWorld:
    """Return a site's world; times are absolute. Projects in the recycle bin are left out.

    Args:
        connection: A transaction.
        cloud_id: The site.
        handles: Handle by account id, of every account.
    """
    site = load_site(connection, cloud_id)
    return _Reader(connection, site, handles).world()


def left_out(connection: Connection, site: SiteWorld) -> dict[str, int]:
    """Return what is in the database and in no world file: how many rows, by table."""
    tables = [table for table in vars(schema).values() if isinstance(table, Table)]
    found = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in tables
        if table.name in NOT_READ
    }
    gone = schema.project_table.c
    found["projects in the recycle bin"] = connection.execute(
        select(func.count()).where(gone.cloud_id == site.cloud_id, gone.deleted_ms.is_not(None))
    ).scalar_one()
    return {name: count for name, count in found.items() if count}


class _Reader:
    """Reads one site."""

    def __init__(self, connection: Connection, site: Site, handles: Mapping[str, str]) -> None:
        self._connection = connection
        self._site = site
        self._handles = handles
        self._roles = unique_names(site.roles.values())
        self._types = unique_names(site.issue_types.values())
        self._statuses = unique_names(site.statuses.values())
        self._resolutions = unique_names(site.resolutions.values())
        self._workflows = unique_names(site.workflows.values())

    def world(self) -> SiteWorld:
        site = self._site
        projects = [one for one in site.projects.values() if one.deleted_ms is None]
        users = self._users()
        return SiteWorld(
            name=site.name,
            cloud_id=site.cloud_id,
            title=site.title,
            users=users,
            user_properties=self._user_properties(users),
            groups=self._groups(),
            global_permissions=[
                Right(permission=key, groups=self._group_names(ids))
                for key, ids in sorted(site.global_permissions.items())
            ],
            applications=[
                Application(key=key, groups=self._group_names(ids))
                for key, ids in sorted(site.applications.items())
            ],
            roles=[
                RoleEntry(
                    name=role.name,
                    description=role.description,
                    default=self._actors(None, role.id),
                )
                for role in site.roles.values()
            ],
            issue_types=[
                IssueTypeEntry(
                    name=self._types[one.id],
                    description=one.description,
                    level=one.hierarchy_level,
                    avatar=one.avatar_id,
                    properties=self._properties("issuetype", str(one.id)),
                )
                for one in site.issue_types.values()
            ],
            issue_type_schemes=self._issue_type_schemes(),
            statuses=[
                StatusEntry(
                    name=self._statuses[one.id], description=one.description, category=one.category
                )
                for one in site.statuses.values()
            ],
            priorities=self._priorities(),
            resolutions=[
                ResolutionEntry(name=self._resolutions[one.id], description=one.description)
                for one in site.resolutions.values()
            ],
            workflows=[self._workflow(one) for one in site.workflows.values()],
            workflow_schemes=[self._workflow_scheme(one) for one in site.workflow_schemes.values()],
            permission_schemes=[
                self._permission_scheme(one) for one in site.permission_schemes.values()
            ],
            security_schemes=[self._security_scheme(one) for one in site.security_schemes.values()],
            categories=[
                CategoryEntry(name=one.name, description=one.description)
                for one in site.categories.values()
            ],
            projects=[self._project(one) for one in projects],
            issues=read_issues(self._connection, site, projects, self._handles),
        )

    # --- people ----------------------------------------------------------------------------------

    def _users(self) -> list[str]:
        table = schema.site_user_table.c
        query = select(table.account_id).where(table.cloud_id == self._site.cloud_id)
        return sorted(self._handles[one] for one in self._connection.execute(query).scalars())

    def _user_properties(self, users: list[str]) -> dict[str, dict[str, object]]:
        found = {
            handle: self._properties("user", account_id)
            for account_id, handle in self._handles.items()
            if handle in users
        }
        return {handle: found[handle] for handle in users if found[handle]}

    def _groups(self) -> list[GroupEntry]:
        members: dict[str, list[str]] = {}
        for account_id, group_ids in self._site.group_ids.items():
            for group_id in group_ids:
                members.setdefault(group_id, []).append(self._handles[account_id])
        return [
            GroupEntry(name=one.name, members=sorted(members.get(group_id, [])), id=group_id)
            for group_id, one in self._site.groups.items()
        ]

    def _group_names(self, group_ids: Iterable[str]) -> list[str]:
        return sorted(self._site.groups[one].name for one in group_ids)

    def _actors(self, project_id: int | None, role_id: int) -> list[str]:
        return [
            self._actor(one)
            for one in self._site.role_actors
            if (one.project_id, one.role_id) == (project_id, role_id)
        ]

    def _actor(self, actor: RoleActor) -> str:
        if actor.actor_type == "group":
            return f"group {self._site.groups[actor.parameter].name}"
        return self._handles[actor.parameter]

    # --- types, statuses, workflows --------------------------------------------------------------

    def _issue_type_schemes(self) -> list[IssueTypeSchemeEntry]:
        table = schema.issue_type_scheme_table.c
        query = select(table.id, table.name, table.description)
        query = query.where(table.cloud_id == self._site.cloud_id).order_by(table.id)
        return [
            IssueTypeSchemeEntry(
                name=row.name,
                description=row.description,
                types=[self._types[one] for one in self._site.issue_type_ids.get(row.id, ())],
            )
            for row in self._connection.execute(query)
        ]

    def _priorities(self) -> list[PriorityEntry]:
        return [
            PriorityEntry(
                name=one.name,
                description=one.description,
                color=one.status_color,
                icon=one.icon,
                default=one.is_default,
            )
            for one in self._site.priorities.values()
        ]

    def _workflow(self, workflow: Workflow) -> WorkflowEntry:
        return WorkflowEntry(
            name=self._workflows[workflow.id],
            description=workflow.description,
            initial=self._statuses[workflow.initial_status_id],
            transitions=[self._transition(one) for one in workflow.transitions],
        )

    def _transition(self, one: Transition) -> TransitionEntry:
        return TransitionEntry(
            id=one.id,
            name=one.name,
            source=None if one.from_status_id is None else self._statuses[one.from_status_id],
            to=self._statuses[one.to_status_id],
            conditions=[self._condition(condition) for condition in one.conditions],
            resolution=None if one.resolution_id is None else self._resolutions[one.resolution_id],
        )

    def _condition(self, condition: Condition) -> str:
        named: Mapping[str, Callable[[str], str]] = {
            "role": lambda value: self._roles[int(value)],
            "group": lambda value: self._site.groups[value].name,
        }
        name = named.get(condition.type, str)(condition.value)
        return f"{condition.type} {name}"

    def _workflow_scheme(self, scheme: WorkflowScheme) -> WorkflowSchemeEntry:
        return WorkflowSchemeEntry(
            name=scheme.name,
            workflow=self._workflows[scheme.default_workflow_id],
            types={
                self._types[type_id]: self._workflows[workflow_id]
                for type_id, workflow_id in sorted(scheme.workflow_ids.items())
            },
        )

    # --- rights ----------------------------------------------------------------------------------

    def _permission_scheme(self, scheme: PermissionScheme) -> PermissionSchemeEntry:
        runs = groupby(scheme.grants, key=lambda grant: grant.holder)
        return PermissionSchemeEntry(
            name=scheme.name,
            description=scheme.description,
            grants=[self._grant(holder, tuple(grants)) for holder, grants in runs],
        )

    def _grant(self, holder: Holder, grants: tuple[Grant, ...]) -> GrantEntry:
        permissions = [grant.permission for grant in grants]
        whole = permissions == list(PROJECT_PERMISSIONS)
        return GrantEntry(to=self._holder(holder), permissions="all" if whole else permissions)

    def _holder(self, holder: Holder) -> str:
        name = holder.parameter
        if name is None:
            return holder.type
        if holder.type == "projectRole":
            name = self._roles.get(int(name), name)
        elif holder.type == "group" and name in self._site.groups:
            name = self._site.groups[name].name
        elif holder.type == "user":
            name = self._handles.get(name, name)
        return f"{holder.type} {name}"

    def _security_scheme(self, scheme: SecurityScheme) -> SecuritySchemeEntry:
        defaults = [one.name for one in scheme.levels if one.id == scheme.default_level_id]
        return SecuritySchemeEntry(
            name=scheme.name,
            description=scheme.description,
            default=defaults[0] if defaults else None,
            levels=[
                LevelEntry(
                    name=one.name,
                    description=one.description,
                    members=[self._holder(holder) for holder in one.holders],
                )
                for one in scheme.levels
            ],
        )

    # --- projects --------------------------------------------------------------------------------

    def _project(self, project: Project) -> ProjectEntry:
        site = self._site
        security = project.security_scheme_id
        category = project.category_id
        return ProjectEntry.model_validate(
            {
                "key": project.key,
                "name": project.name,
                "description": project.description,
                "lead": self._handles[project.lead_id],
                "permission_scheme": site.permission_schemes[project.permission_scheme_id].name,
                "security_scheme": security and site.security_schemes[security].name,
                "issue_type_scheme": self._issue_type_scheme_name(project),
                "workflow_scheme": site.workflow_schemes[project.workflow_scheme_id].name,
                "category": category and site.categories[category].name,
                "type": project.project_type,
                "assignee_type": project.assignee_type,
                "url": project.url,
                "avatar": project.avatar_id,
                "uuid": project.uuid,
                "former_keys": list(project.former_keys),
                "roles": self._project_roles(project),
                "last_number": self._last_number(project),
                "properties": self._properties("project", str(project.id)),
            }
        )

    def _issue_type_scheme_name(self, project: Project) -> str:
        table = schema.issue_type_scheme_table.c
        query = select(table.name).where(table.id == project.issue_type_scheme_id)
        return str(self._connection.execute(query).scalar_one())

    def _project_roles(self, project: Project) -> dict[str, list[str]]:
        found = {self._roles[one]: self._actors(project.id, one) for one in self._site.roles}
        return {name: actors for name, actors in found.items() if actors}

    def _last_number(self, project: Project) -> int:
        """Return the project's highest issue number if that issue is gone, else 0."""
        projects, issues = schema.project_table.c, schema.issue_table.c
        last = self._connection.execute(
            select(projects.last_issue_number).where(projects.id == project.id)
        ).scalar_one()
        highest = self._connection.execute(
            select(func.max(issues.number)).where(issues.project_id == project.id)
        ).scalar()
        return 0 if last == (highest or 0) else int(last)

    def _properties(self, entity: str, entity_id: str) -> dict[str, object]:
        table = schema.property_table.c
        query = select(table.key, table.value).where(
            table.cloud_id == self._site.cloud_id,
            table.entity == entity,
            table.entity_id == entity_id,
        )
        return {row.key: row.value for row in self._connection.execute(query.order_by(table.key))}
