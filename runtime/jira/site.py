"""One site's configuration as frozen values, and what can be asked of it.

Everything an administrator sets up is here: who is in which group, what roles and schemes say, how
work is shaped. Issues, comments and properties are not: they are read from the store as needed.
A `Site` is one revision of that configuration; it never changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Category = Literal["new", "indeterminate", "done"]


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a grant or a security level names.

    Attributes:
        type: Such as ``group``, ``projectRole``, ``reporter`` or ``anyone``.
        parameter: Group id, role id, account id or application key; None where the type says all.
    """

    type: str
    parameter: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """One line of a permission scheme."""

    id: int
    permission: str
    holder: Holder


@dataclass(frozen=True, slots=True)
class PermissionScheme:
    """Grants that projects share.

    Attributes:
        holders: The holders of each permission.
    """

    id: int
    name: str
    description: str
    grants: tuple[Grant, ...]
    holders: Mapping[str, tuple[Holder, ...]]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of accounts."""

    group_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Role:
    """A project role; the same for all projects of the site."""

    id: int
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class RoleActor:
    """Who is in a role.

    Attributes:
        project_id: The project; None for a default actor.
        actor_type: ``user`` or ``group``.
        parameter: Account id or group id.
    """

    id: int
    role_id: int
    project_id: int | None
    actor_type: str
    parameter: str


@dataclass(frozen=True, slots=True)
class SecurityLevel:
    """An issue security level: only its holders see issues that have it."""

    id: int
    scheme_id: int
    name: str
    description: str
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """The levels that a project's issues may have."""

    id: int
    name: str
    description: str
    default_level_id: int | None
    levels: tuple[SecurityLevel, ...]


@dataclass(frozen=True, slots=True)
class IssueType:
    """A kind of work item."""

    id: int
    name: str
    description: str
    subtask: bool
    hierarchy_level: int
    avatar_id: int


@dataclass(frozen=True, slots=True)
class Status:
    """A step of a workflow."""

    id: int
    name: str
    description: str
    category: Category


@dataclass(frozen=True, slots=True)
class Priority:
    """How urgent an issue is."""

    id: int
    name: str
    description: str
    status_color: str
    icon: str
    position: int
    is_default: bool


@dataclass(frozen=True, slots=True)
class Resolution:
    """Why an issue is closed."""

    id: int
    name: str
    description: str
    position: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What a transition asks of who takes it.

    Attributes:
        type: ``role``, ``group`` or ``permission``.
        value: Role id, group id or permission key.
    """

    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A way from one status to another.

    Attributes:
        id: Unique within its workflow.
        from_status_id: Where it starts; None for every status.
        conditions: All must hold for the transition to be offered.
        resolution_id: Resolution that the issue gets on the way; None clears it.
    """

    id: int
    name: str
    from_status_id: int | None
    to_status_id: int
    conditions: tuple[Condition, ...]
    resolution_id: int | None


@dataclass(frozen=True, slots=True)
class Workflow:
    """Statuses and the transitions between them."""

    id: int
    name: str
    description: str
    initial_status_id: int
    transitions: tuple[Transition, ...]

    def status_ids(self) -> tuple[int, ...]:
        """Return the statuses of the workflow, the initial one first, in order of appearance."""
        ids = [self.initial_status_id]
        for transition in self.transitions:
            ids += [transition.from_status_id or transition.to_status_id, transition.to_status_id]
        return tuple(dict.fromkeys(ids))


@dataclass(frozen=True, slots=True)
class WorkflowScheme:
    """Which workflow each issue type follows."""

    id: int
    name: str
    default_workflow_id: int
    workflow_ids: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Project:
    """A project.

    Attributes:
        former_keys: Keys it had before; they still find it.
        deleted_ms: When it went to the recycle bin; None while it lives.
    """

    id: int
    key: str
    name: str
    description: str
    uuid: str
    lead_id: str
    assignee_type: str
    project_type: str
    url: str
    avatar_id: int
    category_id: int | None
    permission_scheme_id: int
    security_scheme_id: int | None
    issue_type_scheme_id: int
    workflow_scheme_id: int
    deleted_ms: int | None
    deleted_by: str | None
    former_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectCategory:
    """A drawer for projects."""

    id: int
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Members:
    """The accounts and groups of one role in one project."""

    account_ids: frozenset[str] = frozenset()
    group_ids: frozenset[str] = frozenset()


NOBODY = Members()


@dataclass(frozen=True, slots=True)
class CustomField:
    """A field that an app adds to issues.

    Attributes:
        key: ``{app key}__{module key}`` of a Connect app; of a Forge app an ARI.
        type: Such as ``string`` or ``single_select``; see `runtime.jira.custom_values`.
        collection: ``none`` for one value, ``list`` for several.
        model: ``connect`` or ``forge``.
        owner: The app: its key (Connect) or its id (Forge).
        read_only: No person sets it.
        settings: What else its module says.
    """

    id: int
    key: str
    name: str
    description: str
    type: str
    collection: str
    model: str
    owner: str
    read_only: bool
    settings: Mapping[str, object]

    @property
    def field_id(self) -> str:
        """Return its id among the fields of an issue."""
        return f"customfield_{self.id}"

    @property
    def shown_key(self) -> str:
        """Return its key in the list of fields, which finds it too."""
        return str(self.settings.get(SHOWN_KEY, self.key))


SHOWN_KEY = "shownKey"
"""In a field's settings: the key in the list of fields where that is not the one it is kept by."""

EVERY_APP = "*"
"""Stands for every app that an administrator says nothing else of."""


