"""The permission engine: who may do what, decided over a site's configuration alone.

A permission is held if a grant of the project's permission scheme names a holder that fits the
account. Nothing here reads the store, and nothing here knows of scopes: scopes never add a
permission, and a permission never adds a scope.

Two holder types depend on the issue, ``reporter`` and ``assignee``. Asked of a project alone they
count as held by any logged-in user, because anyone may become the reporter of some issue.

Source:
    Jira Cloud REST API v3, "Permission schemes" (holder object), "Get my permissions", "Issue
    security level"; the administrator's guide, "Manage project permissions".

Differs:
    ``userCustomField``, ``groupCustomField`` and ``sd.customer.portal.only`` name nobody here: a
    grant to them is kept and shown, and never holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from runtime.identity.accounts import Account
from runtime.jira.permission_keys import GLOBAL_PERMISSIONS
from runtime.jira.site import Holder, Project, Site

ADDON_ROLE = "atlassian-addons-project-access"
UNEVALUATED = frozenset({"userCustomField", "groupCustomField", "sd.customer.portal.only"})
"""Holder types that are stored and listed, and name nobody."""


class SecuredIssue(Protocol):
    """What of an issue matters to permissions; a row of the issue table fits."""

    @property
    def project_id(self) -> int:
        """The project it is in."""

    @property
    def reporter_id(self) -> str | None:
        """Account id of its reporter."""

    @property
    def assignee_id(self) -> str | None:
        """Account id of its assignee."""

    @property
    def security_level_id(self) -> int | None:
        """Its security level; None for none."""


@dataclass(frozen=True, slots=True)
class AppAccess:
    """Which projects an administrator blocks for the app that asks.

    Attributes:
        closed: Their ids: nothing is held in them through this app.
        turned_away: Filled with those of them in which something would have been held.
    """

    closed: frozenset[int] = frozenset()
    turned_away: set[int] = field(default_factory=set)


class Permissions:
    """The permissions of one account on one site; of nobody (anonymous) without an account.

    Args:
        site: The configuration that decides.
        account: Who is asking; None for anonymous. An inactive account holds nothing more than
            anonymous does.
        access: What is closed to the app by which the account asks; None for nothing.
    """

    def __init__(
        self, site: Site, account: Account | None, access: AppAccess | None = None
    ) -> None:
        self._site = site
        self.access = access or AppAccess()
        self.account_id = account.account_id if account is not None and account.active else None
        self.group_ids: frozenset[str] = (
            site.group_ids.get(self.account_id, frozenset()) if self.account_id else frozenset()
        )

    def holds(
        self,
        permission: str,
        *,
        project: Project | None = None,
        issue: SecuredIssue | None = None,
    ) -> bool:
        """Say whether the account holds a permission.

        A global permission is held by groups, whatever the context. A project permission is asked
        of an issue (its security level must be passed too), of a project, or, with neither, of any
        live project. A project in the recycle bin grants nothing.

        Args:
            permission: The key, such as ``EDIT_ISSUES``; an unknown key is held by nobody.
            project: The project; may be left out if `issue` is given.
            issue: The issue; decides alone.
        """
        if permission in GLOBAL_PERMISSIONS:
            return self._holds_globally(permission)
        if issue is not None:
            found = self._site.projects.get(issue.project_id)
            return found is not None and self._lets(
                found, self._holds_on_issue(permission, found, issue)
            )
        if project is not None:
            return self._lets(project, self._holds_in_project(permission, project, None))
        return bool(self.visible_projects(permission))

    def is_admin(self) -> bool:
        """Say whether the account holds the global permission *Administer Jira*."""
        return self._holds_globally("ADMINISTER")

    def administers(self, project: Project) -> bool:
        """Say whether the account may administer a project: its own admins and Jira's."""
        holds = self.is_admin() or self.holds("ADMINISTER_PROJECTS", project=project)
        return self._lets(project, holds)

    def sees(self, project: Project) -> bool:
        """Say whether the project exists for the account: it may browse or administer it."""
        return self.holds("BROWSE_PROJECTS", project=project) or self.administers(project)

    def visible_projects(self, permission: str = "BROWSE_PROJECTS") -> tuple[Project, ...]:
        """Return the live projects in which the account holds a project permission, by key."""
        return tuple(
            project
            for project in self._site.live_projects()
            if project.id not in self.access.closed
            and self._holds_in_project(permission, project, None)
        )

    def in_role(self, project: Project, role_id: int) -> bool:
        """Say whether the account is in a role in a project, itself or by a group."""
        members = self._site.members(project.id, role_id)
        return self.account_id in members.account_ids or not self.group_ids.isdisjoint(
            members.group_ids
        )

    def uses_product(self, application_key: str | None = None) -> bool:
        """Say whether the account has product access, to one application or to any."""
        if application_key is not None:
            allowed = self._site.applications.get(application_key, frozenset())
            return not self.group_ids.isdisjoint(allowed)
        return any(not self.group_ids.isdisjoint(ids) for ids in self._site.applications.values())

    def fits(self, holder: Holder, project: Project, issue: SecuredIssue | None = None) -> bool:
        """Say whether a holder names the account, in a project and perhaps for an issue."""
        if holder.type == "anyone":
            return True
        if self.account_id is None:
            return False
        test = _FITS.get(holder.type)  # no test: a type that is not evaluated names nobody
        return test is not None and test(self, holder, project, issue)

    def passes_security(self, project: Project, issue: SecuredIssue) -> bool:
        """Say whether the issue's security level, if it has one, lets the account through.

        A level that the project's scheme does not have lets nobody through.
        """
        if issue.security_level_id is None:
            return True
        return any(
            self.fits(holder, project, issue)
            for level in self._site.levels_of(project)
            if level.id == issue.security_level_id
            for holder in level.holders
        )

    def _lets(self, project: Project, holds: bool) -> bool:  # what is asked about
        """Return what is held in a project through the app that asks, and note what is not."""
        if holds and project.id in self.access.closed:
            self.access.turned_away.add(project.id)
            return False
        return holds

    def _holds_globally(self, permission: str) -> bool:
        allowed = self._site.global_permissions.get(permission, frozenset())
        if permission == "ADMINISTER":  # system administrators administer Jira as well
            allowed |= self._site.global_permissions.get("SYSTEM_ADMIN", frozenset())
        return not self.group_ids.isdisjoint(allowed)

    def _holds_in_project(
        self, permission: str, project: Project, issue: SecuredIssue | None
    ) -> bool:
        if project.deleted_ms is not None:
            return False
        return any(
            self.fits(holder, project, issue)
            for holder in holders_of(self._site, project, permission)
        )

    def _holds_on_issue(self, permission: str, project: Project, issue: SecuredIssue) -> bool:
        return self._holds_in_project(permission, project, issue) and self.passes_security(
            project, issue
        )


