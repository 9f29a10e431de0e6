"""Values of a Forge app's own fields, written by the app past screens and permissions.

Source:
    Jira Cloud REST API v3, "Issue custom field values (apps)": only the app that provides the field
    may, as itself; 404 for a field that is not there.

Differs:
    An issue that the app's account may not see counts as one that is not there.
"""

from collections.abc import Mapping

from runtime.errors import JiraError
from runtime.jira.context import Context, operation
from runtime.jira.custom_fields import get_custom_field
from runtime.jira.custom_values import accept
from runtime.jira.custom_writes import write_custom
from runtime.jira.issues_store import Issue, find_visible_issue
from runtime.jira.responses import Json, no_content
from runtime.jira.site import CustomField
from runtime.wire import JiraResponse

MAX_UPDATES = 1_000  # pairs of issue and field of one request
NOT_THE_OWNER = "Only the app that provides the field may update its values."


@operation("updateCustomFieldValue")
def update_custom_field_value(context: Context) -> JiraResponse:
    """Write values of one field."""
    one = _own_field(context, context.params["fieldIdOrKey"])
    _write_all(context, [(one, update) for update in _updates(context)])
    return no_content()


@operation("updateMultipleCustomFieldValues")
def update_multiple_custom_field_values(context: Context) -> JiraResponse:
    """Write values of several fields: all of them, or none."""
    pairs = []
    for asked in _updates(context):
        named = asked.get("customField")
        if not isinstance(named, str):
            raise JiraError(400, "`customField` must be the id or the key of a field.")
        pairs.append((_own_field(context, named), asked))
    _write_all(context, pairs)
    return no_content()


def _own_field(context: Context, id_or_key: str) -> CustomField:
    """Return a field of the calling app.

    Raises:
        JiraError: 404 if there is no such field, 403 if it is not the caller's.
    """
    account = context.caller()
    is_app = context.principal.model == "forge" and account.account_type == "app"
    if not is_app:
        raise JiraError(403, NOT_THE_OWNER, rule="caller.not-the-app")
    one = get_custom_field(context, id_or_key)
    if not is_owner(context, one):
        raise JiraError(403, NOT_THE_OWNER, rule="caller.not-the-app")
    return one


def is_owner(context: Context, one: CustomField) -> bool:
    """Say whether the caller is the Forge app that provides a field, as itself."""
    return (
        context.principal.model == "forge"
        and one.model == "forge"
        and one.owner == context.account_id
    )


def _updates(context: Context) -> list[Mapping[str, Json]]:
    asked = context.json_object().get("updates")
    if not isinstance(asked, list) or not asked:
        raise JiraError(400, "`updates` must be a list that is not empty.")
    updates: list[Mapping[str, Json]] = [one for one in asked if isinstance(one, dict)]
    if len(updates) < len(asked):
        raise JiraError(400, "Each update must be an object.")
    return updates


def _write_all(context: Context, pairs: list[tuple[CustomField, Mapping[str, Json]]]) -> None:
    wanted = [(one, issue_id, asked) for one, asked in pairs for issue_id in _issue_ids(asked)]
    if len(wanted) > MAX_UPDATES:
        raise JiraError(400, f"A request updates at most {MAX_UPDATES} values.")
    if len({(one.id, issue_id) for one, issue_id, _ in wanted}) < len(wanted):
        raise JiraError(400, "Each pair of a field and an issue may be named once.")
    changelog = context.flag("generateChangelog", default=True)
    for one, issue_id, asked in wanted:
        issue = _issue(context, issue_id)
        value = accept(context, one, asked["value"], issue.project(context))
        write_custom(context, issue, {one.field_id: value}, changelog=changelog)
    if not context.flag("generateAppEvents", default=True):
        context.changes.clear()


def _issue_ids(asked: Mapping[str, Json]) -> list[int]:
    ids = asked.get("issueIds")
    if "value" not in asked or not isinstance(ids, list) or not ids:
        raise JiraError(400, "Each update needs `issueIds`, a list, and a `value`.")
    numbers = [one for one in ids if isinstance(one, int) and not isinstance(one, bool)]
    if len(numbers) < len(ids):
        raise JiraError(400, "`issueIds` must hold whole numbers.")
    return numbers


def _issue(context: Context, issue_id: int) -> Issue:
    issue = find_visible_issue(context, str(issue_id))
    if issue is None:
        raise JiraError(400, f"There is no issue with the id {issue_id}.")
    return issue
