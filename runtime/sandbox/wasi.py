"""The part of WASI preview 1 without which compilers' output does not link; it gives nothing.

No file, no directory, no environment, no argument, no socket. Clock and randomness come from the
invocation, what is written to the standard streams becomes log lines, and ``proc_exit`` ends the
run.

Source:
    WASI preview 1 (``wasi_snapshot_preview1.witx``): names, types and error numbers.
"""

import hashlib
import struct

from runtime.sandbox.calls import Word
from runtime.sandbox.hostlink import HostFunction, HostSide
from runtime.sandbox.instance import Instance

MODULE = "wasi_snapshot_preview1"
SUCCESS, BAD_DESCRIPTOR, INVALID, NO_SYSTEM = 0, 8, 28, 52
REALTIME = 0
STREAMS = {1: "info", 2: "error"}
NS_PER_MS = 1_000_000
MOST_RANDOM_BYTES = 1 << 20  # of one call; more is a guest that wants to hurt
MOST_PIECES = 1_024  # of one write: IOV_MAX of Linux
MOST_LINE_BYTES = 8_192  # a longer line is cut into several
MOST_WRITE_BYTES = 65_536  # of one write are looked at; the rest counts as written and is dropped

_I: Word = "i32"
_L: Word = "i64"


def _answer(params: str, errno: int) -> HostFunction:
    return HostFunction(_words(params), _I, "", errno)


def _served(params: str, method: str) -> HostFunction:
    return HostFunction(_words(params), _I, method, INVALID)


def _words(params: str) -> tuple[Word, ...]:
    return tuple(_L if letter == "L" else _I for letter in params)


_FUNCTIONS = {
    "args_get": _answer("II", SUCCESS),
    "args_sizes_get": _served("II", "wasi_nothing"),
    "environ_get": _answer("II", SUCCESS),
    "environ_sizes_get": _served("II", "wasi_nothing"),
    "clock_res_get": _served("II", "wasi_clock_resolution"),
    "clock_time_get": _served("ILI", "wasi_clock"),
    "random_get": _served("II", "wasi_random"),
    "fd_write": _served("IIII", "wasi_write"),
    "sched_yield": _answer("", SUCCESS),
    "proc_exit": HostFunction((_I,), None, "wasi_exit", 0),
    "proc_raise": _answer("I", NO_SYSTEM),
    "poll_oneoff": _answer("IIII", NO_SYSTEM),
    "fd_advise": _answer("ILLI", BAD_DESCRIPTOR),
    "fd_allocate": _answer("ILL", BAD_DESCRIPTOR),
    "fd_close": _answer("I", BAD_DESCRIPTOR),
    "fd_datasync": _answer("I", BAD_DESCRIPTOR),
    "fd_fdstat_get": _answer("II", BAD_DESCRIPTOR),
    "fd_fdstat_set_flags": _answer("II", BAD_DESCRIPTOR),
    "fd_fdstat_set_rights": _answer("ILL", BAD_DESCRIPTOR),
    "fd_filestat_get": _answer("II", BAD_DESCRIPTOR),
    "fd_filestat_set_size": _answer("IL", BAD_DESCRIPTOR),
    "fd_filestat_set_times": _answer("ILLI", BAD_DESCRIPTOR),
    "fd_pread": _answer("IIILI", BAD_DESCRIPTOR),
    "fd_prestat_get": _answer("II", BAD_DESCRIPTOR),
    "fd_prestat_dir_name": _answer("III", BAD_DESCRIPTOR),
    "fd_pwrite": _answer("IIILI", BAD_DESCRIPTOR),
    "fd_read": _answer("IIII", BAD_DESCRIPTOR),
    "fd_readdir": _answer("IIILI", BAD_DESCRIPTOR),
    "fd_renumber": _answer("II", BAD_DESCRIPTOR),
    "fd_seek": _answer("ILII", BAD_DESCRIPTOR),
    "fd_sync": _answer("I", BAD_DESCRIPTOR),
    "fd_tell": _answer("II", BAD_DESCRIPTOR),
    "path_create_directory": _answer("III", BAD_DESCRIPTOR),
    "path_filestat_get": _answer("IIIII", BAD_DESCRIPTOR),
    "path_filestat_set_times": _answer("IIIILLI", BAD_DESCRIPTOR),
    "path_link": _answer("IIIIIII", BAD_DESCRIPTOR),
    "path_open": _answer("IIIIILLII", BAD_DESCRIPTOR),
    "path_readlink": _answer("IIIIII", BAD_DESCRIPTOR),
    "path_remove_directory": _answer("III", BAD_DESCRIPTOR),
    "path_rename": _answer("IIIIII", BAD_DESCRIPTOR),
    "path_symlink": _answer("IIIII", BAD_DESCRIPTOR),
    "path_unlink_file": _answer("III", BAD_DESCRIPTOR),
}

