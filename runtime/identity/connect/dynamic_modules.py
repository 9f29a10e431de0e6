"""Modules that an app registers while it is installed, beside those of its descriptor."""

import json
from collections.abc import Iterable

from sqlalchemy import Column, Connection, String, Table, Text, delete, insert, select

from runtime.database import metadata
from runtime.errors import JiraError
from runtime.identity.connect.descriptor import Descriptor, Module, modules_from
from runtime.identity.connect.module_rules import module_faults, path_text

MAX_MODULES = 300  # of one app on one site, the documented limit

connect_dynamic_module_table = Table(
    "connect_dynamic_module",
    metadata,
    Column("cloud_id", String(64), primary_key=True),
    Column("app_key", String(64), primary_key=True),
    Column("module_key", String(128), primary_key=True),
    Column("type", String(128), nullable=False),
    Column("fields", Text, nullable=False),
)
_TABLE = connect_dynamic_module_table.c


def list_modules(connection: Connection, cloud_id: str, app_key: str) -> tuple[Module, ...]:
    """Return the dynamic modules of an app, by type and key."""
    rows = connection.execute(
        select(_TABLE.type, _TABLE.module_key, _TABLE.fields)
        .where(_TABLE.cloud_id == cloud_id, _TABLE.app_key == app_key)
        .order_by(_TABLE.type, _TABLE.module_key)
    )
    return tuple(Module(row.type, row.module_key, json.loads(row.fields)) for row in rows)


def register_modules(
    connection: Connection, cloud_id: str, descriptor: Descriptor, value: object
) -> None:
    """Add modules: all of them, or none.

    Args:
        connection: A transaction for writing.
        cloud_id: The site.
        descriptor: Of the app; its own keys are taken.
        value: Lists of modules by type, as under ``modules`` of a descriptor.

    Raises:
        JiraError: 400 if one is wrong, a key is taken, or they are too many.
    """
    if not isinstance(value, dict):
        raise _refused("The body must be an object of lists of modules, by type.")
    faults = [f"{path_text(path)}: {message}" for path, message in module_faults(value)]
    if faults:
        raise _refused(" ".join(faults))
    new = modules_from(value)
    if any(not module.key for module in new):
        raise _refused("Each module needs a key.")
    present = list_modules(connection, cloud_id, descriptor.key)
    taken = {module.key for module in (*present, *descriptor.modules)}
    double = sorted({module.key for module in new} & taken)
    if double:
        raise _refused(
            f"Installation failed. The app {descriptor.key} has duplicate module keys: "
            f"[{', '.join(double)}]. Please contact the app vendor."
        )
    if len(present) + len(new) > MAX_MODULES:
        raise _refused(f"An app can register at most {MAX_MODULES} modules.")
    for module in new:
        connection.execute(
            insert(connect_dynamic_module_table).values(
                cloud_id=cloud_id,
                app_key=descriptor.key,
                module_key=module.key,
                type=module.type,
                fields=json.dumps(module.fields),
            )
        )


def remove_modules(
    connection: Connection, cloud_id: str, app_key: str, keys: Iterable[str] | None = None
) -> None:
    """Remove modules by key, or all of an app."""
    query = delete(connect_dynamic_module_table).where(
        _TABLE.cloud_id == cloud_id, _TABLE.app_key == app_key
    )
    if keys is not None:
        query = query.where(_TABLE.module_key.in_(list(keys)))
    connection.execute(query)


def _refused(message: str) -> JiraError:
    return JiraError(400, message, rule="request.invalid")
