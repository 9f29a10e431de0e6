"""Raw WebAssembly guests: any language that compiles to a core module, by a small ABI.

The ABI is documented in ``docs/guest-abi.md``. A module is checked when it is loaded, and every
import and export that is wrong is named then; nothing about it is found out only by running it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

import wasmtime

from runtime.errors import InvocationError, ManifestError
from runtime.sandbox.calls import GuestFailedError
from runtime.sandbox.doors import DoorPool, Reply
from runtime.sandbox.hostlink import (
    HostFunction,
    Inside,
    refused_imports,
    show_signature,
    signature,
)
from runtime.sandbox.instance import Instance, fault_of
from runtime.sandbox.limits import MIB, Limits
from runtime.sandbox.machine import Machine, make_engine
from runtime.sandbox.meter import LOG_LEVELS, Meter, Stopped
from runtime.sandbox.timebase import Timebase
from runtime.sandbox.values import Door, Fault, Inspect, LiveGuest, Outcome, Start
from runtime.sandbox.wasi import WASI_FUNCTIONS, WasiHost
from runtime.sandbox.wasmfile import with_exported_start

MOST_MODULE_BYTES = 32 * MIB  # of a module; compiling more would hold the host for too long
DOOR_NAME = "requestJira"
START_EXPORT = "\0start"  # what a module's start function is called by; no toolchain uses the name

RAW_FUNCTIONS = WASI_FUNCTIONS | {
    ("firebrick", DOOR_NAME): HostFunction(("i32", "i32"), "i64", "raw_request", 0),
    ("firebrick", "log"): HostFunction(("i32", "i32", "i32"), None, "raw_log", 0),
}
"""Everything that a raw guest may import (I1)."""

EXPORTS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "alloc": (("i32",), "i32"),
    "invoke": (("i32", "i32"), "i64"),
}
"""The functions that a raw guest must export, beside its ``memory``."""


def check_module(module: bytes) -> list[str]:
    """Return everything that keeps a module from being a guest; an empty list if nothing does.

    Args:
        module: Binary module, or text format.
    """
    try:
        engine, _pooling = make_engine(1, Limits().stack_bytes)
        binary = as_binary(module)
        return _problems(wasmtime.Module(engine, binary))
    except ManifestError as error:
        return [error.message]
    except wasmtime.WasmtimeError as error:
        return [f"not a valid module: {_first_line(error)}"]


def as_binary(module: bytes) -> bytes:
    """Return a binary module, from text format if need be.

    Raises:
        ManifestError: Neither a binary module nor text that parses, or too large.
    """
    if len(module) > MOST_MODULE_BYTES:
        raise ManifestError("WASM_INVALID", f"a module has at most {MOST_MODULE_BYTES} bytes")
    if module[:4] == b"\0asm":
        return module
    try:
        return bytes(wasmtime.wat2wasm(module))
    except wasmtime.WasmtimeError as error:
        raise ManifestError("WASM_INVALID", f"not WebAssembly: {error}") from error


@dataclass(frozen=True, slots=True)
class RawModule:
    """A module that follows the ABI.

    Attributes:
        compiled: The module as it runs.
        digest: SHA-256 of the binary module as it was given.
        starts: Whether it has a start function, which is `START_EXPORT` now.
    """

    compiled: wasmtime.Module
    digest: str
    starts: bool


def require_module(engine: wasmtime.Engine, module: bytes) -> RawModule:
    """Return a module that follows the ABI; raises ManifestError naming all that is wrong."""
    binary = as_binary(module)
    try:
        compiled = wasmtime.Module(engine, binary)
    except wasmtime.WasmtimeError as error:
        raise ManifestError("WASM_INVALID", f"not a valid module: {_first_line(error)}") from error
    problems = _problems(compiled)
    if problems:
        raise ManifestError("WASM_ABI", "; ".join(problems))
    started = with_exported_start(binary, START_EXPORT)
    starts = started is not binary
    digest = hashlib.sha256(binary).hexdigest()
    return RawModule(wasmtime.Module(engine, started) if starts else compiled, digest, starts)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _problems(module: wasmtime.Module) -> list[str]:
    problems = refused_imports(module, RAW_FUNCTIONS)
    exports = {item.name: item.type for item in module.exports}
    if START_EXPORT in exports:
        problems.append("an export has a name that is the sandbox's own")
    if not isinstance(exports.get("memory"), wasmtime.MemoryType):
        problems.append("export memory is missing: the guest's linear memory")
    for name, (params, result) in EXPORTS.items():
        kind = exports.get(name)
        wanted = show_signature(params, result)
        if not isinstance(kind, wasmtime.FuncType):
            problems.append(f"export {name} is missing: a function {wanted}")
        elif signature(kind) != (params, result):
            problems.append(f"export {name} must have the type {wanted}")
    return problems


class RawHost(WasiHost):
    """The host's side of a raw guest."""

    def __init__(self, start: Start, door: Door, doors: DoorPool, meter: Meter) -> None:
        super().__init__(start.seed, start.now_s)
        self.meter = meter
        self._door = door
        self._doors = doors

    def raw_log(self, level: int, pointer: int, length: int) -> int:
        """Keep one log line."""
        kept = min(length, self.meter.limits.log_bytes + 1)
        text = self.instance.read(pointer, kept).decode("utf-8", "replace")
        self.meter.log(LOG_LEVELS[level] if level < len(LOG_LEVELS) else "info", text)
        return 0

    def raw_request(self, pointer: int, length: int) -> int:
        """Make one call and put its reply into the guest's memory; 0 when there is none."""
        if not self.meter.request(length):
            return 0
        body = self.instance.read(pointer, length)
        self.meter.leave()
        reply = self._ask(body)
        self.meter.enter()
        self.instance.allow(self.meter)
        if reply is None or not self.meter.reply(len(reply)):
            return 0
        return give(self.instance, reply)

    def _ask(self, body: bytes) -> bytes | None:
        replies: SimpleQueue[Reply] = SimpleQueue()
        call_id = self.meter.door_calls
        if self.meter.timebase.asks(call_id, DOOR_NAME, body):
            self._doors.submit(self._door, call_id, DOOR_NAME, body, replies)
        reply = self.meter.timebase.wait(replies, self.meter.left_s(), expected=True)
        if reply is None:
            self.meter.check_wall()
        elif reply.body is None:
            self.meter.fail("INTERNAL", "The host failed.")
        return reply.body if reply else None


