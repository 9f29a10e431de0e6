"""Guest bytes to typed requests and back: total, with one error.

The format is UTF-8 JSON, described in ``docs/guest-abi.md``.
"""

import base64
import binascii
import json
import re
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.errors import ForgeError
from runtime.gateway.outside import ExternalCall, Redirect
from runtime.gateway.remotes import RemoteCall
from runtime.gateway.values import ProductCall, ProductReply

METHOD_CHARACTERS = 16  # no HTTP method is longer
UNSENT_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})  # Fetch Standard, "forbidden method"
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class CodecError(ForgeError):
    """The guest's bytes are not a request."""

    def __init__(self, message: str) -> None:
        super().__init__("BAD_REQUEST", message)


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class _JiraRequestBody(_Wire):
    path: str
    method: str = Field("GET", max_length=METHOD_CHARACTERS)
    headers: dict[str, str] | list[tuple[str, str]] = Field(default_factory=dict)
    body: str | None = None
    body_encoding: Literal["utf-8", "base64"] = Field("utf-8", alias="bodyEncoding")
    provider: Literal["app", "user", "none"] = "none"
    account_id: str | None = Field(None, alias="accountId", max_length=128)
    remote: str = Field("jira", max_length=128)


class _FetchBody(_Wire):
    url: str
    method: str = Field("GET", max_length=METHOD_CHARACTERS)
    headers: dict[str, str] | list[tuple[str, str]] = Field(default_factory=dict)
    body: str | None = None
    body_encoding: Literal["utf-8", "base64"] = Field("utf-8", alias="bodyEncoding")
    redirect: Redirect = "follow"


class _RemoteBody(_Wire):
    remote: str = Field(max_length=128)
    path: str
    method: str = Field("GET", max_length=METHOD_CHARACTERS)
    headers: dict[str, str] | list[tuple[str, str]] = Field(default_factory=dict)
    body: str | None = None
    body_encoding: Literal["utf-8", "base64"] = Field("utf-8", alias="bodyEncoding")


_Body = TypeVar("_Body", bound=_Wire)


def _read(kind: type[_Body], raw: bytes) -> _Body:
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        raise CodecError(_first(error)) from None


def decode_request(raw: bytes) -> ProductCall:
    """Return the product request in a guest's bytes.

    Raises:
        CodecError: For anything that is not exactly one request.
    """
    body = _read(_JiraRequestBody, raw)
    return ProductCall(
        path=body.path,
        method=body.method.upper(),
        headers=_pairs(body.headers),
        body=_body(body.body, body.body_encoding),
        act_as=body.provider,
        account_id=body.account_id,
        remote=body.remote,
    )


def decode_fetch(raw: bytes) -> ExternalCall:
    """Return the external request in a guest's bytes.

    Raises:
        CodecError: For anything that is not exactly one request.
    """
    body = _read(_FetchBody, raw)
    if not _METHOD.fullmatch(body.method) or body.method.upper() in UNSENT_METHODS:
        raise CodecError("method: not one that fetch sends")
    return ExternalCall(
        url=body.url,
        method=body.method,
        headers=_pairs(body.headers),
        body=_body(body.body, body.body_encoding),
        redirect=body.redirect,
    )


def decode_remote(raw: bytes) -> RemoteCall:
    """Return the request to a remote in a guest's bytes.

    Raises:
        CodecError: For anything that is not exactly one request.
    """
    body = _read(_RemoteBody, raw)
    return RemoteCall(
        remote=body.remote,
        path=body.path,
        method=body.method.upper(),
        headers=_pairs(body.headers),
        body=_body(body.body, body.body_encoding),
    )


def encode_reply(reply: ProductReply, **more: object) -> bytes:
    """Return the bytes that carry an answer to the guest, with further fields of it."""
    value: dict[str, object] = {"status": reply.status, "headers": list(reply.headers), **more}
    try:
        value["body"] = reply.body.decode()
    except UnicodeDecodeError:
        value["body"] = base64.b64encode(reply.body).decode()
        value["bodyEncoding"] = "base64"
    return json.dumps(value, separators=(",", ":")).encode()


def encode_error(code: str, message: str) -> bytes:
    """Return the bytes that carry a failure to the guest."""
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def _pairs(headers: dict[str, str] | list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(headers.items() if isinstance(headers, dict) else headers)


def _body(text: str | None, encoding: str) -> bytes | None:
    if text is None:
        return None
    if encoding == "utf-8":
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CodecError("body is not base64") from None


def _first(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in fault["loc"]) or "request"
    return f"{place}: {fault['msg']}"
