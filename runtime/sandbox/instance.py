"""One guest inside wasmtime: a store of its own, its memory, its exports, under its limits."""

import wasmtime

from runtime.sandbox.calls import (
    GuestCall,
    GuestFailedError,
    trap_of,
)
from runtime.sandbox.hostlink import may_go_on
from runtime.sandbox.limits import Limits
from runtime.sandbox.machine import TICK_S, Machine
from runtime.sandbox.meter import Meter, Stopped
from runtime.sandbox.rawcalls import MOST_TABLE_ELEMENTS, MOST_TABLES
from runtime.sandbox.values import Fault

MOST_MEMORIES = 1
NEAR_FULL_BYTES = 2 << 20  # a guest that fails this close to its memory limit ran out of memory


class Instance:
    """One live guest. It is made and used inside `hostlink.Inside` of its host side.

    Args:
        machine: Where it lives.
        pre: The module with its imports resolved.
        meter: Its budgets.

    Raises:
        Stopped: It does not fit its limits, or all places were taken for its whole wall time.
        GuestTrapError: Its start function trapped.
    """

    def __init__(self, machine: Machine, pre: wasmtime.InstancePre, meter: Meter) -> None:
        self._machine = machine
        self._functions: dict[str, GuestCall] = {}
        self._store = wasmtime.Store(machine.engine)
        self._open = False
        if not machine.slots.acquire(timeout=max(0.0, meter.left_s())):
            raise Stopped(Fault("BUSY", "Too many guests are running; try again later."))
        machine.ticker.begin()
        self._open = True
        try:
            self._limit(meter.limits)
            self.allow(meter)
            self._instance = pre.instantiate(self._store)
            self._memory = machine.calls.memory(self._store, self._instance)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise _refusal(error) from error
        finally:
            if not hasattr(self, "_memory"):
                self.close()

    def _limit(self, limits: Limits) -> None:
        self._store.set_limits(
            limits.memory_bytes, MOST_TABLE_ELEMENTS, 1, MOST_TABLES, MOST_MEMORIES
        )
        self._machine.calls.on_epoch(self._store, may_go_on)

    def allow(self, meter: Meter) -> None:
        """Let the guest compute for what is left, where it cannot be asked at every tick."""
        if not self._machine.calls.asks:
            ticks = int(meter.computing_left_ms() / 1000 / TICK_S)
            self._machine.calls.allow(self._store, max(1, ticks))

    def call(self, name: str, *arguments: int) -> int:
        """Call an exported function; raises GuestTrapError, KeyError if there is none."""
        function = self._functions.get(name)
        if function is None:
            function = self._machine.calls.function(self._store, self._instance, name)
            self._functions[name] = function
        return function(*arguments)

    def read(self, pointer: int, length: int) -> bytes:
        """Return a copy of memory; raises GuestAccessError."""
        return self._memory.read(pointer, length)

    def write(self, pointer: int, data: bytes) -> None:
        """Copy into memory; raises GuestAccessError."""
        self._memory.write(pointer, data)

    def memory_bytes(self) -> int:
        """Return the size of the linear memory; 0 once closed."""
        return self._memory.size() if self._open else 0

    def memory_image(self) -> bytes:
        """Return a copy of the whole linear memory."""
        return self._memory.read(0, self._memory.size())

    def global_value(self, name: str) -> int:
        """Return the value of an exported global."""
        item = self._instance.exports(self._store)[name]
        assert isinstance(item, wasmtime.Global)  # noqa: S101  # the module was checked at load
        return int(item.value(self._store))

    def close(self) -> None:
        """Drop the guest and everything it held."""
        if self._open:
            self._open = False
            self._functions.clear()
            self.__dict__.pop("_memory", None)  # its address is worth nothing from here on
            self._store.close()
            self._machine.ticker.end()
            self._machine.slots.release()


def _refusal(error: wasmtime.Trap | wasmtime.WasmtimeError) -> Exception:
    """Say why an instance could not be made."""
    text = str(error)
    if isinstance(error, wasmtime.WasmtimeError) and "memory" in text and "exceeds" in text:
        return Stopped(Fault("OUT_OF_MEMORY", "The app needs more memory than it may have."))
    return trap_of(error)


def fault_of(error: GuestFailedError, meter: Meter, memory_bytes: int) -> Fault:
    """Say what a trap means: the budget that ran out, or a plain trap."""
    if meter.fault is not None:
        return meter.fault
    code = error.code
    if code == "INTERRUPT":
        return meter.fail("CPU_LIMIT", f"The app computed for more than {meter.limits.cpu_ms} ms.")
    if code == "STACK_OVERFLOW":
        return meter.fail("STACK_OVERFLOW", "The app's calls are nested too deeply.")
    if memory_bytes > meter.limits.memory_bytes - NEAR_FULL_BYTES:
        return out_of_memory(meter)
    what = code.lower().replace("_", " ") if code else str(error).partition("\n")[0]
    return meter.fail("TRAP", f"The guest trapped: {what}.")


def out_of_memory(meter: Meter) -> Fault:
    """Note that the guest used up its memory."""
    most = meter.limits.memory_bytes
    return meter.fail("OUT_OF_MEMORY", f"The app needed more than {most} bytes of memory.")
