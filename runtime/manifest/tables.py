"""The platform's facts that a manifest is held against: types, modules, scopes, events.

They stand in ``data/*.json`` in a form of our own; ``data/README.md`` says where they are from.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from runtime.manifest.shapes import Kind, Shape

Json = Any  # the parsed tables; every access below turns them into typed values

PRIMITIVES: tuple[Kind, ...] = ("any", "string", "text", "integer", "number", "boolean")


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to write a module; `by` names the property that tells it from the others."""

    by: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class ScopeTable:
    """The scopes that exist.

    Attributes:
        classic: Coarse scopes of Jira and Jira Service Management.
        granular: Fine scopes of the same products.
        connect: Scopes that only Connect modules use.
        platform: Scopes of no product.
        interactive: Scopes that each user consents to.
        other_suffixes: Last parts of scopes of other products, which are not listed by name.
    """

    classic: frozenset[str]
    granular: frozenset[str]
    connect: frozenset[str]
    platform: frozenset[str]
    interactive: frozenset[str]
    other_suffixes: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """Every scope that is known by name."""
        return self.classic | self.granular | self.connect | self.platform

    def is_of_other_product(self, scope: str) -> bool:
        """Return whether a scope belongs to a product whose scopes are not listed here."""
        head, colon, suffix = scope.rpartition(":")
        return bool(head and colon) and (suffix in self.other_suffixes or suffix == "custom")


ScopeSets = Mapping[str, frozenset[str]]
"""Scope sets of an event by form (classic, granular); any one whole set suffices."""


def _read(name: str) -> Json:
    return json.loads(resources.files(__package__).joinpath("data", name).read_text("utf-8"))


def _shape(raw: Json, types: Mapping[str, Json]) -> Shape:
    """Return the shape that the tables' notation describes; a bare word names a type."""
    if isinstance(raw, str):
        return Shape(raw) if raw in PRIMITIVES else replace(_shape(types[raw], types), name=raw)
    parts = raw["of"] if raw["is"] == "either" else [raw["of"]] if "of" in raw else []
    return Shape(
        kind=raw["is"],
        minimum=raw.get("min"),
        maximum=raw.get("max"),
        pattern=raw.get("pattern"),
        words=tuple(raw["of"]) if raw["is"] == "choice" else (),
        parts=() if raw["is"] == "choice" else tuple(_shape(part, types) for part in parts),
        required=_shapes(raw.get("required", {}), types),
        optional=_shapes(raw.get("optional", {}), types),
        values=_shape(raw["values"], types) if "values" in raw else None,
        keys=_shape(raw["keys"], types) if "keys" in raw else None,
        some=tuple(raw.get("some", ())),
    )


def _shapes(raw: Mapping[str, Json], types: Mapping[str, Json]) -> Mapping[str, Shape]:
    return MappingProxyType({key: _shape(value, types) for key, value in raw.items()})


@lru_cache(maxsize=1)
def document_shape() -> Shape:
    """Return the shape of a whole manifest; what stands under ``modules`` is not part of it."""
    return _shape("document", _read("types.json"))


@lru_cache(maxsize=1)
def module_variants() -> Mapping[str, tuple[Variant, ...]]:
    """Return every known module type with the ways to write it."""
    types = _read("types.json")
    modules = _read("modules.json")["modules"]
    return MappingProxyType({name: _variants(raw, types) for name, raw in modules.items()})


def _variants(raw: Json, types: Mapping[str, Json]) -> tuple[Variant, ...]:
    required = _shapes(raw.get("required", {}), types)
    optional = _shapes(raw.get("optional", {}), types)
    return tuple(
        Variant(
            one.get("by", "plain"),
            Shape(
                "map",
                required={**required, **_shapes(one.get("required", {}), types)},
                optional={**optional, **_shapes(one.get("optional", {}), types)},
            ),
        )
        for one in raw.get("variants", [{}])
    )


@lru_cache(maxsize=1)
def other_modules() -> frozenset[str]:
    """Return module types of other products, which are recognised and kept but not checked."""
    return frozenset(_read("modules.json")["other"])


def is_unchecked_module(name: str) -> bool:
    """Return whether a module type is known but its properties are not held against a table."""
    return name in other_modules() or name.startswith("connect-")


@lru_cache(maxsize=1)
def scopes() -> ScopeTable:
    """Return the scopes that exist."""
    raw = _read("scopes.json")
    return ScopeTable(
        classic=frozenset(raw["classic"]),
        granular=frozenset(raw["granular"]),
        connect=frozenset(raw["connect"]),
        platform=frozenset(raw["platform"]),
        interactive=frozenset(raw["interactive"]),
        other_suffixes=frozenset(raw["otherSuffixes"]),
    )


@lru_cache(maxsize=1)
def event_scopes() -> Mapping[str, ScopeSets]:
    """Return Jira's product events with the scope sets that receiving them needs."""
    raw = _read("events.json")["events"]
    return MappingProxyType(
        {
            event: MappingProxyType({form: frozenset(names) for form, names in sets.items()})
            for event, sets in raw.items()
        }
    )


@lru_cache(maxsize=1)
def other_events() -> frozenset[str]:
    """Return product events of other products."""
    return frozenset(_read("events.json")["other"])


@dataclass(frozen=True, slots=True)
class ConditionTable:
    """Display conditions of Jira modules, by what they are compared with."""

    operators: frozenset[str]
    booleans: frozenset[str]
    boolean_prefix: str
    texts: frozenset[str]
    texts_or_lists: frozenset[str]
    maps: frozenset[str]
    depth_limit: int


@lru_cache(maxsize=1)
def conditions() -> ConditionTable:
    """Return the display conditions that exist."""
    raw = _read("conditions.json")
    return ConditionTable(
        operators=frozenset(raw["operators"]),
        booleans=frozenset(raw["boolean"]),
        boolean_prefix=raw["booleanPrefix"],
        texts=frozenset(raw["text"]),
        texts_or_lists=frozenset(raw["textOrList"]),
        maps=frozenset(raw["map"]),
        depth_limit=raw["depthLimit"],
    )
