"""Drive the packaged QuickJS-NG guest through its exported functions.

A handle is an address in the guest that stands for a JavaScript value. A status is 0 when all went
well and 1 when JavaScript threw. Text passes through buffers inside the guest's memory.

Source:
    The guest of the package quickjs-rs 0.2.6, whose exports this follows; the version is pinned.
"""

import struct
from importlib.resources import files

import wasmtime

from runtime.errors import StateError
from runtime.sandbox.calls import GuestFailedError, Word
from runtime.sandbox.hostlink import signature
from runtime.sandbox.instance import Instance

STATUS_OK, STATUS_THREW = 0, 1
FAILED = 0xFFFF_FFFF  # what a host call returns so that the guest throws
MOST_JOBS = 100_000  # how many jobs one call of execute_pending_jobs runs at most
PENDING, FULFILLED = 0, 1
SHORT_BYTES = 1 << 18  # of a text that is taken whole without a limit of its own
SLOT_BYTES = 64  # for out-parameters and argument lists

_I: Word = "i32"
EXPORTS: dict[str, tuple[tuple[Word, ...], Word | None]] = {
    "qjs_alloc": ((_I,), _I),
    "qjs_free": ((_I, _I), None),
    "qjs_last_len": ((), _I),
    "qjs_last_ptr": ((), _I),
    "call_function": ((_I, _I, _I, _I, _I), _I),
    "eval_code": ((_I, _I, _I), _I),
    "eval_module_async": ((_I, _I, _I, _I, _I), _I),
    "execute_pending_jobs": ((), _I),
    "free_value": ((_I,), None),
    "get_number": ((_I, _I), _I),
    "get_prop": ((_I, _I, _I, _I), _I),
    "get_string": ((_I,), _I),
    "last_exception": ((_I,), _I),
    "new_bool": ((_I,), _I),
    "new_function": ((_I, _I), _I),
    "new_object": ((), _I),
    "new_string": ((_I, _I), _I),
    "new_uint8array": ((_I, _I, _I), _I),
    "new_undefined": ((), _I),
    "promise_result": ((_I, _I), _I),
    "promise_state": ((_I, _I), _I),
    "run_gc": ((), None),
    "set_memory_limit": ((_I,), None),
    "set_prop": ((_I, _I, _I, _I), _I),
}
"""The exports that are used, so that a guest of another build is refused when it is loaded."""


def guest_bytes() -> bytes:
    """Return the packaged guest."""
    return (files("quickjs_rs") / "_guest.wasm").read_bytes()


def require_guest(module: wasmtime.Module) -> None:
    """Refuse another build of the guest than the one whose exports this module follows.

    Raises:
        StateError: An export is missing or has another type.
    """
    exports = {item.name: item.type for item in module.exports}
    for name, wanted in EXPORTS.items():
        kind = exports.get(name)
        if not isinstance(kind, wasmtime.FuncType) or signature(kind) != wanted:
            raise StateError("GUEST_MISMATCH", f"the packaged guest has no fitting export {name}")


class ScriptError(GuestFailedError):
    """JavaScript threw.

    Args:
        error: Handle of what was thrown; 0 if it cannot be had.
    """

    def __init__(self, error: int) -> None:
        super().__init__("JavaScript threw")
        self.error = error


class GuestBrokenError(GuestFailedError):
    """The guest answered in a way it only does when it has no memory left or is damaged."""


