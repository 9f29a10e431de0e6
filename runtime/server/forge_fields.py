"""The custom fields that a Forge app's manifest declares, as a site has them.

Source:
    Forge documentation, "Jira custom field", field lifecycle: ``schema.custom`` is an ARI of the
    app, the environment and the module; the key is ``{app}__{ENVIRONMENT}__{module}``, as in what a
    value function is called with. "Migrate Jira custom fields" for those that replace a Connect
    field.
"""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from runtime.installation.model import AppVersion, app_uuid, environment_id
from runtime.jira.connect_field_migration import CONNECT_KEY
from runtime.jira.connect_fields import field_key
from runtime.jira.custom_fields import FieldSpec
from runtime.jira.custom_sync import sync_fields
from runtime.jira.site import SHOWN_KEY

MODULE = "jira:customField"
MODEL = "forge"


def sync_forge_fields(
    connection: Connection, cloud_id: str, account_id: str, version: AppVersion | None
) -> None:
    """Make an app's fields what its version declares; without a version they are hidden.

    Args:
        connection: A transaction for writing.
        cloud_id: The site.
        account_id: The app's account there: it owns the fields.
        version: What is installed now; None once nothing is.
    """
    wanted = [] if version is None else _specs(version)
    sync_fields(connection, cloud_id, MODEL, account_id, wanted)


def _specs(version: AppVersion) -> list[FieldSpec]:
    document = json.loads(version.manifest_text)
    modules = (document.get("modules") or {}).get(MODULE) or []
    connect = (document.get("app") or {}).get("connect") or {}
    return [_spec(version, one, connect.get("key")) for one in _objects(modules)]


def _objects(values: Sequence[object]) -> list[Mapping[str, object]]:
    return [one for one in values if isinstance(one, dict)]


def _spec(version: AppVersion, said: Mapping[str, object], connect_key: object) -> FieldSpec:
    app, key = app_uuid(version.app_id), str(said["key"])
    environment = environment_id(version.app_id, version.environment)
    collection = said.get("collection")
    settings = {SHOWN_KEY: f"{app}__{version.environment.upper()}__{key}"}
    if isinstance(connect_key, str):
        settings[CONNECT_KEY] = field_key(connect_key, key)
    return FieldSpec(
        key=f"ari:cloud:ecosystem::extension/{app}/{environment}/static/{key}",
        name=str(said.get("name", key)),
        description=str(said.get("description", "")),
        type=str(said.get("type", "string")),
        collection="list" if collection == "list" else "none",
        read_only=said.get("readOnly") is True,
        settings=settings,
    )
