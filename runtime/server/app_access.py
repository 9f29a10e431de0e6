"""Administrators' app access rules of a state, set from the command line."""

from sqlalchemy import Connection, Engine

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.database import writing
from runtime.errors import InstallationError
from runtime.jira.app_access import AppRule, list_app_rules, set_app_rule
from runtime.jira.configuration import load_site
from runtime.jira.site import EVERY_APP, Project, Site


class AppAccessRules:
    """Sets and lists the rules.

    Args:
        engine: The state database.
        audit: Gets one record for each change.
    """

    def __init__(self, engine: Engine, audit: AuditTrail) -> None:
        self._engine = engine
        self._audit = audit

    def set(self, cloud_id: str, project: str, app_id: str = EVERY_APP, *, blocked: bool) -> bool:
        """Block or allow an app in a project from the next call on; return whether that is new.

        Args:
            cloud_id: The site.
            project: Id or key of the project.
            app_id: The app; every one by default.
            blocked: What is said.

        Raises:
            InstallationError: ``UNKNOWN_PROJECT``.
        """
        with writing(self._engine) as connection:
            site = load_site(connection, cloud_id)
            found = _project(site, project)
            changed = set_app_rule(connection, site, found, app_id, blocked=blocked)
            if changed:
                self._record(connection, found, cloud_id, app_id, blocked=blocked)
        return changed

    def list(self, cloud_id: str) -> tuple[tuple[str, AppRule], ...]:
        """Return the rules of a site with the keys of their projects."""
        with self._engine.connect() as connection:
            site = load_site(connection, cloud_id)
        return tuple(
            (site.projects[rule.project_id].key, rule)
            for rule in list_app_rules(site)
            if rule.project_id in site.projects
        )

    def _record(
        self,
        connection: Connection,
        project: Project,
        cloud_id: str,
        app_id: str,
        *,
        blocked: bool,
    ) -> None:
        self._audit.append_in(
            connection,
            AuditRecord(
                kind="grant",
                allowed=True,
                rule="app-access.closed" if blocked else "app-access.opened",
                app_id=None if app_id == EVERY_APP else app_id,
                cloud_id=cloud_id,
                path=f"project {project.key}",
            ),
        )


def _project(site: Site, name: str) -> Project:
    found = site.find_project(name)
    if found is None:
        known = ", ".join(project.key for project in site.live_projects())
        raise InstallationError(
            "UNKNOWN_PROJECT", f"There is no project {name!r} on the site; there are: {known}."
        )
    return found
