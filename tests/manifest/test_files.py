import os
from pathlib import Path

import pytest

from runtime.manifest.files import AppFiles, FolderFiles, MemoryFiles, read_limited


def on_disk(folder: Path) -> AppFiles:
    (folder / "src").mkdir()
    (folder / "src" / "index.js").write_text("x")
    (folder / "empty").mkdir()
    return FolderFiles(folder)


@pytest.fixture(params=["disk", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> AppFiles:
    if request.param == "disk":
        return on_disk(tmp_path)
    return MemoryFiles({"src/index.js": "x", "empty": None})


def test_both_kinds_of_files_answer_alike(files: AppFiles) -> None:
    paths = ("src/index.js", "src", "empty", "nothing", "./src/../src/index.js", "../other")
    kinds = ["file", "folder", "folder", None, "file", "outside"]
    assert [files.kind(path) for path in paths] == kinds
    assert files.names("src") == ("index.js",)
    assert set(files.names("")) == {"src", "empty"}
    assert files.names("empty") == files.names("nothing") == ()
    assert files.read("src/index.js") == "x"
    assert files.read("src") is files.read("nothing") is None


def test_links_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "app"
    inside.mkdir()
    (tmp_path / "secret.js").write_text("secret")
    (inside / "a.js").symlink_to(tmp_path / "secret.js")
    (inside / "up").symlink_to(tmp_path)
    files = FolderFiles(inside)
    assert files.kind("a.js") == files.kind("up/secret.js") == "outside"
    assert files.read("a.js") is files.read("up/secret.js") is None
    assert files.names("up") == ()


def test_a_path_that_no_file_can_have_is_outside(tmp_path: Path) -> None:
    assert FolderFiles(tmp_path).kind("a\0b") == "outside"
    assert FolderFiles(tmp_path).read("a\0b") is None


def test_what_is_not_utf_8_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_bytes(b"\xff")
    assert FolderFiles(tmp_path).read("a.js") is None


def test_reading_never_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_limited(tmp_path / "pipe", 10) is None
    assert read_limited(tmp_path, 10) is None
    assert read_limited(tmp_path / "nothing", 10) is None


def test_a_large_file_is_read_to_one_byte_more_than_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    assert read_limited(tmp_path / "a", 10) == b"x" * 11