def give(instance: Instance, data: bytes) -> int:
    """Put bytes into memory that the guest allocates; return ``pointer << 32 | length``."""
    pointer = instance.call("alloc", len(data)) & 0xFFFF_FFFF
    instance.write(pointer, data)
    return pointer << 32 | len(data)


@dataclass(frozen=True, slots=True)
class WasmImage:
    """A raw WebAssembly app made ready to run.

    Attributes:
        module: The module.
        machine: Where its guests live.
        doors: Who calls doors.
        pre: The module with its imports resolved.
        timebase: Makes the time of each run.
    """

    module: RawModule
    machine: Machine
    doors: DoorPool
    pre: wasmtime.InstancePre
    timebase: Callable[[], Timebase]

    @property
    def digest(self) -> str:
        """SHA-256 of the binary module."""
        return self.module.digest

    def run(
        self, start: Start, door: Door, limits: Limits, *, inspect: Inspect | None = None
    ) -> Outcome:
        """Call ``invoke`` in a fresh guest; faults are in the outcome, never raised."""
        self.machine.require_stack(limits)
        host = RawHost(start, door, self.doors, Meter(limits, self.timebase()))
        result, fault = None, None
        try:
            try:
                result = self._invoke(host, start)
            except Stopped as stopped:
                fault = stopped.fault
            usage = host.meter.usage(_memory_bytes(host), len(result or b""))
            if inspect is not None and usage.memory_bytes:
                inspect(memoryview(host.instance.memory_image()))
        finally:
            if hasattr(host, "instance"):
                host.instance.close()
        return Outcome(result, fault, host.meter.logs(), usage)

    def open(self, start: Start, door: Door, limits: Limits) -> LiveGuest:
        """Refuse: a raw guest answers one invocation and is gone."""
        raise InvocationError("NOT_LIVE", "A raw WebAssembly guest cannot stay open.")

    def _invoke(self, host: RawHost, start: Start) -> bytes | None:
        packed = 0
        host.meter.timebase.begin_turn()
        host.meter.check_wall()
        host.meter.check()
        with Inside(host):
            try:
                host.instance = Instance(self.machine, self.pre, host.meter)
                if self.module.starts:
                    host.instance.call(START_EXPORT)
                packed = give(host.instance, _start_json(start))
                packed = host.instance.call("invoke", packed >> 32, packed & 0xFFFF_FFFF)
                host.flush_streams()
            except GuestFailedError as error:
                fault_of(error, host.meter, _memory_bytes(host))  # noted in the meter
        host.meter.check_wall()
        host.meter.check()
        return _result(host, packed >> 32, packed & 0xFFFF_FFFF)


def _memory_bytes(host: RawHost) -> int:
    return host.instance.memory_bytes() if hasattr(host, "instance") else 0


def _result(host: RawHost, pointer: int, length: int) -> bytes | None:
    """Read the result: no bytes at all stand for no result."""
    if length == 0:
        return None
    most = host.meter.limits.result_bytes
    if length > most:
        raise Stopped(Fault("RESULT_TOO_LARGE", f"The result has more than {most} bytes."))
    try:
        data = host.instance.read(pointer, length)
        json.loads(data)
    except GuestFailedError as error:
        raise Stopped(Fault("TRAP", f"The result cannot be read: {error}.")) from error
    except (ValueError, RecursionError) as error:
        message = "The guest's result is not JSON in UTF-8."
        raise Stopped(Fault("RESULT_NOT_JSON", message)) from error
    return data


def _start_json(start: Start) -> bytes:
    fields = {
        "handler": start.handler,
        "args": start.args,
        "seed": start.seed.hex(),
        "now": start.now_s * 1000,
        "env": dict(start.env),
        "extra": dict(start.extra),
    }
    return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()
