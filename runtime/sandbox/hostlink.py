"""Which host functions a guest can call, and how a call finds the guest that made it.

Functions are registered a constant number of times per process, under a lock: wasmtime's table of
them is global and unlocked. So they cannot belong to one guest; each asks the thread it runs on
which guest is inside, and a guest is only ever inside on one thread.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

import wasmtime

from runtime.sandbox.calls import Calls, GuestFailedError, HostBody, Word
from runtime.sandbox.meter import Meter

log = logging.getLogger(__name__)

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class HostFunction:
    """One function that a guest may import.

    Attributes:
        params: Its parameter types.
        result: Its result type; None if it returns nothing.
        method: Of the guest's host side that answers; empty for a constant answer.
        failure: What it returns when the host cannot answer, or always without a method.
    """

    params: tuple[Word, ...]
    result: Word | None
    method: str
    failure: int


class HostSide:
    """The host's side of one guest: what its imports reach. Subclasses add the methods."""

    meter: Meter


class _Here(threading.local):
    guest: HostSide | None = None


_here = _Here()
_registering = threading.Lock()


class Inside:
    """While it lasts, imports called on this thread reach one guest, whose CPU is counted.

    It nests: a door may run another guest on the same thread.
    """

    __slots__ = ("_before", "guest")

    def __init__(self, guest: HostSide) -> None:
        self.guest = guest
        self._before: HostSide | None = None

    def __enter__(self) -> None:
        self._before = _here.guest
        _here.guest = self.guest
        self.guest.meter.enter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.guest.meter.leave()
        _here.guest = self._before


def may_go_on() -> bool:
    """Answer the epoch: may the guest that computes on this thread go on?

    It never raises, because nothing may travel through wasm; an interrupt from the keyboard that
    arrives here is noted and raised again outside.
    """
    guest = _here.guest
    if guest is None:
        return True
    try:
        return guest.meter.tick()
    except BaseException as error:  # see the docstring
        guest.meter.abort(error)
        return False


def _routed(function: HostFunction) -> HostBody:
    method, failure = function.method, function.failure

    def body(*arguments: int) -> int:
        guest = _here.guest
        if guest is None:
            return failure
        try:
            return int(getattr(guest, method)(*arguments))
        except GuestFailedError as error:
            guest.meter.fail("TRAP", str(error).partition("\n")[0])
        except BaseException as error:  # nothing may travel through wasm
            log.debug("a host function failed", exc_info=True)
            guest.meter.abort(error)
        return failure

    return body


def link(
    engine: wasmtime.Engine, calls: Calls, functions: Mapping[Name, HostFunction]
) -> wasmtime.Linker:
    """Return a linker that offers exactly these functions."""
    with _registering:
        linker = wasmtime.Linker(engine)
        for name, function in functions.items():
            body = _routed(function) if function.method else _constant(function.failure)
            calls.define(linker, name, function.params, function.result, body)
        return linker


def _constant(answer: int) -> HostBody:
    return lambda *_arguments: answer


def refused_imports(module: wasmtime.Module, functions: Mapping[Name, HostFunction]) -> list[str]:
    """Name every import of a module that is not offered, or is offered with another type (I1)."""
    problems = []
    for item in module.imports:
        shown = f"{item.module}.{item.name}".encode("unicode_escape").decode()
        function = functions.get((item.module, item.name or ""))
        if not isinstance(item.type, wasmtime.FuncType):
            problems.append(f"import {shown} is not a function; only functions can be imported")
        elif function is None:
            problems.append(f"import {shown} is not a host function of this sandbox")
        elif signature(item.type) != (function.params, function.result):
            wanted = show_signature(function.params, function.result)
            problems.append(f"import {shown} must have the type {wanted}")
    return problems


def signature(kind: wasmtime.FuncType) -> tuple[tuple[str, ...], str | None]:
    """Return parameter and result types; several results are joined by a comma."""
    results = ",".join(str(word) for word in kind.results)
    return tuple(str(word) for word in kind.params), results or None


def show_signature(params: tuple[str, ...], result: str | None) -> str:
    """Show a function type as ``(i32, i32) -> i64``."""
    return f"({', '.join(params)}) -> {result or '()'}"
