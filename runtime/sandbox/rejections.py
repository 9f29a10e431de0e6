"""Let the guest's kernel hear of promises that were rejected with nobody listening.

The engine has a hook for it, which its package offers no function for: two words of the engine's
runtime, a place in the module's table and what to hand over. So the module gets one more function
in one more place of its table, and loading an app fills in the two words. The function tells the
kernel: of a promise that was rejected while nobody listened, and of one that is listened to after
all.

Source:
    ECMAScript 2023, section 27.2.1.9, HostPromiseRejectionTracker; the offsets are those of the
    guest of quickjs-rs 0.2.6, whose bytes are compared with `GUEST_SHA256`.
"""

import hashlib
import struct
from collections.abc import Mapping
from functools import cache

from runtime.errors import StateError
from runtime.sandbox.instance import Instance
from runtime.sandbox.quickjs import QuickJs, guest_bytes
from runtime.sandbox.wasmcode import (
    ADD,
    EMPTY_BLOCK,
    END,
    EQZ,
    I32,
    I64,
    IF,
    SHL,
    call,
    const,
    get,
    load,
    store,
    store_long,
)
from runtime.sandbox.wasmfile import with_function, with_table_entry

GUEST_SHA256 = "647ab11ae29cc6d39a6d17d3aa1e7a6a0b5fb9c44b4864475a18bc644f926050"

_NAME = "\0rejection"
_CONTEXT = 1_175_452  # address of the guest's pointer to the engine's context
_RUNTIME_OF_CONTEXT = 16  # offset of a context's pointer to its runtime
_HOOK, _OPAQUE = 180, 184  # offsets in the runtime: the function's place, and what it is given

# The block that the function is given: handles of the kernel's two functions and of undefined, a
# place for what they return, two handles made on the spot, and the argument list of both.
_FUNCTIONS, _UNDEFINED, _OUT, _PROMISE, _REASON, _ARGV = 0, 8, 12, 16, 40, 64
_BLOCK_BYTES = 72
_CONTEXT_OF_HANDLE, _RUNTIME_OF_HANDLE = 8, 16  # in a handle, behind 64 bits of value
_CTX, _SETTLED, _WHY, _HANDLED, _BLOCK = range(5)


@cache
def tracking_guest() -> tuple[bytes, int]:
    """Return the packaged guest with the function, and its place in the table."""
    return with_tracker(guest_bytes())


def with_tracker(guest: bytes) -> tuple[bytes, int]:
    """Return a guest with the function, and its place in the table.

    Raises:
        StateError: It is another build than the one these offsets are of.
    """
    if hashlib.sha256(guest).hexdigest() != GUEST_SHA256:
        raise StateError("GUEST_MISMATCH", "the packaged guest is not the build that is known")
    added = with_function(
        guest,
        _NAME,
        params=bytes([I32, I64, I64, I32, I32]),
        results=b"",
        local_types=b"",
        code=_tell,
    )
    return with_table_entry(added, _NAME)


def _tell(functions: Mapping[str, int]) -> bytes:
    """``(context, promise, reason, handled, block)``: call the kernel's function for it."""
    which = get(_BLOCK) + get(_HANDLED) + const(2) + bytes([SHL, ADD]) + load(_FUNCTIONS)
    arguments = get(_BLOCK) + load(_UNDEFINED) + _inside(_ARGV) + const(2) + _inside(_OUT)
    returned = get(_BLOCK) + load(_OUT) + call(functions["free_value"])
    return b"".join(
        [
            _handle(_PROMISE, _SETTLED),
            _handle(_REASON, _WHY),
            which + arguments + call(functions["call_function"]),
            bytes([EQZ, IF, EMPTY_BLOCK]) + returned + bytes([END]),
        ]
    )


def _inside(offset: int) -> bytes:
    return get(_BLOCK) + const(offset) + bytes([ADD])


def _handle(offset: int, value: int) -> bytes:
    """Make a handle that borrows a value."""
    runtime = get(_CTX) + load(_RUNTIME_OF_CONTEXT)
    return b"".join(
        [
            get(_BLOCK) + get(value) + store_long(offset),
            get(_BLOCK) + get(_CTX) + store(offset + _CONTEXT_OF_HANDLE),
            get(_BLOCK) + runtime + store(offset + _RUNTIME_OF_HANDLE),
        ]
    )


def track(
    js: QuickJs, instance: Instance, functions: tuple[int, int], undefined: int, place: int
) -> None:
    """Have the engine call the kernel from now on.

    Args:
        js: The guest.
        instance: The same guest's memory.
        functions: Handles of the kernel's function for a promise that was rejected unheard, and
            of its function for one that is listened to after all.
        undefined: Handle of undefined.
        place: Of the added function in the table.
    """
    block = js.allocate(_BLOCK_BYTES)
    words = (*functions, undefined, 0, *(0,) * 12, block + _PROMISE, block + _REASON)
    instance.write(block, struct.pack("<18I", *words))
    runtime = js.word(js.word(_CONTEXT) + _RUNTIME_OF_CONTEXT)
    instance.write(runtime + _HOOK, struct.pack("<2I", place, block))
