"""Every folder of ``manifests/`` gives exactly the report that stands beside it."""

import re
from pathlib import Path

import pytest

from runtime.manifest.reader import MANIFEST_NAME, read_manifest
from runtime.manifest.report import text_report
from runtime.server.operations import load_operations

ROOT = Path(__file__).parents[2] / "manifests"
FOLDERS = sorted(path.parent for path in ROOT.glob(f"*/{MANIFEST_NAME}"))
OPERATIONS = load_operations()


def scopes(method: str, path: str) -> tuple[frozenset[str], ...] | None:
    operation = OPERATIONS.resolve(method, path).operation
    return operation.scopes if operation else None


def report(folder: Path) -> str:
    return text_report(read_manifest(folder, operations=scopes).problems, MANIFEST_NAME)


def names(folders: list[Path]) -> list[str]:
    return [folder.name for folder in folders]


@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_the_report_is_the_expected_one(folder: Path) -> None:
    assert report(folder) + "\n" == (folder / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_the_name_says_whether_it_is_good_and_the_first_line_what_it_shows(folder: Path) -> None:
    assert ("bad-" in folder.name) == bool(
        "error" in report(folder) or "warning" in report(folder)
    ) or folder.name == "other-products"
    assert (folder / MANIFEST_NAME).read_text(encoding="utf-8").startswith("# ")


def test_the_index_lists_every_example_with_its_first_line() -> None:
    index = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \[`([\w-]+)`\]\(\1\) \| (.+?) \|", index, re.MULTILINE))
    first = {
        folder.name: (folder / MANIFEST_NAME).read_text(encoding="utf-8").splitlines()[0]
        for folder in FOLDERS
    }
    assert {name: f"# {text}" for name, text in rows.items()} == first
