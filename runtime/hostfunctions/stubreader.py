"""The ``egress:`` section of a world file becomes stubs.

::

    egress:
      - method: POST                          # any method without it
        url: https://api.example.com/v1/*     # '*' is any text; without '?' no query counts
        body: {json: {kind: order}}           # or {text: order}: what the request must hold
        reply: {status: 201, headers: {x-id: "7"}, json: {id: 7}}    # or body: text, base64: bytes
        delay_ms: 50
      - url: https://down.example.com/*
        fault: timeout                        # or refused, reset, unresolved
"""

import base64
import binascii
import json
import re
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from runtime.errors import ForgeError
from runtime.hostfunctions.stubs import MAX_DELAY_MS, EgressStub, Fault

MAX_STUBS = 10_000  # of one world
_URL = re.compile(r"(https?://|\*)\S*")
_Header = str | list[str]


class StubError(ForgeError):
    """An entry of the section is no stub.

    Args:
        place: Keys and numbers that lead to the fault, such as ``(0, "reply", "status")``.
        message: What is wrong there.
    """

    def __init__(self, place: tuple[int | str, ...], message: str) -> None:
        where = ".".join(str(part) for part in ("egress", *place))
        super().__init__("BAD_STUB", f"{where}: {message}")
        self.place = place


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Wanted(_Strict):
    text: str | None = None
    json_: object = Field(None, alias="json")


class _Reply(_Strict):
    status: int = Field(200, ge=200, le=599)
    headers: dict[str, _Header] = Field(default_factory=dict)
    body: str | None = None
    json_: object = Field(None, alias="json")
    base64: str | None = None

    @model_validator(mode="after")
    def _one_body(self) -> "_Reply":
        if len({"body", "json_", "base64"} & self.model_fields_set) > 1:
            raise ValueError("give one of body, json and base64")
        self.content()
        return self

    def content(self) -> bytes:
        """Return the body's bytes."""
        if "json_" in self.model_fields_set:
            return json.dumps(self.json_, ensure_ascii=False, default=str).encode()
        if self.base64 is not None:
            try:
                return base64.b64decode(self.base64, validate=True)
            except binascii.Error:
                raise ValueError("base64 holds something else") from None
        return (self.body or "").encode()

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the headers; JSON and text name their type unless the author did."""
        pairs = [
            (name, value)
            for name, given in self.headers.items()
            for value in ([given] if isinstance(given, str) else given)
        ]
        kind = self._kind()
        if kind and all(name.lower() != "content-type" for name, _ in pairs):
            pairs.append(("content-type", kind))
        return tuple(pairs)

    def _kind(self) -> str:
        if "json_" in self.model_fields_set:
            return "application/json"
        return "" if self.body is None else "text/plain;charset=UTF-8"


class _Entry(_Strict):
    url: str = Field(max_length=8192)
    method: str | None = Field(None, pattern=r"^[A-Za-z]{1,16}$")
    body: _Wanted | None = None
    reply: _Reply = Field(default_factory=_Reply)
    delay_ms: int = Field(0, ge=0, le=MAX_DELAY_MS)
    fault: Fault | None = None

    @model_validator(mode="after")
    def _whole_url(self) -> "_Entry":
        if not _URL.fullmatch(self.url):
            raise ValueError("url begins with https://, http:// or *, and has no blanks")
        return self


_ENTRIES = TypeAdapter(list[_Entry])


def read_stubs(section: object) -> tuple[EgressStub, ...]:
    """Return the stubs of an ``egress:`` section, as YAML or JSON has it.

    Raises:
        StubError: The first thing that is wrong, with its place.
    """
    try:
        entries = _ENTRIES.validate_python([] if section is None else section)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise StubError(fault["loc"], fault["msg"].removeprefix("Value error, ")) from None
    if len(entries) > MAX_STUBS:
        raise StubError((), f"a world has at most {MAX_STUBS} stubs")
    return tuple(_stub(entry) for entry in entries)


def stubs_schema() -> dict[str, Any]:  # Any: a JSON schema
    """Return a JSON schema of the section, without references."""
    schema = _ENTRIES.json_schema(by_alias=True)
    return cast("dict[str, Any]", _inlined(schema, schema.pop("$defs", {})))


def _inlined(value: Any, definitions: dict[str, Any]) -> Any:  # Any: a part of a JSON schema
    if isinstance(value, list):
        return [_inlined(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str):
        return _inlined(definitions[reference.rpartition("/")[2]], definitions)
    return {key: _inlined(item, definitions) for key, item in value.items()}


def _stub(entry: _Entry) -> EgressStub:
    wanted = entry.body or _Wanted.model_construct(_fields_set=set())
    return EgressStub(
        url=entry.url,
        method=entry.method,
        body_text=wanted.text,
        body_json=wanted.json_,
        match_json="json_" in wanted.model_fields_set,
        status=entry.reply.status,
        headers=entry.reply.pairs(),
        body=entry.reply.content(),
        delay_ms=entry.delay_ms,
        fault=entry.fault,
    )