class QuickJs:
    """The exports of one guest as methods.

    Args:
        instance: The guest.
        slot: Address of `SLOT_BYTES` bytes that are ours; 0 to allocate them.
    """

    ARGV_OFFSET = 8  # of the slot: where argument lists begin, behind out-parameters

    def __init__(self, instance: Instance, slot: int = 0) -> None:
        self._instance = instance
        self.call = instance.call
        self.slot = slot or self.allocate(SLOT_BYTES)

    def allocate(self, size: int) -> int:
        """Return the address of new bytes in the guest."""
        pointer = self.call("qjs_alloc", size)
        if pointer == 0:
            raise GuestBrokenError("the guest has no memory left")
        return pointer

    def word(self, pointer: int) -> int:
        """Return the 32 bits at an address."""
        return int.from_bytes(self._instance.read(pointer, 4), "little")

    def handle(self, handle: int) -> int:
        """Return a handle that must not be null."""
        if handle in {0, FAILED}:
            raise GuestBrokenError("the guest could not make a value")
        return handle

    def _answer(self, status: int) -> int:
        """Return the handle in the slot, or raise what the status says."""
        if status == STATUS_OK:
            return self.handle(self.word(self.slot))
        if status == STATUS_THREW:
            raise ScriptError(self.exception())
        raise GuestBrokenError(f"the guest answered with status {status}")

    def exception(self) -> int:
        """Take what was thrown last; 0 if it cannot be had."""
        status = self.call("last_exception", self.slot)
        return self.word(self.slot) if status == STATUS_OK else 0

    # ------------------------------------------------------------------------------------ values

    def string(self, data: bytes) -> int:
        """Return a handle of a string; the bytes are UTF-8 and not empty."""
        pointer = self.allocate(len(data))
        self._instance.write(pointer, data)
        made = self.call("new_string", pointer, len(data))
        self.call("qjs_free", pointer, len(data))
        return self.handle(made)

    def bytes_array(self, data: bytes) -> int:
        """Return a handle of a Uint8Array; the bytes are not empty."""
        pointer = self.allocate(len(data))
        self._instance.write(pointer, data)
        status = self.call("new_uint8array", pointer, len(data), self.slot)
        self.call("qjs_free", pointer, len(data))
        return self._answer(status)

    def encode(self, handle: int) -> int:
        """Encode a string as UTF-8 inside the guest and return its length."""
        if self.call("get_string", handle) != STATUS_OK:
            raise GuestBrokenError("the guest could not encode a string")
        return self.call("qjs_last_len")

    def encoded(self, length: int) -> bytes:
        """Return the first bytes of the string that was encoded last."""
        return self._instance.read(self.call("qjs_last_ptr"), length)

    def text(self, handle: int, most: int = SHORT_BYTES) -> bytes:
        """Return the UTF-8 text of a string, at most `most` bytes of it."""
        return self.encoded(min(self.encode(handle), most))

    def number(self, handle: int) -> float:
        """Return a number's value."""
        if self.call("get_number", handle, self.slot) != STATUS_OK:
            raise GuestBrokenError("not a number")
        return float(struct.unpack("<d", self._instance.read(self.slot, 8))[0])

    def function(self, name: str) -> int:
        """Return a handle of a function that calls the host under `name`."""
        data = name.encode()
        pointer = self.allocate(len(data))
        self._instance.write(pointer, data)
        return self.handle(self.call("new_function", pointer, len(data)))

    def set(self, target: int, name: str, value: int) -> None:
        """Set a property."""
        data = name.encode()
        pointer = self.allocate(len(data))
        self._instance.write(pointer, data)
        if self.call("set_prop", target, pointer, len(data), value) != STATUS_OK:
            raise GuestBrokenError("the guest could not set a property")

    def get(self, target: int, name: str) -> int:
        """Return a property."""
        data = name.encode()
        pointer = self.allocate(len(data))
        self._instance.write(pointer, data)
        return self._answer(self.call("get_prop", target, pointer, len(data), self.slot))

    # --------------------------------------------------------------------------------------- code

    def invoke(self, function: int, this: int, *arguments: int) -> int:
        """Call a function; raises ScriptError."""
        words = struct.pack(f"<{len(arguments)}I", *arguments)
        argv = self.slot + self.ARGV_OFFSET
        if len(words) > SLOT_BYTES - self.ARGV_OFFSET:
            argv = self.allocate(len(words))
        self._instance.write(argv, words)
        status = self.call("call_function", function, this, argv, len(arguments), self.slot)
        return self._answer(status)

    def evaluate(self, code: str) -> int:
        """Evaluate a script and return its value; raises ScriptError."""
        data = code.encode()
        pointer = self.allocate(len(data))
        self._instance.write(pointer, data)
        status = self.call("eval_code", pointer, len(data), self.slot)
        self.call("qjs_free", pointer, len(data))
        return self._answer(status)

    def evaluate_module(self, name: str, code: str) -> int:
        """Evaluate a module and what it imports; return the promise of its evaluation."""
        data, called = code.encode(), name.encode()
        pointer, named = self.allocate(len(data)), self.allocate(len(called))
        self._instance.write(pointer, data)
        self._instance.write(named, called)
        status = self.call("eval_module_async", pointer, len(data), named, len(called), self.slot)
        self.call("qjs_free", pointer, len(data))
        return self._answer(status)

    def drain(self) -> int:
        """Run pending jobs and return how many ran; `MOST_JOBS` means there may be more."""
        return self.call("execute_pending_jobs")

    def promise(self, promise: int) -> int | None:
        """Return the value of a promise, None if it is pending; raises ScriptError."""
        if self.call("promise_state", promise, self.slot) != STATUS_OK:
            raise GuestBrokenError("not a promise")
        if self.word(self.slot) == PENDING:
            return None
        status = self.call("promise_result", promise, self.slot)
        value = self.word(self.slot)
        if status == STATUS_THREW:
            raise ScriptError(value)
        return value
