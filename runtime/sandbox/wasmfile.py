"""Rewrite a WebAssembly module so that its data section is a memory image taken while it ran.

Only what a snapshot needs is understood: sections, constant globals, exports and one memory.
Anything else is copied byte for byte, or refused where copying it would be wrong.

Source:
    WebAssembly Core Specification 2.0, section 5.5 (binary format of modules).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

MAGIC = b"\0asm\1\0\0\0"
PAGE_BYTES = 65_536
CHUNK_BYTES = 4_096  # granularity of skipped zeroes: one page of the machine

TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, DATA, DATA_COUNT = 4, 5, 6, 7, 8, 9, 11, 12
_TYPE, _IMPORT, _FUNCTION, _CODE = 1, 2, 3, 10
_KIND_FUNCTION, _KIND_GLOBAL = 0, 3
_I32, _I64, _MUTABLE, _I32_CONST, _I64_CONST, _END = 0x7F, 0x7E, 1, 0x41, 0x42, 0x0B
_FUNCREF = 0x70
_ONE_FIXED_TABLE = bytes([1, _FUNCREF, 1])  # one, of functions, with an upper bound
_WORD_BITS = {_I32: 32, _I64: 64}
_CONST = {_I32: _I32_CONST, _I64: _I64_CONST}


class WasmFileError(Exception):
    """The module is not one that can be rewritten; the message says what stands in the way."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its id and its content without the length."""

    kind: int
    body: bytes


@dataclass(frozen=True, slots=True)
class GlobalValue:
    """A global of the module: its value type, whether it may change, and its initial value."""

    kind: int
    mutable: bool
    value: int


def unsigned_leb(value: int) -> bytes:
    """Encode an unsigned number."""
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004  # seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed_leb(value: int) -> bytes:
    """Encode a signed number."""
    out = bytearray()
    while not -64 <= value < 64:  # noqa: PLR2004  # what fits beside the sign in seven bits
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


class Reader:
    """Reads numbers and names from bytes; any read past the end is a WasmFileError."""

    def __init__(self, data: bytes, place: int = 0) -> None:
        self.data = data
        self.place = place

    def more(self) -> bool:
        """Return whether bytes are left."""
        return self.place < len(self.data)

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        part = self.data[self.place : self.place + count]
        if len(part) != count:
            raise WasmFileError("the module ends in the middle of a section")
        self.place += count
        return part

    def unsigned(self) -> int:
        """Return the next unsigned number."""
        return self._leb()[0]

    def signed(self) -> int:
        """Return the next signed number."""
        value, bits, last = self._leb()
        return value - (1 << bits) if last & 0x40 else value

    def _leb(self) -> tuple[int, int, int]:
        value = bits = 0
        while bits < 70:  # noqa: PLR2004  # ten bytes hold 64 bits
            last = self.byte()
            value |= (last & 0x7F) << bits
            bits += 7
            if last < 0x80:  # noqa: PLR2004  # the continuation bit is clear
                return value, bits, last
        raise WasmFileError("a number is longer than 64 bits")

    def name(self) -> str:
        """Return the next name."""
        return self.take(self.unsigned()).decode("utf-8", "replace")


def read_sections(module: bytes) -> list[Section]:
    """Split a module into its sections."""
    if module[: len(MAGIC)] != MAGIC:
        raise WasmFileError("not a WebAssembly module")
    reader = Reader(module, len(MAGIC))
    sections = []
    while reader.more():
        kind = reader.byte()
        sections.append(Section(kind, reader.take(reader.unsigned())))
    return sections


def write_sections(sections: list[Section]) -> bytes:
    """Join sections into a module."""
    parts = [MAGIC]
    for section in sections:
        parts += [bytes([section.kind]), unsigned_leb(len(section.body)), section.body]
    return b"".join(parts)


def read_globals(sections: list[Section]) -> list[GlobalValue]:
    """Return the module's own globals, whose initial values must be integer constants."""
    found = []
    for body in _bodies(sections, GLOBAL):
        reader = Reader(body)
        for _ in range(reader.unsigned()):
            kind, mutable, opcode = reader.byte(), reader.byte(), reader.byte()
            if opcode != _CONST.get(kind):
                raise WasmFileError("a global is not initialised by an integer constant")
            found.append(GlobalValue(kind, mutable == _MUTABLE, reader.signed()))
            if reader.byte() != _END:
                raise WasmFileError("a global's initial value has more than one instruction")
    return found


