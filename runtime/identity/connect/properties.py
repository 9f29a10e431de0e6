"""App properties: JSON that the platform keeps for a Connect app on a site."""

import json

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from runtime.database import metadata

KEY_LENGTH = 127
VALUE_LENGTH = 32_768

connect_property_table = Table(
    "connect_property",
    metadata,
    Column("cloud_id", String(64), primary_key=True),
    Column("app_key", String(64), primary_key=True),
    Column("key", String(KEY_LENGTH), primary_key=True),
    Column("value", Text, nullable=False),
)
_TABLE = connect_property_table.c


def list_property_keys(connection: Connection, cloud_id: str, app_key: str) -> tuple[str, ...]:
    """Return the keys of an app's properties, in order."""
    query = select(_TABLE.key).where(_TABLE.cloud_id == cloud_id, _TABLE.app_key == app_key)
    return tuple(connection.execute(query.order_by(_TABLE.key)).scalars())


def find_property(
    connection: Connection, cloud_id: str, app_key: str, key: str
) -> tuple[object] | None:
    """Return the value of a property, in a tuple because it may be anything; or None."""
    text = connection.execute(select(_TABLE.value).where(*_one(cloud_id, app_key, key))).scalar()
    return None if text is None else (json.loads(text),)


def put_property(
    connection: Connection, cloud_id: str, app_key: str, key: str, value: object
) -> bool:
    """Store a property and say whether it is new."""
    text = compact(value)
    where = _one(cloud_id, app_key, key)
    changed = connection.execute(update(connect_property_table).where(*where).values(value=text))
    if changed.rowcount:
        return False
    connection.execute(
        insert(connect_property_table).values(
            cloud_id=cloud_id, app_key=app_key, key=key, value=text
        )
    )
    return True


def remove_property(connection: Connection, cloud_id: str, app_key: str, key: str) -> bool:
    """Delete a property and say whether there was one."""
    where = _one(cloud_id, app_key, key)
    return bool(connection.execute(delete(connect_property_table).where(*where)).rowcount)


def compact(value: object) -> str:
    """Return a value as JSON without blanks: what is stored, and what is measured."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _one(cloud_id: str, app_key: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return _TABLE.cloud_id == cloud_id, _TABLE.app_key == app_key, _TABLE.key == key
