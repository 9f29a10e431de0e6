"""A guest that has the exports of the JavaScript engine and answers whatever a test wants.

It stands for an engine that an attacker has taken over: nothing it says can be believed.
"""

from collections.abc import Mapping

import wasmtime

from runtime.sandbox.guest import Prepared
from runtime.sandbox.limits import Limits
from runtime.sandbox.modulehost import JAVASCRIPT_FUNCTIONS
from runtime.sandbox.quickjs import EXPORTS
from runtime.sandbox.turn import Layout, with_turn
from runtime.sandbox.values import JavaScriptSource
from tests.sandbox.guests import engine

SLOT, SCRATCH, NAME, REPORT = 1024, 2048, 512, 32_768
LAYOUT = Layout(undefined=1, step=2, flush=3, describe=4, slot=SLOT, scratch=SCRATCH)
GIVE_HANDLE = f"(i32.store (i32.const {SLOT}) (i32.const 9)) (i32.const 0)"

BODIES = {
    "qjs_alloc": f"(i32.const {SCRATCH})",
    "qjs_last_ptr": f"(i32.const {REPORT})",
    "call_function": GIVE_HANDLE,
    "eval_code": GIVE_HANDLE,
    "eval_module_async": GIVE_HANDLE,
    "get_prop": GIVE_HANDLE,
    "new_string": "(i32.const 9)",
    "new_undefined": "(i32.const 9)",
    "new_object": "(i32.const 9)",
    "new_function": "(i32.const 9)",
    "new_bool": "(i32.const 9)",
    "new_uint8array": GIVE_HANDLE,
}
IMPORTED = ["host_call", "host_module_normalize", "host_module_load", "fd_write"]


def fake_module(report: str = "U", names: str = "", *, turn: bool = False, **bodies: str) -> bytes:
    """A module whose exports have these bodies; ``report`` is what ``get_string`` finds."""
    parts = []
    for (module, name), function in JAVASCRIPT_FUNCTIONS.items():
        if name in IMPORTED:
            params, result = " ".join(function.params), f"(result {function.result})"
            kind = f"(func ${name} (param {params}) {result})"
            parts.append(f'(import "{module}" "{name}" {kind})')
    parts.append('(memory (export "memory") 20)')
    parts.append('(global (export "__stack_pointer") (mut i32) (i32.const 65536))')
    escaped = "".join(f"\\{byte:02x}" for byte in report.encode())
    parts.append(f'(data (i32.const {REPORT}) "{escaped}")')
    parts.append(f'(data (i32.const {NAME}) "{names}")')
    chosen = {"qjs_last_len": f"(i32.const {len(report.encode())})", **BODIES, **bodies}
    for name, (words, answer) in EXPORTS.items():
        params = " ".join(words)
        result = f"(result {answer})" if answer else ""
        body = chosen.get(name, "(i32.const 0)" if answer else "")
        parts.append(f'(func (export "{name}") (param {params}) {result} {body})')
    made = bytes(wasmtime.wat2wasm("(module " + " ".join(parts) + ")"))
    return with_turn(made, LAYOUT) if turn else made


def pre_of(module: bytes) -> wasmtime.InstancePre:
    """A fake engine, compiled and linked as the real one is."""
    made = engine()
    compiled = wasmtime.Module(made._machine.engine, module)
    return made._javascript_linker.instantiate_pre(compiled)


def prepared(
    report: str = "U", names: str = "", modules: Mapping[str, str] | None = None, **bodies: str
) -> Prepared:
    """An app whose engine is a fake."""
    made = engine()
    return Prepared(
        machine=made._machine,
        doors=made._doors,
        pre=pre_of(fake_module(report, names, turn=True, **bodies)),
        layout=LAYOUT,
        source=JavaScriptSource(modules=modules or {}),
        limits=Limits(),
    )
