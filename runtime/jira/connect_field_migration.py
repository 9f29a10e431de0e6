"""Values of a Connect app's issue fields: written in bulk, and handed on to a Forge app's field.

Source:
    Jira Cloud REST API v3, "App migration" and "Migration of Connect modules to Forge".

Differs:
    Values are handed on while the task is submitted, so it is always found complete. What the Forge
    field cannot hold stays where it is. There is no migration platform: any UUID is a transfer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, select

from runtime.errors import JiraError
from runtime.jira.connect_fields import field_key
from runtime.jira.connect_migration import find_migrated, require_migrating_app
from runtime.jira.context import Context, operation
from runtime.jira.custom_options import load_options
from runtime.jira.custom_values import accept, check_text, document_of, items_of
from runtime.jira.custom_writes import write_custom
from runtime.jira.field_options import is_own
from runtime.jira.issue_rights import get_editable_issue
from runtime.jira.issues_store import Issue, load_issues
from runtime.jira.responses import Json, jira_time, json_response
from runtime.jira.schema import custom_field_table, custom_value_table, field_migration_table
from runtime.jira.site import CustomField
from runtime.jira.wiki import to_wiki
from runtime.wire import JiraResponse

MAX_VALUES = 200
CONNECT_KEY = "connectKey"  # in the settings of a Forge app's field: the field that it replaces
NOT_AN_APP = "Access to this resource must be authenticated as an app."
NO_MODULE = "No migrated Forge module with given key is found."
NO_TASK = "No ongoing migration task for the custom field."
_KINDS: Mapping[str, tuple[str, str]] = {
    "StringIssueField": ("string", "string"),
    "TextIssueField": ("text", "text"),
    "RichTextIssueField": ("rich_text", "richText"),
    "NumberIssueField": ("number", "number"),
    "SingleSelectIssueField": ("single_select", "optionID"),
    "MultiSelectIssueField": ("multi_select", "optionID"),
}
"""By the kind that a body names: the type of the field, and where the value stands."""


@operation("AppIssueFieldValueUpdateResource.updateIssueFields_put")
def update_issue_fields(context: Context) -> JiraResponse:
    """Write values of the app's own fields: all of them, or none."""
    require_migrating_app(context)
    asked = context.json_object().get("updateValueList")
    if not isinstance(asked, list) or not 1 <= len(asked) <= MAX_VALUES:
        raise JiraError(400, f"`updateValueList` must be a list of 1 to {MAX_VALUES} values.")
    for one in asked:
        _write(context, one if isinstance(one, dict) else {})
    return JiraResponse(200)


