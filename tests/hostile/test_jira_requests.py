"""Requests made to break the product: it answers every one, and never with an error of its own."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.jira.served import served_operations
from runtime.wire import JiraRequest
from tests.jira.worlds import SITE_URL, TABLE, make_world

pytestmark = pytest.mark.hostile

WORLD = make_world()
ADMIN = json.dumps({"account_id": WORLD.account("amy").account_id})
OURS = (
    *("getServerInfo", "getCurrentUser", "getMyPermissions", "getBulkPermissions"),
    *("getPermittedProjects", "getProject", "searchProjects", "createProject", "updateProject"),
    *("createPermissionScheme", "updatePermissionScheme", "createPermissionGrant"),
    *("assignPermissionScheme", "getProjectRole", "addActorUsers", "setActors", "deleteActor"),
    *("createProjectRole", "partialUpdateProjectRole", "fullyUpdateProjectRole"),
    *("deleteProjectRole", "addProjectRoleActorsToRole", "setProjectProperty", "restore"),
    *("getProjectProperty", "getPermissionSchemeGrant", "getProjectTypeByKey", "getAllStatuses"),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["TEAM", "10000", "EDIT_ISSUES", "group", "projectRole", "user", "anyone"]),
)
NAMES = st.sampled_from(
    [
        *("name", "key", "description", "permissions", "permission", "holder", "type", "value"),
        *("parameter", "user", "group", "groupId", "id", "categorisedActors", "leadAccountId"),
        *("accountId", "globalPermissions", "projectPermissions", "projects", "issues", "url"),
        *("permissionScheme", "issueSecurityScheme", "categoryId", "avatarId", "assigneeType"),
        *("atlassian-user-role-actor", "atlassian-group-role-actor", "releasedProjectKeys"),
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=12,
)
BODIES = st.one_of(
    st.dictionaries(NAMES, VALUES, max_size=6).map(lambda value: json.dumps(value).encode()),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60),
)
QUERIES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("startAt", "maxResults", "orderBy", "id", "keys", "expand", "status", "action"),
                *("permissions", "projectKey", "projectId", "issueKey", "issueId", "commentId"),
                *("user", "group", "groupId", "swap", "enableUndo", "properties", "typeKey"),
            ]
        ),
        st.one_of(
            st.text(max_size=12),
            st.integers(-(2**70), 2**70).map(str),
            st.sampled_from(["BROWSE_PROJECTS", "PUB", "PUB-1", "PUB-99999999999999", "-1"]),
        ),
    ),
    max_size=4,
)
SEGMENTS = st.one_of(
    st.sampled_from(["PUB", "TEAM", "10000", "10001", "x", "%00", "%F0%9F%8E%81", "-1", "٣"]),
    st.integers(0, 2**70).map(str),
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(OURS), st.data())
def test_no_request_brings_out_an_error_of_the_host(key: str, data: st.DataObject) -> None:
    found = TABLE.find(key)
    assert found is not None
    path = "/".join(
        data.draw(SEGMENTS) if part.startswith("{") else part for part in found.path.split("/")
    )
    request = JiraRequest(
        method=found.method,
        path=path,
        query=tuple(data.draw(QUERIES)),
        headers={"content-type": "application/json", "authorization": ADMIN},
        body=data.draw(BODIES),
        cloud_id=WORLD.cloud_id,
        base_url=SITE_URL,
    )
    answer = WORLD.jira.handle(request)
    assert 200 <= answer.status < 500
    assert answer.operation_id is not None


def test_every_operation_that_writes_is_refused_to_anonymous() -> None:
    """No handler of ours lets somebody without a name change anything."""
    before = WORLD.site()
    body = json.dumps({"name": "x", "key": "XX"}).encode()
    for key in served_operations():
        operation = TABLE.find(key)
        assert operation is not None
        if operation.method == "GET" or served_operations()[key].marker.read_only:
            continue
        path = operation.path
        for name in ("projectIdOrKey", "projectKeyOrId", "issueIdOrKey"):
            path = path.replace("{" + name + "}", "PUB" if name != "issueIdOrKey" else "PUB-1")
        path = "/".join("10000" if part.startswith("{") else part for part in path.split("/"))
        headers = {"content-type": "application/json"}
        request = JiraRequest(
            operation.method, path, (), headers, body, WORLD.cloud_id, "site", SITE_URL
        )
        answer = WORLD.jira.handle(request)
        assert answer.status in (400, 401, 403, 404), f"{key} answers {answer.status}"
    after = WORLD.site()
    assert after.projects == before.projects


@pytest.mark.parametrize(
    "path",
    [
        "/rest/api/3/project/PUB/",
        "/rest/api/3//project/PUB",
        "/rest/api/3/PROJECT/PUB",
        "/rest/api/3/project/../myself",
        "/rest/api/4/project/PUB",
        "/rest/api/3/project/%2e%2e/role",
    ],
)
def test_a_path_in_another_spelling_is_no_way_around(path: str) -> None:
    request = JiraRequest(
        "GET", path, headers={"authorization": ADMIN}, cloud_id=WORLD.cloud_id, base_url=SITE_URL
    )
    assert WORLD.jira.handle(request).status == 404
