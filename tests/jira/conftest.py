"""A fresh default world for each test."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from tests.jira.worlds import World, make_world


@pytest.fixture
def world() -> Iterator[World]:
    """Return a fresh default world, closed afterwards."""
    made = make_world()
    yield made
    made.engine.dispose()


@pytest.fixture
def connection(world: World) -> Iterator[Connection]:
    """Return a transaction on the world's database."""
    with world.engine.begin() as opened:
        yield opened
