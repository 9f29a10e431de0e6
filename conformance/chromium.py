"""Debian's Chromium without a window, driven over the pipe of its DevTools protocol.

Nothing but the program itself is needed, and it reaches this machine alone: every other name is
made unknown to it.

Source:
    Chrome DevTools Protocol; `--remote-debugging-pipe`: messages are JSON that end with a zero
    byte, read from descriptor 3 and written to descriptor 4.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = "chromium"
WAIT_S = 60.0  # for one answer or one page; generous, for a busy machine
IN, OUT = 3, 4  # the descriptors that the protocol names
LAUNCHER = f"""
import fcntl, os, sys
reads, writes = (fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3])
os.dup2(reads, {IN})
os.dup2(writes, {OUT})
os.execvp(sys.argv[3], sys.argv[3:])
"""
OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


class ProtocolError(Exception):
    """The browser refused a call, or did not answer."""


def chromium_is_missing() -> str:
    """Return the browser's name if it is not on this machine; empty if it is."""
    return "" if shutil.which(PROGRAM) else PROGRAM


class Chromium:
    """One running browser.

    Args:
        profile: An empty folder.
        log: File for what the program says.
        more: Further options of the program; of two of one name the later counts.
    """

    def __init__(self, profile: Path, log: Path, *more: str) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # its own does not run as root
        options = [*OPTIONS, *sandbox, *more, f"--user-data-dir={profile}"]
        command = [PROGRAM, *options, "about:blank"]
        launch = [sys.executable, "-c", LAUNCHER, str(theirs_in), str(theirs_out), *command]
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                launch, pass_fds=(theirs_in, theirs_out), stdout=file, stderr=file
            )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = ours_in, ours_out
        self._rest = b""
        self._last = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Ask for one thing and return the answer; events that come meanwhile are kept."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        while True:
            answer = self.read(WAIT_S)
            if answer is None:
                raise ProtocolError(f"{method} was not answered")
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise ProtocolError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def read(self, wait_s: float) -> dict[str, Any] | None:
        """Return the next message, having kept it if it is an event; None if none comes."""
        ends_at = time.monotonic() + wait_s
        while b"\0" not in self._rest:
            left = ends_at - time.monotonic()
            if left <= 0 or not select.select([self._in], [], [], left)[0]:
                return None
            data = os.read(self._in, 1 << 16)
            if not data:
                raise ProtocolError("the browser has gone")
            self._rest += data
        one, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(one)
        if "id" not in message:
            self.events.append(message)
        return message

    def version(self) -> str:
        """Return its name and version."""
        return str(self.call("Browser.getVersion")["product"])

    def close(self) -> None:
        """End it."""
        try:
            self.call("Browser.close")
        except (OSError, ProtocolError):
            self._process.kill()
        self._process.wait(timeout=WAIT_S)
        os.close(self._in)
        os.close(self._out)


@contextmanager
def chromium(folder: Path, *more: str) -> Iterator[Chromium]:
    """Run a browser for the length of a block."""
    browser = Chromium(folder / "profile", folder / "log", *more)
    try:
        yield browser
    finally:
        browser.close()
