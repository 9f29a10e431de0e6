"""A damaged cache of compiled apps is never a reason to fail, and never loaded."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.durability import crowd
from tests.durability.processes import answer_of


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, apps: Path) -> Path:
    folder = tmp_path_factory.mktemp("deployed") / "state"
    with open_firebrick(Settings(state=folder)) as firebrick:
        version, _ = firebrick.apps.deploy(apps / "narrow1", name="load")
        cloud_id = firebrick.find_site(None)
        plan = firebrick.apps.plan(version, cloud_id)
        firebrick.apps.install(plan, cloud_id, firebrick.find_person("amy"))
    assert list((folder / "cache").glob("*.guest"))
    return folder


def entries(cache: Path) -> list[Path]:
    return list(cache.glob("*.guest"))


def cut(cache: Path) -> None:
    for entry in entries(cache):
        entry.write_bytes(entry.read_bytes()[:10_000])


def flip(cache: Path) -> None:
    for entry in entries(cache):
        data = bytearray(entry.read_bytes())
        data[len(data) // 2] ^= 0x40
        entry.write_bytes(data)


def other_key(cache: Path) -> None:
    (cache / "cache.key").write_bytes(os.urandom(32))


def short_key(cache: Path) -> None:
    (cache / "cache.key").write_bytes(b"short")


def swap(cache: Path) -> None:
    """Give each entry the bytes of another."""
    every = entries(cache)
    data = [entry.read_bytes() for entry in every]
    for entry, other in zip(every, [*data[1:], data[0]], strict=True):
        entry.write_bytes(other)


def gone(cache: Path) -> None:
    shutil.rmtree(cache)


def file(cache: Path) -> None:
    shutil.rmtree(cache)
    cache.write_text("no folder")


@pytest.mark.hostile
@pytest.mark.parametrize("damage", [cut, flip, other_key, short_key, swap, gone, file])
def test_an_app_runs_whatever_happened_to_its_compiled_form(
    tmp_path: Path, deployed: Path, damage: Callable[[Path], None]
) -> None:
    settings = Settings(state=tmp_path / "state")
    shutil.copytree(deployed, settings.state)
    damage(settings.cache_folder)
    value, from_cache = answer_of(crowd.invoke, settings)
    assert value == [200, 200]
    if damage is not file:
        assert not from_cache
        assert answer_of(crowd.invoke, settings) == ([200, 200], True)
