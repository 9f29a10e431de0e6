"""Write a site's world into a database: names become numbers, in the order of the world."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from runtime.ids import Ids
from runtime.jira import schema
from runtime.jira.permission_keys import PROJECT_PERMISSIONS
from runtime.jira.world_build_issues import add_issues
from runtime.jira.world_model import GrantEntry, ProjectEntry, SiteWorld, TransitionEntry
from runtime.jira.world_names import Names, Row


def build_site(
    connection: Connection,
    ids: Ids,
    now_ms: int,
    world: SiteWorld,
    accounts: Mapping[str, str],
    *,
    revision: int = 1,
) -> None:
    """Add a site with its world to a database.

    Every name in the world must mean something; `runtime.server.world.check` sees to that.

    Args:
        connection: A transaction for writing.
        ids: Makes ids that the world leaves open.
        now_ms: The world's clock.
        world: The site.
        accounts: Account id by handle, of accounts that exist already.
        revision: Of the configuration; above that of a site it replaces.
    """
    names = Names(connection, world, accounts)
    _Builder(names, ids).run(revision)
    add_issues(names, now_ms)


class _Builder:
    """Writes the configuration of a site, table by table."""

    def __init__(self, names: Names, ids: Ids) -> None:
        self._names = names
        self._of = names.world
        self._ids = ids

    def run(self, revision: int) -> None:
        self._site(revision)
        self._people()
        self._types()
        self._grades()
        self._workflows()
        self._permissions()
        self._security()
        self._projects()

    def _site(self, revision: int) -> None:
        site = self._of
        row = self._names.of_site(name=site.name, url=site.url, title=site.title)
        self._names.insert(schema.site_table, [{**row, "revision": revision}])

    def _people(self) -> None:
        names, world = self._names, self._of
        names.groups = {group.name: group.id or self._ids.uuid() for group in world.groups}
        names.insert(
            schema.site_user_table,
            (names.of_site(account_id=names.accounts[handle]) for handle in world.users),
        )
        for handle, values in world.user_properties.items():
            self._properties("user", names.accounts[handle], values)
        names.insert(
            schema.group_table,
            (names.of_site(group_id=names.groups[one.name], name=one.name) for one in world.groups),
        )
        names.insert(
            schema.membership_table,
            (
                {"group_id": names.groups[group.name], "account_id": names.accounts[handle]}
                for group in world.groups
                for handle in group.members
            ),
        )
        names.insert(
            schema.global_permission_table,
            (
                names.of_site(permission=right.permission, group_id=names.groups[name])
                for right in world.global_permissions
                for name in right.groups
            ),
        )
        names.insert(
            schema.application_access_table,
            (
                names.of_site(application_key=one.key, group_id=names.groups[name])
                for one in world.applications
                for name in one.groups
            ),
        )

    # --- types, statuses, workflows --------------------------------------------------------------

    def _types(self) -> None:
        names, world = self._names, self._of
        numbers = names.add_named(
            schema.issue_type_table,
            [
                {
                    **_named(one.name, one.description),
                    "subtask": one.level < 0,
                    "hierarchy_level": one.level,
                    "avatar_id": one.avatar,
                }
                for one in world.issue_types
            ],
        )
        for number, one in zip(numbers, world.issue_types, strict=True):
            self._properties("issuetype", str(number), one.properties)
        schemes = names.add_named(
            schema.issue_type_scheme_table,
            [_named(one.name, one.description) for one in world.issue_type_schemes],
        )
        names.insert(
            schema.issue_type_scheme_item_table,
            (
                {
                    "scheme_id": number,
                    "issue_type_id": names.number(schema.issue_type_table, name),
                    "position": at,
                }
                for number, scheme in zip(schemes, world.issue_type_schemes, strict=True)
                for at, name in enumerate(scheme.types)
            ),
        )

    def _grades(self) -> None:
        names, world = self._names, self._of
        names.add_named(
            schema.status_table,
            [{**_named(one.name, one.description), "category": one.category}
             for one in world.statuses],
        )  # fmt: skip
        names.add_named(
            schema.priority_table,
            [
                {
                    **_named(one.name, one.description),
                    "status_color": one.color,
                    "icon": one.icon,
                    "position": at,
                    "is_default": one.default,
                }
                for at, one in enumerate(world.priorities)
            ],
        )
        names.add_named(
            schema.resolution_table,
            [
                {**_named(one.name, one.description), "position": at}
                for at, one in enumerate(world.resolutions)
            ],
        )
        names.add_named(
            schema.role_table, [_named(one.name, one.description) for one in world.roles]
        )
        names.add_named(
            schema.project_category_table,
            [_named(one.name, one.description) for one in world.categories],
        )

    def _workflows(self) -> None:
        names, world = self._names, self._of
        numbers = names.add_named(
            schema.workflow_table,
            [
                {
                    **_named(one.name, one.description),
                    "initial_status_id": names.number(schema.status_table, one.initial),
                }
                for one in world.workflows
            ],
        )
        names.insert(
            schema.transition_table,
            (
                {"workflow_id": number, "position": at, **self._transition(transition)}
                for number, workflow in zip(numbers, world.workflows, strict=True)
                for at, transition in enumerate(workflow.transitions)
            ),
        )
        schemes = names.add_named(
            schema.workflow_scheme_table,
            [
                {
                    **_named(one.name, ""),
                    "default_workflow_id": names.number(schema.workflow_table, one.workflow),
                }
                for one in world.workflow_schemes
            ],
        )
        names.insert(
            schema.workflow_scheme_item_table,
            (
                {
                    "scheme_id": number,
                    "issue_type_id": names.number(schema.issue_type_table, name),
                    "workflow_id": names.number(schema.workflow_table, workflow),
                }
                for number, scheme in zip(schemes, world.workflow_schemes, strict=True)
                for name, workflow in scheme.types.items()
            ),
        )

    def _transition(self, one: TransitionEntry) -> Row:
        names = self._names
        return {
            "id": one.id,
            "name": one.name,
            "from_status_id": names.find(schema.status_table, one.source),
            "to_status_id": names.number(schema.status_table, one.to),
            "conditions": [self._condition(text) for text in one.conditions],
            "resolution_id": names.find(schema.resolution_table, one.resolution),
        }

    def _condition(self, text: str) -> Row:
        kind, _, name = text.partition(" ")
        if kind == "role":
            return {"type": kind, "value": str(self._names.number(schema.role_table, name))}
        return {"type": kind, "value": self._names.groups[name] if kind == "group" else name}

    # --- rights ----------------------------------------------------------------------------------

    def _permissions(self) -> None:
        names, world = self._names, self._of
        schemes = names.add_named(
            schema.permission_scheme_table,
            [_named(one.name, one.description) for one in world.permission_schemes],
        )
        names.add(
            schema.permission_grant_table,
            [
                {"scheme_id": number, "permission": permission, **self._holder(grant.to)}
                for number, scheme in zip(schemes, world.permission_schemes, strict=True)
                for grant in scheme.grants
                for permission in permissions_of(grant)
            ],
        )

    def _holder(self, text: str) -> Row:
        kind, parameter = self._names.holder(text)
        return {"holder_type": kind, "parameter": parameter}

    def _security(self) -> None:
        names, world = self._names, self._of
        for scheme in world.security_schemes:
            (number,) = names.add_named(
                schema.security_scheme_table, [_named(scheme.name, scheme.description)]
            )
            levels = names.add(
                schema.security_level_table,
                [
                    {**_named(one.name, one.description), "scheme_id": number}
                    for one in scheme.levels
                ],
            )
            names.add(
                schema.security_member_table,
                [
                    {"level_id": level, **self._holder(member)}
                    for level, one in zip(levels, scheme.levels, strict=True)
                    for member in one.members
                ],
            )
            for level, one in zip(levels, scheme.levels, strict=True):
                names.remember(schema.security_level_table, f"{scheme.name}\n{one.name}", level)
            if scheme.default is not None:
                table = schema.security_scheme_table
                default = names.number(
                    schema.security_level_table, f"{scheme.name}\n{scheme.default}"
                )
                names.connection.execute(
                    table.update().where(table.c.id == number).values(default_level_id=default)
                )

    # --- projects --------------------------------------------------------------------------------

    def _projects(self) -> None:
        names, world = self._names, self._of
        numbers = names.add_named(
            schema.project_table, [self._project(one) for one in world.projects]
        )
        for number, project in zip(numbers, world.projects, strict=True):
            names.remember(schema.project_table, f"\n{project.key}", number)
        names.insert(
            schema.project_key_table,
            (
                names.of_site(key=key, project_id=number)
                for number, project in zip(numbers, world.projects, strict=True)
                for key in (project.key, *project.former_keys)
            ),
        )
        actors = [
            self._actor(role, actor, number)
            for number, project in zip(numbers, world.projects, strict=True)
            for role, listed in project.roles.items()
            for actor in listed
        ]
        actors += [
            self._actor(role.name, actor, None) for role in world.roles for actor in role.default
        ]
        names.add(schema.role_actor_table, actors)
        for number, project in zip(numbers, world.projects, strict=True):
            self._properties("project", str(number), project.properties)

    def _properties(self, entity: str, entity_id: str, values: Mapping[str, object]) -> None:
        names = self._names
        names.insert(
            schema.property_table,
            (
                names.of_site(entity=entity, entity_id=entity_id, key=key, value=value)
                for key, value in values.items()
            ),
        )

    def _project(self, one: ProjectEntry) -> Row:
        names, world = self._names, self._of
        highest = max(
            (_number(issue.key) for issue in world.issues if _project_key(issue.key) == one.key),
            default=0,
        )
        return {
            **_named(one.name, one.description),
            "key": one.key,
            "uuid": one.uuid or self._ids.uuid(),
            "lead_id": names.accounts[one.lead],
            "assignee_type": one.assignee_type,
            "project_type": one.type,
            "url": one.url,
            "avatar_id": one.avatar,
            "category_id": names.find(schema.project_category_table, one.category),
            "permission_scheme_id": names.number(
                schema.permission_scheme_table,
                one.permission_scheme or world.permission_schemes[0].name,
            ),
            "security_scheme_id": names.find(schema.security_scheme_table, one.security_scheme),
            "issue_type_scheme_id": names.number(
                schema.issue_type_scheme_table,
                one.issue_type_scheme or world.issue_type_schemes[0].name,
            ),
            "workflow_scheme_id": names.number(
                schema.workflow_scheme_table, one.workflow_scheme or world.workflow_schemes[0].name
            ),
            "last_issue_number": max(highest, one.last_number),
        }

    def _actor(self, role: str, actor: str, project_id: int | None) -> Row:
        kind, parameter = self._names.actor(actor)
        return {
            "role_id": self._names.number(schema.role_table, role),
            "project_id": project_id,
            "actor_type": kind,
            "parameter": parameter,
        }


def permissions_of(grant: GrantEntry) -> Iterable[str]:
    """Return the permissions of a grant, ``all`` written out."""
    return PROJECT_PERMISSIONS if grant.permissions == "all" else grant.permissions


def _named(name: str, description: str) -> Row:
    return {"name": name, "description": description}


def _project_key(issue_key: str) -> str:
    return issue_key.rpartition("-")[0]


def _number(issue_key: str) -> int:
    return int(issue_key.rpartition("-")[2])
