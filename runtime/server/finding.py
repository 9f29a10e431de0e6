"""What a check of the machine or the state came to."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line of the report.

    Attributes:
        state: ``failed`` keeps something from working.
        what: What was looked at.
        finding: What was found.
        mend: How to mend it; empty where nothing need be.
    """

    state: Literal["ok", "warn", "failed"]
    what: str
    finding: str
    mend: str = ""
