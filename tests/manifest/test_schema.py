import json
from pathlib import Path

import jsonschema
import pytest

from runtime.manifest.check_shape import shape_problems
from runtime.manifest.nodes import thaw
from runtime.manifest.schema import manifest_schema, schema_text
from runtime.manifest.yaml_nodes import compose

ROOT = Path(__file__).parents[2] / "manifests"
TEXTS = {path.parent.name: path.read_text() for path in sorted(ROOT.glob("*/manifest.yml"))}
VALIDATOR = jsonschema.Draft202012Validator(manifest_schema())


def test_the_committed_schema_is_up_to_date() -> None:
    assert (ROOT / "manifest.schema.json").read_text(encoding="utf-8") == schema_text()


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(manifest_schema())


@pytest.mark.parametrize("name", TEXTS)
def test_schema_and_linter_agree_on_the_form_of_every_example(name: str) -> None:
    root = compose(TEXTS[name], "manifest.yml").root
    if root is not None:
        faults = tuple(shape_problems(root, "manifest.yml"))
        assert VALIDATOR.is_valid(thaw(root.plain())) == (not faults)


def test_known_scopes_are_offered() -> None:
    text = json.dumps(manifest_schema()["$defs"]["scopeList"])
    assert "read:jira-work" in text
