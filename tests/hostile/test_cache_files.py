"""Somebody else's hands on the cache of compiled apps: nothing of it runs but what we put there."""

import os
from pathlib import Path

import pytest

from runtime.sandbox.cache import KEY_NAME, SUFFIX, GuestCache
from runtime.sandbox.engine import Engine
from runtime.sandbox.limits import Limits
from tests.sandbox.guests import nothing, source, start

pytestmark = pytest.mark.hostile

ONE, TWO = source({"run": "return 'one'"}), source({"run": "return 'two'"})


def opened(folder: Path) -> GuestCache:
    return GuestCache(folder, os.urandom)


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def answer(folder: Path, app: object) -> bytes | None:
    engine = Engine(folder)
    try:
        return engine.javascript(app).run(start(), nothing, Limits()).result  # type: ignore[arg-type]  # either app
    finally:
        engine.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cache = opened(tmp_path)
    cache.store("a", b"first")
    cache.store("b", b"second")
    return tmp_path


def path(folder: Path, name: str) -> Path:
    return folder / f"{name}{SUFFIX}"


def test_swapped_entries_are_not_loaded(folder: Path) -> None:
    one, two = path(folder, "a").read_bytes(), path(folder, "b").read_bytes()
    path(folder, "a").write_bytes(two)
    path(folder, "b").write_bytes(one)
    assert [opened(folder).load(name) for name in "ab"] == [None, None]


def test_swapped_entries_of_two_apps_still_run_each_its_own(tmp_path: Path) -> None:
    assert answer(tmp_path, ONE) == b'"one"'
    before = set(entries(tmp_path))
    assert answer(tmp_path, TWO) == b'"two"'
    own = sorted(before), sorted(set(entries(tmp_path)) - before)
    guests = [max(group, key=lambda one: one.stat().st_size) for group in own]
    contents = [one.read_bytes() for one in guests]
    guests[0].write_bytes(contents[1])
    guests[1].write_bytes(contents[0])
    assert answer(tmp_path, ONE) == b'"one"'
    assert answer(tmp_path, TWO) == b'"two"'


def test_an_old_entry_is_replayed_under_its_own_name_alone(folder: Path) -> None:
    old = path(folder, "a").read_bytes()
    opened(folder).store("a", b"newer")
    path(folder, "c").write_bytes(old)
    assert opened(folder).load("c") is None
    assert opened(folder).load("a") == b"newer"


def test_an_old_entry_does_not_outlive_its_key(folder: Path) -> None:
    (folder / KEY_NAME).unlink()
    assert opened(folder).load("a") is None
    assert not path(folder, "a").exists()


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666, 0o610])
def test_nothing_signed_with_a_key_that_others_may_read_is_loaded(folder: Path, mode: int) -> None:
    (folder / KEY_NAME).chmod(mode)
    assert opened(folder).load("a") is None
    assert (folder / KEY_NAME).stat().st_mode & 0o777 == 0o600


def test_an_entry_that_is_a_link_is_not_read_even_if_its_content_is_right(folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    path(folder, "a").rename(elsewhere)
    path(folder, "a").symlink_to(elsewhere)
    assert opened(folder).load("a") is None


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/stdin", "/etc/passwd", ".", "nowhere"])
def test_a_link_to_something_without_end_is_not_followed(folder: Path, target: str) -> None:
    path(folder, "a").unlink()
    path(folder, "a").symlink_to(target)
    assert opened(folder).load("a") is None


def test_a_pipe_and_a_folder_in_place_of_an_entry_are_not_waited_for(folder: Path) -> None:
    for name, make in (("a", os.mkfifo), ("b", os.mkdir)):
        path(folder, name).unlink()
        make(path(folder, name))
        assert opened(folder).load(name) is None
        assert path(folder, name).exists()  # nothing was read of it, so nothing was found wrong


def test_an_entry_stored_over_a_link_leaves_what_it_points_to_alone(folder: Path) -> None:
    victim = folder.parent / "victim"
    victim.write_bytes(b"precious")
    path(folder, "a").unlink()
    path(folder, "a").symlink_to(victim)
    opened(folder).store("a", b"again")
    assert victim.read_bytes() == b"precious"
    assert opened(folder).load("a") == b"again"
    assert not path(folder, "a").is_symlink()


@pytest.mark.parametrize("at", [0, 31, 32, -1])
def test_one_bit_anywhere_and_an_entry_is_gone(folder: Path, at: int) -> None:
    raw = bytearray(path(folder, "a").read_bytes())
    raw[at] ^= 1
    path(folder, "a").write_bytes(raw)
    assert opened(folder).load("a") is None
    assert opened(folder).load("b") == b"second"


def test_a_name_and_its_content_cannot_trade_bytes(folder: Path) -> None:
    """The name is closed off in the digest: ``a`` with ``b…`` is not ``ab`` with ``…``."""
    path(folder, "afirst").write_bytes(path(folder, "a").read_bytes()[:32])
    assert opened(folder).load("afirst") is None
