"""Where an app's page stands: the issue and the project that its viewer may see."""

from sqlalchemy import Connection, select

from runtime.identity.accounts import Account
from runtime.identity.connect.pages import PageContext
from runtime.jira.configuration import load_site
from runtime.jira.permissions import Permissions
from runtime.jira.schema import issue_table
from runtime.jira.site import Project, Site

MAX_NUMBER_DIGITS = 12


def find_page_context(
    connection: Connection, cloud_id: str, account: Account, *, issue: str, project: str
) -> PageContext | None:
    """Return the context of a page, or None if it names what its viewer does not see.

    Args:
        connection: The database.
        cloud_id: The site.
        account: Who looks.
        issue: Key of an issue; empty for none.
        project: Key of a project; empty for none, or for the issue's.
    """
    site = load_site(connection, cloud_id)
    who = Permissions(site, account)
    if issue:
        return _of_issue(connection, site, who, issue)
    if not project:
        return PageContext()
    found = site.find_project(project)
    if found is None or not who.holds("BROWSE_PROJECTS", project=found):
        return None
    return PageContext(project=_pair(found))


def uses_product(connection: Connection, cloud_id: str, account: Account) -> bool:
    """Return whether someone is an active person with access to the product."""
    if not account.active or account.account_type != "atlassian":
        return False
    return Permissions(load_site(connection, cloud_id), account).uses_product()


def _of_issue(connection: Connection, site: Site, who: Permissions, key: str) -> PageContext | None:
    name, _, number = key.upper().rpartition("-")
    if not (number.isascii() and number.isdigit() and len(number) <= MAX_NUMBER_DIGITS):
        return None
    table = issue_table.c
    row = connection.execute(
        select(
            table.id,
            table.project_id,
            table.number,
            table.reporter_id,
            table.assignee_id,
            table.security_level_id,
        ).where(table.project_id == site.project_ids.get(name), table.number == int(number))
    ).first()
    if row is None or row.project_id not in site.projects:
        return None
    if not who.holds("BROWSE_PROJECTS", issue=row):
        return None
    project = site.projects[row.project_id]
    return PageContext(_pair(project), (str(row.id), f"{project.key}-{row.number}"))


def _pair(project: Project) -> tuple[str, str]:
    return str(project.id), project.key
