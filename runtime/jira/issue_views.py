"""Issues with whatever ``expand`` and ``properties`` ask for on top of their fields."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from runtime.errors import JiraError
from runtime.jira.beans import Bean
from runtime.jira.context import Context
from runtime.jira.createmeta import edit_fields
from runtime.jira.custom_fields import fields_of
from runtime.jira.issue_beans import IssueBeans
from runtime.jira.issue_changes import history_bean, load_histories
from runtime.jira.issue_transitions import offers, transition_bean
from runtime.jira.issues_store import Issue, People
from runtime.jira.schema import property_table

MAX_PROPERTIES = 5


@dataclass(frozen=True, slots=True)
class View:
    """What of issues is shown.

    Attributes:
        fields: Ids of fields.
        expands: What is shown on top.
        properties: Keys of entity properties; ``*all`` for all.
    """

    fields: frozenset[str]
    expands: frozenset[str]
    properties: tuple[str, ...]


def read_view(
    context: Context,
    wanted: frozenset[str],
    expands: frozenset[str],
    properties: tuple[str, ...],
) -> View:
    """Return a view of issues, its parameters checked.

    Raises:
        JiraError: 400 for more than five properties.
    """
    if len(properties) > MAX_PROPERTIES:
        raise JiraError(400, f"At most {MAX_PROPERTIES} issue properties can be returned.")
    return View(wanted, expands, properties)


class IssueView:
    """Shows a batch of issues, each with what the view asks for."""

    def __init__(
        self, context: Context, issues: Sequence[Issue], view: View, people: People | None = None
    ) -> None:
        self._context = context
        self._view = view
        self._beans = IssueBeans(context, issues, view.fields, people)
        wants_history = "changelog" in view.expands
        self._histories = load_histories(context, issues) if wants_history else {}
        self._properties = self._load_properties(issues) if view.properties else {}

    def bean(self, issue: Issue) -> Bean:
        """Return an issue."""
        shown = self._beans.bean(issue)
        for name, show in _EXPANDS.items():
            if name in self._view.expands:
                shown[name] = show(self, issue)
        if self._view.properties:
            shown["properties"] = self._properties.get(str(issue.id), {})
        return shown

    def names(self) -> dict[str, object]:
        """Return the names of the fields that are shown."""
        fields = fields_of(self._context.site).items()
        return {one: field.name for one, field in fields if one in self._view.fields}

    def schemas(self) -> dict[str, object]:
        """Return the types of the fields that are shown."""
        fields = fields_of(self._context.site).items()
        return {one: field.schema() for one, field in fields if one in self._view.fields}

    def rendered(self, issue: Issue) -> Bean:
        """Return the fields of an issue as HTML."""
        return self._beans.rendered(issue)

    def transitions(self, issue: Issue) -> list[Bean]:
        """Return the transitions that the issue offers to the caller."""
        return [
            transition_bean(self._context, offer, with_fields=False)
            for offer in offers(self._context, issue)
            if offer.available
        ]

    def history(self, issue: Issue) -> Bean:
        """Return the history of an issue."""
        return history_bean(self._histories[issue.id])

    def editable(self, issue: Issue) -> Bean:
        """Return what of an issue the caller may edit."""
        return {"fields": edit_fields(self._context, issue)}

    def _load_properties(self, issues: Sequence[Issue]) -> dict[str, Bean]:
        table = property_table.c
        query = select(table.entity_id, table.key, table.value).where(
            table.cloud_id == self._context.site.cloud_id,
            table.entity == "issue",
            table.entity_id.in_([str(issue.id) for issue in issues]),
        )
        if "*all" not in self._view.properties:
            query = query.where(table.key.in_(self._view.properties))
        found: dict[str, Bean] = {}
        for row in self._context.connection.execute(query):
            found.setdefault(row[0], {})[row[1]] = row[2]
        return found


_EXPANDS: Mapping[str, Callable[[IssueView, Issue], object]] = {
    "names": lambda view, _issue: view.names(),
    "schema": lambda view, _issue: view.schemas(),
    "renderedFields": IssueView.rendered,
    "transitions": IssueView.transitions,
    "operations": lambda _view, _issue: {"linkGroups": []},
    "editmeta": IssueView.editable,
    "changelog": IssueView.history,
}
"""What ``expand`` may ask of an issue; other names are ignored."""
