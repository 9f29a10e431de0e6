"""Who holds a permission, and by which grant: what an administrator wants to know."""

from collections.abc import Iterable
from dataclasses import dataclass

from runtime.identity.accounts import Account
from runtime.jira.permission_keys import GLOBAL_PERMISSIONS
from runtime.jira.permissions import Permissions, SecuredIssue, holders_of
from runtime.jira.site import Holder, Project, Site

EVERYBODY = "everybody, even without a login"


@dataclass(frozen=True, slots=True)
class HeldBy:
    """One way in which a permission is held.

    Attributes:
        holder: The holder that the scheme names.
        label: The same in words, such as ``role Developers in TEAM``.
        account_ids: Those of the accounts asked about whom it names.
    """

    holder: Holder
    label: str
    account_ids: tuple[str, ...]


def who_holds(
    site: Site,
    permission: str,
    accounts: Iterable[Account],
    project: Project | None = None,
    issue: SecuredIssue | None = None,
) -> tuple[HeldBy, ...]:
    """Return each way in which a permission is granted, with the accounts it fits.

    A global permission is granted to groups. A project permission without a project or an issue is
    asked of every live project. An account that an issue's security level stops is left out.

    Args:
        site: The configuration.
        permission: The permission's key.
        accounts: The accounts to ask about; inactive ones hold nothing.
        project: The project; may be left out if `issue` is given.
        issue: The issue.
    """
    everyone = tuple(accounts)
    if permission in GLOBAL_PERMISSIONS:
        return _globally(site, permission, everyone)
    if issue is not None:
        project = site.projects[issue.project_id]
    projects = site.live_projects() if project is None else (project,)
    return tuple(
        _held(site, holder, one, issue, everyone)
        for one in projects
        if one.deleted_ms is None
        for holder in holders_of(site, one, permission)
    )


def holder_label(site: Site, holder: Holder, project: Project | None = None) -> str:
    """Return a holder in words."""
    where = "" if project is None else f" in {project.key}"
    named = holder.parameter or ""
    if holder.type == "group" and named in site.groups:
        return f"group {site.groups[named].name}"
    if holder.type == "projectRole" and named.isdigit() and int(named) in site.roles:
        return f"role {site.roles[int(named)].name}{where}"
    if holder.type == "applicationRole":
        return f"users of {named or 'the product'}"
    words = {"anyone": EVERYBODY, "projectLead": f"project lead{where}"}
    return words.get(holder.type, f"{holder.type} {named}".strip())


def _globally(site: Site, permission: str, accounts: tuple[Account, ...]) -> tuple[HeldBy, ...]:
    keys = {permission} | ({"SYSTEM_ADMIN"} if permission == "ADMINISTER" else set())
    group_ids = {at for key in keys for at in site.global_permissions.get(key, frozenset())}
    holders = [Holder("group", group.group_id) for group in site.groups.values()]
    return tuple(
        HeldBy(holder, holder_label(site, holder), _members(site, holder.parameter, accounts))
        for holder in holders
        if holder.parameter in group_ids
    )


def _members(site: Site, group_id: str | None, accounts: tuple[Account, ...]) -> tuple[str, ...]:
    return tuple(
        account.account_id
        for account in accounts
        if account.active and group_id in site.group_ids.get(account.account_id, frozenset())
    )


def _held(
    site: Site,
    holder: Holder,
    project: Project,
    issue: SecuredIssue | None,
    accounts: tuple[Account, ...],
) -> HeldBy:
    fitting = []
    for account in accounts:
        who = Permissions(site, account)
        secured = issue is None or who.passes_security(project, issue)
        if account.active and secured and who.fits(holder, project, issue):
            fitting.append(account.account_id)
    return HeldBy(holder, holder_label(site, holder, project), tuple(fitting))
