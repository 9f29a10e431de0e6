"""The inert part of WASI: it links, and it gives nothing."""

import struct

import pytest

from runtime.sandbox.limits import Limits
from runtime.sandbox.values import Outcome
from runtime.sandbox.wasi import MODULE, MOST_LINE_BYTES, WASI_FUNCTIONS, SeededRandom
from tests.sandbox.guests import NOW_S, SEED, engine, fault_code, nothing, start, virtual_engine
from tests.sandbox.raw_guests import run_wat, text_at, wat


def imported(*names: str) -> str:
    """Import WASI functions under their own names."""
    parts = []
    for name in names:
        function = WASI_FUNCTIONS[MODULE, name]
        params = " ".join(function.params)
        result = f"(result {function.result})" if function.result else ""
        parts.append(f'(import "{MODULE}" "{name}" (func ${name} (param {params}) {result}))')
    return " ".join(parts)


def memory_after(body: str, *names: str) -> tuple[Outcome, bytes]:
    """Run a body and return what the memory holds afterwards."""
    kept: list[bytes] = []
    image = virtual_engine().wasm(wat(f"{body} (i64.const 0)", imports=imported(*names)))
    outcome = image.run(
        start(), nothing, Limits(), inspect=lambda memory: kept.append(bytes(memory[:4096]))
    )
    return outcome, kept[0]


def test_there_are_no_arguments_and_no_environment() -> None:
    fill = "(i64.store (i32.const 0) (i64.const -1)) (i64.store (i32.const 8) (i64.const -1))"
    calls = """
      (call $args_sizes_get (i32.const 0) (i32.const 4)) drop
      (call $environ_sizes_get (i32.const 8) (i32.const 12)) drop
      (call $args_get (i32.const 0) (i32.const 0)) drop
      (call $environ_get (i32.const 0) (i32.const 0)) drop
    """
    names = ("args_sizes_get", "environ_sizes_get", "args_get", "environ_get")
    assert memory_after(fill + calls, *names)[1][:16] == bytes(16)


def test_the_clock_is_the_invocations() -> None:
    calls = """
      (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 0)) drop
      (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 8)) drop
      (call $clock_res_get (i32.const 0) (i32.const 16)) drop
    """
    memory = memory_after(calls, "clock_time_get", "clock_res_get")[1]
    assert struct.unpack("<QQQ", memory[:24]) == (int(NOW_S) * 1_000_000_000, 0, 1_000_000)


def test_randomness_is_the_seeds() -> None:
    calls = """
      (call $random_get (i32.const 0) (i32.const 16)) drop
      (call $random_get (i32.const 16) (i32.const 16)) drop
      (i32.store (i32.const 32) (call $random_get (i32.const 0) (i32.const 1048577)))
    """
    memory = memory_after(calls, "random_get")[1]
    source = SeededRandom(SEED)
    assert memory[:32] == source.take(16) + source.take(16)
    assert memory[:16] != memory[16:32]
    assert memory[32] == 28


def written(*texts: str, fd: int = 1) -> str:
    """Calls of fd_write, one for each text."""
    calls, place = [], 256
    for text in texts:
        size = len(text.encode())
        calls.append(
            f"(i32.store (i32.const 0) (i32.const {place}))"
            f"(i32.store (i32.const 4) (i32.const {size}))"
            f"(i32.store (i32.const 12) (call $fd_write (i32.const {fd}) (i32.const 0)"
            f" (i32.const 1) (i32.const 8)))"
        )
        place += size
    return "".join(calls)


def lines_of(*texts: str, fd: int = 1) -> list[tuple[str, str]]:
    """What the log holds after these writes."""
    data = text_at(256, "".join(texts))
    module = wat(written(*texts, fd=fd) + "(i64.const 0)", data, imports=imported("fd_write"))
    return [(line.level, line.text) for line in run_wat(module).logs]


def test_what_is_written_to_the_standard_streams_becomes_log_lines() -> None:
    assert lines_of("one\ntwo\n") == [("info", "one"), ("info", "two")]
    assert lines_of("in ", "pieces\nand ", "a rest") == [
        ("info", "in pieces"),
        ("info", "and a rest"),
    ]
    assert lines_of("oops\n", fd=2) == [("error", "oops")]
    assert lines_of("nowhere\n", fd=3) == []


def test_a_long_line_is_cut_into_several() -> None:
    assert [len(text) for _, text in lines_of("x" * 20_000)] == [MOST_LINE_BYTES] * 2 + [3616]


def test_a_flood_of_lines_is_cut() -> None:
    assert len(lines_of("x\n" * 300)) == 101


def test_a_write_says_how_much_it_took() -> None:
    outcome, memory = memory_after(
        "(i32.store (i32.const 4) (i32.const 77))"
        "(i32.store (i32.const 12) (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1)"
        " (i32.const 8)))"
        "(i32.store (i32.const 16) (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1025)"
        " (i32.const 8)))",
        "fd_write",
    )
    assert outcome.fault is None
    assert struct.unpack("<III", memory[8:20]) == (77, 0, 28)


def test_proc_exit_ends_the_run() -> None:
    module = wat(
        "(call $proc_exit (i32.const 3)) (loop $l (br $l)) (i64.const 0)",
        imports=imported("proc_exit"),
    )
    outcome = run_wat(module)
    assert outcome.fault is not None
    assert (outcome.fault.code, "code 3" in outcome.fault.message) == ("EXITED", True)


@pytest.mark.parametrize("name", ["path_open", "fd_read", "fd_prestat_get", "fd_close"])
def test_there_are_no_files(name: str) -> None:
    zeros = " ".join(f"({word}.const 0)" for word in WASI_FUNCTIONS[MODULE, name].params)
    memory = memory_after(f"(i32.store (i32.const 0) (call ${name} {zeros}))", name)[1]
    assert memory[0] == 8


def test_there_are_no_sockets() -> None:
    assert not [name for _, name in WASI_FUNCTIONS if name.startswith("sock")]


def test_a_pointer_outside_the_memory_ends_the_run() -> None:
    for call in (
        "(call $clock_time_get (i32.const 0) (i64.const 0) (i32.const -8)) drop",
        "(call $random_get (i32.const 131071) (i32.const 2)) drop",
        "(call $fd_write (i32.const 1) (i32.const 131068) (i32.const 1) (i32.const 0)) drop",
    ):
        names = ("clock_time_get", "random_get", "fd_write")
        module = wat(f"{call} (i64.const 0)", imports=imported(*names))
        assert fault_code(run_wat(module)) == "TRAP"
    assert engine() is not None
