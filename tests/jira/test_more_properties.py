"""Properties of comments, issue types and users: who may read and write them."""

import pytest

from tests.fidelity.shapes import assert_shape
from tests.jira.worlds import World, make_world

READ = make_world()  # for tests that only read
API = "/rest/api/3"


def say(world: World, issue: str = "PUB-2", as_: str = "dana", **more: object) -> str:
    text = {"type": "paragraph", "content": [{"type": "text", "text": "x"}]}
    body = {"type": "doc", "version": 1, "content": [text]}
    made = world.post(f"{API}/issue/{issue}/comment", {"body": body, **more}, as_=as_)
    assert made.status == 201
    return str(made.json["id"])


def test_a_property_of_a_comment_is_kept_until_the_comment_goes(world: World) -> None:
    comment = say(world)
    path = f"{API}/comment/{comment}/properties"
    assert world.put(f"{path}/k", {"a": 1}, as_="dana").status == 201
    assert world.put(f"{path}/k", 2, as_="dana").status == 200
    read = world.get(f"{path}/k", as_="vera")
    assert read.json == {"key": "k", "value": 2}
    assert_shape("getCommentProperty", 200, read.body)
    keys = world.get(path)
    assert_shape("getCommentPropertyKeys", 200, keys.body)
    assert [one["key"] for one in keys.json["keys"]] == ["k"]
    assert world.delete(f"{path}/k", as_="dana").status == 204
    assert world.get(f"{path}/k").status == 404


@pytest.mark.hostile
def test_a_comments_properties_are_for_its_readers_and_its_editors(world: World) -> None:
    comment = say(world)
    path = f"{API}/comment/{comment}/properties"
    assert world.put(f"{path}/k", 1, as_="vera").status == 403
    assert world.put(f"{path}/k", 1, as_=None).status in (401, 403)
    hidden = say(world, "TEAM-1", visibility={"type": "role", "value": "Developers"})
    answers = {
        world.get(f"{API}/comment/{one}/properties", as_="vera").body.replace(one.encode(), b"")
        for one in (hidden, "99999999")
    }
    assert len(answers) == 1
    for odd in ("x", "1" * 30, "-1", "0"):
        assert world.get(f"{API}/comment/{odd}/properties", as_="dana").status == 404


def test_properties_of_issue_types_are_written_by_administrators(world: World) -> None:
    task = world.get(f"{API}/issuetype", as_="amy").json[0]["id"]
    path = f"{API}/issuetype/{task}/properties"
    assert world.put(f"{path}/k", 1, as_="amy").status == 201
    read = world.get(f"{path}/k", as_="dana")
    assert_shape("getIssueTypeProperty", 200, read.body)
    assert_shape("getIssueTypePropertyKeys", 200, world.get(path, as_="dana").body)
    assert world.delete(f"{path}/k", as_="amy").status == 204


@pytest.mark.hostile
def test_nobody_else_writes_properties_of_issue_types() -> None:
    task = READ.get(f"{API}/issuetype", as_="amy").json[0]["id"]
    for one in (task, "99999"):
        path = f"{API}/issuetype/{one}/properties/k"
        assert READ.put(path, 1, as_="dana").status == 403
        assert READ.put(path, 1, as_=None).status == 401
        assert READ.delete(path, as_="dana").status == 403
    assert READ.get(f"{API}/issuetype/99999/properties", as_="dana").status == 404
    assert READ.put(f"{API}/issuetype/99999/properties/k", 1, as_="amy").status == 404


def test_a_users_properties_are_the_users_and_the_administrators(world: World) -> None:
    me = world.get(f"{API}/myself", as_="dana").json["accountId"]
    path, who = f"{API}/user/properties", {"accountId": me}
    assert world.put(f"{path}/k?accountId={me}", {"a": 1}, as_="dana").status == 201
    read = world.get(f"{path}/k?accountId={me}", as_="amy")
    assert read.json == {"key": "k", "value": {"a": 1}}
    assert_shape("getUserProperty", 200, read.body)
    assert_shape("getUserPropertyKeys", 200, world.get(f"{path}?accountId={me}", as_="dana").body)
    assert who["accountId"] == me
    assert world.delete(f"{path}/k?accountId={me}", as_="amy").status == 204


@pytest.mark.hostile
def test_others_do_not_learn_of_a_users_properties() -> None:
    me = READ.get(f"{API}/myself", as_="dana").json["accountId"]
    path = f"{API}/user/properties/k"
    for method in (READ.get, READ.delete):
        there = method(f"{path}?accountId={me}", as_="vera")
        missing = method(f"{path}?accountId=nobody", as_="vera")
        assert (there.status, there.body) == (missing.status, missing.body)
        assert there.status == 403
        assert method(f"{path}?accountId={me}", as_=None).status == 401
    assert READ.put(f"{path}?accountId={me}", 1, as_="vera").status == 403
    assert READ.get(path, as_="dana").status == 400
    assert READ.get(f"{path}?accountId=nobody", as_="amy").status == 404