@dataclass(frozen=True)
class Site:
    """One revision of a site's configuration.

    Attributes:
        projects: All projects by id, deleted ones too.
        project_ids: Project ids by every current and former key.
        roles, groups, …: By id, in the order in which the product lists them.
        group_ids: Group ids of each account.
        global_permissions: Group ids that hold each global permission.
        applications: Group ids that may use each application (product access).
        issue_type_ids: Issue types of each issue type scheme, in order.
        app_access: What administrators say of apps: by project, by app or `EVERY_APP`, whether it
            is blocked.
        custom_fields: The fields of the apps that are there, by field id.
    """

    cloud_id: str
    name: str
    url: str
    title: str
    revision: int
    projects: Mapping[int, Project]
    project_ids: Mapping[str, int]
    categories: Mapping[int, ProjectCategory]
    groups: Mapping[str, Group]
    group_ids: Mapping[str, frozenset[str]]
    global_permissions: Mapping[str, frozenset[str]]
    applications: Mapping[str, frozenset[str]]
    permission_schemes: Mapping[int, PermissionScheme]
    roles: Mapping[int, Role]
    role_actors: tuple[RoleActor, ...]
    security_schemes: Mapping[int, SecurityScheme]
    issue_types: Mapping[int, IssueType]
    issue_type_ids: Mapping[int, tuple[int, ...]]
    statuses: Mapping[int, Status]
    priorities: Mapping[int, Priority]
    resolutions: Mapping[int, Resolution]
    workflows: Mapping[int, Workflow]
    workflow_schemes: Mapping[int, WorkflowScheme]
    role_members: Mapping[tuple[int, int], Members] = field(default_factory=dict)
    app_access: Mapping[int, Mapping[str, bool]] = field(default_factory=dict)
    custom_fields: Mapping[str, CustomField] = field(default_factory=dict)

    def closed_to(self, app_id: str | None) -> frozenset[int]:
        """Return the projects whose content an administrator blocks for an app.

        What is said of the app itself counts before what is said of every app.
        """
        return frozenset(
            project_id
            for project_id, said in self.app_access.items()
            if said.get(app_id or "", said.get(EVERY_APP, False))
        )

    def find_project(self, id_or_key: str) -> Project | None:
        """Return the live project with that id, current or former key, or None.

        Keys are case-sensitive. Whether the caller may see it is another question: see
        `runtime.jira.visibility.get_project`.
        """
        project = self.find_any_project(id_or_key)
        return None if project is None or project.deleted_ms is not None else project

    def find_any_project(self, id_or_key: str) -> Project | None:
        """Return the project with that id or key, even from the recycle bin, or None."""
        if id_or_key.isascii() and id_or_key.isdigit():
            return self.projects.get(int(id_or_key))
        project_id = self.project_ids.get(id_or_key)
        return None if project_id is None else self.projects[project_id]

    def live_projects(self) -> tuple[Project, ...]:
        """Return the projects that are not in the recycle bin, by key."""
        return self._live_projects

    def issue_types_of(self, project: Project) -> tuple[IssueType, ...]:
        """Return the issue types a project offers, in order."""
        ids = self.issue_type_ids[project.issue_type_scheme_id]
        return tuple(self.issue_types[type_id] for type_id in ids)

    def workflow_of(self, project: Project, issue_type_id: int) -> Workflow:
        """Return the workflow an issue type follows in a project."""
        scheme = self.workflow_schemes[project.workflow_scheme_id]
        return self.workflows[scheme.workflow_ids.get(issue_type_id, scheme.default_workflow_id)]

    def members(self, project_id: int, role_id: int) -> Members:
        """Return who is in a role in a project."""
        return self.role_members.get((project_id, role_id), NOBODY)

    def levels_of(self, project: Project) -> tuple[SecurityLevel, ...]:
        """Return the security levels that issues of a project may have."""
        if project.security_scheme_id is None:
            return ()
        return self.security_schemes[project.security_scheme_id].levels

    def find_custom_field(self, id_or_key: str) -> CustomField | None:
        """Return the custom field with that field id or key, or None."""
        found = self.custom_fields.get(id_or_key)
        return found or self._custom_by_key.get(id_or_key)

    def find_clause(self, name: str) -> CustomField | None:
        """Return the custom field that a query means by ``cf[id]``, field id or name, or None."""
        return self._custom_by_clause.get(name.lower())

    def find_group(self, name_or_id: str) -> Group | None:
        """Return the group with that id or name, or None."""
        return self.groups.get(name_or_id) or self._groups_by_name.get(name_or_id)

    def members_of_group(self, group_id: str) -> tuple[str, ...]:
        """Return the account ids in a group, sorted."""
        return tuple(sorted(who for who, ids in self.group_ids.items() if group_id in ids))

    @cached_property
    def _live_projects(self) -> tuple[Project, ...]:
        live = (project for project in self.projects.values() if project.deleted_ms is None)
        return tuple(sorted(live, key=lambda project: project.key))

    @cached_property
    def _custom_by_key(self) -> Mapping[str, CustomField]:
        fields = self.custom_fields.values()
        return {one.shown_key: one for one in fields} | {one.key: one for one in fields}

    @cached_property
    def _custom_by_clause(self) -> Mapping[str, CustomField]:
        fields = self.custom_fields.values()
        names = {
            one.name.lower(): one for one in reversed(tuple(fields))
        }  # the oldest of a name counts
        ids = {name: one for one in fields for name in (f"cf[{one.id}]", one.field_id)}
        return {**names, **ids}

    @cached_property
    def _groups_by_name(self) -> Mapping[str, Group]:
        return {group.name: group for group in self.groups.values()}
