import pytest
from sqlalchemy import update

from runtime.database import open_database
from runtime.identity.accounts import account_table
from runtime.ids import Ids
from runtime.jira.product import Jira
from runtime.wire import JiraRequest
from tests.jira.worlds import TABLE, FakeAuthenticator, World, make_world

READ_WORK = {"read:jira-work"}


def test_an_answer_names_operation_rule_and_account_for_the_audit(world: World) -> None:
    response = world.get("/rest/api/3/project/PUB", as_="dana").response
    assert response.operation_id == "getProject"
    assert response.rule == "allowed"
    assert response.account_id == world.account("dana").account_id


def test_a_refused_credential_is_a_401_of_the_gateway(world: World) -> None:
    answer = world.get("/rest/api/3/project/PUB", headers={"authorization": '{"error": 1}'})
    assert (answer.status, answer.json) == (401, {"code": 401, "message": "Unauthorized"})
    assert answer.rule == "credential.refused"
    assert answer.response.operation_id == "getProject"
    assert answer.header("x-arequestid") is None


def test_a_bearer_on_the_site_host_gets_the_answer_of_the_authenticator(world: World) -> None:
    shown = '{"jira_error": [403, "Failed to parse Connect Session Auth Token"]}'
    answer = world.get("/rest/api/3/serverInfo", headers={"authorization": shown}, check=False)
    assert answer.json == {"error": "Failed to parse Connect Session Auth Token"}
    assert answer.header("content-type") == "application/json"
    assert answer.header("x-arequestid") is None


def test_a_wrong_session_token_is_told_to_authenticate(world: World) -> None:
    answer = world.get(
        "/rest/api/3/serverInfo", headers={"authorization": '{"jira_error": [401, "wrong"]}'}
    )
    assert answer.status == 401
    assert answer.body == b"Client must be authenticated to access this resource."


def test_an_unresolvable_login_goes_on_as_anonymous_and_says_so(world: World) -> None:
    failed = {"authorization": '{"account_id": null}'}
    seen = world.get("/rest/api/3/project/PUB", headers=failed)
    assert seen.status == 200
    assert seen.header("x-seraph-loginreason") == "AUTHENTICATED_FAILED"
    assert seen.header("x-aaccountid") is None
    assert world.get("/rest/api/3/project/TEAM", headers=failed).status == 404
    assert world.get("/rest/api/3/myself", headers=failed).status == 401


def test_a_deactivated_account_resolves_to_nobody(world: World) -> None:
    answer = world.get("/rest/api/3/project/TEAM", as_="dora")
    assert answer.status == 404
    assert answer.header("x-seraph-loginreason") == "AUTHENTICATED_FAILED"
    assert answer.response.account_id is None


def test_a_token_of_a_deactivated_account_is_refused_by_the_gateway(world: World) -> None:
    answer = world.get("/rest/api/3/project/PUB", as_="dora", scopes=READ_WORK, host="gateway")
    assert (answer.status, answer.rule) == (401, "credential.inactive-account")


def test_deactivating_an_account_works_at_once(world: World) -> None:
    assert world.get("/rest/api/3/project/TEAM", as_="dana").status == 200
    with world.engine.begin() as connection:
        connection.execute(
            update(account_table).where(account_table.c.handle == "dana").values(active=False)
        )
    assert world.get("/rest/api/3/project/TEAM", as_="dana").status == 404


def test_a_scope_that_does_not_match_is_a_terse_401_with_a_category(world: World) -> None:
    answer = world.get(
        "/rest/api/3/project/PUB", as_="amy", scopes={"read:jira-user"}, host="gateway"
    )
    assert answer.status == 401
    assert answer.json == {"code": 401, "message": "Unauthorized; scope does not match"}
    assert answer.header("X-Failure-Category") == "FAILURE_CLIENT_SCOPE_CHECK"
    assert answer.rule == "scope.not-in-token"
    assert answer.response.operation_id == "getProject"


