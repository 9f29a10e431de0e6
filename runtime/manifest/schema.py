"""A JSON schema of the manifest, made from the tables, for editors that complete and check YAML.

``python -m runtime.manifest.schema`` prints it; ``manifests/manifest.schema.json`` is its output.
The schema says what a table can say; references, limits and files are the linter's.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from runtime.manifest.shapes import Kind, Shape
from runtime.manifest.tables import document_shape, module_variants, scopes

Schema: TypeAlias = dict[str, Any]  # a JSON schema is any JSON object

TITLE = "Forge manifest, as Firebrick reads it"
_TEXT_KEYS: Schema = {"type": "object", "required": ["i18n"], "additionalProperties": False}


def manifest_schema() -> Schema:
    """Return the schema (draft 2020-12)."""
    named: dict[str, Schema] = {}
    schema = _Writer(named).whole(document_shape())
    writer = _Writer(named)
    modules = {name: writer.modules(name) for name in sorted(module_variants())}
    schema["properties"]["modules"] = {"type": "object", "properties": modules}
    _offer_scopes(named["scopeList"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": TITLE,
        **schema,
        "$defs": dict(sorted(named.items())),
    }


def _offer_scopes(schema: Schema) -> None:
    """Let editors offer the known scopes, without refusing others."""
    schema["items"] = {"anyOf": [{"enum": sorted(scopes().names)}, {"type": "string"}]}


class _Writer:
    """Writes shapes as schemas; shapes with a name are written once, under ``$defs``.

    Args:
        named: Where the named ones are collected.
    """

    def __init__(self, named: dict[str, Schema]) -> None:
        self._named = named
        self._makers: Mapping[Kind, Callable[[Shape], Schema]] = {
            "any": lambda _: {},
            "string": _string,
            "text": _text,
            "integer": _number,
            "number": _number,
            "boolean": lambda _: {"type": "boolean"},
            "choice": lambda shape: {"enum": list(shape.words)},
            "list": self._list,
            "map": self._map,
            "either": lambda shape: {"anyOf": [self.schema(part) for part in shape.parts]},
        }

    def schema(self, shape: Shape) -> Schema:
        """Return the schema of a shape, or a reference to it."""
        if not shape.name:
            return self.whole(shape)
        if shape.name not in self._named:
            self._named[shape.name] = self.whole(shape)
        return {"$ref": f"#/$defs/{shape.name}"}

    def whole(self, shape: Shape) -> Schema:
        """Return the schema of a shape itself."""
        return self._makers[shape.kind](shape)

    def modules(self, name: str) -> Schema:
        """Return the schema of the entries of one module type."""
        ways = [self.schema(variant.shape) for variant in module_variants()[name]]
        items = ways[0] if len(ways) == 1 else {"anyOf": ways}
        return {"type": "array", "minItems": 1, "items": items}

    def _list(self, shape: Shape) -> Schema:
        items = {"items": self.schema(shape.parts[0])} if shape.parts else {}
        return _bounded({"type": "array"}, shape, "minItems", "maxItems") | items

    def _map(self, shape: Shape) -> Schema:
        schema = _bounded({"type": "object"}, shape, "minProperties", "maxProperties")
        if shape.required:
            schema["required"] = list(shape.required)
        if shape.known:
            schema["properties"] = {key: self.schema(one) for key, one in shape.known.items()}
        if shape.some:
            schema["anyOf"] = [{"required": [key]} for key in shape.some]
        if shape.keys is not None:
            known = [{"enum": list(shape.known)}] if shape.known else []
            schema["propertyNames"] = {"anyOf": [*known, self.schema(shape.keys)]}
        further = False if shape.values is None else self.schema(shape.values)
        if further != {}:
            schema["additionalProperties"] = further
        return schema


def _string(shape: Shape) -> Schema:
    return _bounded({"type": "string"}, shape, "minLength", "maxLength") | _pattern(shape)


def _pattern(shape: Shape) -> Schema:
    return {"pattern": shape.pattern} if shape.pattern else {}


def _text(shape: Shape) -> Schema:
    key: Schema = {"type": "string", "minLength": 1}
    return {"anyOf": [_string(shape), _TEXT_KEYS | {"properties": {"i18n": key}}]}


def _number(shape: Shape) -> Schema:
    return _bounded({"type": shape.kind}, shape, "minimum", "maximum")


def _bounded(schema: Schema, shape: Shape, least: str, most: str) -> Schema:
    bounds = {least: shape.minimum, most: shape.maximum}
    return schema | {name: bound for name, bound in bounds.items() if bound is not None}


def schema_text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(manifest_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
