import json
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from runtime.gateway.values import ProductCall
from runtime.wire import JiraResponse
from tests.gateway.conftest import CALLER, IMPERSONATIONS, Door

MYSELF = ProductCall("/rest/api/3/myself", act_as="app")
READ = {"read:jira-user": False, "read:jira-work": False}


def test_a_covered_call_goes_out_with_a_token_of_the_acting_account(door: Door) -> None:
    door.install(READ)
    reply, report = door.send(MYSELF)
    assert (reply.status, reply.body, report.allowed) == (200, b"{}", True)
    (request,) = door.product.requests
    scheme, _, token = request.headers["authorization"].partition(" ")
    held = door.broker.verify(SecretStr(token))
    assert scheme == "Bearer"
    assert held is not None
    assert (held.account_id, held.installation_id) == ("1:app", "installation")
    assert (request.host, request.cloud_id) == ("gateway", "cloud")


def test_as_user_goes_out_as_whoever_invoked_the_function(door: Door) -> None:
    door.install(READ)
    door.send(replace(MYSELF, act_as="user"))
    token = door.product.requests[0].headers["authorization"].removeprefix("Bearer ")
    held = door.broker.verify(SecretStr(token))
    assert held is not None
    assert held.account_id == "1:user"


def test_a_call_as_nobody_carries_no_credential(door: Door) -> None:
    door.install(READ)
    door.send(replace(MYSELF, act_as="none"))
    assert "authorization" not in door.product.requests[0].headers


@pytest.mark.parametrize(
    ("scopes", "granted", "rule"),
    [
        ({}, set(), "scope.undeclared"),
        ({"read:jira-work": False}, None, "scope.undeclared"),
        (READ, {"read:jira-work"}, "scope.ungranted"),
        (READ, set(), "scope.ungranted"),
    ],
)
def test_a_call_without_its_scopes_gets_the_platforms_terse_answer(
    door: Door, scopes: dict[str, bool], granted: set[str] | None, rule: str
) -> None:
    door.install(scopes, granted)
    reply, report = door.send(MYSELF)
    assert reply.status == 401
    assert json.loads(reply.body) == {"code": 401, "message": "Unauthorized; scope does not match"}
    assert ("x-failure-category", "FAILURE_CLIENT_SCOPE_CHECK") in reply.headers
    assert (report.rule, report.allowed) == (rule, False)
    assert "read:jira-user" in report.message
    assert door.product.requests == []


@pytest.mark.hostile
def test_losing_the_grant_is_felt_by_the_very_next_call(door: Door) -> None:
    door.install(READ)
    assert door.send(MYSELF)[0].status == 200
    door.store.set_granted("installation", frozenset())
    assert door.send(MYSELF)[1].rule == "scope.ungranted"
    with door.engine.begin() as connection:
        door.store.deactivate(connection, "installation")
    assert door.send(MYSELF)[1].rule == "installation.ended"
    assert len(door.product.requests) == 1


@pytest.mark.hostile
def test_an_installation_reaches_no_other_site(door: Door) -> None:
    door.install(READ)
    assert door.send(MYSELF, replace(CALLER, cloud_id="other"))[1].rule == "installation.ended"


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("call", "rule", "status"),
    [
        (replace(MYSELF, path="https://evil.test/"), "path.not-absolute", 400),
        (replace(MYSELF, path="/rest/api/3/issue/../myself"), "path.dot-segment", 400),
        (replace(MYSELF, path="/rest/api/3/nope"), "operation.unknown", 401),
        (replace(MYSELF, path="/ex/jira/cloud/rest/api/3/myself"), "operation.unknown", 401),
        (replace(MYSELF, path="/rest/api/3/myself/"), "operation.unknown", 401),
        (replace(MYSELF, method="TRACE"), "method.refused", 405),
        (replace(MYSELF, method="GET\r\nX: y"), "method.refused", 405),
        (replace(MYSELF, body=b"x"), "body.refused", 400),
        (replace(MYSELF, remote="confluence"), "remote.unknown", 404),
        (replace(MYSELF, remote="ari:cloud:jira::site/other"), "remote.other-context", 404),
        (replace(MYSELF, remote="ari:cloud:jira::site/cloud/.."), "remote.other-context", 404),
        (replace(MYSELF, remote="ari:cloud:jira::project/cloud"), "remote.other-context", 404),
        (replace(MYSELF, remote="ari:cloud:confluence::site/cloud"), "remote.unknown", 404),
        (replace(MYSELF, headers=(("a", "b\r\nc"),)), "header.malformed", 400),
        (replace(MYSELF, act_as="user", account_id="1:amy"), "act.impersonation", 401),
    ],
)
def test_a_trick_is_refused_by_its_rule_and_nothing_goes_out(
    door: Door, call: ProductCall, rule: str, status: int
) -> None:
    door.install(READ)
    reply, report = door.send(call)
    assert (report.rule, reply.status) == (rule, status)
    assert door.product.requests == []


