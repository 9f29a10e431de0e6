"""The reading operations on groups, and the pickers of people and groups.

Source:
    Jira Cloud REST API v3, "Groups", "Group and user picker", "User search".
"""

from html import escape

from runtime.errors import JiraError
from runtime.identity.accounts import Account
from runtime.jira.app_users import ADDON_GROUP
from runtime.jira.beans import Bean, user_avatars, user_bean
from runtime.jira.context import Context, operation
from runtime.jira.failures import HIDDEN, not_permitted
from runtime.jira.paging import page_bean
from runtime.jira.responses import json_response
from runtime.jira.site import Group
from runtime.jira.users import group_name, matches, require_user_picker, site_accounts
from runtime.wire import JiraResponse

PAGE_LIMIT = 50
PICKER_LIMIT = 20
USERS_LIMIT = 1000


@operation("getGroup")
def get_group(context: Context) -> JiraResponse:
    """Return a group, with its people where ``expand=users`` asks for them."""
    group = _asked_group(context)
    members = [user_bean(context, one) for one in _members(context, group, inactive=False)]
    users: Bean = {
        "size": len(members),
        "items": members[:PAGE_LIMIT] if "users" in context.expands() else [],
        "max-results": PAGE_LIMIT,
        "start-index": 0,
        "end-index": min(len(members), PAGE_LIMIT),
    }
    return json_response({**group_name(context, group), "users": users, "expand": "users"})


@operation("getUsersFromGroup")
def get_users_from_group(context: Context) -> JiraResponse:
    """Return one page of a group's people; deactivated ones only if they are asked for."""
    group = _asked_group(context)
    inactive = context.flag("includeInactiveUsers", default=False)
    page = page_bean(
        context,
        "group/member",
        _members(context, group, inactive=inactive),
        lambda one: user_bean(context, one),
        limit=PAGE_LIMIT,
    )
    return json_response(page)


@operation("findGroups")
def find_groups(context: Context) -> JiraResponse:
    """Return groups whose name contains a text; without the right to browse, an exact match."""
    query = context.text("query") or ""
    excluded = set(context.texts("exclude")) | set(context.texts("excludeId"))
    found = [
        one
        for one in _found_groups(context, query)
        if one.name not in excluded and one.group_id not in excluded
    ]
    return json_response(
        _picker_groups(context, found, query, context.number("maxResults", PICKER_LIMIT))
    )


@operation("findUsersAndGroups")
def find_users_and_groups(context: Context) -> JiraResponse:
    """Return people and groups by name, those of apps too unless they are excluded.

    For whoever may browse them.
    """
    require_user_picker(context)
    query, limit = context.text("query") or "", context.number("maxResults", 50)
    limit = max(0, min(limit, PAGE_LIMIT))
    apps = (context.request.first("excludeConnectAddons") or "").lower() != "true"
    users, groups = _found_users(context, query, apps=apps), _found_groups(context, query)
    shown = groups if apps else [one for one in groups if one.name != ADDON_GROUP]
    return json_response({
        "users": _picker_users(context, users, query, limit, avatars=True),
        "groups": _picker_groups(context, shown, query, limit),
    })  # fmt: skip


@operation("findUsersForPicker")
def find_users_for_picker(context: Context) -> JiraResponse:
    """Return people by name; without the right to browse, an exact match alone.

    The accounts of apps are among them, unless ``excludeConnectUsers`` is set.
    """
    query = context.text("query")
    if query is None:
        raise JiraError(400, "The query parameter 'query' is required.")
    if context.texts("exclude") and context.texts("excludeAccountIds"):
        raise JiraError(400, "Use either 'exclude' or 'excludeAccountIds'.")
    found = _found_users(
        context, query, apps=not context.flag("excludeConnectUsers", default=False)
    )
    if not context.permissions.holds("USER_PICKER"):
        found = [one for one in found if one.display_name.lower() == query.lower()]
    excluded = context.texts("excludeAccountIds")
    found = [one for one in found if one.account_id not in excluded]
    limit = max(0, min(context.number("maxResults", 50), USERS_LIMIT))
    avatars = context.flag("showAvatar", default=False)
    return json_response(_picker_users(context, found, query, limit, avatars=avatars))


def _asked_group(context: Context) -> Group:
    context.caller()
    permissions = context.permissions
    if not permissions.holds("USER_PICKER") and not permissions.is_admin():
        message = "You do not have permission to browse users and groups."
        raise not_permitted("USER_PICKER", message)
    wanted = context.text("groupId") or context.text("groupname")
    if wanted is None:
        raise JiraError(400, "Either groupname or groupId must be provided.")
    group = context.site.find_group(wanted)
    if group is None:
        raise JiraError(404, f"The group named '{wanted}' does not exist.", rule=HIDDEN)
    return group


def _members(context: Context, group: Group, *, inactive: bool) -> list[Account]:
    ids = set(context.site.members_of_group(group.group_id))
    accounts = site_accounts(context)
    return [one for one in accounts if one.account_id in ids and (one.active or inactive)]


def _found_users(context: Context, query: str, *, apps: bool) -> list[Account]:
    return [
        one
        for one in site_accounts(context)
        if one.active and (apps or one.account_type != "app") and matches(context, one, query)
    ]


def _picker_users(
    context: Context, users: list[Account], query: str, limit: int, *, avatars: bool
) -> Bean:
    shown = [_picker_user(context, one, query, avatars=avatars) for one in users[:limit]]
    header = f"Showing {len(shown)} of {len(users)} matching users"
    return {"users": shown, "total": len(users), "header": header}


def _picker_user(context: Context, account: Account, query: str, *, avatars: bool) -> Bean:
    bean: Bean = {
        "accountId": account.account_id,
        "accountType": account.account_type,
        "displayName": account.display_name,
        "html": _marked(account.display_name, query),
    }
    if avatars:
        bean["avatarUrl"] = user_avatars(context, account)["16x16"]
    return bean


def _found_groups(context: Context, query: str) -> list[Group]:
    groups = sorted(context.site.groups.values(), key=lambda group: group.name)
    if context.account is None or not context.permissions.visible_projects():
        return []
    if not context.permissions.holds("USER_PICKER"):
        return [one for one in groups if one.name == query]
    return [one for one in groups if query.lower() in one.name.lower()]


def _picker_groups(context: Context, found: list[Group], query: str, limit: int) -> Bean:
    shown = [
        {"name": one.name, "groupId": one.group_id, "html": _marked(one.name, query), "labels": []}
        for one in found[: max(0, limit)]
    ]
    header = f"Showing {len(shown)} of {len(found)} matching groups"
    return {"header": header, "total": len(found), "groups": shown}


def _marked(name: str, query: str) -> str:
    """Return a name as HTML with what was searched for in bold."""
    at = name.lower().find(query.lower())
    if not query or at < 0:
        return escape(name)
    end = at + len(query)
    return f"{escape(name[:at])}<b>{escape(name[at:end])}</b>{escape(name[end:])}"
