"""Comments: reading, writing, restricting, and whose they are."""

from typing import Any

import pytest

from runtime.jira.adf import document, paragraph, text
from tests.jira.worlds import World, make_world

READ = make_world()  # for tests that only read
HELLO = document(paragraph(text("hello")))
PUB4 = "/rest/api/3/issue/PUB-4/comment"
TEAM3 = "/rest/api/3/issue/TEAM-3/comment"


def said(world: World, path: str, as_: str) -> list[str]:
    comments = world.get(path, as_=as_).json["comments"]
    return [one["body"]["content"][0]["content"][0]["text"] for one in comments]


def test_comments_come_in_order_and_pages() -> None:
    page = READ.get(PUB4, as_="dana").json
    assert (page["startAt"], page["total"]) == (0, 2)
    assert [one["author"]["displayName"] for one in page["comments"]] == [
        "Vera Viewer",
        "Dana Developer",
    ]
    second = READ.get(f"{PUB4}?startAt=1&maxResults=1", as_="dana").json
    assert second["comments"] == page["comments"][1:]
    newest_first = READ.get(f"{PUB4}?orderBy=-created", as_="dana").json
    assert newest_first["comments"] == page["comments"][::-1]
    assert READ.get(f"{PUB4}?orderBy=author", as_="dana").status == 400


def test_a_comment_has_its_own_address() -> None:
    comment = READ.get(PUB4, as_="dana").json["comments"][0]
    path = comment["self"].removeprefix("https://acme.atlassian.net")
    assert READ.get(path, as_="dana").json == comment
    rendered = READ.get(f"{path}?expand=renderedBody", as_="dana").json["renderedBody"]
    assert rendered == "<p>Seen with three articles at 0.335 each.</p>"


def test_a_comment_is_added(world: World) -> None:
    answer = world.post(PUB4, {"body": HELLO}, as_="vera")
    assert answer.status == 201
    assert answer.json["body"] == HELLO
    assert answer.json["author"]["displayName"] == "Vera Viewer"
    assert answer.json["created"] == "2026-01-05T09:00:00.000+0000"
    assert said(world, PUB4, "otto")[-1] == "hello"
    issue = world.get("/rest/api/3/issue/PUB-4?fields=updated,comment", as_="otto").json["fields"]
    assert issue["updated"] == "2026-01-05T09:00:00.000+0000"
    assert issue["comment"]["total"] == 3


def test_version_two_speaks_wiki_text(world: World) -> None:
    path = "/rest/api/2/issue/PUB-4/comment"
    answer = world.post(path, {"body": "so *bold*"}, as_="dana")
    assert answer.json["body"] == "so *bold*"
    changed = world.put(f"{path}/{answer.json['id']}", {"body": "h1. x"}, as_="dana")
    assert changed.json["body"] == "h1. x"
    assert world.get(PUB4).json["comments"][-1]["body"]["content"][0]["type"] == "heading"


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        (PUB4, {"body": "text"}, "Comment body is not valid!"),
        (PUB4, {}, "Comment body is not valid!"),
        (PUB4, {"body": document()}, "Comment body can not be empty!"),
        (PUB4, {"body": {"type": "doc", "version": 1}}, "INVALID_INPUT"),
        (PUB4.replace("/3/", "/2/"), {"body": HELLO}, "Comment body is not valid!"),
        (PUB4.replace("/3/", "/2/"), {"body": "  \n"}, "Comment body can not be empty!"),
        (PUB4, {"body": HELLO, "visibility": {"type": "user"}}, "role or group"),
        (PUB4, {"body": HELLO, "properties": {}}, "Invalid request payload."),
        (PUB4, {"body": HELLO, "properties": [1]}, "Invalid request payload."),
    ],
)
def test_wrong_comments_are_refused(path: str, body: Any, error: str) -> None:
    answer = READ.post(path, body, as_="dana")
    assert answer.status == 400
    assert error in answer.errors[0]


@pytest.mark.hostile
@pytest.mark.parametrize(("as_", "expected"), [("otto", 400), (None, 401)])
def test_commenting_takes_the_permission(as_: str | None, expected: int) -> None:
    answer = READ.post(PUB4, {"body": HELLO}, as_=as_)
    assert answer.status == expected
    if expected == 400:
        assert answer.rule == "permission.ADD_COMMENTS"
        assert "you do not have the permission to comment" in answer.errors[0]