def test_a_scope_lets_only_through_what_the_account_may_do_anyway(world: World) -> None:
    path = "/rest/api/3/project/TEAM"
    assert world.get(path, as_="dana", scopes=READ_WORK, host="gateway").status == 200
    assert world.get(path, as_="otto", scopes=READ_WORK, host="gateway").status == 404


def test_self_links_of_the_gateway_lead_back_to_the_gateway(world: World) -> None:
    answer = world.get("/rest/api/3/project/PUB", as_="amy", scopes=READ_WORK, host="gateway")
    base = f"https://api.atlassian.com/ex/jira/{world.cloud_id}/rest/api/3"
    assert answer.json["self"] == f"{base}/project/10000"


def test_the_gateway_answers_an_unknown_operation_as_a_missing_scope(world: World) -> None:
    answer = world.get("/rest/api/3/nope", as_="amy", scopes=READ_WORK, host="gateway")
    assert (answer.status, answer.rule) == (401, "operation.unknown")
    assert answer.header("x-failure-category") == "FAILURE_CLIENT_SCOPE_CHECK"


def test_an_operation_closed_to_tokens_is_refused_whatever_the_scopes(world: World) -> None:
    closed = next(one for one in TABLE if not one.scopes and "{" not in one.path)
    answer = world.request(closed.method, closed.path, as_="amy", scopes=READ_WORK, host="gateway")
    assert (answer.status, answer.rule) == (401, "operation.closed")


def test_an_unknown_path_of_the_site_is_an_rfc_7807_404(world: World) -> None:
    answer = world.get("/rest/api/3/nope", as_="amy")
    assert answer.header("content-type") == "application/problem+json;charset=UTF-8"
    assert answer.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No endpoint GET /rest/api/3/nope.",
        "instance": "/rest/api/3/nope",
    }
    assert answer.rule == "operation.unknown"


def test_another_method_is_a_405_that_lists_the_allowed_ones(world: World) -> None:
    answer = world.put("/rest/api/3/serverInfo", {}, as_="amy")
    assert answer.status == 405
    assert answer.json["detail"] == "Method 'PUT' is not supported."
    assert answer.header("allow") == "GET,HEAD,OPTIONS"


def test_options_lists_the_methods_and_head_drops_the_body(world: World) -> None:
    options = world.request("OPTIONS", "/rest/api/3/project/PUB")
    assert options.header("allow") == "DELETE,GET,PUT,HEAD,OPTIONS"
    head = world.request("HEAD", "/rest/api/3/project/PUB")
    assert (head.status, head.body) == (200, b"")


def test_a_body_without_media_type_is_a_415_even_before_the_login(world: World) -> None:
    missing = world.post("/rest/api/3/permissionscheme", raw=b"", headers={})
    assert missing.status == 415
    assert missing.json["detail"] == "Content-Type 'null' is not supported."
    assert missing.header("accept") == "application/json"
    other = world.post("/rest/api/3/permissionscheme", {}, headers={"content-type": "text/plain"})
    assert other.json["detail"] == "Content-Type 'text/plain' is not supported."


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [("*/*", "text/html"), ("", "text/plain"), ("application/json", "application/json")],
)
def test_who_must_log_in_is_told_so_in_the_media_type_asked_for(
    world: World, accept: str, media_type: str
) -> None:
    answer = world.get("/rest/api/3/permissionscheme", headers={"accept": accept})
    assert answer.body == b"Client must be authenticated to access this resource."
    assert answer.header("content-type") == f"{media_type};charset=UTF-8"
    realm = 'OAuth realm="https%3A%2F%2Facme.atlassian.net"'
    assert answer.header("www-authenticate") == realm
    assert answer.header("x-frame-options") == "SAMEORIGIN"
    assert answer.rule == "caller.anonymous"


def test_an_operation_that_is_not_emulated_says_so_only_after_the_decision(world: World) -> None:
    path = "/rest/api/3/announcementBanner"
    assert world.get(path).status == 401
    answer = world.get(path, as_="amy")
    assert (answer.status, answer.rule) == (501, "operation.not-emulated")
    assert "getBanner" in answer.errors[0]
    refused = world.get(path, as_="amy", scopes=READ_WORK, host="gateway")
    assert refused.rule == "scope.not-in-token"


