"""One function, added to every snapshot, that does a whole turn inside wasm.

Without it the host crosses into the guest a dozen times a turn, and looks up a dozen exports of
every fresh instance; with it, once. It does what the host would do: make a string of the event,
hand it to the kernel, run jobs until none is left, ask the kernel what it wants, and encode the
answer. What goes wrong on the way is only reported: the host looks into it afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.sandbox.quickjs import FAILED, MOST_JOBS, QuickJs
from runtime.sandbox.wasmcode import (
    AND,
    BR_IF,
    EMPTY_BLOCK,
    END,
    EQZ,
    EXTEND,
    GE_S,
    I32,
    I64,
    I64_CONST,
    I64_OR,
    I64_SHL,
    IF,
    LOOP,
    OR,
    RETURN,
    TEE,
    call,
    const,
    get,
    load,
    store,
)
from runtime.sandbox.wasmfile import signed_leb, with_function

TURN = "\0turn"
STAGE_BITS = 8
NO_STRING, STEP_FAILED, FLUSH_FAILED, NO_TEXT = 1, 2, 3, 4

_LENGTH, _STRING, _STATUS = 0, 1, 2  # the parameter and the two locals


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are in a snapshot: handles of kernel functions, and buffers.

    Attributes:
        undefined: Handle of undefined, for ``this``.
        step: Handle of the kernel's ``step``.
        flush: Handle of the kernel's ``flush``.
        describe: Handle of the kernel's ``describe``.
        slot: Address for out-parameters and argument lists.
        scratch: Address of a buffer for the text of one event.
    """

    undefined: int
    step: int
    flush: int
    describe: int
    slot: int
    scratch: int


def with_turn(module: bytes, layout: Layout) -> bytes:
    """Return the module with the function `TURN`.

    ``(length) -> pointer << 32 | length``: the event's text is in the scratch buffer; a length of 0
    stands for no event. A pointer of `FAILED` stands for a failure, whose stage is in the length's
    upper bits and whose status is in its lower `STAGE_BITS`.
    """
    return with_function(
        module,
        TURN,
        params=bytes([I32]),
        results=bytes([I64]),
        local_types=bytes([I32, I32]),
        code=lambda functions: _turn(functions, layout),
    )


def _turn(functions: Mapping[str, int], layout: Layout) -> bytes:
    def run(name: str) -> bytes:
        return call(functions[name])

    slot, argv = const(layout.slot), const(layout.slot + QuickJs.ARGV_OFFSET)
    handle = slot + load()
    step = b"".join(
        [
            const(layout.scratch) + get(_LENGTH) + run("new_string"),
            bytes([TEE, _STRING, EQZ]) + _fail_if(const(NO_STRING << STAGE_BITS)),
            argv + get(_STRING) + store(),
            const(layout.step) + const(layout.undefined) + argv + const(1) + slot,
            run("call_function") + _fail_if_status(STEP_FAILED),
            handle + run("free_value") + get(_STRING) + run("free_value"),
        ]
    )
    jobs = run("execute_pending_jobs") + const(MOST_JOBS) + bytes([GE_S, BR_IF, 0])
    return b"".join(
        [
            get(_LENGTH) + bytes([IF, EMPTY_BLOCK]) + step + bytes([END]),
            bytes([LOOP, EMPTY_BLOCK]) + jobs + bytes([END]),
            const(layout.flush) + const(layout.undefined) + argv + const(0) + slot,
            run("call_function") + _fail_if_status(FLUSH_FAILED),
            handle + run("get_string") + _fail_if_status(NO_TEXT),
            handle + run("free_value"),
            run("qjs_last_ptr") + bytes([EXTEND, I64_CONST, 32, I64_SHL]),
            run("qjs_last_len") + bytes([EXTEND, I64_OR]),
        ]
    )


def _fail_if(length: bytes) -> bytes:
    """If the top of the stack is not 0, return a failure with this length."""
    failed = bytes([I64_CONST]) + signed_leb(-1 << 32)
    answer = failed + length + bytes([EXTEND, I64_OR, RETURN])
    return bytes([IF, EMPTY_BLOCK]) + answer + bytes([END])


def _fail_if_status(stage: int) -> bytes:
    """If the top of the stack, a status, is not 0, return a failure of this stage."""
    status = get(_STATUS) + const((1 << STAGE_BITS) - 1) + bytes([AND])
    length = const(stage << STAGE_BITS) + status + bytes([OR])
    return bytes([TEE, _STATUS]) + _fail_if(length)


def is_failure(packed: int) -> bool:
    """Return whether a turn's answer stands for a failure."""
    return packed >> 32 == FAILED
