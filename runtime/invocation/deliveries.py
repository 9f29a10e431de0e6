"""What an endpoint's remote is sent, and what its answers mean: once for a page, again for events.

Nothing here knows where a remote is or what proves the platform to it: whoever sends does. So what
was sent and answered can be kept, and the same lines make the same of it again, offline.

Source:
    Forge documentation, "Sending Atlassian app and lifecycle events to a remote", "Handling
    retries", and the contract in "Forge Remote essentials".

Differs:
    Where the documentation puts ``retryContext`` below ``payload``, it stands there if what is sent
    has such an object, else at the top.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runtime.errors import ForgeError, StateError
from runtime.gateway.outside import ExternalReply
from runtime.gateway.remotes import (
    EVENT_TIMEOUT_S,
    FIT_REFUSED,
    UI_TIMEOUT_S,
    UNAUTHORIZED,
    RemoteCall,
)
from runtime.sandbox.journal import Call
from runtime.sandbox.values import Fault

RETRIES = 4  # of an event, after the first attempt
RETRY_DELAY_S = 60.0
DOOR = "endpoint"  # what a recording calls the way to an endpoint's remote
SHOWN_CHARACTERS = 300  # of a failing answer's body
SUCCESS = range(200, 300)

REASONS: Mapping[str, str] = {
    "REMOTE_FAILED": "INVALID_REMOTE_INVOCATION_ERROR",
    "REMOTE_REDIRECT": "INVALID_REMOTE_INVOCATION_ERROR",
    "REMOTE_UNREACHABLE": "INVALID_REMOTE_INVOCATION_ERROR",
    "REMOTE_TIMEOUT": "TIMEOUT_ERROR",
    "REMOTE_UNAUTHORIZED": "INVALID_FORGE_INVOCATION_TOKEN",
}
"""Failures after which an event is sent again, and what the remote is told of each. What the
emulator itself refuses to ask is not among them: asking again would come to the same."""

Send = Callable[[RemoteCall], ExternalReply]
"""Asks a remote; raises `ForgeError` where there is no answer to make something of."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What an endpoint is to do.

    Attributes:
        remote: Key of the remote.
        path: What is appended to its base URL.
        body: What is sent, as a JSON value.
        is_event: Whether nobody waits for it: 5 s, and again if it fails.
    """

    remote: str
    path: str
    body: object
    is_event: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a remote was asked.

    Attributes:
        number: Counts from 1.
        delay_s: How long after the last one the platform makes it.
        code: Code of its failure; None if it succeeded.
        message: Why it failed; empty if it did not.
    """

    number: int
    delay_s: float
    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of an errand.

    Attributes:
        result: JSON of the answer; None if it is empty, or on a fault.
        fault: Why it failed; of several attempts, the last.
        attempts: Each attempt, in order.
        calls: What was sent and answered, without any credential.
    """

    result: bytes | None
    fault: Fault | None
    attempts: tuple[Attempt, ...]
    calls: tuple[Call, ...]


def deliver(errand: Errand, send: Send, wait: Callable[[float], object]) -> Delivery:
    """Send an errand to its remote; an event up to four times more while it fails.

    Args:
        errand: What is to be done.
        send: Asks the remote.
        wait: Is told how many seconds the platform lets pass before the next attempt.

    Raises:
        StateError: The state cannot be used.
    """
    attempts: list[Attempt] = []
    calls: list[Call] = []
    body = errand.body
    while True:
        number = len(attempts) + 1
        call = _call(errand, body, number)
        answer = _ask(send, call)
        result, fault = _meaning(answer)
        calls.append(Call(number, DOOR, _request_text(call), _answer_text(answer), True))
        code, message = (None, "") if fault is None else (fault.code, fault.message)
        attempts.append(Attempt(number, RETRY_DELAY_S if attempts else 0.0, code, message))
        reason = REASONS.get(code or "")
        if reason is None or not errand.is_event or number > RETRIES:
            return Delivery(result, fault, tuple(attempts), tuple(calls))
        wait(RETRY_DELAY_S)
        body = _again(errand.body, number, reason)


def jump(_seconds: float) -> None:
    """Let no time pass: what the platform waits for is not waited for here."""


def _call(errand: Errand, body: object, number: int) -> RemoteCall:
    return RemoteCall(
        remote=errand.remote,
        path=errand.path,
        headers=(("content-type", "application/json"),),
        body=json.dumps(body, separators=(",", ":")).encode(),
        timeout_s=EVENT_TIMEOUT_S if errand.is_event else UI_TIMEOUT_S,
        attempt=number if errand.is_event else None,
    )


def _again(body: object, count: int, reason: str) -> object:
    """Return what is sent again: the same, and why. What is no object has no room for that."""
    if not isinstance(body, dict):
        return body
    context = {"retryData": None, "retryCount": count, "retryReason": reason}
    inner = body.get("payload")
    if isinstance(inner, dict):
        return {**body, "payload": {**inner, "retryContext": context}}
    return {**body, "retryContext": context}


def _ask(send: Send, call: RemoteCall) -> ExternalReply | ForgeError:
    try:
        return send(call)
    except StateError:
        raise
    except ForgeError as error:
        return error


def _meaning(answer: ExternalReply | ForgeError) -> tuple[bytes | None, Fault | None]:
    if isinstance(answer, ForgeError):
        return None, Fault(answer.code, answer.message)
    if answer.status == UNAUTHORIZED:
        return None, Fault("REMOTE_UNAUTHORIZED", FIT_REFUSED)
    text = answer.body.decode("utf-8", "replace")
    if answer.status not in SUCCESS:
        message = f"The remote answered {answer.status}: {text[:SHOWN_CHARACTERS]}".rstrip(": ")
        return None, Fault("REMOTE_FAILED", message)
    if not text.strip():
        return None, None
    try:
        return json.dumps(json.loads(text, parse_constant=_refuse_constant)).encode(), None
    except (ValueError, RecursionError):
        return json.dumps(text).encode(), None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


# --------------------------------------------------------------------- as a recording holds it


def _request_text(call: RemoteCall) -> bytes:
    value = {
        "remote": call.remote,
        "method": call.method,
        "path": call.path,
        "headers": list(call.headers),
        "body": (call.body or b"").decode(),
    }
    return json.dumps(value, separators=(",", ":")).encode()


def _answer_text(answer: ExternalReply | ForgeError) -> bytes:
    """Return what an answer's meaning depends on; its headers, cookies among them, are not kept."""
    if isinstance(answer, ForgeError):
        value: dict[str, object] = {"error": {"code": answer.code, "message": answer.message}}
    else:
        value = {"status": answer.status}
        try:
            value["body"] = answer.body.decode()
        except UnicodeDecodeError:
            value |= {"body": base64.b64encode(answer.body).decode(), "bodyEncoding": "base64"}
    return json.dumps(value, separators=(",", ":")).encode()


def read_answer(text: bytes | None) -> ExternalReply:
    """Return the answer that a recording holds.

    Raises:
        ForgeError: The failure that it holds instead.
        ValueError: It holds neither.
    """
    value = json.loads(text or b"null")
    if not isinstance(value, dict):
        raise ValueError("an answer is an object")  # noqa: TRY004  # of a file: one kind of fault
    error = value.get("error")
    if isinstance(error, dict):
        raise ForgeError(str(error.get("code")), str(error.get("message")))
    status, body = value.get("status"), value.get("body")
    if type(status) is not int or not isinstance(body, str):
        raise ValueError("an answer has a status and a body")
    if value.get("bodyEncoding") != "base64":
        return ExternalReply(status, (), body.encode())
    try:
        return ExternalReply(status, (), base64.b64decode(body, validate=True))
    except binascii.Error as error_:
        raise ValueError("base64 cannot be read") from error_
