"""Apps with real packages from npm, each installed and deployed once."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.conftest import pytest_configure, pytest_sessionfinish, pytest_terminal_summary
from tests.flows.conftest import Bench

__all__ = ["pytest_configure", "pytest_sessionfinish", "pytest_terminal_summary"]

HERE = Path(__file__).parent
SECONDS = 600

Deployed = Callable[[str, str], Bench]


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
