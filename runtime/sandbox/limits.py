"""The budgets of one guest: every one holds, and running over one ends only that guest."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """What one invocation, or one message to a live guest, may use.

    Attributes:
        wall_ms: Time from start to result, waiting included; the platform's synchronous limit.
        cpu_ms: Time the guest itself computes.
        memory_bytes: Linear memory, the snapshot included.
        stack_bytes: Stack of the guest's code, about 1 KiB for a JavaScript call; deeper recursion
            ends the run. It is fixed when the engine is made and must be the same here.
        door_calls: Calls through the door.
        door_request_bytes: Sum of the bodies that go out through the door.
        door_reply_bytes: Sum of the bodies that come back.
        log_lines: Lines kept; one marker line stands for the rest.
        log_bytes: UTF-8 bytes of log text kept; the marker line stands for the rest.
        result_bytes: UTF-8 bytes of the JSON result.

    Source:
        The numbers are the emulated platform's invocation limits where it publishes one (25 s,
        100 calls, 5 MiB, 100 lines, 200 KiB), else the architecture's budgets.
    """

    wall_ms: int = 25_000
    cpu_ms: int = 10_000
    memory_bytes: int = 128 * MIB
    stack_bytes: int = 4 * MIB
    door_calls: int = 100
    door_request_bytes: int = 5 * MIB
    door_reply_bytes: int = 5 * MIB
    log_lines: int = 100
    log_bytes: int = 200 * KIB
    result_bytes: int = 5 * MIB
