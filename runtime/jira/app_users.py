"""The accounts of installed apps: what the product gives them at install, and takes back.

Source:
    The platform's documentation of app users: a member of ``atlassian-addons-admin`` and of the
    product's groups, in the role ``atlassian-addons-project-access`` of every project; that role is
    put into all permissions of all permission schemes, and an administrator may take it out again.
"""

from sqlalchemy import Connection, delete, insert, select

from runtime.identity.accounts import Account
from runtime.jira import schema
from runtime.jira.configuration import load_site, touch
from runtime.jira.permission_keys import PROJECT_PERMISSIONS
from runtime.jira.permissions import ADDON_ROLE
from runtime.jira.site import Site
from runtime.jira.store import next_id

ADDON_GROUP = "atlassian-addons-admin"


def add_app_user(connection: Connection, cloud_id: str, account: Account) -> None:
    """Give the account of an app, which exists already, what an installed app has on a site.

    A scheme that grants the role anything is left as it is, so what an administrator took from
    apps stays taken. Calling it twice changes nothing.
    """
    site = load_site(connection, cloud_id)
    role_id = _addon_role(connection, site)
    _join(connection, site, account.account_id)
    _enter_role(connection, site, role_id, account.account_id)
    _grant_everywhere(connection, site, role_id)
    touch(connection, cloud_id)


def remove_app_user(connection: Connection, cloud_id: str, account_id: str) -> None:
    """Take from an app's account its groups and its roles on a site.

    Its comments and issues stay. Deactivating the account is for whoever owns it.
    """
    site = load_site(connection, cloud_id)
    members, actors = schema.membership_table.c, schema.role_actor_table.c
    connection.execute(
        delete(schema.membership_table).where(
            members.account_id == account_id, members.group_id.in_(list(site.groups))
        )
    )
    connection.execute(
        delete(schema.role_actor_table).where(
            actors.actor_type == "user",
            actors.parameter == account_id,
            actors.role_id.in_(list(site.roles)),
        )
    )
    touch(connection, cloud_id)


def _addon_role(connection: Connection, site: Site) -> int:
    for role in site.roles.values():
        if role.name == ADDON_ROLE:
            return role.id
    role_id = next_id(connection, schema.role_table.name)
    connection.execute(
        insert(schema.role_table).values(
            id=role_id, cloud_id=site.cloud_id, name=ADDON_ROLE, description="Installed apps."
        )
    )
    return role_id


def _join(connection: Connection, site: Site, account_id: str) -> None:
    """Make the account a user of the site and a member of its groups for apps."""
    users, members = schema.site_user_table, schema.membership_table
    known = select(users.c.account_id).where(
        users.c.cloud_id == site.cloud_id, users.c.account_id == account_id
    )
    if connection.execute(known).first() is None:
        connection.execute(insert(users).values(cloud_id=site.cloud_id, account_id=account_id))
    wanted = {group_id for ids in site.applications.values() for group_id in ids}
    group = site.find_group(ADDON_GROUP)
    if group is not None:
        wanted.add(group.group_id)
    missing = wanted - site.group_ids.get(account_id, frozenset())
    for group_id in sorted(missing):
        connection.execute(insert(members).values(group_id=group_id, account_id=account_id))


def _enter_role(connection: Connection, site: Site, role_id: int, account_id: str) -> None:
    """Put the account into the role in every project, and in those created later."""
    there = {
        actor.project_id
        for actor in site.role_actors
        if actor.role_id == role_id and actor.parameter == account_id
    }
    for project_id in (None, *site.projects):
        if project_id in there:
            continue
        connection.execute(
            insert(schema.role_actor_table).values(
                id=next_id(connection, schema.role_actor_table.name),
                role_id=role_id,
                project_id=project_id,
                actor_type="user",
                parameter=account_id,
            )
        )


def _grant_everywhere(connection: Connection, site: Site, role_id: int) -> None:
    for scheme in site.permission_schemes.values():
        holders = (grant.holder for grant in scheme.grants)
        if any(at.type == "projectRole" and at.parameter == str(role_id) for at in holders):
            continue
        first = next_id(connection, schema.permission_grant_table.name, len(PROJECT_PERMISSIONS))
        rows = [
            {
                "id": first + at,
                "scheme_id": scheme.id,
                "permission": key,
                "holder_type": "projectRole",
                "parameter": str(role_id),
            }
            for at, key in enumerate(PROJECT_PERMISSIONS)
        ]
        connection.execute(insert(schema.permission_grant_table), rows)
