"""App access rules: an administrator blocks apps from the content of a project.

A rule binds whoever asks through an app, whatever scopes and permissions they have; what a person
does without one is not touched. What is no content of a project (its name, its settings) is exempt,
operation by operation.

Source:
    Data security policy developer guide, and the list of operations that an app access rule does
    not touch (``x-app-access-rule-exempt``).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, insert

from runtime.identity.principal import Model, Principal
from runtime.jira.configuration import touch
from runtime.jira.permissions import AppAccess
from runtime.jira.schema import app_access_rule_table
from runtime.jira.site import EVERY_APP, Project, Site
from runtime.policy.operations import Operation

APP_MODELS: frozenset[Model] = frozenset({"forge", "connect", "oauth"})
"""Who asks through an app; API tokens and sessions are a person's own."""


@dataclass(frozen=True, slots=True)
class AppRule:
    """What is said of one app, or of every app, in one project."""

    project_id: int
    app_id: str
    blocked: bool


def app_access(site: Site, principal: Principal, operation: Operation | None) -> AppAccess:
    """Return what is closed to a caller in one operation."""
    if principal.model not in APP_MODELS:
        return AppAccess()
    if operation is not None and operation.app_access_rule_exempt:
        return AppAccess()
    return AppAccess(site.closed_to(principal.app_id))


def list_app_rules(site: Site) -> tuple[AppRule, ...]:
    """Return what is said on a site, by project and app."""
    return tuple(
        AppRule(project_id, app_id, blocked)
        for project_id, said in sorted(site.app_access.items())
        for app_id, blocked in sorted(said.items())
    )


def set_app_rule(
    connection: Connection, site: Site, project: Project, app_id: str, *, blocked: bool
) -> bool:
    """Block or allow an app, or every app, in a project; return whether anything changed.

    What is said of every app replaces what was said of single ones. An app is allowed by an
    exception where every app is blocked, and by silence where none is.

    Args:
        connection: A transaction for writing.
        site: As that transaction sees it.
        project: The project.
        app_id: The app, or `EVERY_APP`.
        blocked: What is said.
    """
    said = dict(site.app_access.get(project.id, {}))
    before = dict(said)
    if app_id == EVERY_APP:
        said.clear()
    said.pop(app_id, None)
    if said.get(EVERY_APP, False) != blocked:
        said[app_id] = blocked
    if said == before:
        return False
    table = app_access_rule_table
    where = (table.c.cloud_id == site.cloud_id) & (table.c.project_id == project.id)
    connection.execute(delete(table).where(where))
    rules = [AppRule(project.id, name, flag) for name, flag in said.items()]
    write_app_rules(connection, site.cloud_id, rules)
    touch(connection, site.cloud_id)
    return True


def write_app_rules(connection: Connection, cloud_id: str, rules: Iterable[AppRule]) -> None:
    """Add rules to a site; whoever writes also says that its configuration is another."""
    rows = [{"cloud_id": cloud_id, **asdict(rule)} for rule in rules]
    if rows:
        connection.execute(insert(app_access_rule_table), rows)
