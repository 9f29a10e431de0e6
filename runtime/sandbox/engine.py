"""The sandbox's front door: one engine per process makes images, and images run guests."""

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import wasmtime

from runtime.sandbox.cache import GuestCache
from runtime.sandbox.doors import DoorPool
from runtime.sandbox.guest import Guest, Prepared, run_once
from runtime.sandbox.hostlink import link
from runtime.sandbox.limits import Limits
from runtime.sandbox.live import LiveJavaScript
from runtime.sandbox.machine import Machine, Ticker, make_engine
from runtime.sandbox.modulehost import JAVASCRIPT_FUNCTIONS
from runtime.sandbox.quickjs import require_guest
from runtime.sandbox.rawcalls import choose_calls
from runtime.sandbox.rejections import tracking_guest
from runtime.sandbox.snapshot import Snapshot, build, kernel_text
from runtime.sandbox.timebase import RealTime, Timebase
from runtime.sandbox.turn import Layout
from runtime.sandbox.values import Door, Inspect, JavaScriptSource, LiveGuest, Outcome, Start
from runtime.sandbox.wasm_guest import RAW_FUNCTIONS, WasmImage, require_module

FORMAT = "2"  # of cache entries and snapshots; part of every digest
FALLBACK_SLOTS = 64  # how many guests can be alive at once without a pool


@dataclass(frozen=True, slots=True)
class JavaScriptImage:
    """A JavaScript app made ready to run.

    Attributes:
        digest: SHA-256 over everything that decides how the guest behaves.
        prepared: What its runs share.
        timebase: Makes the time of each run.
    """

    digest: str
    prepared: Prepared
    timebase: Callable[[], Timebase]

    def run(
        self, start: Start, door: Door, limits: Limits, *, inspect: Inspect | None = None
    ) -> Outcome:
        """Run one handler in a fresh guest; faults are in the outcome, never raised."""
        self.prepared.machine.require_stack(limits)
        return run_once(Guest(self.prepared, start, door, limits, self.timebase()), inspect)

    def open(self, start: Start, door: Door, limits: Limits) -> LiveGuest:
        """Start a guest that stays; a fault of its start is in `LiveGuest.opened`."""
        self.prepared.machine.require_stack(limits)
        return LiveJavaScript(Guest(self.prepared, start, door, limits, self.timebase()))


