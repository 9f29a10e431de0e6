"""Raw guests as WAT text, put together from the parts a test needs."""

from runtime.sandbox.engine import Engine
from runtime.sandbox.limits import Limits
from runtime.sandbox.values import Door, Outcome
from tests.sandbox.guests import engine, nothing, start

IMPORTS = """
  (import "firebrick" "requestJira" (func $request (param i32 i32) (result i64)))
  (import "firebrick" "log" (func $log (param i32 i32 i32)))
"""
PARTS = """
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 4096))
  (func $alloc (export "alloc") (param $size i32) (result i32)
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get $size))))
"""


def wat(body: str, extra: str = "", imports: str = IMPORTS, parts: str = PARTS) -> bytes:
    """A module whose ``invoke`` has this body; its parameters are ``$at`` and ``$size``."""
    invoke = f'(func (export "invoke") (param $at i32) (param $size i32) (result i64) {body})'
    return f"(module {imports} {parts} {extra} {invoke})".encode()


def text_at(place: int, text: str) -> str:
    """A data segment."""
    escaped = "".join(f"\\{byte:02x}" for byte in text.encode())
    return f'(data (i32.const {place}) "{escaped}")'


def packed(place: int, text: str) -> str:
    """The value ``pointer << 32 | length`` of a text."""
    return f"(i64.const {place << 32 | len(text.encode())})"


def run_wat(
    module: bytes,
    *args: object,
    door: Door = nothing,
    limits: Limits | None = None,
    on: Engine | None = None,
) -> Outcome:
    """Run a raw module once."""
    image = (on or engine()).wasm(module)
    return image.run(start(*args), door, limits or Limits())
