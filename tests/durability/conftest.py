"""A cache of compiled apps for the session, and the apps of the load."""

from pathlib import Path

import pytest

from tests.durability import postgres
from tests.durability.load import write_apps

collect_ignore = ["test_postgres.py"] if postgres.missing() else []  # tests/conftest.py says so


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_apps(tmp_path_factory.mktemp("apps"))
