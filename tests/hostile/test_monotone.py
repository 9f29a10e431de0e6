"""End to end: fewer scopes or fewer permissions never open what more of them kept shut (I4)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from runtime.jira.configuration import touch
from runtime.jira.schema import permission_grant_table
from tests.jira.worlds import TABLE, World, make_world

pytestmark = pytest.mark.hostile

WORLD = make_world()
with WORLD.engine.connect() as _connection:
    GRANTS = [dict(row._mapping) for row in _connection.execute(select(permission_grant_table))]

PARAGRAPH = {"type": "paragraph", "content": [{"type": "text", "text": "said"}]}
CALLS: dict[str, tuple[str, str, Any]] = {  # JSON bodies
    "getIssue": ("GET", "/rest/api/3/issue/TEAM-1", None),
    "getIssue of a secured one": ("GET", "/rest/api/3/issue/PUB-3", None),
    "getComments": ("GET", "/rest/api/3/issue/TEAM-3/comment", None),
    "getTransitions": ("GET", "/rest/api/3/issue/TEAM-3/transitions", None),
    "getProject": ("GET", "/rest/api/3/project/TEAM", None),
    "getProjectRoles": ("GET", "/rest/api/3/project/TEAM/role", None),
    "getAllPermissionSchemes": ("GET", "/rest/api/3/permissionscheme", None),
    "getCurrentUser": ("GET", "/rest/api/3/myself", None),
    "addComment": ("POST", "/rest/api/3/issue/TEAM-3/comment", {"body": {
        "type": "doc", "version": 1, "content": [PARAGRAPH]}}),
    "editIssue": ("PUT", "/rest/api/3/issue/TEAM-3", {"fields": {"summary": "s"}}),
    "createIssue": ("POST", "/rest/api/3/issue", {"fields": {
        "project": {"key": "TEAM"}, "issuetype": {"name": "Task"}, "summary": "s"}}),
    "updateProject": ("PUT", "/rest/api/3/project/TEAM", {"description": "d"}),
    "createProjectRole": ("POST", "/rest/api/3/role", {"name": "", "description": ""}),
}  # fmt: skip
PEOPLE = ("amy", "paul", "dana", "vera", "otto", None)
SCOPES = sorted(
    {"read:jira-work", "write:jira-work", "manage:jira-project", "manage:jira-configuration",
     "read:jira-user"}
    | {scope for method, path, _ in CALLS.values()
       for operation in [TABLE.resolve(method, path).operation] if operation
       for names in operation.scopes for scope in names}
)  # fmt: skip
PROPERTY = settings(max_examples=120, deadline=None)


def opens(call: str, who: str | None, scopes: set[str] | None) -> bool:
    method, path, body = CALLS[call]
    if who is None:
        answer = WORLD.request(method, path, body, check=False)
    else:
        answer = WORLD.request(
            method, path, body, as_=who, scopes=scopes, host="gateway" if scopes else "site",
            check=False,
        )  # fmt: skip
    return answer.status < 300


def with_grants(world: World, rows: list[dict[str, Any]]) -> None:
    """Let the permission schemes hold these grants and no other."""
    with world.engine.begin() as connection:
        connection.execute(delete(permission_grant_table))
        if rows:
            connection.execute(insert(permission_grant_table), rows)
        touch(connection, world.cloud_id)


@PROPERTY
@given(
    st.sampled_from(sorted(CALLS)),
    st.sampled_from(PEOPLE[:-1]),
    st.sets(st.sampled_from(SCOPES)),
    st.sets(st.sampled_from(SCOPES)),
)
def test_losing_scopes_never_opens_an_operation(
    call: str, who: str, scopes: set[str], lost: set[str]
) -> None:
    if opens(call, who, scopes - lost or {"none"}):
        assert opens(call, who, scopes)


@PROPERTY
@given(st.sampled_from(sorted(CALLS)), st.sampled_from(PEOPLE), st.data())
def test_losing_permissions_never_opens_an_operation(
    call: str, who: str | None, data: st.DataObject
) -> None:
    more = data.draw(st.lists(st.sampled_from(GRANTS), unique_by=lambda row: row["id"]))
    less = [row for row in more if data.draw(st.booleans())]
    try:
        with_grants(WORLD, less)
        opened = opens(call, who, None)
        with_grants(WORLD, more)
        assert opens(call, who, None) or not opened
    finally:
        with_grants(WORLD, GRANTS)


@PROPERTY
@given(
    st.sampled_from(sorted(CALLS)), st.sampled_from(PEOPLE[:-1]), st.sets(st.sampled_from(SCOPES))
)
def test_scopes_never_add_what_the_person_may_not_do(call: str, who: str, scopes: set[str]) -> None:
    if opens(call, who, scopes or {"none"}):
        assert opens(call, who, None)


def test_the_calls_open_for_some_and_not_for_others() -> None:
    opened = {(call, who) for call in CALLS for who in PEOPLE if opens(call, who, None)}
    for call in CALLS:
        if call not in ("createProjectRole", "getIssue of a secured one"):
            assert any((call, who) in opened for who in PEOPLE), call
    assert any((call, None) not in opened for call in CALLS)
