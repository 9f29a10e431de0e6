"""An issue that is being created or edited: fields are set one by one, and what is wrong gathers.

Source:
    Jira Cloud REST API v3, "Create issue" and "Edit issue"; the refusals are those clients report.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.errors import JiraError
from runtime.jira.context import Context
from runtime.jira.custom_fields import fields_of
from runtime.jira.custom_items import as_sent, without
from runtime.jira.issues_store import Issue
from runtime.jira.responses import Json
from runtime.jira.site import IssueType, Project

Setter = Callable[["Draft", Json], None]
NOT_SETTABLE = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."
FIELD_PERMISSIONS: Mapping[str, str] = {
    "assignee": "ASSIGN_ISSUES",
    "reporter": "MODIFY_REPORTER",
    "duedate": "SCHEDULE_ISSUES",
    "security": "SET_ISSUE_SECURITY",
    "resolution": "RESOLVE_ISSUES",
}
"""Fields that need a permission of their own; without it they are not on the screen."""


@dataclass
class Draft:
    """New values of an issue, and why some could not be taken.

    Attributes:
        context: The call.
        project: The project.
        issue_type: The issue type it will have.
        issue: The issue before the change; None while it is being created.
        columns: New values of columns of the issue table.
        rest: New values of what has no column; None takes a value away.
    """

    context: Context
    project: Project
    issue_type: IssueType
    issue: Issue | None = None
    columns: dict[str, Any] = field(default_factory=dict)  # values of several types
    rest: dict[str, Any] = field(default_factory=dict)  # JSON by field id
    messages: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    rule: str | None = None

    def set_all(self, setters: Mapping[str, Setter], values: Mapping[str, Json]) -> None:
        """Set fields; a field that has no setter here, or none for the caller, is refused."""
        for name, value in values.items():
            try:
                self._set(setters, name, value)
            except JiraError as error:
                self.note(error)

    def note(self, error: JiraError) -> None:
        """Remember why a field could not be set."""
        self.messages.extend(error.messages)
        self.errors.update(error.fields)
        self.rule = self.rule or error.rule

    def check(self) -> None:
        """Refuse the whole draft if anything in it was wrong.

        Raises:
            JiraError: 400 with everything that was noted.
        """
        if self.messages or self.errors:
            raise JiraError(400, *self.messages, rule=self.rule, fields=self.errors)

    def current_rest(self, name: str) -> Any:  # JSON
        """Return the value of a field without a column as it stands."""
        if name in self.rest:
            return self.rest[name]
        return None if self.issue is None else self.issue.fields.get(name)

    def holds(self, permission: str) -> bool:
        """Say whether the caller holds a permission on the issue, or in its project to be."""
        holds = self.context.permissions.holds
        if self.issue is not None:
            return holds(permission, issue=self.issue)
        return holds(permission, project=self.project)

    def _set(self, setters: Mapping[str, Setter], name: str, value: Json) -> None:
        setter = setters.get(name)
        if setter is None:
            raise refuse(name, NOT_SETTABLE.format(name))
        permission = FIELD_PERMISSIONS.get(name)
        if permission is not None and not self.holds(permission):
            rule = f"permission.{permission}"
            raise refuse(name, NOT_SETTABLE.format(name), rule)
        setter(self, value)


def refuse(name: str, message: str, rule: str | None = None) -> JiraError:
    """Return the refusal of one field."""
    return JiraError(400, rule=rule, fields={name: message})


def merge_updates(draft: Draft, updates: Mapping[str, Json]) -> dict[str, Json]:
    """Return what the verbs of ``update`` make of each field, as values to be set.

    Every field takes ``set``; a list takes ``add`` and ``remove`` as well, in order.
    """
    merged: dict[str, Json] = {}
    for name, steps in updates.items():
        try:
            merged[name] = _merge(draft, name, steps)
        except JiraError as error:
            draft.note(error)
    return merged


def _merge(draft: Draft, name: str, steps: Json) -> Json:
    known = fields_of(draft.context.site).get(name)
    if known is None or not known.operations:
        raise refuse(name, NOT_SETTABLE.format(name))
    if not isinstance(steps, list):
        raise refuse(name, "data was not an array")
    custom = draft.context.site.custom_fields.get(name)
    value: Json = draft.current_rest(name) if known.type == "array" else None
    if custom is not None and isinstance(value, list):
        value = [as_sent(custom, item) for item in value]
    for step in steps:
        if not isinstance(step, dict) or len(step) != 1:
            raise refuse(name, "expected an object with one verb")
        ((verb, operand),) = step.items()
        if verb not in known.operations:
            raise refuse(name, f"Field does not support update '{verb}'")
        if custom is not None and verb == "remove":
            value = without(draft.context, custom, _list(value), operand)
        else:
            value = operand if verb == "set" else _step(value, verb, operand)
    return value


def _step(value: Json, verb: str, operand: Json) -> Json:
    items = _list(value)
    if verb == "add":
        return [*items, operand]
    return [item for item in items if item != operand]


def _list(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []
