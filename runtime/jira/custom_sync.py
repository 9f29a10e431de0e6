"""An app's fields on a site follow its modules: at install, upgrade, uninstall and reinstall.

Source:
    Connect documentation, "Issue Field"; Forge documentation, "Jira custom field", field lifecycle.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from runtime.jira.custom_fields import FieldSpec, write_fields
from runtime.jira.custom_search import write_value
from runtime.jira.schema import custom_field_table, issue_table, project_table
from runtime.jira.site import CustomField


def sync_fields(
    connection: Connection, cloud_id: str, model: str, owner: str, wanted: Sequence[FieldSpec]
) -> None:
    """Make an app's fields on a site what its modules say now: none of them once it is gone.

    If a field has another type now, queries find what of its values fits that.

    Args:
        connection: A transaction for writing.
        cloud_id: The site.
        model: ``connect`` or ``forge``.
        owner: The app's key (Connect), or its account (Forge).
        wanted: The fields that there shall be; those not named are hidden, with their values kept.
    """
    for key in write_fields(connection, cloud_id, model, owner, wanted):
        one = _field(connection, cloud_id, key)
        table, projects = issue_table.c, project_table.c
        query = select(table.id, table.fields).join(project_table, projects.id == table.project_id)
        for row in connection.execute(query.where(projects.cloud_id == cloud_id)).all():
            if one.field_id in row.fields:
                write_value(connection, one, row.id, row.fields)


def _field(connection: Connection, cloud_id: str, key: str) -> CustomField:
    table = custom_field_table.c
    query = select(*(table[name] for name in CustomField.__dataclass_fields__))
    row = connection.execute(query.where(table.cloud_id == cloud_id, table.key == key)).one()
    return CustomField(**row._mapping)