def exported_globals(sections: list[Section]) -> dict[int, str]:
    """Return which globals the module exports, by index."""
    found = {}
    for body in _bodies(sections, EXPORT):
        reader = Reader(body)
        for _ in range(reader.unsigned()):
            name, kind, index = reader.name(), reader.byte(), reader.unsigned()
            if kind == _KIND_GLOBAL:
                found[index] = name
    return found


def mutable_globals(module: bytes) -> list[str]:
    """Return the export names of all globals whose values a snapshot must keep.

    Raises:
        WasmFileError: A global that may change is not exported, so that its value cannot be read,
            or one is imported.
    """
    sections = read_sections(module)
    if any(_imports_global(body) for body in _bodies(sections, _IMPORT)):
        raise WasmFileError("the module imports a global")
    names = exported_globals(sections)
    kept = [index for index, item in enumerate(read_globals(sections)) if item.mutable]
    if hidden := [index for index in kept if index not in names]:
        raise WasmFileError(f"global {hidden[0]} may change but is not exported")
    return [names[index] for index in kept]


def _imports_global(body: bytes) -> bool:
    """Only function imports can be skipped without a full parser, and no other kind is expected."""
    reader = Reader(body)
    for _ in range(reader.unsigned()):
        reader.name()
        reader.name()
        if reader.byte() != 0:
            return True
        reader.unsigned()
    return False


def image_segments(image: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, bytes) of the parts of an image that are not zero."""
    zero = bytes(CHUNK_BYTES)
    begin: int | None = None
    for place in range(0, len(image), CHUNK_BYTES):
        if image[place : place + CHUNK_BYTES] == zero[: len(image) - place]:
            if begin is not None:
                yield begin, image[begin:place].rstrip(b"\0")
            begin = None
        elif begin is None:
            begin = place
    if begin is not None:
        yield begin, image[begin:].rstrip(b"\0")


def with_image(module: bytes, image: bytes, globals_now: Mapping[str, int]) -> bytes:
    """Return the module as it would be if it had been compiled with this memory.

    The start function is dropped, because it has run. The data count section is dropped too: a
    module that really uses passive segments does not validate without it, so it cannot slip
    through.

    Args:
        module: The module the image was taken from.
        image: Its whole linear memory.
        globals_now: Values of the globals that `mutable_globals` names.
    """
    if len(image) % PAGE_BYTES:
        raise WasmFileError("the image is not a whole number of pages")
    sections = read_sections(module)
    kept = [item for item in sections if item.kind not in {START, DATA, DATA_COUNT}]
    changed = {
        MEMORY: _memory_body(sections, len(image) // PAGE_BYTES),
        GLOBAL: _global_body(sections, globals_now),
    }
    written = [Section(item.kind, changed.get(item.kind, item.body)) for item in kept]
    last = max((at for at, item in enumerate(written) if item.kind), default=-1) + 1
    written.insert(last, Section(DATA, _data_body(image)))
    return write_sections(written)


def with_exported_start(module: bytes, name: str) -> bytes:
    """Return a valid module whose start function is an export instead, if it has one.

    A start function runs before anybody has the instance in hand; an export runs when it is called.
    """
    sections = read_sections(module)
    starts = _bodies(sections, START)
    if not starts:
        return module
    entry = _vector(name.encode()) + bytes([_KIND_FUNCTION]) + starts[0]
    written = []
    for item in sections:
        if item.kind == EXPORT:
            written.append(Section(EXPORT, _appended(item.body, entry)))
        elif item.kind != START:
            written.append(item)
    return write_sections(written)


def exported_functions(sections: list[Section]) -> dict[str, int]:
    """Return the indices of exported functions, by name."""
    found = {}
    for body in _bodies(sections, EXPORT):
        reader = Reader(body)
        for _ in range(reader.unsigned()):
            name, kind, index = reader.name(), reader.byte(), reader.unsigned()
            if kind == _KIND_FUNCTION:
                found[name] = index
    return found


def with_function(
    module: bytes,
    name: str,
    *,
    params: bytes,
    results: bytes,
    local_types: bytes,
    code: Callable[[Mapping[str, int]], bytes],
) -> bytes:
    """Return the module with one more exported function, behind all others.

    Args:
        module: A module that imports nothing but functions.
        name: Of the export.
        params: Value types of the parameters.
        results: Value types of the results.
        local_types: Value types of the locals.
        code: Makes the instructions, given the indices of exported functions by their names.
    """
    sections = read_sections(module)
    imported = sum(Reader(body).unsigned() for body in _bodies(sections, _IMPORT))
    defined = sum(Reader(body).unsigned() for body in _bodies(sections, _FUNCTION))
    types = sum(Reader(body).unsigned() for body in _bodies(sections, _TYPE))
    locals_list = unsigned_leb(len(local_types)) + b"".join(
        bytes([1, kind]) for kind in local_types
    )
    body = locals_list + code(exported_functions(sections)) + bytes([_END])
    added = {
        _TYPE: bytes([0x60]) + _vector(params) + _vector(results),
        _FUNCTION: unsigned_leb(types),
        EXPORT: _vector(name.encode()) + b"\0" + unsigned_leb(imported + defined),
        _CODE: _vector(body),
    }
    return write_sections(
        [
            Section(item.kind, _appended(item.body, added[item.kind]))
            if item.kind in added
            else item
            for item in sections
        ]
    )


def with_table_entry(module: bytes, name: str) -> tuple[bytes, int]:
    """Return the module with an exported function in one more place of its table, and the place.

    Args:
        module: A module with one table of functions that does not grow.
        name: Of the export.
    """
    sections = read_sections(module)
    place = _table_size(sections)
    entry = bytes([0, _I32_CONST]) + signed_leb(place) + bytes([_END, 1])
    entry += unsigned_leb(exported_functions(sections)[name])
    table = _ONE_FIXED_TABLE + 2 * unsigned_leb(place + 1)
    return write_sections(
        [
            Section(TABLE, table)
            if item.kind == TABLE
            else Section(ELEMENT, _appended(item.body, entry))
            if item.kind == ELEMENT
            else item
            for item in sections
        ]
    ), place


def _table_size(sections: list[Section]) -> int:
    bodies = _bodies(sections, TABLE)
    reader = Reader(b"".join(bodies))
    if len(bodies) != 1 or not _bodies(sections, ELEMENT) or reader.take(3) != _ONE_FIXED_TABLE:
        raise WasmFileError("the module does not define exactly one table of a fixed size")
    least, most = reader.unsigned(), reader.unsigned()
    if least != most:
        raise WasmFileError("the module's table may grow")
    return least


def _vector(data: bytes) -> bytes:
    return unsigned_leb(len(data)) + data


def _appended(body: bytes, entry: bytes) -> bytes:
    """Return a section's content, which is a vector, with one more entry."""
    reader = Reader(body)
    count = reader.unsigned()
    return unsigned_leb(count + 1) + body[reader.place :] + entry


