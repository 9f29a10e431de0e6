"""Issue properties: kept for those who may edit, read by those who see the issue."""

import pytest

from tests.jira.worlds import World, make_world

READ = make_world()  # for tests that only read
PATH = "/rest/api/3/issue/PUB-2/properties"


def test_a_property_is_created_replaced_read_listed_and_deleted(world: World) -> None:
    assert world.put(f"{PATH}/my.key", {"a": [1, None]}, as_="dana").status == 201
    assert world.put(f"{PATH}/my.key", "text", as_="dana").status == 200
    assert world.get(f"{PATH}/my.key").json == {"key": "my.key", "value": "text"}
    (key,) = world.get(PATH).json["keys"]
    assert key["self"].endswith("/rest/api/3/issue/PUB-2/properties/my.key")
    assert world.get("/rest/api/3/issue/10001/properties/my.key").status == 200
    assert world.get("/rest/api/3/issue/PUB-3/properties/my.key").status == 404
    assert world.delete(f"{PATH}/my.key", as_="dana").status == 204
    assert world.delete(f"{PATH}/my.key", as_="dana").status == 404
    assert world.get(PATH).json == {"keys": []}


def test_keys_and_values_are_bounded() -> None:
    assert READ.put(f"{PATH}/{'k' * 256}", 1, as_="dana").status == 400
    assert READ.put(f"{PATH}/k", "x" * 32_768, as_="dana").status == 400


@pytest.mark.hostile
@pytest.mark.parametrize("as_", ["otto", "vera", None])
def test_writing_takes_the_right_to_edit(as_: str | None) -> None:
    for answer in (READ.put(f"{PATH}/k", 1, as_=as_), READ.delete(f"{PATH}/k", as_=as_)):
        assert answer.status == 403
        assert answer.rule == "permission.EDIT_ISSUES"
