"""Recordings as JSON: in the state, and as files that travel to another machine."""

import base64
import binascii
import hashlib
import json
from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.errors import ManifestError
from runtime.installation.model import AppVersion
from runtime.installation.variables import Variable, freeze
from runtime.invocation.recording import Recording
from runtime.sandbox.journal import HOST_STOPS, Call, Journal
from runtime.sandbox.limits import Limits
from runtime.sandbox.values import Fault, LogLine, Outcome, Start, Usage

FORMAT = "firebrick-record/1"
MOST_FILE_BYTES = 128 * 1024 * 1024  # an app of 32 MB and budgets of 5 MB each, escaped, fit well
SHA256 = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Bytes(_Part):
    base64: str


Text = str | _Bytes | None


class _Start(_Part):
    handler: str
    args: list[object]
    seed: str = Field(pattern=SHA256)
    now: float
    env: dict[str, str]
    secrets: dict[str, str]
    extra: dict[str, object]


class _Call(_Part):
    id: int
    door: str
    request: Text
    reply: Text
    answered: bool


class _Fault(_Part):
    code: str
    message: str
    name: str
    stack: str


class _Log(_Part):
    level: str
    text: str
    at_ms: float


class _Limits(_Part):
    wall_ms: int
    cpu_ms: int
    memory_bytes: int
    stack_bytes: int
    door_calls: int
    door_request_bytes: int
    door_reply_bytes: int
    log_lines: int
    log_bytes: int
    result_bytes: int


class _Record(_Part):
    format: Literal["firebrick-record/1"]
    invocation: str
    function: str
    app: str
    app_id: str
    environment: str
    version: str
    digest: str
    image: str
    firebrick: str
    began: float
    start: _Start
    limits: _Limits
    steps: str
    clock: list[tuple[int, int]]
    stamps: list[float]
    calls: list[_Call]
    result: Text
    fault: _Fault | None
    logs: list[_Log]


class _File(_Part):
    record: _Record
    scrubbed: bool
    manifest: str
    sources: str


def write_record(recording: Recording) -> str:
    """Return a recording as JSON text, without the app's sources."""
    start, outcome = recording.start, recording.outcome
    plain = {name: text for name, text in start.env.items() if name not in recording.secrets}
    value = {
        "format": FORMAT,
        "invocation": recording.invocation_id,
        "function": recording.function,
        "app": recording.app_name,
        "app_id": recording.app_id,
        "environment": recording.environment,
        "version": recording.version,
        "digest": recording.digest,
        "image": recording.image,
        "firebrick": recording.firebrick,
        "began": recording.began_at_s,
        "start": {
            "handler": start.handler,
            "args": start.args,
            "seed": start.seed.hex(),
            "now": start.now_s,
            "env": plain,
            "secrets": dict(recording.secrets),
            "extra": dict(start.extra),
        },
        "limits": {name: getattr(recording.limits, name) for name in Limits.__dataclass_fields__},
        "steps": " ".join(recording.journal.steps),
        "clock": recording.journal.clock,
        "stamps": recording.journal.stamps,
        "calls": [
            {
                "id": call.call_id,
                "door": call.name,
                "request": _text(call.body),
                "reply": _text(call.reply),
                "answered": call.answered,
            }
            for call in recording.journal.calls
        ],
        "result": _text(outcome.result),
        "fault": None if outcome.fault is None else asdict(outcome.fault),
        "logs": [
            {"level": line.level, "text": line.text, "at_ms": line.at_ms} for line in outcome.logs
        ],
    }
    return json.dumps(value, separators=(",", ":"))


def read_record(text: str) -> Recording:
    """Return the recording in JSON text.

    Raises:
        ManifestError: ``BAD_RECORD`` if it is none.
    """
    try:
        return _recording(_Record.model_validate_json(text))
    except (ValidationError, ValueError) as error:
        raise _bad(error) from None


def write_file(recording_text: str, *, scrubbed: bool, version: AppVersion) -> str:
    """Return a record file: a stored recording and the app that it belongs to.

    Args:
        recording_text: The recording as it is stored, scrubbed.
        scrubbed: Whether anything had to be taken out of it.
        version: The app version that ran.
    """
    value = {
        "record": json.loads(recording_text),
        "scrubbed": scrubbed,
        "manifest": version.manifest_text,
        "sources": version.sources,
    }
    return json.dumps(value, indent=1) + "\n"


def read_file(text: str) -> tuple[Recording, AppVersion, bool]:
    """Return what is in a record file: the recording, its app, and whether it was scrubbed.

    Raises:
        ManifestError: ``BAD_RECORD`` if it is no record file, or if its sources are not those that
            ran.
    """
    try:
        file = _File.model_validate_json(text)
        recording = _recording(file.record)
    except (ValidationError, ValueError) as error:
        raise _bad(error) from None
    whole = f"{file.manifest}\0{file.sources}".encode()
    if hashlib.sha256(whole).hexdigest() != recording.digest:
        raise ManifestError("BAD_RECORD", "The sources in the record file are not those that ran.")
    version = AppVersion(
        id=0,
        app_id=recording.app_id,
        environment=recording.environment,
        version=recording.version,
        name=recording.app_name,
        manifest_text=file.manifest,
        scopes={},
        egress=(),
        sources=file.sources,
        digest=recording.digest,
        deployed_at_s=0.0,
        variables=freeze(Variable(name, text, False) for name, text in recording.start.env.items()),
    )
    return recording, version, file.scrubbed


def _recording(record: _Record) -> Recording:
    fault = None if record.fault is None else Fault(**record.fault.model_dump())
    start = record.start
    return Recording(
        invocation_id=record.invocation,
        function=record.function,
        app_name=record.app,
        app_id=record.app_id,
        environment=record.environment,
        version=record.version,
        digest=record.digest,
        image=record.image,
        firebrick=record.firebrick,
        began_at_s=record.began,
        start=Start(
            handler=start.handler,
            args=tuple(start.args),
            seed=bytes.fromhex(start.seed),
            now_s=start.now,
            env=start.env,
            extra=start.extra,
        ),
        secrets=start.secrets,
        limits=Limits(**record.limits.model_dump()),
        journal=Journal(
            steps=tuple(record.steps.split()),
            calls=tuple(
                Call(one.id, one.door, _data(one.request) or b"", _data(one.reply), one.answered)
                for one in record.calls
            ),
            clock=tuple(record.clock),
            stamps=tuple(record.stamps),
            halt=fault if fault is not None and fault.code in HOST_STOPS else None,
        ),
        outcome=Outcome(
            result=_data(record.result),
            fault=fault,
            logs=tuple(LogLine(one.level, one.text, one.at_ms) for one in record.logs),
            usage=Usage(),
        ),
    )


def _text(data: bytes | None) -> object:
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _data(text: Text) -> bytes | None:
    if text is None or isinstance(text, str):
        return None if text is None else text.encode()
    try:
        return base64.b64decode(text.base64, validate=True)
    except binascii.Error as error:
        raise ValueError("base64 cannot be read") from error


def _bad(error: ValidationError | ValueError) -> ManifestError:
    if isinstance(error, ValidationError):
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "the file"
        return ManifestError("BAD_RECORD", f"This is no record: {place}: {fault['msg']}.")
    return ManifestError("BAD_RECORD", f"This is no record: {error}.")
