"""Project types: the kinds of project that the product knows."""

from runtime.errors import JiraError
from runtime.jira.beans import Bean
from runtime.jira.context import Context, operation
from runtime.jira.failures import HIDDEN
from runtime.jira.responses import json_response
from runtime.wire import JiraResponse

TYPES = {"software": "Software", "service_desk": "Service Desk", "business": "Business"}
ACCESSIBLE = ("software",)  # the applications that a site of this emulator has


@operation("getAllProjectTypes")
def get_all_project_types(context: Context) -> JiraResponse:
    """Return all project types, licensed or not."""
    return json_response([_bean(key) for key in TYPES])


@operation("getAllAccessibleProjectTypes")
def get_accessible_project_types(context: Context) -> JiraResponse:
    """Return the project types of the applications that the site has."""
    return json_response([_bean(key) for key in ACCESSIBLE])


@operation("getProjectTypeByKey")
def get_project_type(context: Context) -> JiraResponse:
    """Return one project type."""
    return json_response(_known(context, tuple(TYPES)))


@operation("getAccessibleProjectTypeByKey")
def get_accessible_project_type(context: Context) -> JiraResponse:
    """Return one project type, if the site has its application and the caller a login."""
    context.caller()
    return json_response(_known(context, ACCESSIBLE))


def _known(context: Context, keys: tuple[str, ...]) -> Bean:
    key = context.params["projectTypeKey"]
    if key not in keys:
        raise JiraError(404, f"The project type '{key}' does not exist.", rule=HIDDEN)
    return _bean(key)


def _bean(key: str) -> Bean:
    return {
        "key": key,
        "formattedKey": TYPES[key],
        "descriptionI18nKey": f"jira.project.type.{key}.description",
        "icon": "",
        "color": "#1D7AFC",
    }
