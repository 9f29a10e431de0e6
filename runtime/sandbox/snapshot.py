"""Evaluate an app once, with nobody asking and nothing to reach, and take the picture of it.

The guest is QuickJS; kernel, preludes and app are evaluated in it while every native function
refuses, its clock stands still and its randomness is constant. What it is then, memory and stack
pointer, becomes the data section of a new module: each run begins there.
"""

import json
from dataclasses import asdict, dataclass, replace
from importlib.resources import files

import wasmtime

from runtime.errors import InvocationError
from runtime.sandbox.heap import fill_holes
from runtime.sandbox.instance import Instance
from runtime.sandbox.limits import Limits
from runtime.sandbox.machine import Machine
from runtime.sandbox.meter import Meter, Stopped
from runtime.sandbox.modulehost import Guarded, ModuleHost
from runtime.sandbox.quickjs import MOST_JOBS, GuestBrokenError, QuickJs, ScriptError
from runtime.sandbox.rejections import track, tracking_guest
from runtime.sandbox.reports import fault_of_error
from runtime.sandbox.timebase import VirtualTime
from runtime.sandbox.turn import Layout, with_turn
from runtime.sandbox.values import Fault, JavaScriptSource
from runtime.sandbox.wasmfile import mutable_globals, with_image

LOADING_SEED = bytes(32)  # the same for every app: nothing random may stand in a snapshot (I9)
LOADING_NOW_S = 946_684_800.0  # 2000-01-01: a constant that can be recognised where it shows up
SCRATCH_BYTES = 16_384  # a buffer inside the snapshot that saves crossings for short texts
RESERVE_BYTES = 2 << 20  # of its memory a guest keeps for what the engine needs to fail cleanly


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A module that begins where the app was loaded.

    Attributes:
        module: WebAssembly bytes.
        layout: Where things are in it.
        resolved: Every import that was resolved: importing module, specifier, canonical name.
    """

    module: bytes
    layout: Layout
    resolved: tuple[tuple[str, str, str], ...]

    def facts(self) -> bytes:
        """Return what goes into the cache beside the compiled module."""
        return json.dumps({"layout": asdict(self.layout), "resolved": self.resolved}).encode()


def kernel_text() -> str:
    """Return the guest's innermost script."""
    return (files("runtime.sandbox") / "js" / "kernel.js").read_text("utf-8")


def build(
    machine: Machine,
    pre: wasmtime.InstancePre,
    guest: bytes,
    source: JavaScriptSource,
    limits: Limits,
) -> Snapshot:
    """Load an app and take its snapshot.

    Args:
        machine: Where to run it.
        pre: The packaged guest, compiled and linked.
        guest: The packaged guest's bytes.
        source: What to load.
        limits: Budgets of loading.

    Raises:
        InvocationError: The app threw, did not finish, ran over a budget, or imports a module that
            does not exist.
    """
    host = ModuleHost(LOADING_SEED, LOADING_NOW_S, source)
    host.meter = Meter(limits, VirtualTime())
    try:
        with Guarded(host):
            return _Build(host, Instance(machine, pre, host.meter), limits).take(guest)
    except Stopped as stopped:
        raise _refusal(stopped.fault) from stopped
    finally:
        if hasattr(host, "instance"):
            host.instance.close()


def _refusal(fault: Fault) -> InvocationError:
    shown = f"{fault.name}: {fault.message}" if fault.name else fault.message
    return InvocationError(fault.code, f"{shown}\n{fault.stack}".rstrip())


class _Build:
    """One guest while it is loaded."""

    def __init__(self, host: ModuleHost, instance: Instance, limits: Limits) -> None:
        host.instance = self._instance = instance
        host.js = self._js = QuickJs(instance)
        self._host = host
        self._script = "kernel.js"  # the engine calls every script eval_script; this one runs now
        self._js.call("set_memory_limit", limits.memory_bytes - RESERVE_BYTES)
        self._undefined = self._js.call("new_undefined")
        self._kernel = self._make_kernel()

    def _make_kernel(self) -> int:
        js = self._js
        native = js.handle(js.call("new_object"))
        for name in ("log", "random"):
            js.set(native, name, js.function(name))
        kernel = js.invoke(js.evaluate(kernel_text()), self._undefined, native)
        hear = js.get(kernel, "rejected"), js.get(kernel, "handled")
        track(js, self._instance, hear, self._undefined, tracking_guest()[1])
        return kernel

    def take(self, guest: bytes) -> Snapshot:
        """Evaluate everything and return the snapshot."""
        try:
            self._load(self._host.source)
        except ScriptError as thrown:
            raise Stopped(self._explain(thrown)) from thrown
        js, kernel = self._js, self._kernel
        layout = Layout(
            undefined=self._undefined,
            step=js.get(kernel, "step"),
            flush=js.get(kernel, "flush"),
            describe=js.get(kernel, "describe"),
            slot=js.slot,
            scratch=js.allocate(SCRATCH_BYTES),
        )
        js.call("run_gc")
        fill_holes(js, self._instance)
        resolved = tuple((*edge, found) for edge, found in self._host.resolved.items())
        return Snapshot(with_turn(self._module(guest), layout), layout, resolved)

    def _load(self, source: JavaScriptSource) -> None:
        for name, text in source.prelude:
            self._script = name
            self._kernel_call("prelude", self._js.evaluate(f"({text.rstrip().rstrip(';')}\n)"))
        self._kernel_call("open")
        if source.bundle is not None:
            self._script = source.bundle[0]
            self._kernel_call("bundle", self._js.evaluate(source.bundle[1]))
        if source.modules:
            self._load_modules(source)
        self._drain()
        self._kernel_call("seal")
        self._drain()

    def _load_modules(self, source: JavaScriptSource) -> None:
        if source.entry not in source.modules:
            raise Stopped(Fault("MODULE_NOT_FOUND", f"There is no module {source.entry!r}."))
        text = source.modules[source.entry] or ";"
        promise = self._js.evaluate_module(source.entry, text)
        self._drain()
        if self._js.promise(promise) is None:
            raise Stopped(Fault("NEVER_SETTLED", "Loading the app waits for what never happens."))

    def _drain(self) -> None:
        while self._js.drain() >= MOST_JOBS:
            self._host.meter.check()

    def _kernel_call(self, name: str, *arguments: int) -> None:
        self._js.invoke(self._js.get(self._kernel, name), self._undefined, *arguments)

    def _explain(self, thrown: ScriptError) -> Fault:
        if self._host.missing:
            return Fault("MODULE_NOT_FOUND", f"There is no module {self._host.missing}.")
        self._host.meter.check()
        self._js.call("set_memory_limit", 0)  # none but the memory's own: the reserve is for this
        try:
            describe = self._js.get(self._kernel, "describe")
            shown = self._js.invoke(describe, self._undefined, thrown.error or self._undefined)
        except ScriptError as error:
            raise GuestBrokenError("the guest cannot say what it threw") from error
        fault = fault_of_error(self._js.text(shown))
        return replace(fault, stack=fault.stack.replace("eval_script", self._script))

    def _module(self, guest: bytes) -> bytes:
        """The memory below the stack pointer is dead stack: it is left out of the image."""
        values = {name: self._instance.global_value(name) for name in mutable_globals(guest)}
        image = self._instance.memory_image()
        dead = values["__stack_pointer"]
        return with_image(guest, bytes(dead) + image[dead:], values)
