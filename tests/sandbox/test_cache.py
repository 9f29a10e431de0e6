"""The cache of compiled guests: what is not ours is never loaded."""

import os
import stat
from pathlib import Path

import pytest

from runtime.sandbox.cache import KEY_NAME, GuestCache
from runtime.sandbox.engine import Engine
from runtime.sandbox.limits import Limits
from tests.sandbox.guests import nothing, source, start


def key_of(count: int) -> bytes:
    """A key that is always the same."""
    return b"k" * count


def test_what_was_stored_comes_back(tmp_path: Path) -> None:
    cache = GuestCache(tmp_path / "new" / "folder", key_of)
    assert cache.usable
    assert cache.load("name") is None
    cache.store("name", b"data")
    assert cache.load("name") == b"data"
    assert GuestCache(cache.folder, os.urandom).load("name") == b"data"
    cache.drop("name")
    cache.drop("name")
    assert cache.load("name") is None


def test_the_folder_and_the_key_are_the_owners_alone(tmp_path: Path) -> None:
    GuestCache(tmp_path / "cache", key_of)
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "cache" / KEY_NAME).stat().st_mode) == 0o600


@pytest.mark.hostile
@pytest.mark.parametrize("place", [0, 31, 32, 35, -1])
def test_a_changed_byte_anywhere_is_found_and_the_entry_removed(tmp_path: Path, place: int) -> None:
    cache = GuestCache(tmp_path, key_of)
    cache.store("name", b"data")
    path = tmp_path / "name.guest"
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert cache.load("name") is None
    assert not path.exists()


@pytest.mark.hostile
def test_a_cut_a_renamed_or_an_unsigned_entry_is_not_loaded(tmp_path: Path) -> None:
    cache = GuestCache(tmp_path, key_of)
    for data in (b"", b"short", b"x" * 100):
        (tmp_path / "name.guest").write_bytes(data)
        assert cache.load("name") is None
    cache.store("other", b"data")
    (tmp_path / "other.guest").rename(tmp_path / "name.guest")
    assert cache.load("name") is None
    cache.store("name", b"data")
    (tmp_path / "name.guest").write_bytes((tmp_path / "name.guest").read_bytes()[:-1])
    assert cache.load("name") is None


@pytest.mark.hostile
@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_key_that_others_could_read_is_made_anew(tmp_path: Path, mode: int) -> None:
    cache = GuestCache(tmp_path, key_of)
    cache.store("name", b"data")
    (tmp_path / KEY_NAME).chmod(mode)
    again = GuestCache(tmp_path, lambda count: b"n" * count)
    assert again.load("name") is None
    assert (tmp_path / KEY_NAME).read_bytes() == b"n" * 32


@pytest.mark.hostile
def test_a_key_that_is_a_link_or_has_another_length_is_made_anew(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"e" * 32)
    elsewhere.chmod(0o600)
    (tmp_path / KEY_NAME).symlink_to(elsewhere)
    GuestCache(tmp_path, key_of)
    assert not (tmp_path / KEY_NAME).is_symlink()
    assert elsewhere.read_bytes() == b"e" * 32
    (tmp_path / KEY_NAME).write_bytes(b"short")
    GuestCache(tmp_path, key_of)
    assert (tmp_path / KEY_NAME).read_bytes() == b"k" * 32


def test_a_folder_that_cannot_be_used_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = GuestCache(tmp_path / "file", key_of)
    cache.store("name", b"data")
    cache.drop("name")
    assert (cache.usable, cache.load("name")) == (False, None)


def test_an_entry_that_cannot_be_written_or_removed_is_no_failure(tmp_path: Path) -> None:
    cache = GuestCache(tmp_path, key_of)
    (tmp_path / "name.guest").mkdir()
    (tmp_path / "name.guest" / "inside").write_bytes(b"")
    cache.store("name", b"data")
    cache.drop("name")
    assert cache.load("name") is None
    assert list(tmp_path.glob("*.tmp")) == []


def test_a_key_source_that_gives_too_little_makes_no_cache(tmp_path: Path) -> None:
    assert not GuestCache(tmp_path, lambda _count: b"short").usable


def test_every_entry_is_looked_at_and_none_is_removed(tmp_path: Path) -> None:
    cache = GuestCache(tmp_path, key_of)
    cache.store("good", b"data")
    (tmp_path / "bad.guest").write_bytes(b"x" * 40)
    (tmp_path / "link.guest").symlink_to(tmp_path / "good.guest")
    found = [(one.path.name, one.size, one.sound) for one in cache.entries()]
    assert found == [("bad.guest", 40, False), ("good.guest", 36, True), ("link.guest", 0, False)]
    assert len(list(tmp_path.glob("*.guest"))) == 3


def test_an_app_is_taken_from_the_cache_and_behaves_the_same(tmp_path: Path) -> None:
    app = source({"run": "return [given.handler, typeof door]"})
    first, second = Engine(tmp_path), Engine(tmp_path)
    cold, warm = first.javascript(app), second.javascript(app)
    assert cold.digest == warm.digest
    assert len(list(tmp_path.glob("*.guest"))) == 2
    results = {image.run(start(), nothing, Limits()).result for image in (cold, warm)}
    assert results == {b'["index.run","function"]'}
    assert warm.prepared.layout == cold.prepared.layout
    other = second.javascript(source({"run": "return 2"}))
    assert other.run(start(), nothing, Limits()).result == b"2"
    first.close()
    second.close()


@pytest.mark.hostile
def test_a_tampered_app_is_compiled_again_and_never_loaded(tmp_path: Path) -> None:
    app = source({"run": "return 1"})
    engine = Engine(tmp_path)
    digest = engine.javascript(app).digest
    path = next(tmp_path.glob(f"{digest}*"))
    good = path.read_bytes()
    path.write_bytes(good[:40] + bytes(len(good) - 40))
    assert engine.javascript(app).run(start(), nothing, Limits()).result == b"1"
    assert path.read_bytes()[32:200] == good[32:200]
    engine.close()


def test_an_entry_of_another_wasmtime_is_compiled_again(tmp_path: Path) -> None:
    app = source({"run": "return 1"})
    engine = Engine(tmp_path, random_bytes=key_of)
    digest = engine.javascript(app).digest
    name = next(tmp_path.glob(f"{digest}*")).name.removesuffix(".guest")
    GuestCache(tmp_path, key_of).store(name, (2).to_bytes(4, "little") + b"{}" + b"not compiled")
    assert engine.javascript(app).run(start(), nothing, Limits()).result == b"1"
    engine.close()


def test_an_import_that_resolves_elsewhere_now_is_not_taken_from_the_cache(tmp_path: Path) -> None:
    from dataclasses import replace  # noqa: PLC0415  # beside its one use

    engine = Engine(tmp_path)
    app = source({"run": "return which"}, a="export default 'a'", b="export default 'b'")
    modules = {**app.modules, "index": "import which from 'it';" + app.modules["index"]}

    def image_with(found: str) -> bytes | None:
        chosen = replace(
            app, modules=modules, resolve=lambda _base, name: found if name == "it" else name
        )
        return engine.javascript(chosen).run(start(), nothing, Limits()).result

    assert [image_with("a"), image_with("b"), image_with("b")] == [b'"a"', b'"b"', b'"b"']
    engine.close()