class Engine:
    """Makes images; one per process, used from any thread.

    Args:
        cache_dir: Where compiled guests are kept; None to keep none.
        pooling: Whether to ask for the pooling allocator.
        raw: Whether to ask for the direct C calls.
        slots: How many guests can be alive at once; each place that was used stays resident at
            the size of its snapshot, so this bounds memory as well.
        stack_bytes: Stack of every guest; `Limits.stack_bytes` of each run must say the same.
        timebase: Makes the time of each run; `VirtualTime` for runs that must repeat exactly.
        random_bytes: Where the cache's key comes from.
    """

    def __init__(
        self,
        cache_dir: Path | None,
        *,
        pooling: bool = True,
        raw: bool = True,
        slots: int = 64,
        stack_bytes: int = Limits().stack_bytes,
        timebase: Callable[[], Timebase] = RealTime,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        engine, self._pooling = make_engine(slots if pooling else 0, stack_bytes)
        places = slots if self._pooling else min(slots, FALLBACK_SLOTS)
        calls = choose_calls(raw=raw)
        permits = threading.BoundedSemaphore(places)
        self._machine = Machine(engine, calls, Ticker(engine), permits, stack_bytes)
        self._cache = GuestCache(cache_dir, random_bytes) if cache_dir else None
        self._doors = DoorPool()
        self._timebase = timebase
        self._lock = threading.Lock()
        self._javascript_linker = link(engine, calls, JAVASCRIPT_FUNCTIONS)
        self._raw_linker = link(engine, calls, RAW_FUNCTIONS)
        self._quickjs: tuple[wasmtime.InstancePre, bytes] | None = None

    def javascript(
        self,
        source: JavaScriptSource,
        limits: Limits = Limits(),  # noqa: B008  # frozen
    ) -> JavaScriptImage:
        """Load an app and take its snapshot, or take both from the cache.

        Args:
            source: What to evaluate.
            limits: Budgets of loading; its memory and stack become the snapshot's own.

        Raises:
            InvocationError: The app cannot be loaded.
        """
        self._machine.require_stack(limits)
        digest = source_digest(source, limits)
        kept = self._load(digest, source)
        if kept is None:
            pre, guest = self._packaged_guest()
            snapshot = build(self._machine, pre, guest, source, limits)
            module = wasmtime.Module(self._machine.engine, snapshot.module)
            self._store(digest, snapshot.facts(), module)
            kept = snapshot.layout, module
        layout, module = kept
        prepared = Prepared(
            machine=self._machine,
            doors=self._doors,
            pre=self._javascript_linker.instantiate_pre(module),
            layout=layout,
            source=source,
            limits=limits,
        )
        return JavaScriptImage(digest, prepared, self._timebase)

    def wasm(self, module: bytes) -> WasmImage:
        """Make a raw WebAssembly module ready to run.

        Args:
            module: Binary module, or text format.

        Raises:
            ManifestError: The module does not follow the guest ABI; the message names each import
                and export that is wrong.
        """
        checked = require_module(self._machine.engine, module)
        return WasmImage(
            module=checked,
            machine=self._machine,
            doors=self._doors,
            pre=self._raw_linker.instantiate_pre(checked.compiled),
            timebase=self._timebase,
        )

    def describe(self) -> Mapping[str, str]:
        """Say which allocator, call path and cache run here, for ``doctor``."""
        kept = self._cache is not None and self._cache.usable
        return {
            "wasmtime": version("wasmtime"),
            "quickjs": f"quickjs-rs {version('quickjs-rs')}",
            "allocator": "pooling" if self._pooling else "on demand",
            "calls": self._machine.calls.name,
            "cache": str(self._cache.folder) if self._cache and kept else "none",
        }

    def close(self) -> None:
        """Let the worker threads end; images made before must not be used any more."""
        self._doors.close()
        self._machine.ticker.stop()

    # -------------------------------------------------------------------------------------- cache

    def _packaged_guest(self) -> tuple[wasmtime.InstancePre, bytes]:
        with self._lock:
            if self._quickjs is None:
                guest, _ = tracking_guest()
                name = hashlib.sha256(FORMAT.encode() + guest).hexdigest()
                kept = self._read(name)
                module = kept[1] if kept else wasmtime.Module(self._machine.engine, guest)
                require_guest(module)
                if kept is None:
                    self._store(name, b"", module)
                self._quickjs = self._javascript_linker.instantiate_pre(module), guest
            return self._quickjs

    def _load(self, digest: str, source: JavaScriptSource) -> tuple[Layout, wasmtime.Module] | None:
        """Return a kept snapshot, if every import would still resolve as it did."""
        kept = self._read(digest)
        if kept is None:
            return None
        facts = json.loads(kept[0])
        if any(source.resolve(base, name) != found for base, name, found in facts["resolved"]):
            return None
        return Layout(**facts["layout"]), kept[1]

    def _read(self, name: str) -> tuple[bytes, wasmtime.Module] | None:
        data = self._cache.load(name + self._suffix()) if self._cache else None
        if self._cache is None or data is None:
            return None
        size = int.from_bytes(data[:4], "little")
        facts, compiled = data[4 : 4 + size], data[4 + size :]
        try:
            return facts, wasmtime.Module.deserialize(self._machine.engine, compiled)
        except wasmtime.WasmtimeError:
            self._cache.drop(name + self._suffix())  # compiled by another version or machine
            return None

    def _store(self, name: str, facts: bytes, module: wasmtime.Module) -> None:
        if self._cache is not None:
            data = len(facts).to_bytes(4, "little") + facts + bytes(module.serialize())
            self._cache.store(name + self._suffix(), data)

    def _suffix(self) -> str:
        return "-pool" if self._pooling else ""


def source_digest(source: JavaScriptSource, limits: Limits) -> str:
    """Digest everything that decides how the guest behaves."""
    parts = (
        FORMAT,
        version("wasmtime"),
        hashlib.sha256(tracking_guest()[0]).hexdigest(),
        kernel_text(),
        source.prelude,
        sorted(source.modules.items()),
        source.entry,
        source.bundle,
        limits.memory_bytes,
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


__all__ = ["Engine", "JavaScriptImage", "Snapshot"]