@pytest.mark.hostile
def test_restricted_comments_do_not_exist_for_others() -> None:
    secret = "Budget for this is not settled yet."
    assert secret in said(READ, TEAM3, "paul")
    for as_ in ("dana", "vera"):
        assert secret not in said(READ, TEAM3, as_)
        assert READ.get(TEAM3, as_=as_).json["total"] == 1
    hidden = next(
        one["id"] for one in READ.get(TEAM3, as_="paul").json["comments"] if "visibility" in one
    )
    other = READ.get(PUB4).json["comments"][0]["id"]
    for path, number in ((hidden, hidden), ("99999", "99999"), (other, other), ("x", "x")):
        for answer in (
            READ.get(f"{TEAM3}/{path}", as_="dana"),
            READ.put(f"{TEAM3}/{path}", {"body": HELLO}, as_="dana"),
            READ.delete(f"{TEAM3}/{path}", as_="dana"),
        ):
            assert answer.status == 404
            assert answer.errors == [f"Can not find a comment for the id: {number}."]


def test_a_comment_for_a_role_or_a_group(world: World) -> None:
    for visibility, readers in (
        ({"type": "role", "value": "Administrators"}, {"paul"}),
        ({"type": "group", "value": "jira-software-users"}, {"paul", "dana", "vera"}),
    ):
        body = {"body": HELLO, "visibility": visibility}
        comment = world.post(TEAM3, body, as_="paul").json
        assert comment["visibility"]["value"] == visibility["value"]
        seen = {
            as_
            for as_ in ("paul", "dana", "vera")
            if world.get(f"{TEAM3}/{comment['id']}", as_=as_).status == 200
        }
        assert seen == readers
        free = world.put(
            f"{TEAM3}/{comment['id']}", {"body": HELLO, "visibility": None}, as_="paul"
        )
        assert "visibility" not in free.json


@pytest.mark.hostile
@pytest.mark.parametrize(
    "visibility",
    [
        {"type": "role", "value": "Administrators"},
        {"type": "role", "value": "Nope"},
        {"type": "group", "value": "site-admins"},
        {"type": "group", "identifier": "nope"},
    ],
)
def test_one_restricts_a_comment_only_to_where_one_is(visibility: Any) -> None:
    answer = READ.post(TEAM3, {"body": HELLO, "visibility": visibility}, as_="dana")
    assert answer.status == 400
    assert "You are currently not a member of the" in answer.json["errors"]["commentLevel"]


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("method", "as_", "own", "expected"),
    [
        ("PUT", "vera", True, 200),
        ("PUT", "vera", False, 400),
        ("PUT", "paul", False, 200),
        ("PUT", None, False, 401),
        ("DELETE", "vera", True, 204),
        ("DELETE", "vera", False, 400),
        ("DELETE", "paul", False, 204),
        ("DELETE", None, False, 401),
    ],
)
def test_own_and_all_comments_are_different_permissions(
    world: World, method: str, as_: str | None, own: bool, expected: int
) -> None:
    vera, dana = world.get(PUB4).json["comments"]
    path = f"{PUB4}/{vera['id'] if own else dana['id']}"
    answer = world.request(method, path, {"body": HELLO} if method == "PUT" else None, as_=as_)
    assert answer.status == expected
    if expected == 400:
        assert answer.errors == ["You do not have the permission for this comment."]
        verb = "EDIT" if method == "PUT" else "DELETE"
        assert answer.rule == f"permission.{verb}_ALL_COMMENTS"
    if expected == 200:
        assert answer.json["updateAuthor"]["accountId"] == world.account(str(as_)).account_id
        author = vera if own else dana
        assert answer.json["author"]["accountId"] == author["author"]["accountId"]


def test_properties_of_a_comment_are_kept_and_go_with_it(world: World) -> None:
    body = {"body": HELLO, "properties": [{"key": "k", "value": {"a": 1}}]}
    made = world.post(PUB4, body, as_="dana").json
    with world.engine.connect() as connection:
        count = "select count(*) from property where entity = 'comment'"
        assert connection.exec_driver_sql(count).scalar() == 1
    assert world.delete(f"{PUB4}/{made['id']}", as_="dana").status == 204
    with world.engine.connect() as connection:
        assert connection.exec_driver_sql(count).scalar() == 0
