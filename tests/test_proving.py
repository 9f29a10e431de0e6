"""The session of tests is itself a proof: what it says, and that it fails if a secret is found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.conftest import APPS, Bench
from tests.proving import Proved, summed

ROOT = Path(__file__).parents[1]


def session(log: Path) -> "subprocess.CompletedProcess[str]":
    """Run a session of one small test whose guests were searched as `log` says."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
         "tests/identity/test_api_tokens.py", "-k", "e_mail_in_any_case"],
        cwd=ROOT, env={**os.environ, "FIREBRICK_PROOF_LOG": str(log)}, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip


def test_proofs_are_summed_over_all_processes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert summed(log) == Proved(0, 0, 0)
    log.write_text("1 100 0\n3 50 0\n")
    assert str(summed(log)) == "proved: 4 secrets, 150 bytes searched, 0 found"


@pytest.mark.parametrize("found", [0, 1])
@pytest.mark.hostile
def test_a_secret_that_was_found_fails_the_session(tmp_path: Path, found: int) -> None:
    log = tmp_path / "log"
    log.write_text(f"2 100 {found}\n")
    done = session(log)
    assert f"proved: 2 secrets, 100 bytes searched, {found} found" in done.stdout
    assert (done.returncode == pytest.ExitCode.TESTS_FAILED) is bool(found)


def test_every_invocation_is_proved_and_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runtime.server.runtime import open_firebrick  # noqa: PLC0415
    from runtime.server.settings import Settings  # noqa: PLC0415

    log = tmp_path / "log"
    monkeypatch.setenv("FIREBRICK_PROOF_LOG", str(log))
    with open_firebrick(Settings(state=tmp_path / "state")) as firebrick:
        bench = Bench(firebrick)
        bench.install(APPS / "wat-hello")
        bench.invoke("wat-hello", "hello")
    proved = summed(log)
    assert (proved.secrets, proved.found) == (1, 0)
    assert proved.bytes >= 65_536
