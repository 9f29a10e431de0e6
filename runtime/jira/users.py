"""The operations on people: one, many, searches, and who may be assigned.

Source:
    Jira Cloud REST API v3, "Users", "User search".

Differs:
    A search matches words of the display name at their beginning, whole account ids, and the e-mail
    address of the caller alone, since other addresses are hidden.
"""

from collections.abc import Callable

from sqlalchemy import select

from runtime.errors import JiraError
from runtime.identity.accounts import Account, account_table
from runtime.jira.beans import Bean, user_bean
from runtime.jira.context import Context, operation
from runtime.jira.failures import HIDDEN, not_permitted
from runtime.jira.issues_store import get_issue
from runtime.jira.paging import page_bean, requested_page
from runtime.jira.permissions import Permissions
from runtime.jira.responses import json_response
from runtime.jira.schema import site_user_table
from runtime.jira.site import Group
from runtime.jira.visibility import get_browsable_project
from runtime.wire import JiraResponse

PAGE_LIMIT = 1000
BULK_LIMIT = 200
NO_USER = "Specified user does not exist or you do not have required permissions"
NO_ID = "One of the following query parameters must be provided: accountId."


@operation("getUser")
def get_user(context: Context) -> JiraResponse:
    """Return one account, to whoever may browse users."""
    account = _asked_account(context)
    bean = {**user_bean(context, account), "locale": account.locale}
    expands = context.expands()
    groups = [group_name(context, one) for one in groups_of(context, account)]
    permissions = Permissions(context.site, account)
    roles: list[Bean] = [
        {"key": key, "name": key.replace("-", " ").title()}
        for key in sorted(context.site.applications)
        if permissions.uses_product(key)
    ]
    bean["groups"] = _items(groups, shown="groups" in expands)
    bean["applicationRoles"] = _items(roles, shown="applicationRoles" in expands)
    bean["expand"] = "groups,applicationRoles"
    return json_response(bean)


@operation("getUserGroups")
def get_user_groups(context: Context) -> JiraResponse:
    """Return the groups of an account, to whoever may browse users."""
    account = _asked_account(context)
    return json_response([group_name(context, one) for one in groups_of(context, account)])


@operation("findUsers")
def find_users(context: Context) -> JiraResponse:
    """Return people by name or account id; nobody to those who may not browse users."""
    if not {"query", "accountId"} & {name for name, _value in context.request.query}:
        raise JiraError(400, "The query parameter 'query' or 'accountId' is required.")
    allowed = context.permissions.holds("USER_PICKER")
    return _page(context, _matching(context) if allowed else [])


@operation("getAllUsers")
def get_all_users(context: Context) -> JiraResponse:
    """Return all accounts, deactivated ones too, to whoever may browse users."""
    return _all_users(context)


@operation("getAllUsersDefault")
def get_all_users_default(context: Context) -> JiraResponse:
    """Return all accounts, deactivated ones too; the same as ``users/search``."""
    return _all_users(context)


@operation("bulkGetUsers")
def bulk_get_users(context: Context) -> JiraResponse:
    """Return the accounts with the given ids; unknown ids are left out."""
    wanted = {value for name, value in context.request.query if name == "accountId"}
    if not wanted:
        raise JiraError(400, NO_ID)
    found = [one for one in site_accounts(context) if one.account_id in wanted]
    page = page_bean(
        context,
        "user/bulk",
        found,
        lambda one: user_bean(context, one),
        limit=BULK_LIMIT,
        default=10,
    )
    return json_response(page)


@operation("findAssignableUsers")
def find_assignable_users(context: Context) -> JiraResponse:
    """Return the people to whom an issue, or issues of a project, may be assigned.

    Nobody to those who neither browse users nor assign issues there.
    """
    may_pick = context.permissions.holds("USER_PICKER")
    assignable, may_assign = _assignable(context)
    found = [one for one in _matching(context) if one.active and assignable(one)]
    return _page(context, found if may_pick or may_assign else [])


def _assignable(context: Context) -> tuple[Callable[[Account], bool], bool]:
    """Return who may be assigned, and whether the caller may assign."""
    key = context.text("issueKey") or context.text("issueId")
    project_key = context.text("project")
    if key is not None:
        issue = get_issue(context, key)
        project = issue.project(context)
        may = context.permissions.holds("ASSIGN_ISSUES", issue=issue)
    elif project_key is not None:
        project = get_browsable_project(context, project_key)
        may = context.permissions.holds("ASSIGN_ISSUES", project=project)
    else:
        raise JiraError(400, "Either a project or an issue key must be provided.")

    def fits(account: Account) -> bool:
        return Permissions(context.site, account).holds("ASSIGNABLE_USER", project=project)

    return fits, may


def site_accounts(context: Context) -> list[Account]:
    """Return all accounts of the site, by display name."""
    rows = context.connection.execute(
        select(*(account_table.c[name] for name in Account.__dataclass_fields__))
        .join(site_user_table, site_user_table.c.account_id == account_table.c.account_id)
        .where(site_user_table.c.cloud_id == context.site.cloud_id)
        .order_by(account_table.c.display_name, account_table.c.account_id)
    )
    return [Account(*row) for row in rows]


def groups_of(context: Context, account: Account) -> list[Group]:
    """Return the groups of an account, by name."""
    ids = context.site.group_ids.get(account.account_id, frozenset())
    return sorted((context.site.groups[one] for one in ids), key=lambda group: group.name)


def group_name(context: Context, group: Group) -> Bean:
    """Return a group as lists show it."""
    link = context.link(f"group?groupId={group.group_id}")
    return {"name": group.name, "groupId": group.group_id, "self": link}


def require_user_picker(context: Context) -> None:
    """Refuse whoever may not browse users and groups."""
    if not context.permissions.holds("USER_PICKER"):
        message = "You do not have permission to browse users and groups."
        raise not_permitted("USER_PICKER", message)


def matches(context: Context, account: Account, query: str) -> bool:
    """Say whether a search finds an account: by name, account id, or the caller's own address."""
    words = account.display_name.lower().split()
    if all(any(word.startswith(part) for word in words) for part in query.lower().split()):
        return True
    if query == account.account_id:
        return True
    own = account.account_id == context.account_id and account.email is not None
    return own and str(account.email).lower().startswith(query.lower())


def _matching(context: Context) -> list[Account]:
    account_id, query = context.text("accountId"), context.text("query") or ""
    return [
        one
        for one in site_accounts(context)
        if account_id in (None, one.account_id) and matches(context, one, query)
    ]


def _all_users(context: Context) -> JiraResponse:
    require_user_picker(context)
    return _page(context, site_accounts(context))


def _page(context: Context, accounts: list[Account]) -> JiraResponse:
    page = requested_page(context, PAGE_LIMIT)
    shown = accounts[page.start_at : page.start_at + page.max_results]
    return json_response([user_bean(context, one) for one in shown])


def _asked_account(context: Context) -> Account:
    """Return the account that ``accountId`` names; everybody may ask for themselves."""
    wanted = context.text("accountId")
    if wanted is None:
        raise JiraError(400, NO_ID)
    if wanted != context.account_id:
        context.caller()
        require_user_picker(context)
    for account in site_accounts(context):
        if account.account_id == wanted:
            return account
    raise JiraError(404, NO_USER, rule=HIDDEN)


def _items(beans: list[Bean], *, shown: bool) -> Bean:
    return {"size": len(beans), "items": beans if shown else []}
