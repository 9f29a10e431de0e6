"""How the host reaches into wasmtime: two ways with one face, and how a guest can fail on it."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import wasmtime

Word = Literal["i32", "i64"]
HostBody = Callable[..., int]
"""Body of a host function: unsigned numbers in, one number out; it never raises."""
EpochBody = Callable[[], bool]
"""Asked once per tick while a guest computes: may it go on?"""
GuestCall = Callable[..., int]

MASKS: dict[Word, int] = {"i32": 0xFFFF_FFFF, "i64": 0xFFFF_FFFF_FFFF_FFFF}


class GuestFailedError(Exception):
    """A guest cannot go on.

    Args:
        message: Why; it may hold the guest's own names.
        code: Wasmtime's trap code, such as ``UNREACHABLE``; empty for everything else.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class GuestTrapError(GuestFailedError):
    """A guest stopped inside wasm, or was stopped there."""


def trap_of(error: wasmtime.Trap | wasmtime.WasmtimeError) -> GuestTrapError:
    """Return what wasmtime says as the sandbox says it."""
    code = error.trap_code if isinstance(error, wasmtime.Trap) else None
    return GuestTrapError(str(error), code.name if code else "")


class GuestAccessError(GuestFailedError):
    """A guest handed out a pointer that lies outside its memory."""


class Memory(Protocol):
    """A guest's linear memory; every access is bounds-checked."""

    def size(self) -> int:
        """Return the size in bytes at this moment."""

    def read(self, pointer: int, length: int) -> bytes:
        """Return a copy; raise GuestAccessError outside the memory."""

    def write(self, pointer: int, data: bytes) -> None:
        """Copy in; raise GuestAccessError outside the memory."""


class Calls(Protocol):
    """How the host reaches into wasmtime."""

    @property
    def name(self) -> str:
        """``raw`` or ``public``."""

    @property
    def asks(self) -> bool:
        """Whether a guest that computes can be asked about at every tick."""

    def define(
        self,
        linker: wasmtime.Linker,
        name: tuple[str, str],
        params: Sequence[Word],
        result: Word | None,
        body: HostBody,
    ) -> None:
        """Offer one host function; the caller holds the lock of the process."""

    def function(self, store: wasmtime.Store, instance: wasmtime.Instance, name: str) -> GuestCall:
        """Return an exported function as a callable of unsigned numbers."""

    def memory(self, store: wasmtime.Store, instance: wasmtime.Instance) -> Memory:
        """Return the exported memory."""

    def on_epoch(self, store: wasmtime.Store, body: EpochBody) -> None:
        """Ask `body` at every tick whether the guest may go on, where the path can ask."""

    def allow(self, store: wasmtime.Store, ticks: int) -> None:
        """Let the guest compute for `ticks` more, where the path cannot ask."""


def check_bounds(pointer: int, length: int, size: int) -> None:
    """Raise GuestAccessError unless the bytes lie inside a memory of `size`."""
    if pointer < 0 or length < 0 or pointer + length > size:
        raise GuestAccessError(f"{length} bytes at {pointer} lie outside a memory of {size}")


def function_type(params: Sequence[Word], result: Word | None) -> wasmtime.FuncType:
    """Return wasmtime's form of a function type."""
    kinds = {"i32": wasmtime.ValType.i32, "i64": wasmtime.ValType.i64}
    return wasmtime.FuncType(
        [kinds[word]() for word in params], [kinds[result]()] if result else []
    )