@pytest.mark.hostile
def test_the_apps_own_credential_headers_never_reach_the_product(door: Door) -> None:
    door.install(READ)
    forged = (("Authorization", "Basic x"), ("COOKIE", "a"), ("Host", "evil"), ("Accept", "*/*"))
    _, report = door.send(replace(MYSELF, headers=forged))
    headers = door.product.requests[0].headers
    assert sorted(headers) == ["accept", "authorization"]
    assert headers["authorization"].startswith("Bearer fbk_at_")
    assert report.dropped_headers == ("authorization", "cookie", "host")


@pytest.mark.hostile
def test_another_operation_than_the_one_decided_on_is_not_answered(door: Door) -> None:
    door.install(READ)
    door.product.operation_id = "deleteProject"
    reply, report = door.send(MYSELF)
    assert report.rule == "operation.mismatch"
    assert reply.status == 401


def test_redirects_are_handed_over_and_never_followed(door: Door) -> None:
    door.install(READ)
    door.product.response = JiraResponse(303, (("location", "https://evil.test/"),))
    reply, _ = door.send(MYSELF)
    assert (reply.status, reply.headers) == (303, (("location", "https://evil.test/"),))
    assert len(door.product.requests) == 1


def test_as_user_without_a_user_is_the_platforms_proxy_error(door: Door) -> None:
    door.install(READ)
    reply, report = door.send(replace(MYSELF, act_as="user"), replace(CALLER, account_id=None))
    assert ("forge-proxy-error", "AUTH_TYPE_UNAVAILABLE") in reply.headers
    assert report.rule == "act.no-user"


def test_impersonation_needs_a_scope_that_allows_it_and_is_granted(door: Door) -> None:
    door.install({**READ, "read:jira-user": True})
    call = replace(MYSELF, act_as="user", account_id="1:amy")
    assert door.send(call)[1].account_id == "1:amy"
    door.store.set_granted("installation", frozenset({"read:jira-work"}))
    assert not door.send(call)[1].allowed


@pytest.mark.hostile
def test_a_scope_that_is_declared_and_not_granted_lends_no_impersonation(door: Door) -> None:
    door.install({**READ, "read:jira-user": True}, granted={"read:jira-work"})
    issue = ProductCall("/rest/api/3/issue/TEAM-1", act_as="user", account_id="1:amy")
    assert door.send(issue)[1].rule == "act.impersonation"
    assert door.product.requests == []


@pytest.mark.hostile
def test_one_scope_that_allows_impersonation_opens_no_other(door: Door) -> None:
    door.install({"read:jira-user": True, "read:jira-work": False})
    issue = ProductCall("/rest/api/3/issue/TEAM-1", act_as="user", account_id="1:amy")
    assert door.send(issue)[1].rule == "act.impersonation-scope"
    assert door.send(replace(issue, account_id="1:user"))[1].allowed
    assert door.send(replace(MYSELF, act_as="user", account_id="1:amy"))[1].allowed
    token = door.product.requests[-1].headers["authorization"].removeprefix("Bearer ")
    held = door.broker.verify(SecretStr(token))
    assert held is not None
    assert held.scopes == {"read:jira-user"}


@pytest.mark.hostile
def test_nobody_acts_as_one_who_may_not_use_the_product(door: Door) -> None:
    door.install({"read:jira-user": True})
    call = replace(MYSELF, act_as="user", account_id="1:amy")
    door.people.clear()
    assert door.send(call)[1].rule == "act.impersonated-user"
    assert door.product.requests == []


def test_every_call_leaves_exactly_one_audit_record_with_its_rule(door: Door) -> None:
    door.install(READ)
    calls = [MYSELF, replace(MYSELF, path="//x"), replace(MYSELF, act_as="user")]
    rules = [door.send(call)[1].rule for call in calls]
    records = door.audit.read()
    assert [record.rule for record in records] == rules
    assert {record.invocation_id for record in records} == {"invocation"}
    assert "fbk_" not in str(records)