def holders_of(site: Site, project: Project, permission: str) -> tuple[Holder, ...]:
    """Return the holders that a project's permission scheme names for a permission."""
    return site.permission_schemes[project.permission_scheme_id].holders.get(permission, ())


def _in_holder_role(who: Permissions, holder: Holder, project: Project) -> bool:
    role_id = holder.parameter or ""
    return role_id.isdigit() and who.in_role(project, int(role_id))


_Test = Callable[[Permissions, Holder, Project, SecuredIssue | None], bool]
_FITS: Mapping[str, _Test] = {
    "reporter": lambda who, _h, _p, issue: issue is None or issue.reporter_id == who.account_id,
    "assignee": lambda who, _h, _p, issue: issue is None or issue.assignee_id == who.account_id,
    "projectLead": lambda who, _h, project, _i: project.lead_id == who.account_id,
    "user": lambda who, holder, _p, _i: holder.parameter == who.account_id,
    "group": lambda who, holder, _p, _i: holder.parameter in who.group_ids,
    "projectRole": lambda who, holder, project, _i: _in_holder_role(who, holder, project),
    "applicationRole": lambda who, holder, _p, _i: who.uses_product(holder.parameter),
}
HOLDER_TYPES = frozenset({"anyone", *_FITS, *UNEVALUATED})
