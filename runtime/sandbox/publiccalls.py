"""Reach into wasmtime through its package's documented classes: slower, and always there."""

from collections.abc import Sequence

import wasmtime

from runtime.sandbox.calls import (
    MASKS,
    EpochBody,
    GuestCall,
    HostBody,
    Memory,
    Word,
    check_bounds,
    function_type,
    trap_of,
)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


class _PublicMemory:
    def __init__(self, store: wasmtime.Store, memory: wasmtime.Memory) -> None:
        self._store = store
        self._memory = memory

    def size(self) -> int:
        return self._memory.data_len(self._store)

    def read(self, pointer: int, length: int) -> bytes:
        check_bounds(pointer, length, self.size())
        return bytes(self._memory.read(self._store, pointer, pointer + length))

    def write(self, pointer: int, data: bytes) -> None:
        check_bounds(pointer, len(data), self.size())
        self._memory.write(self._store, data, pointer)


class PublicCalls:
    """The package's documented classes: slower, and CPU is bounded by ticks of wall time."""

    name = "public"
    asks = False

    def define(
        self,
        linker: wasmtime.Linker,
        name: tuple[str, str],
        params: Sequence[Word],
        result: Word | None,
        body: HostBody,
    ) -> None:
        """Offer one host function; wasmtime's slab keeps it."""
        masks = [MASKS[word] for word in params]
        bits = int(result[1:]) if result else 0

        def entry(*arguments: int) -> int | None:
            pairs = zip(arguments, masks, strict=True)
            value = body(*[argument & mask for argument, mask in pairs])
            return _signed(value & ((1 << bits) - 1), bits) if bits else None

        linker.define_func(*name, function_type(params, result), entry)

    def function(self, store: wasmtime.Store, instance: wasmtime.Instance, name: str) -> GuestCall:
        """Return an exported function as a callable of unsigned numbers."""
        function = instance.exports(store)[name]
        assert isinstance(function, wasmtime.Func)  # noqa: S101  # the module was checked at load
        bits = [int(str(word)[1:]) for word in function.type(store).params]
        result = [MASKS[str(word)] for word in function.type(store).results]  # type: ignore[index]

        def call(*arguments: int) -> int:
            pairs = zip(arguments, bits, strict=True)
            signed = [_signed(argument & ((1 << wide) - 1), wide) for argument, wide in pairs]
            try:
                value = function(store, *signed)
            except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
                raise trap_of(error) from None
            return int(value) & result[0] if result else 0

        return call

    def memory(self, store: wasmtime.Store, instance: wasmtime.Instance) -> Memory:
        """Return the exported memory."""
        memory = instance.exports(store)["memory"]
        assert isinstance(memory, wasmtime.Memory)  # noqa: S101  # the module was checked at load
        return _PublicMemory(store, memory)

    def on_epoch(self, store: wasmtime.Store, body: EpochBody) -> None:
        """Ask nobody: without the C callback a guest can only be given ticks; see `allow`."""

    def allow(self, store: wasmtime.Store, ticks: int) -> None:
        """Let the guest compute for `ticks` more."""
        store.set_epoch_deadline(ticks)
