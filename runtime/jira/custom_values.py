"""Values of custom fields, type by type: what is taken, what is shown, what history says.

An issue keeps a text, a number, ADF (``rich_text``), the id of an option, an account id, a group
id, or JSON; a list of them where a field has several.

Source:
    Connect documentation, "Issue Field"; Forge documentation, "Jira custom field", data types;
    Jira Cloud REST API v3, "Edit issue".
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from runtime.errors import JiraError
from runtime.identity.accounts import Account
from runtime.jira.adf import Node, check_document, check_wiki, is_empty
from runtime.jira.beans import Bean, find_accounts, user_bean
from runtime.jira.comment_store import rich_text
from runtime.jira.context import Context
from runtime.jira.custom_options import FieldOption, load_options, selected_bean
from runtime.jira.issue_draft import refuse
from runtime.jira.issues_store import Issue
from runtime.jira.responses import Json, jira_time
from runtime.jira.schema import property_table, site_user_table
from runtime.jira.site import CustomField, Project
from runtime.jira.wiki import to_adf, to_wiki

MAX_STRING = 255  # characters of a short text
MAX_TEXT = 32_767  # characters of a long text, and of JSON
MAX_ITEMS = 1_000  # of a list
MAX_FORGE_ITEMS = 100  # of a list of a Forge app, the platform's
MAX_DEPTH = 100  # of JSON: whoever reads it recurses
WIKI_VERSION = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Stored = Any  # JSON


def accept(context: Context, one: CustomField, value: Json, project: Project) -> Stored:
    """Return what is stored for a value that a client sends; None for no value.

    Raises:
        JiraError: 400 if the field does not take it.
    """
    if value is None:
        return None
    if one.type == "multi_select" or one.collection == "list":
        if not isinstance(value, list):
            raise refuse(one.field_id, "data was not an array")
        limit = MAX_FORGE_ITEMS if one.model == "forge" else MAX_ITEMS
        if len(value) > limit:
            raise refuse(one.field_id, f"A list has at most {limit} values.")
        items = [_take(context, one, item, project) for item in value]
        distinct = list({json.dumps(item, sort_keys=True): item for item in items}.values())
        return distinct or None
    return _take(context, one, value, project)


def _take(context: Context, one: CustomField, value: Json, project: Project) -> Stored:
    return _ACCEPT[one.type](context, one, value, project)


def _string(_context: Context, one: CustomField, value: Json, _project: Project) -> Stored:
    if not isinstance(value, str):
        raise refuse(one.field_id, "Operation value must be a string")
    limit = MAX_STRING if one.type == "string" and one.model == "connect" else MAX_TEXT
    if len(value) > limit:
        raise refuse(one.field_id, f"The entered text is too long: the limit is {limit}.")
    return value or None


def _rich(context: Context, one: CustomField, value: Json, _project: Project) -> Stored:
    if context.version == WIKI_VERSION:
        document = to_adf(check_wiki(value, one.field_id))
    else:
        document = check_document(value, one.field_id)
    return None if is_empty(document) else document


def _number(_context: Context, one: CustomField, value: Json, _project: Project) -> Stored:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(one.field_id, "Operation value must be a number")
    try:
        finite = math.isfinite(float(value))
    except OverflowError:
        finite = False
    if not finite:
        raise refuse(one.field_id, "The number is too large.")
    return value


def _option(context: Context, one: CustomField, value: Json, project: Project) -> Stored:
    found = _find_option(context, one, value)
    if found is None or not found.is_selectable([project.id]):
        raise refuse(one.field_id, "Specify a valid 'id' or 'value' of an option.")
    return found.id


def _find_option(context: Context, one: CustomField, value: Json) -> FieldOption | None:
    if isinstance(value, dict):
        given = value.get("id")
        if given is None:
            named = load_options(context.connection, one.id).values()
            return next((option for option in named if option.value == value.get("value")), None)
    else:
        given = value
    text = "" if isinstance(given, bool) or not isinstance(given, str | int) else str(given)
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(2**31)):
        return None
    option_id = int(text)
    return load_options(context.connection, one.id, [option_id]).get(option_id)


def _user(context: Context, one: CustomField, value: Json, _project: Project) -> Stored:
    account_id = value.get("accountId") if isinstance(value, dict) else None
    table = site_user_table
    member = table.select().where(
        table.c.cloud_id == context.site.cloud_id, table.c.account_id == str(account_id)
    )
    if account_id is None or context.connection.execute(member).first() is None:
        raise refuse(one.field_id, "The value must be an object with the 'accountId' of a user.")
    return str(account_id)


def _group(context: Context, one: CustomField, value: Json, _project: Project) -> Stored:
    given = value.get("groupId") or value.get("name") if isinstance(value, dict) else None
    group = context.site.find_group(given) if isinstance(given, str) else None
    if group is None:
        raise refuse(one.field_id, "The value must be an object with a 'groupId' or a 'name'.")
    return group.group_id


def _date(_context: Context, one: CustomField, value: Json, _project: Project) -> Stored:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise refuse(one.field_id, "The value must be a date such as 2023-01-18.") from error


def _datetime(_context: Context, one: CustomField, value: Json, _project: Project) -> Stored:
    try:
        moment = datetime.fromisoformat(str(value) if isinstance(value, str) else "")
    except ValueError as error:
        message = "The value must be a date and time such as 2023-01-18T12:00:00.000Z."
        raise refuse(one.field_id, message) from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    try:
        jira_time(milliseconds)  # in UTC it may lie beyond the years that can be written
    except (OverflowError, ValueError) as error:
        raise refuse(one.field_id, "The date is out of range.") from error
    return milliseconds


def _object(_context: Context, one: CustomField, value: Json, _project: Project) -> Stored:
    if not isinstance(value, dict):
        raise refuse(one.field_id, "The value must be an object")
    if is_too_deep(value):
        raise refuse(one.field_id, f"The value is nested deeper than {MAX_DEPTH}.")
    if len(json.dumps(value)) > MAX_TEXT:
        raise refuse(one.field_id, f"The value is larger than {MAX_TEXT} characters of JSON.")
    return value


def is_too_deep(value: Json) -> bool:
    """Say whether JSON is nested deeper than what is kept."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        inner: list[Json] = []
        for one in level:
            if isinstance(one, dict | list):
                inner.extend(one.values() if isinstance(one, dict) else one)
        level = inner
    return bool(level)


