"""Apps with real packages from npm, each installed and deployed once; and what is left out."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance.chromium import chromium_is_missing
from conformance.environment import node_is_missing, summary
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests import conftest as suite
from tests.conftest import pytest_configure, pytest_sessionfinish
from tests.flows.conftest import Bench

__all__ = ["pytest_configure", "pytest_sessionfinish"]

HERE = Path(__file__).parent
SECONDS = 600
NEEDS = {
    "npm": (node_is_missing, "of packages of npm"),
    "chromium": (chromium_is_missing, "in a browser"),
}

Deployed = Callable[[str, str], Bench]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a program that is not there; the session's end says so."""
    for marker, (is_missing, _) in NEEDS.items():
        if is_missing():
            gone = [item for item in items if item.get_closest_marker(marker)]
            config.hook.pytest_deselected(items=gone)
            items[:] = [item for item in items if item not in gone]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End with the versions that were there, and with what was left out and why."""
    suite.pytest_terminal_summary(terminalreporter)
    for line in summary():
        terminalreporter.write_line(line)
    for is_missing, kind in NEEDS.values():
        lacking = is_missing()
        if lacking:
            line = f"left out: the tests {kind}, {lacking} cannot be found"
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Install an app of this folder under a name, in a state of its own."""
    opened = []

    def deploy(folder: str, name: str) -> Bench:
        copy = tmp_path_factory.mktemp(folder) / name
        shutil.copytree(HERE / folder, copy)
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(command, cwd=copy, check=True, capture_output=True, timeout=SECONDS)
        firebrick = open_firebrick(
            Settings(state=tmp_path_factory.mktemp("state"), trust_app_tools=True)
        )
        opened.append(firebrick)
        bench = Bench(firebrick)
        bench.install(copy)
        return bench

    yield deploy
    for firebrick in opened:
        firebrick.close()
