"""The few WebAssembly instructions that added functions are put together from.

Source:
    WebAssembly Core Specification 2.0, section 5.4 (binary format of instructions).
"""

from runtime.sandbox.wasmfile import signed_leb, unsigned_leb

I32, I64 = 0x7F, 0x7E
EMPTY_BLOCK = 0x40
LOOP, IF, END, BR_IF, RETURN = 0x03, 0x04, 0x0B, 0x0D, 0x0F
TEE, I32_LOAD, I32_STORE, I64_STORE = 0x22, 0x28, 0x36, 0x37
EQZ, GE_S, ADD, AND, OR, SHL = 0x45, 0x4E, 0x6A, 0x71, 0x72, 0x74
I64_CONST, I64_OR, I64_SHL, EXTEND = 0x42, 0x84, 0x86, 0xAD
_CALL, _GET, _I32_CONST = 0x10, 0x20, 0x41


def const(value: int) -> bytes:
    """Push a 32-bit number."""
    return bytes([_I32_CONST]) + signed_leb(value)


def get(local: int) -> bytes:
    """Push a parameter or local."""
    return bytes([_GET, local])


def call(function: int) -> bytes:
    """Call a function by its index."""
    return bytes([_CALL]) + unsigned_leb(function)


def load(offset: int = 0) -> bytes:
    """Replace an address by the 32 bits that stand `offset` bytes behind it."""
    return bytes([I32_LOAD, 2]) + unsigned_leb(offset)


def store(offset: int = 0) -> bytes:
    """Store 32 bits `offset` bytes behind an address."""
    return bytes([I32_STORE, 2]) + unsigned_leb(offset)


def store_long(offset: int = 0) -> bytes:
    """Store 64 bits `offset` bytes behind an address."""
    return bytes([I64_STORE, 3]) + unsigned_leb(offset)
