"""The issue fields of Connect apps: what ``jiraIssueFields`` modules make of a site's fields.

Source:
    Connect documentation, "Issue Field": the key is ``{app key}__{module key}``.
"""

from collections.abc import Mapping

from sqlalchemy import Connection

from runtime.identity.connect.descriptor import Descriptor, Module
from runtime.identity.connect.dynamic_modules import list_modules
from runtime.jira.custom_fields import FieldSpec
from runtime.jira.custom_sync import sync_fields

MODULE = "jiraIssueFields"
READ_ONLY = "read_only"


def sync_connect_fields(connection: Connection, cloud_id: str, descriptor: Descriptor) -> None:
    """Make an app's fields what its descriptor and its dynamic modules say now."""
    modules = (*descriptor.modules, *list_modules(connection, cloud_id, descriptor.key))
    wanted = [_spec(descriptor.key, one) for one in modules if one.type == MODULE]
    sync_fields(connection, cloud_id, "connect", descriptor.key, wanted)


def hide_connect_fields(connection: Connection, cloud_id: str, app_key: str) -> None:
    """Hide the fields of an app that is gone; their values stay."""
    sync_fields(connection, cloud_id, "connect", app_key, ())


def field_key(app_key: str, module_key: str) -> str:
    """Return the key of a Connect app's field."""
    return f"{app_key}__{module_key}"


def _spec(app_key: str, module: Module) -> FieldSpec:
    said: Mapping[str, object] = module.fields
    kind = str(said.get("type", "string"))
    described = said.get("description")
    text = described.get("value") if isinstance(described, dict) else None
    settings = {name: said[name] for name in ("property", "extractions") if name in said}
    return FieldSpec(
        key=field_key(app_key, module.key),
        name=module.name,
        description=text if isinstance(text, str) else "",
        type=kind,
        read_only=kind == READ_ONLY,
        settings=settings,
    )
