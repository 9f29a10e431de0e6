"""The official shapes of the served operations' answers, and a check against them.

``shapes.json`` holds, from the platform's public OpenAPI document (Apache-2.0), the answer schema
of each operation by status, and the schemas they refer to. A member that no schema names is
reported, because a client generated from the document would refuse it.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any  # JSON Schema documents

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

_FILE = Path(__file__).with_name("shapes.json")
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
    },
}
GATEWAY = {
    "type": "object",
    "required": ["code", "message"],
    "additionalProperties": False,
    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
}
APP = {
    "type": "object",
    "required": ["message", "statusCode"],
    "additionalProperties": False,
    "properties": {"statusCode": {"type": "integer"}, "message": {"type": "string"}},
}

NULLABLE = {"ChangeDetails": ("from", "fromString", "to", "toString")}
"""Members that the real product answers with null and the document does not allow to be."""


def assert_shape(operation_key: str, status: int, body: bytes) -> None:
    """Fail if an answer does not have the official shape.

    Args:
        operation_key: Key of the operation.
        status: HTTP status of the answer.
        body: Its raw body, JSON or empty.
    """
    if status < 400:
        answers = _answers(operation_key)
        assert answers, f"shapes.json does not have {operation_key}"
        assert str(status) in answers, f"{operation_key} never answers {status}"
        if not answers[str(status)]:
            assert status != 204 or body == b""
            return
    elif not body.startswith((b"{", b"[")):
        return  # a text of the web layer
    error = best_match(_validator(operation_key, status).iter_errors(json.loads(body)))
    assert error is None, _explain(operation_key, status, error)


def _answers(operation_key: str) -> dict[str, Any]:
    answers: dict[str, Any] = _shapes()["operations"].get(operation_key, {})
    return answers


@cache
def _validator(operation_key: str, status: int) -> Draft202012Validator:
    schema = _answers(operation_key).get(str(status))
    if status >= 400:
        errors = [{"$ref": "#/schemas/ErrorCollection"}, PROBLEM, GATEWAY, APP]
        schema = {"anyOf": [*([schema] if schema else []), *errors]}
    return Draft202012Validator({**(schema or {}), "schemas": _shapes()["schemas"]})


@cache
def _shapes() -> dict[str, Any]:
    document = json.loads(_FILE.read_text("utf-8"))
    for name, members in NULLABLE.items():
        for member in members:
            document["schemas"][name]["properties"][member]["nullable"] = True
    shapes: dict[str, Any] = _standard(document)
    return shapes


def _standard(value: Any) -> Any:
    """Turn OpenAPI's ``nullable`` into JSON Schema."""
    if isinstance(value, list):
        return [_standard(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {key: _standard(item) for key, item in value.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if value.get("nullable") is True else plain


def _explain(operation_key: str, status: int, error: ValidationError) -> str:
    where = "/".join(str(step) for step in error.absolute_path) or "the whole body"
    return f"{operation_key} {status}: {where}: {error.message[:500]}"
