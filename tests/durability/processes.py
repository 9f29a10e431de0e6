"""Real processes, forked from one that has imported everything, so that a hundred cost little."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any  # what a process says: JSON

PATIENCE_S = 120.0  # for a process of a machine that has other things to do

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", "tests.durability.warm", "tests.durability.crowd"])


class Running:
    """One process and what it says; its function gets a connection as its last argument."""

    def __init__(self, function: Callable[..., None], *arguments: object) -> None:
        self.ears, mouth = CONTEXT.Pipe(duplex=False)
        self.process: BaseProcess = CONTEXT.Process(
            target=function, args=(*arguments, mouth), daemon=True
        )
        self.process.start()
        mouth.close()

    def hear(self) -> Any:
        """Return the next thing it says; None once it has ended and all was heard."""
        if not self.ears.poll(PATIENCE_S):
            raise TimeoutError("a process of the test says nothing")
        try:
            return self.ears.recv()
        except (EOFError, ConnectionResetError):
            return None

    def kill(self) -> None:
        """End it with SIGKILL, at whatever instruction it is."""
        self.process.kill()

    def close(self) -> int | None:
        """Wait for its end and return its exit code; a signal is negative."""
        self.process.join(PATIENCE_S)
        self.ears.close()
        return self.process.exitcode


def answer_of(function: Callable[..., None], *arguments: object) -> Any:
    """Run a function in a process of its own and return the one thing that it says."""
    running = Running(function, *arguments)
    said = running.hear()
    assert running.close() == 0
    return said


__all__ = ["PATIENCE_S", "Connection", "Running", "answer_of"]
