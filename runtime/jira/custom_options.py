"""What may be selected in a field of an app: options, and where each of them is offered.

Source:
    Jira Cloud REST API v3, "Issue custom field options (apps)", schema ``IssueFieldOption``.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from runtime.jira.beans import Bean
from runtime.jira.schema import custom_field_option_table

_OPTIONS = custom_field_option_table.c
NOT_SELECTABLE = "notSelectable"


@dataclass(frozen=True, slots=True)
class FieldOption:
    """An option of a select field.

    Attributes:
        id: Unique in its field.
        properties: Whatever the app keeps with it.
        config: Where it is offered: ``scope`` and ``attributes``, as the app gave them.
    """

    id: int
    value: str
    properties: Mapping[str, Any]  # JSON
    config: Mapping[str, Any]  # JSON

    def bean(self) -> Bean:
        """Return the option as its app and administrators see it."""
        shown: Bean = {"id": self.id, "value": self.value, "properties": dict(self.properties)}
        return {**shown, "config": dict(self.config)} if self.config else shown

    def is_visible(self, project_ids: Collection[int] | None = None) -> bool:
        """Say whether it is offered in one of these projects; without projects, in any."""
        return any(True for _ in self._places(project_ids))

    def is_selectable(self, project_ids: Collection[int] | None = None) -> bool:
        """Say whether one may select it in one of these projects; without projects, in any."""
        if NOT_SELECTABLE in self.config.get("attributes", ()):
            return False
        return any(NOT_SELECTABLE not in place for place in self._places(project_ids))

    def _places(self, project_ids: Collection[int] | None) -> list[list[str]]:
        """Return the attributes of each place it is offered in: a project's before the global."""
        scope = self.config.get("scope") or {}
        named = {int(one): list[str]() for one in scope.get("projects", ())}
        named |= {int(one["id"]): one.get("attributes", []) for one in scope.get("projects2", ())}
        everywhere = scope.get("global")
        if everywhere is None and not named:
            everywhere = {}
        rest = [] if everywhere is None else [everywhere.get("attributes", [])]
        if project_ids is None:
            return [*named.values(), *rest]
        return [place for one in project_ids for place in ([named[one]] if one in named else rest)]


def load_options(
    connection: Connection, field_id: int, ids: Collection[int] | None = None
) -> dict[int, FieldOption]:
    """Return the options of a field by id, in order; only those named if any are.

    Args:
        connection: A transaction.
        field_id: The number of the field.
        ids: Which; None for all.
    """
    query = select(_OPTIONS.id, _OPTIONS.value, _OPTIONS.properties, _OPTIONS.config)
    query = query.where(_OPTIONS.field_id == field_id).order_by(_OPTIONS.id)
    if ids is not None:
        query = query.where(_OPTIONS.id.in_(sorted(set(ids))))
    return {row.id: FieldOption(*row) for row in connection.execute(query)}


def selected_bean(link: str, option: FieldOption) -> Bean:
    """Return an option as the issue that has it shows it."""
    shown: Bean = {"self": link, "id": str(option.id), "value": option.value}
    return {**shown, "properties": dict(option.properties)} if option.properties else shown