def test_an_unknown_site_is_a_404_of_the_gateway(world: World) -> None:
    request = JiraRequest("GET", "/rest/api/3/serverInfo", cloud_id="another", host="gateway")
    answer = world.jira.handle(request)
    assert (answer.status, answer.rule) == (404, "site.unknown")


def test_every_answer_carries_the_same_protecting_headers(world: World) -> None:
    for path in ("serverInfo", "nope", "project/TEAM", "myself", "announcementBanner"):
        answer = world.get(f"/rest/api/3/{path}")
        trace = answer.header("atl-request-id")
        assert trace is not None
        assert answer.header("atl-traceid") == trace.replace("-", "")
        assert len(answer.header("x-arequestid") or "") == 32
        assert answer.header("cache-control") == "no-cache, no-store, no-transform"
        assert answer.header("x-content-type-options") == "nosniff"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b" ", "No content to map to Object due to end of input"),
        (b"null", "No content to map to Object due to end of input"),
        (b"{", "There was an error parsing JSON. Check that your request body is valid."),
        (b'{"a": NaN}', "There was an error parsing JSON. Check that your request body is valid."),
        (b'{"a": "\\ud800"}', "There was an error parsing JSON. Check that your request body is"
         " valid."),
        (b"[" * 100_000, "There was an error parsing JSON. Check that your request body is valid."),
        (b"[]", "Invalid request payload. Refer to the REST API documentation and try again."),
        (b'{"permissions": 1}', "Invalid request payload. Refer to the REST API documentation and"
         " try again."),
    ],
)  # fmt: skip
def test_an_unreadable_body_is_answered_without_errors(
    world: World, raw: bytes, message: str
) -> None:
    answer = world.post("/rest/api/3/permissions/project", raw=raw, as_="dana")
    assert (answer.status, answer.json) == (400, {"errorMessages": [message]})


def test_bytes_after_the_first_json_value_are_ignored(world: World) -> None:
    raw = b'{"permissions": ["BROWSE_PROJECTS"]} and more'
    answer = world.post("/rest/api/3/permissions/project", raw=raw, as_="dana")
    assert answer.status == 200


@pytest.mark.parametrize("value", ["abc", "1.5", "1_0", "99999999999999999999", "٣"])
def test_a_parameter_that_is_no_integer_is_an_rfc_7807_400(world: World, value: str) -> None:
    answer = world.get(f"/rest/api/3/project/search?maxResults={value}")
    assert answer.status == 400
    assert answer.json["detail"] == f"Failed to convert 'maxResults' with value: '{value}'"


def test_version_2_and_latest_are_the_same_operations(world: World) -> None:
    for version, number in (("2", 2), ("latest", 2), ("3", 3)):
        answer = world.get(f"/rest/api/{version}/project/PUB")
        assert answer.json["self"] == f"https://acme.atlassian.net/rest/api/{number}/project/10000"


def test_two_processes_share_one_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}"
    here = make_world(url)
    engine = open_database(url)
    there = Jira(engine, TABLE, FakeAuthenticator(), here.clock, Ids.seeded(2))
    other = World(here.engine, here.cloud_id, here.clock, here.ids)
    other.jira = there
    path = "/rest/api/3/project/PUB"
    assert other.get(path).json["name"] == "Public Roadmap"
    assert here.put(path, {"name": "Renamed"}, as_="paul").status == 200
    assert other.get(path).json["name"] == "Renamed"
    here.engine.dispose()
    engine.dispose()


def test_an_error_in_the_middle_of_a_write_leaves_nothing_behind(world: World) -> None:
    path = "/rest/api/3/project/PUB"
    answer = world.put(path, {"name": "New", "releasedProjectKeys": ["NEVER"]}, as_="amy")
    assert answer.status == 400
    assert world.get(path).json["name"] == "Public Roadmap"