def _bodies(sections: list[Section], kind: int) -> list[bytes]:
    return [item.body for item in sections if item.kind == kind]


def _memory_body(sections: list[Section], pages: int) -> bytes:
    bodies = _bodies(sections, MEMORY)
    if len(bodies) != 1:
        raise WasmFileError("the module does not define exactly one memory")
    reader = Reader(bodies[0])
    count, flags = reader.unsigned(), reader.byte()
    if count != 1 or flags not in {0, 1}:
        raise WasmFileError("the module does not define exactly one plain memory")
    reader.unsigned()
    most = unsigned_leb(reader.unsigned()) if flags else b""
    return b"\1" + bytes([flags]) + unsigned_leb(pages) + most


def _global_body(sections: list[Section], globals_now: Mapping[str, int]) -> bytes:
    names = exported_globals(sections)
    items = read_globals(sections)
    out = [unsigned_leb(len(items))]
    for index, item in enumerate(items):
        value = globals_now[names[index]] if item.mutable else item.value
        bits = _WORD_BITS[item.kind]
        signed = (value + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))
        out += [bytes([item.kind, item.mutable, _CONST[item.kind]]), signed_leb(signed)]
        out.append(bytes([_END]))
    return b"".join(out)


def _data_body(image: bytes) -> bytes:
    segments = list(image_segments(image))
    out = [unsigned_leb(len(segments))]
    for offset, part in segments:
        place = bytes([0, _I32_CONST]) + signed_leb(_as_i32(offset)) + bytes([_END])
        out += [place, unsigned_leb(len(part)), part]
    return b"".join(out)


def _as_i32(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value