@pytest.mark.hostile
def test_without_consent_the_app_does_not_act_in_the_users_name(door: Door) -> None:
    door.install(READ, user_consent=True)
    as_user = replace(MYSELF, act_as="user")
    reply, report = door.send(as_user)
    assert report.rule == "consent.missing"
    assert ("forge-proxy-error", "NEEDS_AUTHENTICATION_ERR") in reply.headers
    assert door.send(MYSELF)[1].allowed
    door.consents.grant("installation", "1:user", frozenset(READ))
    assert door.send(as_user)[1].allowed
    door.consents.grant("installation", "1:user", frozenset({"read:jira-work"}))
    assert door.send(as_user)[1].rule == "consent.outdated"
    door.consents.revoke("installation", "1:user")
    assert door.send(as_user)[1].rule == "consent.missing"


@pytest.mark.hostile
def test_the_consent_of_one_user_is_not_anothers(door: Door) -> None:
    door.install(READ, user_consent=True)
    door.consents.grant("installation", "1:other", frozenset(READ))
    assert door.send(replace(MYSELF, act_as="user"))[1].rule == "consent.missing"
    named = replace(MYSELF, act_as="user", account_id="1:other")
    assert door.send(named)[1].rule == "act.impersonation"


@pytest.mark.hostile
def test_what_the_product_says_to_a_browser_never_reaches_a_guest(door: Door) -> None:
    door.install(READ)
    leaky = (
        ("Set-Cookie", "session=1"),
        ("X-AAccountId", "1:amy"),
        ("Authorization", "Bearer x"),
        ("Content-Type", "application/json"),
    )
    door.product.response = JiraResponse(200, leaky, b"{}")
    assert door.send(MYSELF)[0].headers == (("Content-Type", "application/json"),)


# --- how often an app acts as somebody else -----------------------------------------------------

AS_AMY = replace(MYSELF, act_as="user", account_id="1:amy")


@pytest.mark.hostile
def test_an_installation_acts_so_often_a_minute_as_somebody_else(door: Door) -> None:
    door.install({"read:jira-user": True})
    for _ in range(IMPERSONATIONS):
        assert door.send(AS_AMY)[1].allowed
    door.clock.advance(7)
    reply, report = door.send(AS_AMY)
    assert (reply.status, report.rule) == (429, "act.impersonation-rate")
    headers = dict(reply.headers)
    assert headers["forge-proxy-error"] == "RATE_LIMITED"
    assert headers["retry-after"] == str(int(60 - door.clock.now_s() % 60))
    assert len(door.product.requests) == IMPERSONATIONS
    (record,) = door.audit.read(limit=1)
    assert (record.allowed, record.rule, record.status) == (False, "act.impersonation-rate", 429)
    assert (record.detail["impersonated"], record.account_id) == (True, "1:amy")
    door.clock.advance(int(headers["retry-after"]))
    assert door.send(AS_AMY)[1].allowed


def test_other_calls_go_on_and_are_counted_nowhere(door: Door) -> None:
    door.install({"read:jira-user": True})
    statements: list[str] = []
    event.listen(
        door.engine, "before_cursor_execute", lambda *each: statements.append(str(each[2]))
    )
    for _ in range(2 * IMPERSONATIONS):
        for call in (
            replace(MYSELF, act_as="user"),
            replace(MYSELF, act_as="user", account_id="1:user"),
            replace(MYSELF, act_as="app", account_id="1:amy"),
        ):
            assert door.send(call)[1].allowed
    assert statements
    assert not [one for one in statements if "token_rate" in one]
    assert door.send(AS_AMY)[1].allowed
    assert [one for one in statements if "token_rate" in one]


def test_what_is_refused_or_rehearsed_is_not_counted(door: Door) -> None:
    door.install({"read:jira-user": True, "read:jira-work": False})
    issue = replace(AS_AMY, path="/rest/api/3/issue/TEAM-1")
    for _ in range(2 * IMPERSONATIONS):
        assert door.send(issue)[1].rule == "act.impersonation-scope"
        assert door.send(replace(AS_AMY, account_id="1:bert"))[1].rule == "act.impersonated-user"
        told = door.gateway.rehearse(CALLER, AS_AMY, lambda _grant, _request: JiraResponse(200))
        assert told.allowed
    assert door.send(AS_AMY)[1].allowed


@pytest.mark.hostile
def test_no_invocation_user_or_header_makes_room(door: Door) -> None:
    door.install({"read:jira-user": True})
    door.people.add(("cloud", "1:bert"))
    for _ in range(IMPERSONATIONS):
        door.send(AS_AMY)
    another = replace(CALLER, invocation_id="another", account_id=None)
    for call, caller in (
        (AS_AMY, another),
        (replace(AS_AMY, account_id="1:bert"), CALLER),
        (replace(AS_AMY, headers=(("x-ratelimit-remaining", "9"),)), CALLER),
        (replace(AS_AMY, path=f"{MYSELF.path}?expand=groups"), CALLER),
    ):
        assert door.send(call, caller)[1].rule == "act.impersonation-rate"
