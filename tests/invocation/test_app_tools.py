"""The tools an app brings are programs of the app: they do not run by themselves."""

import shutil
from pathlib import Path

import pytest

from runtime.errors import ManifestError
from runtime.invocation.bundling import Toolchain
from runtime.invocation.deploy import prepare

APPS = Path(__file__).parents[2] / "sample_apps"


@pytest.fixture
def hostile_app(tmp_path: Path) -> Path:
    """An app whose esbuild leaves a trace when it runs."""
    folder = Path(shutil.copytree(APPS / "issue-health", tmp_path / "app"))
    tool = folder / "node_modules" / ".bin" / "esbuild"
    tool.parent.mkdir(parents=True)
    tool.write_text(f"#!/bin/sh\ntouch {tmp_path / 'owned'}\nexit 1\n")
    tool.chmod(0o755)
    return folder


@pytest.mark.hostile
def test_the_esbuild_of_an_app_does_not_run(hostile_app: Path, tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        prepare(hostile_app, toolchain=Toolchain(tmp_path / "tools"))
    assert caught.value.code == "TOOLCHAIN_MISSING"
    assert not (tmp_path / "owned").exists()


def test_it_runs_where_that_was_allowed(hostile_app: Path, tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        prepare(hostile_app, toolchain=Toolchain(trust_apps=True))
    assert caught.value.code == "BUNDLE_FAILED"
    assert (tmp_path / "owned").exists()


@pytest.mark.hostile
def test_the_tool_folder_comes_first(hostile_app: Path, tmp_path: Path) -> None:
    tool = tmp_path / "tools" / "node_modules" / ".bin" / "esbuild"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\nexit 1\n")
    tool.chmod(0o755)
    with pytest.raises(ManifestError):
        prepare(hostile_app, toolchain=Toolchain(tmp_path / "tools", trust_apps=True))
    assert not (tmp_path / "owned").exists()