def _write(context: Context, asked: Mapping[str, Json]) -> None:
    kind = asked.get("_type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise JiraError(400, f"`_type` must be one of {', '.join(_KINDS)}.")
    type_, member = _KINDS[kind]
    one = context.site.find_custom_field(f"customfield_{_number(asked, 'fieldID')}")
    if one is None or not is_own(context, one) or one.type != type_:
        raise JiraError(400, f"The app has no field of the type {type_} with that `fieldID`.")
    issue = find_migrated(context, get_editable_issue, _number(asked, "issueID"))
    value = _stored(context, one, asked.get(member), issue)
    write_custom(context, issue, {one.field_id: value}, changelog=True)


def _stored(context: Context, one: CustomField, value: Json, issue: Issue) -> Any:  # JSON
    if value is None:
        return None
    if one.type == "rich_text":
        return document_of(check_text(value))
    if one.type == "multi_select":
        return accept(context, one, [value], issue.project(context))
    return accept(context, one, value, issue.project(context))


def _number(asked: Mapping[str, Json], name: str) -> int:
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise JiraError(400, f"`{name}` must be a whole number.")
    return value


# --- from Connect to Forge -----------------------------------------------------------------------


@operation("ConnectToForgeMigrationTaskSubmissionResource.submitTask_post", takes_body=False)
def submit_task(context: Context) -> JiraResponse:
    """Hand the values of a Connect field on to the Forge field that replaces it."""
    heir = _heir(context)
    if isinstance(heir, JiraResponse):
        return heir
    former = _former(context, heir)
    moved = kept = 0
    for issue in _issues_with(context, former):
        value = _handed_on(context, former, heir, issue)
        if value is None:
            kept += 1
        else:
            moved += 1
            write_custom(context, issue, {heir.field_id: value}, changelog=False)
    table = field_migration_table
    context.connection.execute(delete(table).where(table.c.field_id == heir.id))
    context.connection.execute(
        insert(table).values(field_id=heir.id, moved=moved, kept=kept, finished_ms=context.now_ms)
    )
    return JiraResponse(202)


@operation("ConnectToForgeMigrationFetchTaskResource.fetchMigrationTask_get")
def fetch_migration_task(context: Context) -> JiraResponse:
    """Tell how the handing on of a Connect field's values went."""
    heir = _heir(context)
    if isinstance(heir, JiraResponse):
        return heir
    table = field_migration_table
    query = select(table).where(table.c.field_id == heir.id)
    row = context.connection.execute(query).first()
    if row is None:
        return _message(404, NO_TASK, "entity.hidden-or-missing")
    moment = jira_time(row.finished_ms)
    return json_response(
        {
            "self": context.site_link(context.request.path.removeprefix("/")),
            "id": str(heir.id),
            "description": f"Migration of {heir.settings.get(CONNECT_KEY)} to {heir.key}",
            "status": "COMPLETE",
            "message": f"{row.moved} values were handed on, {row.kept} were left.",
            "result": {"migrated": row.moved, "skipped": row.kept},
            "submittedBy": 0,
            "progress": 100,
            "elapsedRuntime": 0,
            "submitted": moment,
            "started": moment,
            "finished": moment,
            "lastUpdate": moment,
        }
    )


def _heir(context: Context) -> CustomField | JiraResponse:
    """Return the Forge field that replaces the Connect field of the path, for one of the two apps.

    To any other app there is none.
    """
    account, principal = context.account, context.principal
    if account is None or account.account_type != "app" or principal.model == "basic":
        return _message(401, NOT_AN_APP, "caller.not-the-app")
    app_key = context.params["connectKey"]
    key = field_key(app_key, context.params["jiraIssueFieldsKey"])
    for one in context.site.custom_fields.values():
        if one.model != "forge" or one.settings.get(CONNECT_KEY) != key:
            continue
        is_former = principal.model == "connect" and principal.app_id == app_key
        if is_former or (principal.model == "forge" and one.owner == account.account_id):
            return one
    return _message(404, NO_MODULE, "entity.hidden-or-missing")


def _message(status: int, text: str, rule: str) -> JiraResponse:
    body = {"message": text, "statusCode": status}
    return replace(json_response(body, status), rule=rule)


def _former(context: Context, heir: CustomField) -> CustomField | None:
    """Return the Connect field, which may be hidden already because its app is gone."""
    table = custom_field_table
    names = CustomField.__dataclass_fields__
    row = context.connection.execute(
        select(*(table.c[name] for name in names)).where(
            table.c.cloud_id == context.site.cloud_id,
            table.c.model == "connect",
            table.c.key == heir.settings.get(CONNECT_KEY),
        )
    ).first()
    return None if row is None else CustomField(**row._mapping)


def _issues_with(context: Context, former: CustomField | None) -> list[Issue]:
    if former is None:
        return []
    table = custom_value_table.c
    query = select(table.issue_id).where(table.field_id == former.id).distinct()
    return load_issues(context, [int(row.issue_id) for row in context.connection.execute(query)])


def _handed_on(
    context: Context, former: CustomField | None, heir: CustomField, issue: Issue
) -> Any:  # JSON
    """Return an issue's value as the Forge field holds it; None if it cannot."""
    if former is None:
        return None
    items = [_plain(context, former, item) for item in items_of(former, issue.fields)]
    value: Json = items if heir.collection == "list" else (items[0] if len(items) == 1 else None)
    try:
        return accept(context, heir, value, issue.project(context))
    except JiraError:
        return None


def _plain(context: Context, former: CustomField, item: Any) -> Json:  # JSON
    if former.type in ("single_select", "multi_select"):
        option = load_options(context.connection, former.id, [item]).get(item)
        return None if option is None else option.value
    if former.type == "rich_text":
        return to_wiki(item)
    return item  # type: ignore[no-any-return]  # JSON as it is stored