_Accept = Callable[[Context, CustomField, Json, Project], Stored]
_ACCEPT: Mapping[str, _Accept] = {
    "string": _string,
    "text": _string,
    "read_only": _string,
    "rich_text": _rich,
    "number": _number,
    "single_select": _option,
    "multi_select": _option,
    "user": _user,
    "group": _group,
    "date": _date,
    "datetime": _datetime,
    "object": _object,
}
TYPES = frozenset(_ACCEPT)
"""All types of fields."""


# --- showing -------------------------------------------------------------------------------------


class CustomValues:
    """Shows custom fields of a batch of issues; what they refer to is read once for all.

    Args:
        context: The call.
        issues: The issues; the caller has been found to see them.
        fields: The fields that are shown.
    """

    def __init__(
        self, context: Context, issues: Sequence[Issue], fields: Iterable[CustomField]
    ) -> None:
        self._context = context
        self._fields = {one.field_id: one for one in fields}
        self._options = {
            one.id: load_options(context.connection, one.id, used)
            for one in self._fields.values()
            if _JSON_KIND.get(one.type) == "option"
            and (used := [item for issue in issues for item in items_of(one, issue.fields)])
        }
        self._accounts = find_accounts(
            context,
            (
                str(item)
                for one in self._fields.values()
                if one.type == "user"
                for issue in issues
                for item in items_of(one, issue.fields)
            ),
        )
        self._properties = self._load_properties(issues)

    def show(self, field_id: str, issue: Issue) -> object:
        """Return a value as this version of the API has it; None where there is none."""
        one = self._fields[field_id]
        if one.type == "read_only":
            return self._read_only(one, issue)
        shown = [self._item(one, item) for item in items_of(one, issue.fields)]
        shown = [item for item in shown if item is not None]
        if one.type == "multi_select" or one.collection == "list":
            return shown or None
        return shown[0] if shown else None

    def _item(self, one: CustomField, item: Stored) -> object:
        context = self._context
        match one.type:
            case "single_select" | "multi_select":
                option = self._options.get(one.id, {}).get(item)
                link = context.link(f"field/{one.key}/option/{item}")
                return None if option is None else selected_bean(link, option)
            case "rich_text":
                return rich_text(context, item)
            case "user":
                account: Account | None = self._accounts.get(item)
                return None if account is None else user_bean(context, account)
            case "group":
                return _group_bean(context, item)
            case "datetime":
                return jira_time(item)
            case _:
                return item

    def _read_only(self, one: CustomField, issue: Issue) -> object:
        """Return what the field takes from an entity property of the issue."""
        key, path = _source_of(one)
        value: object = self._properties.get((issue.id, key))
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value if isinstance(value, str | int | float | bool) else None

    def _load_properties(self, issues: Sequence[Issue]) -> dict[tuple[int, str], object]:
        keys = {_source_of(one)[0] for one in self._fields.values() if one.type == "read_only"}
        if not keys or not issues:
            return {}
        table = property_table.c
        rows = self._context.connection.execute(
            property_table.select().where(
                table.cloud_id == self._context.site.cloud_id,
                table.entity == "issue",
                table.entity_id.in_([str(issue.id) for issue in issues]),
                table.key.in_(sorted(keys)),
            )
        )
        return {(int(row.entity_id), row.key): row.value for row in rows}


