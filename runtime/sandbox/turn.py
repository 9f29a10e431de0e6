"""One function, added to every snapshot, that does a whole turn inside wasm.

Without it the host crosses into the guest a dozen times a turn, and looks up a dozen exports of
every fresh instance; with it, once. It does what the host would do: make a string of the event,
hand it to the kernel, run jobs until none is left, ask the kernel what it wants, and encode the
answer. What goes wrong on the way is only reported: the host looks into it afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.sandbox.quickjs import FAILED, MOST_JOBS, QuickJs
from runtime.sandbox.wasmfile import signed_leb, unsigned_leb, with_function

TURN = "\0turn"
STAGE_BITS = 8
NO_STRING, STEP_FAILED, FLUSH_FAILED, NO_TEXT = 1, 2, 3, 4

_I32, _I64 = 0x7F, 0x7E
_LENGTH, _STRING, _STATUS = 0, 1, 2  # the parameter and the two locals
_EMPTY_BLOCK = 0x40
_LOOP, _IF, _END, _BR_IF, _RETURN, _CALL = 0x03, 0x04, 0x0B, 0x0D, 0x0F, 0x10
_GET, _TEE, _LOAD, _STORE = 0x20, 0x22, 0x28, 0x36
_I32_CONST, _I64_CONST, _EQZ, _GE_S, _AND, _OR = 0x41, 0x42, 0x45, 0x4E, 0x71, 0x72
_I64_OR, _I64_SHL, _EXTEND = 0x84, 0x86, 0xAD
_WORD = bytes([2, 0])  # alignment of a 32-bit access, and no offset


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
        params=bytes([_I32]),
        results=bytes([_I64]),
        local_types=bytes([_I32, _I32]),
        code=lambda functions: _turn(functions, layout),
    )


def _turn(functions: Mapping[str, int], layout: Layout) -> bytes:
    def call(name: str) -> bytes:
        return bytes([_CALL]) + unsigned_leb(functions[name])

    slot, argv = _const(layout.slot), _const(layout.slot + QuickJs.ARGV_OFFSET)
    handle = slot + bytes([_LOAD]) + _WORD
    step = b"".join(
        [
            _const(layout.scratch) + _get(_LENGTH) + call("new_string"),
            bytes([_TEE, _STRING, _EQZ]) + _fail_if(_const(NO_STRING << STAGE_BITS)),
            argv + _get(_STRING) + bytes([_STORE]) + _WORD,
            _const(layout.step) + _const(layout.undefined) + argv + _const(1) + slot,
            call("call_function") + _fail_if_status(STEP_FAILED),
            handle + call("free_value") + _get(_STRING) + call("free_value"),
        ]
    )
    jobs = call("execute_pending_jobs") + _const(MOST_JOBS) + bytes([_GE_S, _BR_IF, 0])
    return b"".join(
        [
            _get(_LENGTH) + bytes([_IF, _EMPTY_BLOCK]) + step + bytes([_END]),
            bytes([_LOOP, _EMPTY_BLOCK]) + jobs + bytes([_END]),
            _const(layout.flush) + _const(layout.undefined) + argv + _const(0) + slot,
            call("call_function") + _fail_if_status(FLUSH_FAILED),
            handle + call("get_string") + _fail_if_status(NO_TEXT),
            handle + call("free_value"),
            call("qjs_last_ptr") + bytes([_EXTEND, _I64_CONST, 32, _I64_SHL]),
            call("qjs_last_len") + bytes([_EXTEND, _I64_OR]),
        ]
    )


def _const(value: int) -> bytes:
    return bytes([_I32_CONST]) + signed_leb(value)


def _get(local: int) -> bytes:
    return bytes([_GET, local])


def _fail_if(length: bytes) -> bytes:
    """If the top of the stack is not 0, return a failure with this length."""
    failed = bytes([_I64_CONST]) + signed_leb(-1 << 32)
    answer = failed + length + bytes([_EXTEND, _I64_OR, _RETURN])
    return bytes([_IF, _EMPTY_BLOCK]) + answer + bytes([_END])


def _fail_if_status(stage: int) -> bytes:
    """If the top of the stack, a status, is not 0, return a failure of this stage."""
    status = _get(_STATUS) + _const((1 << STAGE_BITS) - 1) + bytes([_AND])
    length = _const(stage << STAGE_BITS) + status + bytes([_OR])
    return bytes([_TEE, _STATUS]) + _fail_if(length)


def is_failure(packed: int) -> bool:
    """Return whether a turn's answer stands for a failure."""
    return packed >> 32 == FAILED
