"""The C calls that wasmtime's Python package does not wrap, or wraps too slowly; nothing else.

A crossing takes about 1 µs here and about 20 µs through the package's documented classes, which
`PublicCalls` uses. A test runs the same guests both ways and compares; `choose_calls` says which
one this machine gets.

Every pointer that a guest hands out is checked against the size its memory has at that moment.
"""

import ctypes
from collections.abc import Sequence
from typing import Any

import wasmtime
from wasmtime import _bindings as bindings

from runtime.sandbox.calls import (
    MASKS,
    Calls,
    EpochBody,
    GuestCall,
    GuestTrapError,
    HostBody,
    Memory,
    Word,
    check_bounds,
    function_type,
    trap_of,
)
from runtime.sandbox.limits import KIB, MIB
from runtime.sandbox.publiccalls import PublicCalls

MOST_TABLES = 4  # of one module; compilers make one
MOST_TABLE_ELEMENTS = 20_000  # of one table; QuickJS has 481, large programs some thousands

_CONTINUE = 0  # WASMTIME_UPDATE_DEADLINE_CONTINUE
_SLOT_WORDS = 2  # a wasmtime_val_raw_t has 16 bytes
_MOST_WORDS = 9  # parameters of the widest function that is offered: path_open

_dll: Any = bindings.dll  # type: ignore[attr-defined]  # an untyped ctypes library
_RAW_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
)
_EPOCH_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_size_t,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_uint64),
    ctypes.POINTER(ctypes.c_uint8),
)
_Slots = ctypes.c_uint64 * (_SLOT_WORDS * _MOST_WORDS)
_kept: list[object] = []  # callbacks that C holds for as long as the process lives


