"""What an app is told of the data policies that bind it.

Source:
    Jira Cloud REST API v3, "App data policies".

Differs:
    A person who asks without an app is told that nothing is blocked, for nothing is for them.
"""

from runtime.errors import JiraError
from runtime.jira.app_access import APP_MODELS
from runtime.jira.context import Context, operation, parse_long
from runtime.jira.responses import json_response
from runtime.wire import JiraResponse

MAX_IDS = 50  # the platform's own


@operation("getPolicy")
def get_policy(context: Context) -> JiraResponse:
    """Say whether content of any project of the site is blocked for the app."""
    return json_response({"anyContentBlocked": bool(_closed(context))})


@operation("getPolicies")
def get_policies(context: Context) -> JiraResponse:
    """Say for each of some projects whether its content is blocked for the app.

    Projects that the caller does not see are left out, as those that do not exist are.
    """
    ids = [parse_long("ids", one) for one in context.texts("ids")]
    if len(ids) > MAX_IDS:
        raise JiraError(400, f"At most {MAX_IDS} projects may be asked for.")
    closed = _closed(context)
    known = (context.site.projects.get(one) for one in dict.fromkeys(ids))
    return json_response(
        {
            "projectDataPolicies": [
                {"id": project.id, "dataPolicy": {"anyContentBlocked": project.id in closed}}
                for project in known
                if project is not None and context.permissions.sees(project)
            ]
        }
    )


def _closed(context: Context) -> frozenset[int]:
    if context.principal.model not in APP_MODELS:
        return frozenset()
    live = {project.id for project in context.site.live_projects()}
    return context.site.closed_to(context.principal.app_id) & live
