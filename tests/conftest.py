"""Every guest of the suite is searched for every live secret; the session ends with the sum (I2).

The search is switched on through the environment, so that it reaches the workers of the session,
the command line run in process, and every process that a test starts.
"""

import os
import tempfile
from pathlib import Path

import pytest

from tests.durability import postgres
from tests.proving import summed

LOG = "FIREBRICK_PROOF_LOG"


def pytest_configure(config: pytest.Config) -> None:
    """Switch the search on, once for a session and its workers."""
    os.environ["FIREBRICK_PROVE"] = "true"
    if not hasattr(config, "workerinput"):
        os.environ.setdefault(LOG, str(Path(tempfile.mkdtemp(prefix="proofs-")) / "log"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session if a secret was found in any guest."""
    if not hasattr(session.config, "workerinput") and summed(Path(os.environ[LOG])).found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End with what was searched and found, and with what could not be tested here."""
    proved = summed(Path(os.environ[LOG]))
    terminalreporter.write_line(str(proved), red=proved.found > 0)
    lacking = postgres.missing()
    if lacking:
        terminalreporter.write_line(f"left out: the tests with PostgreSQL, {lacking}")
