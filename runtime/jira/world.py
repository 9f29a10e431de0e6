"""The default world: one site, six people, three projects, forty issues."""

from functools import cache

from sqlalchemy import Connection

from runtime.clock import Clock
from runtime.identity.accounts import Account, add_account, find_account
from runtime.ids import Ids
from runtime.jira import world_data as data
from runtime.jira.world_build import build_site
from runtime.jira.world_issues import COMMENTS, IssueData, default_issues
from runtime.jira.world_model import (
    Application,
    CommentEntry,
    GrantEntry,
    GroupEntry,
    IssueEntry,
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

TYPES = "Issue types"
WORKFLOWS = f"{data.WORKFLOW[0]} scheme"
HOURS_A_DAY = 24


def seed_default_world(
    connection: Connection, ids: Ids, clock: Clock, site: data.SiteData = data.ACME
) -> str:
    """Add a site with the default world to a database and return its cloud id.

    The same clock and a seeded source of ids give the same world. Account ids, the cloud id and
    all numbers are fixed anyway; the newest issue was created one day before the clock's time. A
    second site has the same people, and other numbers.
    """
    people = default_people()
    for person in people:
        if find_account(connection, person.account_id) is None:
            add_account(connection, person)
    accounts = {person.handle: person.account_id for person in people}
    build_site(connection, ids, int(clock.now_s() * 1000), default_site(site), accounts)
    return site.cloud_id


def default_people() -> tuple[Account, ...]:
    """Return the accounts of the default world."""
    return tuple(
        Account(
            *(person.account_id, "atlassian", person.handle, person.email, person.name),
            active=person.active,
        )
        for person in data.PEOPLE
    )


@cache
def default_site(site: data.SiteData = data.ACME) -> SiteWorld:
    """Return a site of the default world; its times count back from the world's clock."""
    return SiteWorld(
        name=site.name,
        cloud_id=site.cloud_id,
        title=site.name.title(),
        users=[person.handle for person in data.PEOPLE],
        groups=[
            GroupEntry(name=name, members=[one.handle for one in data.PEOPLE if name in one.groups])
            for name in data.GROUPS
        ],
        global_permissions=[
            Right(permission=key, groups=list(names)) for key, names in data.GLOBAL_GRANTS.items()
        ],
        applications=[
            Application(key=key, groups=list(names)) for key, names in data.APPLICATIONS.items()
        ],
        roles=[_role(name, text) for name, text in data.ROLES],
        issue_types=[
            IssueTypeEntry(name=name, description=text, level=level, avatar=avatar)
            for name, text, level, avatar in data.ISSUE_TYPES
        ],
        issue_type_schemes=[
            IssueTypeSchemeEntry(name=TYPES, types=[one[0] for one in data.ISSUE_TYPES])
        ],
        statuses=[
            StatusEntry.model_validate({"name": name, "description": text, "category": kind})
            for name, text, kind in data.STATUSES
        ],
        priorities=[
            PriorityEntry(
                name=name,
                description=text,
                color=color,
                icon=icon,
                default=name == data.DEFAULT_PRIORITY,
            )
            for name, text, color, icon in data.PRIORITIES
        ],
        resolutions=[
            ResolutionEntry(name=name, description=text) for name, text in data.RESOLUTIONS
        ],
        workflows=[_workflow()],
        workflow_schemes=[WorkflowSchemeEntry(name=WORKFLOWS, workflow=data.WORKFLOW[0])],
        permission_schemes=[_permission_scheme(one) for one in data.SCHEMES.values()],
        security_schemes=[_security_scheme()],
        projects=[_project(one) for one in data.PROJECTS],
        issues=_issues(),
    )


def _role(name: str, text: str) -> RoleEntry:
    default = [_actor(kind, whom) for role, kind, whom in data.DEFAULT_ACTORS if role == name]
    return RoleEntry(name=name, description=text, default=default)


def _actor(kind: str, whom: str) -> str:
    return f"group {whom}" if kind == "group" else whom


def _workflow() -> WorkflowEntry:
    name, text = data.WORKFLOW
    return WorkflowEntry(
        name=name,
        description=text,
        initial=data.STATUSES[0][0],
        transitions=[
            TransitionEntry(
                id=one.id,
                name=one.name,
                source=one.source,
                to=one.target,
                conditions=[] if one.role is None else [f"role {one.role}"],
                resolution=one.resolution,
            )
            for one in data.TRANSITIONS
        ],
    )


def _permission_scheme(scheme: data.SchemeData) -> PermissionSchemeEntry:
    return PermissionSchemeEntry(
        name=scheme.name,
        description=scheme.description,
        grants=[
            GrantEntry(
                to=f"{kind} {whom or ''}".strip(),
                permissions="all" if permissions == data.ALL else list(permissions),
            )
            for kind, whom, permissions in scheme.grants
        ],
    )


def _security_scheme() -> SecuritySchemeEntry:
    name, text = data.SECURITY_SCHEME
    return SecuritySchemeEntry(
        name=name,
        description=text,
        levels=[
            LevelEntry(
                name=level,
                description=words,
                members=[f"{kind} {whom or ''}".strip() for kind, whom in holders],
            )
            for level, (words, holders) in data.SECURITY_LEVELS.items()
        ],
    )


def _project(project: data.ProjectData) -> ProjectEntry:
    roles: dict[str, list[str]] = {}
    for role, kind, whom in project.actors:
        roles.setdefault(role, []).append(_actor(kind, whom))
    return ProjectEntry(
        key=project.key,
        name=project.name,
        description=project.description,
        lead=project.lead,
        permission_scheme=data.SCHEMES[project.key].name,
        security_scheme=data.SECURITY_SCHEME[0] if project.secured else None,
        issue_type_scheme=TYPES,
        workflow_scheme=WORKFLOWS,
        roles=roles,
    )


def _issues() -> list[IssueEntry]:
    listed = default_issues()
    return [_issue(issue, at, len(listed)) for at, issue in enumerate(listed)]


def _issue(issue: IssueData, at: int, count: int) -> IssueEntry:
    hours = HOURS_A_DAY * (count - at)
    return IssueEntry(
        key=issue.key,
        type=issue.type,
        summary=issue.summary,
        status=issue.status,
        priority=issue.priority,
        reporter=issue.reporter,
        assignee=issue.assignee,
        labels=list(issue.labels),
        level=issue.level,
        parent=issue.parent,
        due=None if issue.due_day is None else f"{issue.due_day}d",
        created=f"-{hours}h",
        updated=f"-{hours - at % 7 - 1}h",
        description=f"{issue.summary}. Part of the default world.",
        comments=[
            CommentEntry(
                author=said.author,
                body=said.text,
                role=said.role,
                created=f"-{HOURS_A_DAY - number}h",
            )
            for number, said in enumerate(COMMENTS)
            if said.issue == issue.key
        ],
    )
