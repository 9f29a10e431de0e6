"""The wasmtime engine that all guests of a process share, and the clock that can stop them."""

import mmap
import resource
import threading
import time
from dataclasses import dataclass, field

import wasmtime

from runtime.sandbox.calls import Calls
from runtime.sandbox.limits import KIB, MIB, Limits
from runtime.sandbox.rawcalls import set_stack, use_pooling

TICK_S = 0.01  # how late a guest can learn that its budget is used up
POOL_MEMORY_BYTES = 1024 * MIB  # the most that any `Limits.memory_bytes` can allow
PLACE_BYTES = 4 * KIB * MIB + 64 * MIB  # address space of one guest: 4 GiB and what guards it
STACK_SHARE = 2  # a guest gets at most one half of its host thread's stack


class Ticker:
    """Moves an engine's epoch on while any guest is alive; asleep otherwise."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._alive = 0
        self._busy = threading.Event()
        self._started = False
        self._stopped = False

    def begin(self) -> None:
        """One more guest is alive."""
        with self._lock:
            self._alive += 1
            if self._alive == 1:
                self._busy.set()
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="guest-epoch", daemon=True).start()

    def end(self) -> None:
        """One guest is gone."""
        with self._lock:
            self._alive -= 1
            if self._alive == 0:
                self._busy.clear()

    def stop(self) -> None:
        """Let the thread end; guests that are still alive lose their budgets of time."""
        with self._lock:
            self._stopped = True
            self._busy.set()

    def _run(self) -> None:
        while not self._stopped:
            self._busy.wait()
            time.sleep(TICK_S)
            self._engine.increment_epoch()


@dataclass(frozen=True, slots=True)
class Machine:
    """What all guests of an engine share.

    Attributes:
        engine: Wasmtime's engine.
        calls: How the host reaches into it.
        ticker: Moves its epoch.
        slots: One permit for each guest that can be alive at once.
        stack_bytes: What every guest's stack was set to when the engine was made.
    """

    engine: wasmtime.Engine
    calls: Calls
    ticker: Ticker
    slots: threading.BoundedSemaphore = field(repr=False)
    stack_bytes: int

    def require_stack(self, limits: Limits) -> None:
        """Refuse limits that promise another stack than guests have; raises ValueError."""
        if limits.stack_bytes != self.stack_bytes:
            raise ValueError(f"the engine was made with a stack of {self.stack_bytes} bytes")


def make_engine(slots: int, stack_bytes: int) -> tuple[wasmtime.Engine, bool]:
    """Return an engine, and whether it has a pool of `slots` places.

    The library ends the process when a pool does not fit the address space, so that is tried first.
    """
    config = engine_config(stack_bytes)
    pooling = (
        slots > 0
        and can_reserve(slots * PLACE_BYTES)
        and use_pooling(config, slots, POOL_MEMORY_BYTES)
    )
    return wasmtime.Engine(config), pooling


def can_reserve(size: int) -> bool:
    """Return whether the process may reserve that much address space."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
    try:
        mmap.mmap(-1, size, flags=flags, prot=0).close()
    except (OSError, OverflowError, ValueError):
        return False
    return True


def engine_config(stack_bytes: int) -> wasmtime.Config:
    """Return what every engine here has in common: what guests may be, and how they are stopped.

    Threads are off because a guest could wait forever on shared memory; the other proposals are
    off because no guest here needs them.
    """
    config = wasmtime.Config()
    config.epoch_interruption = True
    config.memory_init_cow = True
    set_stack(
        config,
        min(
            stack_bytes,
            thread_stack_bytes(resource.getrlimit(resource.RLIMIT_STACK)[0]) // STACK_SHARE,
        ),
    )
    config.wasm_threads = False
    config.wasm_memory64 = False
    config.wasm_multi_memory = False
    return config


def thread_stack_bytes(soft_limit: int) -> int:
    """Return what a new thread's stack has: the process's limit, or 2 MiB where there is none."""
    return 2 * MIB if soft_limit == resource.RLIM_INFINITY else soft_limit
