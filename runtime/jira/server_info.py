"""What the product says of itself, and of the caller."""

from runtime.jira.beans import Bean, user_bean
from runtime.jira.context import Context, operation
from runtime.jira.permissions import Permissions
from runtime.jira.responses import jira_time, json_response
from runtime.jira.site import Group
from runtime.wire import JiraResponse

BUILD_NUMBER = 100_300
BUILD_MS = 1_767_225_600_000  # 2026-01-01
SCM_INFO = "firebrick"


@operation("getServerInfo")
def get_server_info(context: Context) -> JiraResponse:
    """Return the site's address, version and time.

    Clients read ``deploymentType`` and ``versionNumbers`` to tell the cloud from a server.
    """
    info = {
        "baseUrl": context.site.url,
        "displayUrl": context.site.url,
        "version": "1001.0.0-SNAPSHOT",
        "versionNumbers": [1001, 0, 0],
        "deploymentType": "Cloud",
        "buildNumber": BUILD_NUMBER,
        "buildDate": jira_time(BUILD_MS),
        "serverTime": jira_time(context.now_ms),
        "serverTimeZone": "Etc/UTC",
        "scmInfo": SCM_INFO,
        "serverTitle": context.site.title,
    }
    return json_response(info)


@operation("getCurrentUser")
def get_current_user(context: Context) -> JiraResponse:
    """Return the caller; ``expand`` adds groups and product access."""
    account = context.caller()
    permissions = context.permissions
    bean = user_bean(context, account)
    bean["locale"] = account.locale
    groups = sorted(
        (context.site.groups[group_id] for group_id in permissions.group_ids),
        key=lambda group: group.name,
    )
    roles = _application_roles(context, permissions)
    expands = context.expands()
    bean["groups"] = _items([_group(context, at) for at in groups], shown="groups" in expands)
    bean["applicationRoles"] = _items(roles, shown="applicationRoles" in expands)
    bean["expand"] = "groups,applicationRoles"
    return json_response(bean)


def _items(beans: list[Bean], *, shown: bool) -> Bean:
    return {"size": len(beans), "items": beans if shown else []}


def _group(context: Context, group: Group) -> Bean:
    return {
        "name": group.name,
        "groupId": group.group_id,
        "self": context.link(f"group?groupId={group.group_id}"),
    }


def _application_roles(context: Context, permissions: Permissions) -> list[Bean]:
    names = (key for key in context.site.applications if permissions.uses_product(key))
    return [
        {"key": key, "name": key.replace("-", " ").title(), "defined": True}
        for key in sorted(names)
    ]
