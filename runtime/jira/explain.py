"""Why an account may or may not run an operation: the permission side of the answer.

Which scopes an operation needs is no matter of the product; see `runtime.policy.scopes`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from runtime.identity.accounts import Account, list_accounts
from runtime.jira import schema
from runtime.jira.context import LONG_MAX
from runtime.jira.holders import who_holds
from runtime.jira.permission_keys import ALL_PERMISSIONS
from runtime.jira.permissions import Permissions, SecuredIssue
from runtime.jira.site import Project, Site
from runtime.policy.operations import Resolved

PROJECT_PARAMETERS = ("projectIdOrKey", "projectKeyOrId", "projectId")
ISSUE_PARAMETERS = ("issueIdOrKey", "issueId", "issueKey", "issueIdOrKeys")


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a permission is held: in words, and the handles of who holds it so."""

    label: str
    handles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PermissionFact:
    """What there is to know of one permission that an operation's documentation names.

    Attributes:
        key: The permission.
        name: Its name.
        kind: ``GLOBAL`` or ``PROJECT``.
        held: The account holds it.
        ways: Everybody who holds it and how.
    """

    key: str
    name: str
    kind: str
    held: bool
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The permission side of one call.

    Attributes:
        project_key: The project in the path, if it exists.
        issue_key: The issue in the path, if it exists.
        missing: The path names a project or an issue that does not exist.
        visible: The account sees what the path names; True if it names neither.
        security_level: Name of the issue's security level, if it has one.
        passes_security: The account passes that level; True without one.
        facts: The permissions that the documentation names; names, not a formula.
    """

    project_key: str | None
    issue_key: str | None
    missing: bool
    visible: bool
    security_level: str | None
    passes_security: bool
    facts: tuple[PermissionFact, ...]


def explain(
    connection: Connection, site: Site, resolved: Resolved, account: Account | None
) -> Explanation:
    """Return what decides whether an account may run the operation that a request resolves to.

    Args:
        connection: The database.
        site: The site's configuration.
        resolved: The operation and its path parameters; must have an operation.
        account: Who asks; None for anonymous.
    """
    who = Permissions(site, account)
    issue, named_issue = _issue(connection, site, resolved.params)
    project, named_project = _project(site, resolved.params)
    if issue is not None:
        project = site.projects[issue.project_id]
    people = _people(connection, site.cloud_id)
    keys = resolved.operation.permissions if resolved.operation is not None else ()
    return Explanation(
        project_key=None if project is None else project.key,
        issue_key=None if issue is None or project is None else f"{project.key}-{issue.number}",
        missing=(named_issue and issue is None) or (named_project and project is None),
        visible=_sees(who, project, issue, named=named_issue or named_project),
        security_level=_level_name(site, project, issue),
        passes_security=issue is None or project is None or who.passes_security(project, issue),
        facts=tuple(_fact(site, who, key, people, project=project, issue=issue) for key in keys),
    )


@dataclass(frozen=True, slots=True)
class _Issue:
    """What of an issue matters here."""

    project_id: int
    number: int
    reporter_id: str | None
    assignee_id: str | None
    security_level_id: int | None


def _fact(
    site: Site,
    who: Permissions,
    key: str,
    people: Mapping[str, Account],
    *,
    project: Project | None,
    issue: SecuredIssue | None,
) -> PermissionFact:
    known = ALL_PERMISSIONS.get(key)
    ways = [
        Way(held.label, tuple(people[account_id].handle for account_id in held.account_ids))
        for held in who_holds(site, key, people.values(), project, issue)
    ]
    return PermissionFact(
        key=key,
        name=key if known is None else known.name,
        kind="PROJECT" if known is None else known.kind,
        held=who.holds(key, project=project, issue=issue),
        ways=tuple(dict.fromkeys(ways)),
    )


def _people(connection: Connection, cloud_id: str) -> dict[str, Account]:
    """Return the active accounts that use the site, people first."""
    users = schema.site_user_table.c
    here = set(
        connection.execute(select(users.account_id).where(users.cloud_id == cloud_id)).scalars()
    )
    return {
        account.account_id: account
        for account in list_accounts(connection)
        if account.active and account.account_id in here
    }


def _sees(
    who: Permissions, project: Project | None, issue: SecuredIssue | None, *, named: bool
) -> bool:
    if issue is not None:
        return who.holds("BROWSE_PROJECTS", issue=issue)
    return who.sees(project) if project is not None else not named


def _level_name(site: Site, project: Project | None, issue: SecuredIssue | None) -> str | None:
    if project is None or issue is None or issue.security_level_id is None:
        return None
    names = {level.id: level.name for level in site.levels_of(project)}
    return names.get(issue.security_level_id, "a level that the project does not have")


def _project(site: Site, params: Mapping[str, str]) -> tuple[Project | None, bool]:
    for name in PROJECT_PARAMETERS:
        if name in params:
            return site.find_project(params[name]), True
    return None, False


def _issue(
    connection: Connection, site: Site, params: Mapping[str, str]
) -> tuple[_Issue | None, bool]:
    for name in ISSUE_PARAMETERS:
        if name in params:
            return _find_issue(connection, site, params[name]), True
    return None, False


def _find_issue(connection: Connection, site: Site, id_or_key: str) -> _Issue | None:
    table = schema.issue_table.c
    query = select(*(table[name] for name in _Issue.__dataclass_fields__))
    if id_or_key.isascii() and id_or_key.isdigit():
        query = query.where(table.id == min(int(id_or_key[:20]), LONG_MAX))
    else:
        key, _, number = id_or_key.upper().rpartition("-")
        if not (number.isascii() and number.isdigit()):
            return None
        query = query.where(
            table.project_id == site.project_ids.get(key),
            table.number == min(int(number[:20]), LONG_MAX),
        )
    row = connection.execute(query).first()
    return None if row is None or row.project_id not in site.projects else _Issue(*row)
