"""Custom fields: what the modules of apps add to issues, kept by key over uninstall and reinstall.

A field belongs to its app. While the app is gone the field is not shown; its values stay on the
issues, and both are back with the app. Values stand in ``issue.fields`` under the field's id, and
once more where a search finds them (see `runtime.jira.custom_search`).

Source:
    Connect documentation, "Issue Field"; Forge documentation, "Jira custom field".
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update

from runtime.errors import JiraError
from runtime.jira.configuration import touch
from runtime.jira.context import Context
from runtime.jira.failures import HIDDEN
from runtime.jira.issue_fields import ISSUE_FIELDS, IssueField
from runtime.jira.schema import KEY_LENGTH, custom_field_table
from runtime.jira.site import CustomField, Site
from runtime.jira.store import next_id

SELECTS = frozenset({"single_select", "multi_select"})
_CONNECT_TYPE = "com.atlassian.plugins.atlassian-connect-plugin:"
_JSON_TYPES: Mapping[str, str] = {
    "number": "number",
    "user": "user",
    "group": "group",
    "date": "date",
    "datetime": "datetime",
    "object": "any",
    "single_select": "option",
    "multi_select": "option",
}
_FIELDS = custom_field_table.c


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a module says of its field.

    Attributes:
        key: What the field is found by again; see `CustomField.key`.
        type: A type of `runtime.jira.custom_values`.
    """

    key: str
    name: str
    description: str
    type: str
    collection: str = "none"
    read_only: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)


def write_fields(
    connection: Connection, cloud_id: str, model: str, owner: str, wanted: Sequence[FieldSpec]
) -> tuple[str, ...]:
    """Store what an app's modules say of its fields; see `runtime.jira.custom_sync`.

    Returns:
        Keys of the fields that have another type now.
    """
    known = _known(connection, cloud_id, model, owner)
    changed = [spec for spec in wanted if known.get(spec.key) != {**_values(spec), "active": True}]
    for spec in changed:
        if spec.key not in known:
            _insert(connection, cloud_id, model, owner, _values(spec))
            continue
        one = (_FIELDS.cloud_id == cloud_id) & (_FIELDS.key == spec.key)
        values = {**_values(spec), "active": True}
        connection.execute(update(custom_field_table).where(one).values(**values))
    keys = {spec.key for spec in wanted}
    gone = [key for key, row in known.items() if row["active"] and key not in keys]
    _hide(connection, cloud_id, gone)
    if changed or gone:
        touch(connection, cloud_id)
    return tuple(
        spec.key for spec in changed if spec.key in known and known[spec.key]["type"] != spec.type
    )


def fields_of(site: Site) -> Mapping[str, IssueField]:
    """Return all fields that issues of a site have, by field id."""
    if not site.custom_fields:
        return ISSUE_FIELDS
    custom = {name: as_issue_field(one) for name, one in site.custom_fields.items()}
    return {**ISSUE_FIELDS, **custom}


def as_issue_field(one: CustomField) -> IssueField:
    """Return a custom field as the lists of fields show it."""
    several = one.collection == "list" or one.type == "multi_select"
    kind = _JSON_TYPES.get(one.type, "string")
    verbs = ("add", "set", "remove") if several else ("set",)
    return IssueField(
        id=one.field_id,
        name=one.name,
        type="array" if several else kind,
        items=kind if several else None,
        operations=() if one.read_only else verbs,
        key=one.shown_key,
        custom=f"{_CONNECT_TYPE}{one.key}" if one.model == "connect" else one.key,
        custom_id=one.id,
        clauses=(f"cf[{one.id}]", one.name) if is_searchable(one) else (),
    )


def is_searchable(one: CustomField) -> bool:
    """Say whether a query can ask for the values of a field."""
    return one.type not in ("read_only", "object")


def get_custom_field(context: Context, id_or_key: str) -> CustomField:
    """Return the custom field with that field id or key.

    Raises:
        JiraError: 404 if there is none on the site.
    """
    found = context.site.find_custom_field(id_or_key)
    if found is None:
        raise JiraError(404, "The custom field was not found.", rule=HIDDEN)
    return found


def _known(
    connection: Connection, cloud_id: str, model: str, owner: str
) -> dict[str, dict[str, Any]]:  # JSON among the values
    names = (*(name for name in FieldSpec.__dataclass_fields__), "active")
    rows = connection.execute(
        select(*(_FIELDS[name] for name in names)).where(
            _FIELDS.cloud_id == cloud_id, _FIELDS.model == model, _FIELDS.owner == owner
        )
    )
    return {row.key: dict(row._mapping) for row in rows}


def _values(spec: FieldSpec) -> dict[str, Any]:  # JSON among the values
    values = asdict(spec)
    values["name"] = spec.name[:KEY_LENGTH]
    values["settings"] = dict(spec.settings)
    return values


def _insert(
    connection: Connection, cloud_id: str, model: str, owner: str, values: Mapping[str, Any]
) -> None:
    connection.execute(
        insert(custom_field_table).values(
            id=next_id(connection, custom_field_table.name),
            cloud_id=cloud_id,
            model=model,
            owner=owner,
            active=True,
            **values,
        )
    )


def _hide(connection: Connection, cloud_id: str, keys: Collection[str]) -> None:
    if keys:
        gone = (_FIELDS.cloud_id == cloud_id) & _FIELDS.key.in_(sorted(keys))
        connection.execute(update(custom_field_table).where(gone).values(active=False))
