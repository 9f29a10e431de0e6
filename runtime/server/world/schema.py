"""A JSON schema of world files, for editors that complete and check YAML.

``python -m runtime.server.world.schema`` prints it; ``manifests/firebrick.schema.json`` is its
output. An entry of a list that is joined with what a site begins with needs only its key: what else
it must have depends on whether it is new, which the linter knows.
"""

import json
import sys
from typing import Any

from runtime.hostfunctions.stubreader import stubs_schema
from runtime.server.world.merge import KEYS
from runtime.server.world.model import WorldFile

Schema = dict[str, Any]  # Any: a JSON schema
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def world_schema() -> Schema:
    """Return the schema of a world file."""
    schema = WorldFile.model_json_schema(by_alias=True)
    definitions: Schema = schema["$defs"]
    for part in (schema, *definitions.values()):
        for section, key in KEYS.items():
            item = part.get("properties", {}).get(section, {}).get("items", {})
            name = item.get("$ref", "").rpartition("/")[2]
            if name:
                definitions[name]["required"] = [key]
    schema.pop("required", None)
    schema["properties"]["egress"] = stubs_schema()
    return {"$schema": DIALECT, **schema, "title": "firebrick.yml"}


def schema_text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(world_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
