"""Who is in a role: as JSON, as a client names them, and in the store.

Source:
    Jira Cloud REST API v3, "Project role actors" and the default actors of "Project roles".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert

from runtime.errors import JiraError
from runtime.identity.accounts import Account
from runtime.jira.beans import Bean, find_accounts
from runtime.jira.context import Context
from runtime.jira.failures import HIDDEN
from runtime.jira.payload import Payload
from runtime.jira.schema import role_actor_table
from runtime.jira.site import Project, Role, RoleActor
from runtime.jira.store import next_id

USER_ACTOR = "atlassian-user-role-actor"
GROUP_ACTOR = "atlassian-group-role-actor"
GROUP_ID_ACTOR = "atlassian-group-role-actor-id"


@dataclass(frozen=True, slots=True)
class Named:
    """An actor as it is stored: ``user`` or ``group``, and the id."""

    actor_type: str
    parameter: str


def role_bean(context: Context, role: Role, project: Project | None = None) -> Bean:
    """Return a role with its actors in a project, or with its default actors."""
    project_id = None if project is None else project.id
    actors = [
        actor
        for actor in context.site.role_actors
        if actor.role_id == role.id and actor.project_id == project_id
    ]
    path = f"role/{role.id}" if project is None else f"project/{project.id}/role/{role.id}"
    return {
        "self": context.link(path),
        "name": role.name,
        "id": role.id,
        "description": role.description,
        "actors": actor_beans(context, actors),
    }


def actor_beans(context: Context, actors: Iterable[RoleActor]) -> list[Bean]:
    """Return actors; inactive people are left out if the query asks for that."""
    found = tuple(actors)
    accounts = find_accounts(
        context, (actor.parameter for actor in found if actor.actor_type == "user")
    )
    skip_inactive = context.flag("excludeInactiveUsers", default=False)
    return [
        _user_bean(actor, accounts[actor.parameter])
        if actor.actor_type == "user"
        else _group_bean(context, actor)
        for actor in found
        if not (
            skip_inactive and actor.actor_type == "user" and not accounts[actor.parameter].active
        )
    ]


def get_role(context: Context, name: str = "id") -> Role:
    """Return the role that a path parameter names.

    Raises:
        JiraError: 404 if the site has none of that id.
    """
    role_id = context.path_number(name)
    role = context.site.roles.get(role_id)
    if role is None:
        raise JiraError(404, f"The project role {role_id} does not exist.", rule=HIDDEN)
    return role


def read_actors(context: Context, payload: Payload) -> list[Named]:
    """Return the actors in ``user``, ``group`` and ``groupId`` of a body.

    Raises:
        JiraError: 400 if there is none, or both people and groups; 404 if one does not exist.
    """
    users, groups = payload.texts("user"), [*payload.texts("group"), *payload.texts("groupId")]
    if bool(users) == bool(groups):
        raise JiraError(400, "Name either users or groups to add to the role.")
    return named_actors(context, users, groups)


def named_actors(context: Context, users: Iterable[str], groups: Iterable[str]) -> list[Named]:
    """Return people by account id and groups by name or id as actors, each once.

    Raises:
        JiraError: 404 if one does not exist, or a person is not active.
    """
    wanted = list(dict.fromkeys(users))
    accounts = find_accounts(context, wanted)
    for account_id in wanted:
        if account_id not in accounts or not accounts[account_id].active:
            raise JiraError(404, f"The user '{account_id}' does not exist.", rule=HIDDEN)
    found = [Named("user", account_id) for account_id in wanted]
    for name in groups:
        group = context.site.find_group(name)
        if group is None:
            raise JiraError(404, f"The group '{name}' does not exist.", rule=HIDDEN)
        found.append(Named("group", group.group_id))
    return list(dict.fromkeys(found))


def add_actors(
    context: Context, role: Role, project: Project | None, named: Iterable[Named]
) -> None:
    """Put actors into a role; those that are in it stay once."""
    project_id = None if project is None else project.id
    known = {
        Named(actor.actor_type, actor.parameter)
        for actor in context.site.role_actors
        if actor.role_id == role.id and actor.project_id == project_id
    }
    new = [(role.id, actor) for actor in named if actor not in known]
    insert_actors(context.connection, project_id, new)


def insert_actors(
    connection: Connection, project_id: int | None, actors: Sequence[tuple[int, Named | RoleActor]]
) -> None:
    """Write actors, each with the id of its role, in a project or among the defaults."""
    if not actors:
        return
    first = next_id(connection, role_actor_table.name, len(actors))
    rows = [
        {
            "id": first + at,
            "role_id": role_id,
            "project_id": project_id,
            "actor_type": actor.actor_type,
            "parameter": actor.parameter,
        }
        for at, (role_id, actor) in enumerate(actors)
    ]
    connection.execute(insert(role_actor_table), rows)


def remove_actors(context: Context, role: Role, project: Project | None) -> None:
    """Take everybody out of a role in a project, or of its defaults."""
    context.connection.execute(delete(role_actor_table).where(*_place(role, project)))


def remove_named_actor(context: Context, role: Role, project: Project | None) -> None:
    """Take out of a role the one that the query names: ``user``, ``group`` or ``groupId``.

    Raises:
        JiraError: 400 unless exactly one is named; 404 if that one is not in the role.
    """
    named = _queried(context)
    table = role_actor_table.c
    removed = context.connection.execute(
        delete(role_actor_table).where(
            *_place(role, project),
            table.actor_type == named.actor_type,
            table.parameter == named.parameter,
        )
    )
    if not removed.rowcount:
        raise JiraError(404, f"'{named.parameter}' is not in the role.", rule=HIDDEN)


def _place(role: Role, project: Project | None) -> tuple[ColumnElement[bool], ...]:
    table = role_actor_table.c
    here = table.project_id.is_(None) if project is None else table.project_id == project.id
    return (table.role_id == role.id, here)


def _queried(context: Context) -> Named:
    given = {name: context.text(name) for name in ("user", "group", "groupId")}
    (kind, value), *others = [pair for pair in given.items() if pair[1]] or [("", None)]
    if value is None or others:
        raise JiraError(400, "Name exactly one user or group to remove from the role.")
    if kind == "user":
        return Named("user", value)
    group = context.site.find_group(value)
    return Named("group", value if group is None else group.group_id)


def _user_bean(actor: RoleActor, account: Account) -> Bean:
    return {
        "id": actor.id,
        "displayName": account.display_name,
        "type": USER_ACTOR,
        "actorUser": {"accountId": account.account_id},
    }


def _group_bean(context: Context, actor: RoleActor) -> Bean:
    group = context.site.groups[actor.parameter]
    return {
        "id": actor.id,
        "displayName": group.name,
        "type": GROUP_ACTOR,
        "name": group.name,
        "actorGroup": {
            "name": group.name,
            "displayName": group.name,
            "groupId": group.group_id,
        },
    }
