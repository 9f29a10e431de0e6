"""What a Connect app does while its data moves from a server to the cloud.

Source:
    Jira Cloud REST API v3, "App migration".

Differs:
    There is no migration platform around it: any UUID is taken for the id of a transfer. Each
    property that is written also takes the app's own permission to write it. No site has
    dashboards, work logs, boards or sprints, and no user has a number, so none of those is found.
    No workflow has a rule of a Connect app, so every rule that is searched for is one that cannot
    be found.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from runtime.errors import JiraError
from runtime.jira.context import Context, operation
from runtime.jira.entity_properties import check_property, store_property
from runtime.jira.failures import HIDDEN, not_permitted
from runtime.jira.issues_store import get_issue
from runtime.jira.more_properties import find_configured_type, find_editable_comment
from runtime.jira.project_rights import require_project_admin
from runtime.jira.responses import Json, json_response
from runtime.jira.visibility import get_project
from runtime.wire import JiraResponse

TRANSFER = "atlassian-transfer-id"
MAX_PROPERTIES = 50
MAX_RULES = 10
NOT_CONNECT = "The request is not from a Connect app."
KINDS = frozenset(
    {"IssueProperty", "CommentProperty", "DashboardItemProperty", "IssueTypeProperty",
     "ProjectProperty", "UserProperty", "WorklogProperty", "BoardProperty", "SprintProperty"}
)  # fmt: skip
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class _Change:
    entity: str
    entity_id: str
    key: str
    value: Json


@operation("MigrationResource.updateEntityPropertiesValue_put")
def update_entity_properties_value(context: Context) -> JiraResponse:
    """Write properties of several entities of one kind: all of them, or none."""
    require_migrating_app(context)
    kind = context.params["entityType"]
    if kind not in KINDS:
        raise JiraError(400, f"There is no kind of property {kind!r}.")
    asked = context.body()
    if not isinstance(asked, list) or not 1 <= len(asked) <= MAX_PROPERTIES:
        raise JiraError(400, f"The body must be a list of 1 to {MAX_PROPERTIES} properties.")
    changes = [_change(context, kind, one) for one in asked]
    for one in changes:
        store_property(context, one.entity, one.entity_id, one.key, one.value)
    return JiraResponse(200)


@operation("MigrationResource.workflowRuleSearch_post", read_only=True)
def workflow_rule_search(context: Context) -> JiraResponse:
    """Tell the app's rules of a workflow by their ids."""
    require_migrating_app(context)
    body = context.json_object()
    workflow, rules = body.get("workflowEntityId"), body.get("ruleIds")
    if not isinstance(workflow, str) or not _UUID.fullmatch(workflow):
        raise JiraError(400, "`workflowEntityId` must be a UUID.")
    if not isinstance(rules, list) or not 1 <= len(rules) <= MAX_RULES:
        raise JiraError(400, f"`ruleIds` must be a list of 1 to {MAX_RULES} UUIDs.")
    if not all(isinstance(one, str) and _UUID.fullmatch(one) for one in rules):
        raise JiraError(400, "`ruleIds` must hold UUIDs.")
    return json_response(
        {
            "workflowEntityId": workflow,
            "invalidRules": list(dict.fromkeys(map(str, rules))),
            "validRules": [],
        }
    )


def require_migrating_app(context: Context) -> None:
    """Refuse whoever is no Connect app that asks as itself and names a transfer.

    Raises:
        JiraError: 403 or 400.
    """
    if context.principal.model != "connect" or context.caller().account_type != "app":
        raise JiraError(403, NOT_CONNECT, rule="caller.not-the-app")
    if not _UUID.fullmatch(context.request.headers.get(TRANSFER, "")):
        raise JiraError(400, "The header Atlassian-Transfer-Id must be a UUID.")


def _change(context: Context, kind: str, asked: Json) -> _Change:
    fields = asked if isinstance(asked, dict) else {}
    entity_id, key = fields.get("entityId"), fields.get("key")
    if isinstance(entity_id, bool) or not isinstance(entity_id, int) or entity_id < 0:
        raise JiraError(400, "`entityId` must be a whole number.")
    if not isinstance(key, str) or not key or "value" not in fields:
        raise JiraError(400, "Each property needs an `entityId`, a `key` and a `value`.")
    if kind not in _ENTITIES:
        raise JiraError(404, f"There is no entity of {kind} with the id {entity_id}.", rule=HIDDEN)
    entity, find = _ENTITIES[kind]
    return _Change(entity, find(context, entity_id), key, check_property(key, fields["value"]))


def _issue(context: Context, entity_id: int) -> str:
    issue = get_issue(context, str(entity_id))
    if not context.permissions.holds("EDIT_ISSUES", issue=issue):
        message = "You do not have permission to edit issues in this project."
        raise not_permitted("EDIT_ISSUES", message)
    return str(issue.id)


def _project(context: Context, entity_id: int) -> str:
    project = get_project(context, str(entity_id))
    require_project_admin(context, project)
    return str(project.id)


def _comment(context: Context, entity_id: int) -> str:
    return str(find_editable_comment(context, str(entity_id)).id)


def _issue_type(context: Context, entity_id: int) -> str:
    return find_configured_type(context, str(entity_id))


_ENTITIES: dict[str, tuple[str, Callable[[Context, int], str]]] = {
    "IssueProperty": ("issue", _issue),
    "ProjectProperty": ("project", _project),
    "CommentProperty": ("comment", _comment),
    "IssueTypeProperty": ("issuetype", _issue_type),
}
"""What each kind that is served is stored as, and how its entity is found and may be changed."""
