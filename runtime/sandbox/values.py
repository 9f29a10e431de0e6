"""What goes into a run and what comes out of it: frozen values, and the two shapes of a guest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from runtime.sandbox.limits import Limits

Inspect = Callable[[memoryview], None]
"""Sees the guest's whole linear memory after a run, before it is dropped."""
Resolve = Callable[[str, str], str | None]
"""``(importing module, specifier)`` to the canonical module name; None if there is none."""


class Door(Protocol):
    """The one way out of a guest: a name and bytes go out, bytes come back.

    It blocks, is called from worker threads, several at once, and never raises. A door that has an
    attribute ``prompt`` which is true promises to answer within a bounded short time; a call for
    which the guest would only wait is then made on the guest's own thread, which saves two thread
    switches. The wall time cannot end such a call.
    """

    def __call__(self, name: str, body: bytes, /) -> bytes:
        """Answer one call of the guest."""


def resolve_exact(_base: str, specifier: str) -> str | None:
    """Resolve a specifier that is a canonical module name already."""
    return specifier


@dataclass(frozen=True, slots=True)
class JavaScriptSource:
    """Everything that is evaluated once, before the snapshot of an app is taken.

    Attributes:
        prelude: Scripts as (name, text), each a function expression ``(host) => void``.
        modules: ES modules of the app, canonical name to source; empty for a plain script.
        entry: Canonical name of the module that is evaluated last; it may await.
        resolve: How an import in one module finds another.
        bundle: A plain script as (name, text), instead of `modules`.
    """

    prelude: tuple[tuple[str, str], ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""
    resolve: Resolve = resolve_exact
    bundle: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """What one run is given, fixed before the guest starts.

    Attributes:
        handler: ``module.export`` for JavaScript; the name handed to ``invoke`` of a raw guest.
        args: The handler's arguments, as JSON values.
        seed: 32 bytes from which all randomness of the run comes.
        now_s: The run's clock at its start, in seconds since 1970.
        env: Environment variables of the app.
        extra: Handed through to the guest's start hooks; opaque to the sandbox.
    """

    handler: str
    args: tuple[object, ...]
    seed: bytes
    now_s: float
    env: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.seed) != 32:  # noqa: PLR2004  # 256 bits
            raise ValueError("a seed has 32 bytes")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line a guest logged, `at_ms` after the start."""

    level: str
    text: str
    at_ms: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run used of its budgets; `memory_bytes` is the linear memory at its end."""

    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    memory_bytes: int = 0
    door_calls: int = 0
    door_request_bytes: int = 0
    door_reply_bytes: int = 0
    log_lines: int = 0
    log_bytes: int = 0
    result_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a run has no result.

    Attributes:
        code: Stable code, such as ``TIMEOUT`` or ``APP_ERROR``.
        message: What happened; safe to show to the app's author.
        name: Of the error the app threw; empty for a fault of the sandbox.
        stack: Of the error the app threw.
    """

    code: str
    message: str
    name: str = ""
    stack: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        result: JSON text of what the handler returned; None for undefined, or on a fault.
        fault: Why there is no result; None if the handler returned.
        logs: What the guest logged, also before a trap.
        usage: What it used.
    """

    result: bytes | None
    fault: Fault | None
    logs: tuple[LogLine, ...]
    usage: Usage


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of one message to a live guest.

    Attributes:
        messages: What the guest emitted while it handled the message.
        fault: Why the guest is closed now; None if it goes on.
        logs: What it logged meanwhile.
        usage: What it used meanwhile.
        result: JSON text of the handler's return value once it returned; None before.
    """

    messages: tuple[str, ...]
    fault: Fault | None
    logs: tuple[LogLine, ...]
    usage: Usage
    result: bytes | None = None


class LiveGuest(Protocol):
    """A guest that stays: messages go in and out until it is closed or faults."""

    @property
    def opened(self) -> Turn:
        """What came of the start."""

    def post(self, message: str) -> Turn:
        """Hand one message over and run until the guest is idle, under fresh budgets."""

    def pump(self, wait_ms: int = 0) -> Turn:
        """Fire the timers that are due within `wait_ms`, under fresh budgets."""

    def close(self) -> None:
        """Drop the guest; closing twice is harmless."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Image(Protocol):
    """An app made ready to run: every run is a fresh guest."""

    @property
    def digest(self) -> str:
        """SHA-256 over everything that decides how the guest behaves."""

    def run(
        self, start: Start, door: Door, limits: Limits, *, inspect: Inspect | None = None
    ) -> Outcome:
        """Run one handler in a fresh guest; faults are in the outcome, never raised."""

    def open(self, start: Start, door: Door, limits: Limits) -> LiveGuest:
        """Start a guest that stays; raises InvocationError where the kind cannot."""
