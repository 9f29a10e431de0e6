"""The modules that serve operations; nothing serves by being imported."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import getmembers, isfunction
from types import ModuleType

from runtime.jira.context import Handler, Served

MODULES = (
    "app_field_values",
    "comments",
    "connect_field_migration",
    "connect_migration",
    "connect_modules",
    "connect_properties",
    "createmeta",
    "data_policy",
    "field_contexts",
    "field_options",
    "field_search",
    "fields",
    "forge_properties",
    "groups",
    "issues",
    "my_permissions",
    "old_search",
    "permission_schemes",
    "project_roles",
    "project_types",
    "project_writes",
    "projects",
    "property_resources",
    "roles",
    "search",
    "server_info",
    "transitions",
    "users",
    "webhooks",
)
"""Modules of this room whose functions marked with ``@operation`` are handlers."""


@dataclass(frozen=True, slots=True)
class ServedOperation:
    """A handler and what its marker says."""

    handler: Handler
    marker: Served


def served_operations() -> Mapping[str, ServedOperation]:
    """Return the handlers by the key of their operation.

    Raises:
        ValueError: Two handlers serve one operation.
    """
    found: dict[str, ServedOperation] = {}
    for name in MODULES:
        for handler in _handlers(import_module(f"runtime.jira.{name}")):
            marker: Served = handler.__dict__["served"]
            if marker.key in found:
                raise ValueError(f"two handlers serve {marker.key}")
            found[marker.key] = ServedOperation(handler, marker)
    return found


def _handlers(module: ModuleType) -> tuple[Handler, ...]:
    return tuple(
        function
        for _name, function in getmembers(module, isfunction)
        if "served" in function.__dict__ and function.__module__ == module.__name__
    )
