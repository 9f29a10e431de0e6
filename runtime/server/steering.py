"""The clock that whoever runs the emulator moves or stops, to see what ends and when.

It stands in a small file of the state folder, which every process looks at for each reading: so it
is in force for the very next call everywhere. It is the time of the world and of what this server
alone judges by a clock: OAuth codes and tokens, API tokens, sessions of pages. Signed tokens that
others make or check, certificates and the audit trail keep the machine's time.
"""

import json
import math
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from runtime.clock import Clock
from runtime.errors import ForgeError, StateError

CLOCK_FILE = "clock.json"
MAX_AHEAD_S = 100 * 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class Steering:
    """How a clock is steered.

    Attributes:
        ahead_s: How far it is ahead of the machine's.
        stopped_at_s: Where it stands still, in seconds since 1970; None while it goes.
    """

    ahead_s: float = 0.0
    stopped_at_s: float | None = None


class SteeredClock:
    """A clock over another one.

    Args:
        clock: The machine's.
        folder: The state folder.
    """

    def __init__(self, clock: Clock, folder: Path) -> None:
        self._clock = clock
        self._path = folder / CLOCK_FILE
        self._seen: tuple[tuple[int, int, int], Steering] | None = None

    def now_s(self) -> float:
        """Return seconds since 1970-01-01 UTC.

        Raises:
            StateError: ``STATE_UNUSABLE``: the file cannot be read.
        """
        steering = self.steering()
        if steering.stopped_at_s is not None:
            return steering.stopped_at_s
        return self._clock.now_s() + steering.ahead_s

    def monotonic_s(self) -> float:
        """Return seconds from an arbitrary start that never go back; nobody steers them."""
        return self._clock.monotonic_s()

    def steering(self) -> Steering:
        """Return how the clock is steered now.

        Raises:
            StateError: ``STATE_UNUSABLE``: the file cannot be read.
        """
        try:
            found = os.stat(self._path)
            version = (found.st_mtime_ns, found.st_size, found.st_ino)
            seen = self._seen
            if seen is None or seen[0] != version:
                seen = (version, _read(self._path.read_text(encoding="utf-8")))
                self._seen = seen
        except FileNotFoundError:
            return Steering()
        except (OSError, ValueError) as error:
            raise StateError(
                "STATE_UNUSABLE",
                f"{self._path} cannot be read; 'firebrick clock reset' removes it.",
            ) from error
        return seen[1]

    def advance(self, seconds: float) -> None:
        """Move on, going or stopped.

        Raises:
            ForgeError: ``BAD_OPTION``: backwards, or too far.
        """
        now = self.steering()
        if seconds <= 0 or now.ahead_s + seconds > MAX_AHEAD_S:
            raise ForgeError("BAD_OPTION", "The clock moves forward, and by 100 years at most.")
        stopped = now.stopped_at_s
        self._write(Steering(now.ahead_s + seconds, None if stopped is None else stopped + seconds))

    def stop(self) -> None:
        """Stand still."""
        now = self.steering()
        if now.stopped_at_s is None:
            self._write(replace(now, stopped_at_s=self.now_s()))

    def go(self) -> None:
        """Go on from where it stands."""
        stopped = self.steering().stopped_at_s
        if stopped is not None:
            self._write(Steering(stopped - self._clock.now_s()))

    def reset(self) -> None:
        """Take the machine's time again; that may be a way back."""
        self._path.unlink(missing_ok=True)

    def _write(self, steering: Steering) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_name(f"{CLOCK_FILE}.new")
        new.write_text(json.dumps(asdict(steering)), encoding="utf-8")
        new.replace(self._path)


def _read(text: str) -> Steering:
    """Return what stands in the file.

    Raises:
        ValueError: It is not what this module writes.
    """
    values = json.loads(text)
    if not isinstance(values, dict) or values.keys() != asdict(Steering()).keys():
        raise ValueError("no steering")
    ahead, stopped = values["ahead_s"], values["stopped_at_s"]
    if not isinstance(ahead, int | float) or not isinstance(stopped, int | float | None):
        raise ValueError("no steering")  # noqa: TRY004  # caught as such
    if not math.isfinite(ahead) or not math.isfinite(stopped or 0.0):
        raise ValueError("no steering")
    return Steering(float(ahead), None if stopped is None else float(stopped))
