"""What the caller can see: projects by key, and issues as a filter inside a query.

The filter says in SQL what `Permissions.holds("BROWSE_PROJECTS", issue=…)` says of one issue, so
that a page of a search is full and its count honest. Projects in which the same conditions hold
share one part of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, or_

from runtime.jira.context import Context
from runtime.jira.failures import project_not_found
from runtime.jira.permissions import Permissions, holders_of
from runtime.jira.schema import issue_table
from runtime.jira.site import Holder, Project, Site

ALWAYS = "always"
_DEPENDENT = frozenset({"reporter", "assignee"})


def get_project(context: Context, id_or_key: str) -> Project:
    """Return a live project that the caller may browse or administer.

    Raises:
        JiraError: 404 if there is none, or none that the caller may see: the same answer.
    """
    project = context.site.find_project(id_or_key)
    if project is None or not context.permissions.sees(project):
        raise project_not_found(id_or_key)
    return project


def get_browsable_project(context: Context, id_or_key: str) -> Project:
    """Return a live project that the caller may browse.

    Raises:
        JiraError: 404 if there is none, or none that the caller may browse: the same answer.
    """
    project = context.site.find_project(id_or_key)
    if project is None or not context.permissions.holds("BROWSE_PROJECTS", project=project):
        raise project_not_found(id_or_key)
    return project


@dataclass(frozen=True, slots=True)
class _Sight:
    """By which ways an account sees issues of a project: ``always``, ``reporter``, ``assignee``.

    Attributes:
        browse: Ways to hold *Browse projects*.
        levels: Ways past each security level that lets the account through at all.
    """

    browse: frozenset[str]
    levels: tuple[tuple[int, frozenset[str]], ...]


def visible_issues_clause(site: Site, permissions: Permissions) -> ColumnElement[bool]:
    """Return a condition on the issue table: the issues that the account may see.

    True for exactly the issues of this site for which ``holds("BROWSE_PROJECTS", issue=…)`` is.
    """
    by_sight: dict[_Sight, list[int]] = {}
    for project in site.live_projects():
        if project.id in permissions.access.closed:
            continue
        sight = _sight(site, permissions, project)
        if sight.browse:
            by_sight.setdefault(sight, []).append(project.id)
    parts = [
        and_(issue_table.c.project_id.in_(ids), *_conditions(sight, permissions.account_id))
        for sight, ids in by_sight.items()
    ]
    return or_(false(), *parts)


def _sight(site: Site, permissions: Permissions, project: Project) -> _Sight:
    browse = _ways(permissions, project, holders_of(site, project, "BROWSE_PROJECTS"))
    levels = (
        (level.id, _ways(permissions, project, level.holders)) for level in site.levels_of(project)
    )
    return _Sight(browse, tuple((level_id, ways) for level_id, ways in levels if ways))


def _ways(permissions: Permissions, project: Project, holders: Iterable[Holder]) -> frozenset[str]:
    fitting = {holder.type for holder in holders if permissions.fits(holder, project)}
    return frozenset({ALWAYS}) if fitting - _DEPENDENT else frozenset(fitting)


def _conditions(sight: _Sight, account_id: str | None) -> tuple[ColumnElement[bool], ...]:
    level = issue_table.c.security_level_id
    open_levels = [level_id for level_id, ways in sight.levels if ALWAYS in ways]
    passing: list[ColumnElement[bool]] = [level.is_(None)]
    if open_levels:
        passing.append(level.in_(open_levels))
    for level_id, ways in sight.levels:
        if ALWAYS not in ways:
            passing.append(and_(level == level_id, _is(ways, account_id)))
    secured = or_(*passing)
    return (secured,) if ALWAYS in sight.browse else (_is(sight.browse, account_id), secured)


def _is(ways: frozenset[str], account_id: str | None) -> ColumnElement[bool]:
    columns = {"reporter": issue_table.c.reporter_id, "assignee": issue_table.c.assignee_id}
    return or_(*(columns[way] == account_id for way in sorted(ways)))