def _foreign(dll: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Return a C function that takes plain addresses; ``dll[name]`` is a fresh object each time."""
    function = dll[name]
    function.restype = result
    function.argtypes = arguments
    return function


class _RawLibrary:
    """The C functions of the raw path, looked up once; AttributeError if one is missing.

    Those that only look something up keep the interpreter's lock: giving it away and waiting to
    have it back takes longer than they do.
    """

    def __init__(self, dll: Any) -> None:
        address, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
        name = (text, size)
        quick = ctypes.PyDLL("wasmtime", handle=dll._handle)  # noqa: SLF001  # the same library
        self.call = _foreign(
            dll, "wasmtime_func_call_unchecked", address, *(address,) * 3, size, address
        )
        self.export = _foreign(
            quick, "wasmtime_instance_export_get", ctypes.c_bool, *(address,) * 2, *name, address
        )
        self.data = _foreign(quick, "wasmtime_memory_data", address, address, address)
        self.data_size = _foreign(quick, "wasmtime_memory_data_size", size, address, address)
        self.define = _foreign(
            *(dll, "wasmtime_linker_define_func_unchecked", address),
            *(address, *name, *name, *(address,) * 4),
        )
        self.on_epoch = _foreign(
            dll, "wasmtime_store_epoch_deadline_callback", None, *(address,) * 4
        )
        self.error_new = _foreign(dll, "wasmtime_error_new", address, text)


def _address(pointer: Any) -> int:
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0


def _stopped(error: int | None, trap: int | None) -> GuestTrapError:
    """Return what a call left behind, and free it."""
    left: wasmtime.Trap | wasmtime.WasmtimeError
    if trap:
        left = wasmtime.Trap._from_ptr(  # noqa: SLF001  # no public way to adopt a trap
            ctypes.cast(trap, ctypes.POINTER(bindings.wasm_trap_t))
        )
    else:
        left = wasmtime.WasmtimeError._from_ptr(  # noqa: SLF001  # nor an error
            ctypes.cast(error or 0, ctypes.POINTER(bindings.wasmtime_error_t))
        )
    return trap_of(left)


class _RawMemory:
    def __init__(self, library: _RawLibrary, context: int, memory: object, owner: object) -> None:
        self._library = library
        self._context = context
        self._memory = memory
        self._owner = owner  # keeps the extern that holds `memory` alive

    def size(self) -> int:
        return int(self._library.data_size(self._context, self._memory))

    def read(self, pointer: int, length: int) -> bytes:
        check_bounds(pointer, length, self.size())
        base = self._library.data(self._context, self._memory)
        return ctypes.string_at(base + pointer, length)

    def write(self, pointer: int, data: bytes) -> None:
        check_bounds(pointer, len(data), self.size())
        base = self._library.data(self._context, self._memory)
        ctypes.memmove(base + pointer, data, len(data))


class RawCalls:
    """Direct calls into the C library.

    Args:
        dll: The library; wasmtime's own by default.

    Raises:
        AttributeError: The library lacks a function.
    """

    name = "raw"
    asks = True

    def __init__(self, dll: Any = _dll) -> None:
        self._library = _RawLibrary(dll)

    def define(
        self,
        linker: wasmtime.Linker,
        name: tuple[str, str],
        params: Sequence[Word],
        result: Word | None,
        body: HostBody,
    ) -> None:
        """Offer one host function; the callback lives as long as the process."""
        plan = tuple((_SLOT_WORDS * place, MASKS[word]) for place, word in enumerate(params))
        mask = MASKS[result] if result else 0

        def entry(_env: int, _caller: int, raw: int, _count: int) -> int:
            slots = _Slots.from_address(raw)
            slots[0] = body(*[slots[place] & wide for place, wide in plan]) & mask
            return 0

        callback = _RAW_CALLBACK(entry)
        _kept.append(callback)
        kind = function_type(params, result)
        module, field = (part.encode() for part in name)
        self._library.define(
            *(_address(linker.ptr()), module, len(module), field, len(field)),
            *(_address(kind.ptr()), _address(callback), None, None),
        )

    def function(self, store: wasmtime.Store, instance: wasmtime.Instance, name: str) -> GuestCall:
        """Return an exported function as a callable of unsigned numbers."""
        context, extern = self._export(store, instance, name)
        callee = ctypes.addressof(extern.of.func)
        slots = _Slots()
        buffer = ctypes.addressof(slots)
        trap = ctypes.c_void_p()
        trap_slot = ctypes.addressof(trap)
        call_raw = self._library.call

        def call(*arguments: int, _keep: object = extern) -> int:
            place = 0
            for argument in arguments:
                slots[place] = argument
                place += _SLOT_WORDS
            error = call_raw(context, callee, buffer, _MOST_WORDS, trap_slot)
            if error or trap.value:
                stopped, trap.value = trap.value, None
                raise _stopped(error, stopped)
            return slots[0]

        return call

    def memory(self, store: wasmtime.Store, instance: wasmtime.Instance) -> Memory:
        """Return the exported memory."""
        context, extern = self._export(store, instance, "memory")
        return _RawMemory(self._library, context, ctypes.byref(extern.of.memory), extern)

    def on_epoch(self, store: wasmtime.Store, body: EpochBody) -> None:
        """Ask `body` at every tick whether the guest may go on."""
        callback = self._epoch_callback(body)
        self._library.on_epoch(_address(store.ptr()), callback, None, None)
        store.set_epoch_deadline(1)

    def allow(self, store: wasmtime.Store, ticks: int) -> None:
        """Do nothing: at every tick the guest is asked about anyway."""

    def _epoch_callback(self, body: EpochBody) -> int:
        known = _epoch_callbacks.get(body)
        if known is None:
            error_new = self._library.error_new

            def entry(_context: int, _data: int, delta: Any, kind: Any) -> int:
                if not body():
                    return int(error_new(b"stopped by the host"))
                delta[0] = 1
                kind[0] = _CONTINUE
                return 0

            callback = _EPOCH_CALLBACK(entry)
            _kept.append(callback)
            known = _epoch_callbacks[body] = _address(callback)
        return known

    def _export(
        self, store: wasmtime.Store, instance: wasmtime.Instance, name: str
    ) -> tuple[int, Any]:
        context = _address(store._context())  # noqa: SLF001  # no public way to the context
        extern = bindings.wasmtime_extern_t()
        encoded = name.encode()
        found = self._library.export(
            *(context, ctypes.addressof(instance._instance), encoded),  # noqa: SLF001
            *(len(encoded), ctypes.addressof(extern)),
        )
        if not found:
            raise KeyError(name)
        return context, extern


_epoch_callbacks: dict[EpochBody, int] = {}  # one callback per body for the life of the process


def use_pooling(
    config: wasmtime.Config, slots: int, memory_bytes: int, library: Any = bindings
) -> bool:
    """Switch a config to the pooling allocator; False where the library has none.

    Args:
        config: Of an engine that is not made yet.
        slots: How many guests can be alive at once; each reserves address space, not memory.
        memory_bytes: The largest linear memory a guest may ever have.
        library: Where the C functions are.
    """
    settings = {
        "total_memories": slots,
        "total_tables": slots * MOST_TABLES,
        "total_core_instances": slots,
        "max_memory_size": memory_bytes,
        "max_tables_per_module": MOST_TABLES,
        "table_elements": MOST_TABLE_ELEMENTS,
        "max_core_instance_size": MIB,
        # Pages of a place that was used are put back by copying instead of being given back and
        # faulted in again: 0.3 ms a run of a 3.4 MiB snapshot instead of 1.1. The price is that
        # each place that was ever used keeps its snapshot resident, up to this size.
        "max_unused_warm_slots": min(slots, 16),
        "linear_memory_keep_resident": 8 * MIB,
        "table_keep_resident": 64 * KIB,
    }
    try:
        pool = library.wasmtime_pooling_allocation_config_new()
        for name, value in settings.items():
            getattr(library, f"wasmtime_pooling_allocation_config_{name}_set")(pool, value)
        library.wasmtime_pooling_allocation_strategy_set(config.ptr(), pool)
        library.wasmtime_pooling_allocation_config_delete(pool)
    except AttributeError:
        return False
    return True


def set_stack(config: wasmtime.Config, stack_bytes: int) -> None:
    """Set how much of the host thread's stack a guest may use.

    The library wants its asynchronous stack, which nothing here uses, to be no smaller.
    """
    bindings.wasmtime_config_async_stack_size_set(config.ptr(), stack_bytes)
    config.max_wasm_stack = stack_bytes


def choose_calls(*, raw: bool = True, dll: Any = _dll) -> Calls:
    """Return the raw path where it is wanted and the library has all it needs, else the public."""
    try:
        return RawCalls(dll) if raw else PublicCalls()
    except AttributeError:
        return PublicCalls()
