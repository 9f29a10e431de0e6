"""What a Connect app does while its data moves from a server to the cloud.

Source:
    Jira Cloud REST API v3, "App migration".

Differs:
    There is no migration platform around it: any UUID is taken for the id of a transfer. Each
    property that is written also takes the app's own permission to write it, which no document
    asks for: once the app had to name a site administrator to write as, now it names nobody. A
    value may be any JSON but null, not text alone. No site has dashboards, work logs, boards or
    sprints, and no user has a number, so none of those is found. No workflow has a rule of a
    Connect app, so every rule that is searched for is one that cannot be found.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from runtime.errors import JiraError
from runtime.jira.context import Context, operation
from runtime.jira.entity_properties import check_property, store_property
from runtime.jira.failures import HIDDEN
from runtime.jira.property_kinds import COMMENT, ISSUE, ISSUE_TYPE, PROJECT, PropertyKind
from runtime.jira.responses import Json, json_response
from runtime.wire import JiraResponse

TRANSFER = "atlassian-transfer-id"
MAX_PROPERTIES = 50
MAX_RULES = 10
NOT_CONNECT = "The request is not from a Connect app."
KINDS: Mapping[str, PropertyKind | None] = {
    "IssueProperty": ISSUE,
    "CommentProperty": COMMENT,
    "IssueTypeProperty": ISSUE_TYPE,
    "ProjectProperty": PROJECT,
    **dict.fromkeys(
        ("DashboardItemProperty", "WorklogProperty", "BoardProperty", "SprintProperty")
    ),
    "UserProperty": None,  # found by account ids, which are no numbers
}
"""Kinds of properties by the names that a migration has for them; None: nothing has a number."""
T = TypeVar("T")
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


def find_migrated(context: Context, find: Callable[[Context, str], T], entity_id: int) -> T:
    """Return an entity that a migration names by its number.

    Raises:
        JiraError: 400 if it is missing or hidden, 403 if the app may not change it.

    Source:
        Jira Cloud REST API v3, "App migration": of refusals 400 and 403 alone are documented.
    """
    try:
        return find(context, str(entity_id))
    except JiraError as error:
        if error.status != 404:  # noqa: PLR2004  # HTTP
            raise
        raise JiraError(400, *error.messages, rule=error.rule) from error


def _change(context: Context, name: str, asked: Json) -> _Change:
    fields = asked if isinstance(asked, dict) else {}
    entity_id, key, value = (fields.get(one) for one in ("entityId", "key", "value"))
    if isinstance(entity_id, bool) or not isinstance(entity_id, int) or entity_id < 0:
        raise JiraError(400, "`entityId` must be a whole number.")
    if not isinstance(key, str) or not key or value is None:
        raise JiraError(400, "Each property needs an `entityId`, a `key` and a `value`.")
    kind = KINDS[name]
    if kind is None:
        raise JiraError(400, f"There is no entity of {name} with the id {entity_id}.", rule=HIDDEN)
    entity = find_migrated(context, kind.writable, entity_id)
    return _Change(kind.name, entity.id, key, check_property(key, value))
