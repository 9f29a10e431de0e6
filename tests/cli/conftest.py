"""The command line, in process: each test has a state of its own and a shared image cache."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from runtime.cli.main import app

ROOT = Path(__file__).parents[2]


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


Firebrick = Callable[..., Said]


@pytest.fixture(scope="session")
def cli_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def firebrick(tmp_path: Path, cli_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Firebrick:
    monkeypatch.setenv("FIREBRICK_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("FIREBRICK_CACHE", str(cli_cache))
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    def run(*arguments: str, answer: str = "") -> Said:
        result = runner.invoke(app, arguments, input=answer, catch_exceptions=False)
        return Said(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def installed(firebrick: Firebrick) -> Firebrick:
    folder = ROOT / "sample_apps" / "issue-health"
    assert firebrick("deploy", str(folder)).code == 0
    assert firebrick("install", "--yes").code == 0
    return firebrick
