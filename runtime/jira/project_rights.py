"""Refusals that the operations on projects share, each in its case.

A project that the caller cannot see has been answered with 404 before any of these is asked.
"""

from runtime.errors import JiraError
from runtime.jira.context import Context
from runtime.jira.failures import CANNOT_CONFIGURE, not_permitted
from runtime.jira.site import Project


def require_project_admin(context: Context, project: Project) -> None:
    """Refuse whoever may not administer a project that they see.

    Raises:
        JiraError: 401 to anonymous, for whom a login might help; 403 to others.
    """
    if not context.permissions.administers(project):
        status = 401 if context.account is None else 403
        raise not_permitted("ADMINISTER_PROJECTS", CANNOT_CONFIGURE, status)


def require_role_admin(context: Context, project: Project) -> None:
    """Refuse whoever may not administer a project's roles: always 401.

    Raises:
        JiraError: 401.

    Source:
        Measured: the role resources of a visible project answer 401 with these words and a
        challenge; their documentation lists no 403.
    """
    if not context.permissions.administers(project):
        raise not_permitted("ADMINISTER_PROJECTS", CANNOT_CONFIGURE, 401)


def forbidden_scheme_change(context: Context) -> JiraError:
    """Return the refusal for changing a project's key or schemes without *Administer Jira*."""
    message = "You must have global administrator rights to change a project's key or schemes."
    return not_permitted("ADMINISTER", message, 401 if context.account is None else 403)
