"""The host's side of a JavaScript guest: modules for its loader, its log, and why it went down."""

from types import TracebackType

from runtime.sandbox.calls import GuestFailedError, Word
from runtime.sandbox.hostlink import HostFunction, Inside
from runtime.sandbox.instance import fault_of, out_of_memory
from runtime.sandbox.meter import LOG_LEVELS
from runtime.sandbox.quickjs import FAILED, QuickJs
from runtime.sandbox.values import Fault, JavaScriptSource
from runtime.sandbox.wasi import WASI_FUNCTIONS, WasiHost

FULL_STACK_BYTES = 16_384  # left of the guest's stack: less than one call of the engine may need
MOST_NAME_BYTES = 4_096  # of a module name; the guest's own bound
LEVEL_DIGITS = {str(place): level for place, level in enumerate(LOG_LEVELS)}

_I: Word = "i32"

ENV_FUNCTIONS = {
    ("env", "host_call"): HostFunction((_I,) * 5, _I, "env_call", FAILED),
    ("env", "host_interrupt"): HostFunction((), _I, "", 0),
    ("env", "host_module_normalize"): HostFunction((_I,) * 5, _I, "env_normalize", 0),
    ("env", "host_module_load"): HostFunction((_I,) * 3, _I, "env_load", 0),
}
JAVASCRIPT_FUNCTIONS = WASI_FUNCTIONS | ENV_FUNCTIONS
"""Everything that the packaged guest may import (I1)."""


class ModuleHost(WasiHost):
    """Serves module source to the guest's loader, at load time and for later ``import()``."""

    js: QuickJs
    natives: frozenset[bytes] = frozenset({b"log"})
    """Which of the kernel's native functions the host answers."""

    def __init__(self, seed: bytes, now_s: float, source: JavaScriptSource) -> None:
        super().__init__(seed, now_s)
        self.source = source
        self.resolved: dict[tuple[str, str], str] = {}
        self.missing = ""
        self.panic = False

    def env_normalize(self, base: int, base_size: int, specifier: int, size: int, out: int) -> int:
        """Resolve one import to a canonical name."""
        importer, wanted = self._name(base, base_size), self._name(specifier, size)
        found = self.source.resolve(importer, wanted)
        if found is None or found not in self.source.modules:
            self.missing = self.missing or f"{wanted!r}, imported by {importer!r}"
            return 0
        self.resolved[importer, wanted] = found
        return self._give(found, out)

    def env_load(self, name: int, size: int, out: int) -> int:
        """Give the source of one module; an empty one is given as an empty statement."""
        source = self.source.modules.get(self._name(name, size))
        return 0 if source is None else self._give(source or ";", out)

    def stream_line(self, fd: int, line: bytes) -> bool:
        """Keep what the engine itself says on its way down out of the app's log."""
        del fd
        self.panic = self.panic or b"memory allocation" in line
        return True

    def _name(self, pointer: int, size: int) -> str:
        return self.instance.read(pointer, min(size, MOST_NAME_BYTES)).decode("utf-8", "replace")

    def _give(self, text: str, out: int) -> int:
        data = text.encode()
        pointer = self.js.allocate(len(data))
        self.instance.write(pointer, data)
        self.instance.write(out, len(data).to_bytes(4, "little"))
        return pointer

    def env_call(self, name: int, size: int, _this: int, count: int, argv: int) -> int:
        """Answer one native function of the kernel, or make the guest throw."""
        wanted = self.instance.read(name, min(size, MOST_NAME_BYTES))
        if count != 1 or wanted not in self.natives:
            return FAILED
        return self.answer(wanted, self.js.word(argv))

    def answer(self, _name: bytes, argument: int) -> int:
        """Answer a function that is in `natives`."""
        return self.take_log(argument)

    def take_log(self, handle: int) -> int:
        """Keep one line that the kernel hands out; return a handle of whether to go on."""
        text = self.js.text(handle, self.meter.limits.log_bytes + 8).decode("utf-8", "replace")
        level = LEVEL_DIGITS.get(text[:1], "info")
        return self.js.call("new_bool", int(self.meter.log(level, text[1:])))

    def fault(self, error: GuestFailedError) -> Fault:
        """Say why the guest went down."""
        if self.meter.fault is None and self.panic:
            return out_of_memory(self.meter)
        if not hasattr(self, "instance"):
            return fault_of(error, self.meter, 0)
        if error.code == "MEMORY_OUT_OF_BOUNDS" and self._stack_is_full():
            error = GuestFailedError(str(error), "STACK_OVERFLOW")
        return fault_of(error, self.meter, self.instance.memory_bytes())

    def _stack_is_full(self) -> bool:
        """The guest's own stack grows down to address 0 and wraps around below it."""
        return self.instance.global_value("__stack_pointer") < FULL_STACK_BYTES


class Guarded(Inside):
    """Lets a guest compute; what ends it leaves as Stopped, or as the host's own exception."""

    __slots__ = ("_host",)

    def __init__(self, host: ModuleHost) -> None:
        super().__init__(host)
        self._host = host

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        if isinstance(error, GuestFailedError):
            self._host.fault(error)  # noted in the meter, which says so below
        if error is None or isinstance(error, GuestFailedError):
            self._host.meter.check()