_JSON_KIND: Mapping[str, str] = {"single_select": "option", "multi_select": "option"}


def items_of(one: CustomField, fields: Mapping[str, Any]) -> list[Stored]:
    """Return the stored values of a field as a list; empty where there is none.

    What does not fit the field's type, because an app changed that, counts as no value.
    """
    stored = fields.get(one.field_id)
    values = stored if isinstance(stored, list) else [] if stored is None else [stored]
    kinds = _KINDS[one.type]
    return [item for item in values if isinstance(item, kinds) and not isinstance(item, bool)]


_KINDS: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("string", "text", "read_only", "user", "group", "date"), str),
    **dict.fromkeys(("single_select", "multi_select", "datetime"), int),
    "number": (int, float),
    "rich_text": dict,
    "object": dict,
}


def history_pair(
    context: Context, one: CustomField, fields: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    """Return what an issue's history says of a value: its id, if it has one, and its text."""
    items = items_of(one, fields)
    if not items:
        return (None, None)
    if one.type in ("single_select", "multi_select"):
        options = load_options(context.connection, one.id, items)
        names = [options[item].value for item in items if item in options]
        return (", ".join(map(str, items)), ", ".join(names))
    if one.type == "user":
        accounts = find_accounts(context, items)
        names = [accounts[item].display_name for item in items if item in accounts]
        return (", ".join(items), ", ".join(names))
    return (None, ", ".join(_spoken(one, item) for item in items))


def _spoken(one: CustomField, item: Stored) -> str:
    match one.type:
        case "rich_text":
            return to_wiki(item)
        case "datetime":
            return jira_time(item)
        case "object":
            return json.dumps(item, sort_keys=True)
        case _:
            return str(item)


def _group_bean(context: Context, group_id: str) -> Bean | None:
    group = context.site.groups.get(group_id)
    if group is None:
        return None
    link = context.link(f"group?groupId={group.group_id}")
    return {"name": group.name, "groupId": group.group_id, "self": link}


def _source_of(one: CustomField) -> tuple[str, list[str]]:
    """Return the entity property that a read-only field shows: its key and the path into it."""
    named = one.settings.get("property")
    given: Mapping[str, object] = named if isinstance(named, dict) else {}
    path = str(given.get("path", ""))
    return (str(given.get("key", "")), [step for step in path.split(".") if step])


def check_text(value: object) -> str:
    """Return a text that a migration writes.

    Raises:
        JiraError: 400 if it is none.
    """
    if not isinstance(value, str):
        raise JiraError(400, "The value must be a string.")
    return value


def document_of(text: str) -> Node:
    """Return wiki text as the store keeps rich text."""
    return to_adf(text)