WASI_FUNCTIONS = {(MODULE, name): function for name, function in _FUNCTIONS.items()}
"""Every function of preview 1 but the sockets: by module and name."""


class SeededRandom:
    """All randomness of one invocation, from its seed: SHAKE-256 over seed and a counter."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._count = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes; they depend on the seed and on what was taken before."""
        self._count += 1
        block = self._seed + self._count.to_bytes(8, "little")
        return hashlib.shake_256(b"guest random" + block).digest(count)


class WasiHost(HostSide):
    """Answers the WASI functions that need an answer of this invocation."""

    instance: Instance

    def __init__(self, seed: bytes, now_s: float) -> None:
        self.random = SeededRandom(seed)
        self._begin_ns = int(now_s * 1_000_000_000)
        self._partial = dict.fromkeys(STREAMS, b"")

    def wasi_nothing(self, count: int, size: int) -> int:
        """Say that there are no arguments and no environment."""
        self.instance.write(count, bytes(4))
        self.instance.write(size, bytes(4))
        return SUCCESS

    def wasi_clock(self, clock_id: int, _precision: int, out: int) -> int:
        """Tell the invocation's time: its frozen beginning and the milliseconds since."""
        passed_ns = self.meter.timebase.told_ms() * NS_PER_MS
        base_ns = self._begin_ns if clock_id == REALTIME else 0
        self.instance.write(out, struct.pack("<Q", base_ns + passed_ns))
        return SUCCESS

    def wasi_clock_resolution(self, _clock_id: int, out: int) -> int:
        """Say one millisecond: a coarse clock measures no other guest, and can be repeated."""
        self.instance.write(out, struct.pack("<Q", NS_PER_MS))
        return SUCCESS

    def wasi_random(self, pointer: int, count: int) -> int:
        """Fill with bytes of the invocation's seed."""
        if count > MOST_RANDOM_BYTES:
            return INVALID
        self.instance.write(pointer, self.random.take(count))
        return SUCCESS

    def wasi_exit(self, code: int) -> int:
        """End the run: the guest may not go on, whatever it does next."""
        self.meter.fail("EXITED", f"The guest ended itself with exit code {code}.")
        return 0

    def wasi_write(self, fd: int, pieces: int, count: int, out: int) -> int:
        """Turn what is written to a standard stream into log lines."""
        if fd not in STREAMS:
            return BAD_DESCRIPTOR
        if count > MOST_PIECES:
            return INVALID
        table = struct.iter_unpack("<II", self.instance.read(pieces, count * 8))
        total = 0
        for pointer, length in table:
            kept = max(0, min(length, MOST_WRITE_BYTES - total))
            self._stream(fd, self.instance.read(pointer, kept))
            total += length
        self.instance.write(out, struct.pack("<I", total & 0xFFFF_FFFF))
        return SUCCESS

    def _stream(self, fd: int, data: bytes) -> None:
        *lines, rest = (self._partial[fd] + data).split(b"\n")
        for line in lines:
            if not self.stream_line(fd, line):
                rest = b""
                break
        while len(rest) > MOST_LINE_BYTES:
            self.stream_line(fd, rest[:MOST_LINE_BYTES])
            rest = rest[MOST_LINE_BYTES:]
        self._partial[fd] = rest

    def stream_line(self, fd: int, line: bytes) -> bool:
        """Log one line of a standard stream; return whether more lines are kept."""
        return self.meter.log(STREAMS[fd], line.decode("utf-8", "replace"))

    def flush_streams(self) -> None:
        """Log what was written without a line end."""
        for fd, rest in self._partial.items():
            if rest:
                self.stream_line(fd, rest)
                self._partial[fd] = b""
