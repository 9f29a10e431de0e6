"""docs/clients.md names every client of the conformance tests, at the version that is pinned."""

import re
from pathlib import Path

from conformance.environment import NPM, PYPI

PAGE = (Path(__file__).parents[1] / "docs" / "clients.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([^`]+)` \| (PyPI|npm) \| (\d[^ ]*) \|", re.MULTILINE)


def test_the_table_holds_every_client_at_its_pinned_version() -> None:
    named = sorted(ROW.findall(PAGE))
    known = [(client.name, "PyPI", client.version) for client in PYPI]
    known += [(client.name, "npm", client.version) for client in NPM]
    assert named == sorted(known)
