"""What the proofs of a whole session of tests come to."""

from pathlib import Path
from typing import NamedTuple


class Proved(NamedTuple):
    """Secrets searched for, bytes searched, and how many times one was found, over all proofs."""

    secrets: int
    bytes: int
    found: int

    def __str__(self) -> str:
        return f"proved: {self.secrets} secrets, {self.bytes} bytes searched, {self.found} found"


def summed(log: Path) -> Proved:
    """Add up a proof log, to which every process of the session has appended."""
    lines = log.read_text("ascii").splitlines() if log.exists() else []
    rows = [[int(number) for number in line.split()] for line in lines]
    return Proved(*(sum(column) for column in zip((0, 0, 0), *rows, strict=True)))
