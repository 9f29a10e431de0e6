"""The sample apps, run as their READMEs say."""

from collections.abc import Callable

import pytest

from runtime.invocation.invoker import InvocationResult
from tests.flows.conftest import Bench

Sample = Callable[[str], Bench]


def assert_proved(result: InvocationResult) -> None:
    assert result.proof is not None
    assert (result.proof.found, result.proof.secrets > 0) == (0, True)


def test_issue_health_reads_as_the_user(with_sample: Sample) -> None:
    result = with_sample("issue-health").invoke(
        "issue-health", "resolver:getHealth", {"issueKey": "TEAM-3"}, as_="dana"
    )
    assert result.outcome.fault is None, result.outcome.fault
    value = result.value
    assert isinstance(value, dict)
    assert (value["key"], [call.status for call in result.calls]) == ("TEAM-3", [200, 200])
    assert [line.text for line in result.outcome.logs] == [f"TEAM-3 scores {value['score']}"]
    assert_proved(result)


@pytest.mark.hostile
def test_what_the_user_may_not_see_the_app_does_not_see_as_the_user(with_sample: Sample) -> None:
    bench = with_sample("issue-health")
    hidden = bench.invoke("issue-health", "resolver:getHealth", {"issueKey": "TEAM-3"}, as_="otto")
    missing = bench.invoke(
        "issue-health", "resolver:getHealth", {"issueKey": "TEAM-999"}, as_="otto"
    )
    for result in (hidden, missing):
        assert result.outcome.fault is not None
        assert result.outcome.fault.code == "APP_ERROR"
        assert {call.status for call in result.calls} == {404}
    bodies = [
        result.outcome.fault.message.partition(": ")[2]
        for result in (hidden, missing)
        if result.outcome.fault
    ]
    assert bodies[0] == bodies[1]


def test_issue_health_comments_as_itself(with_sample: Sample) -> None:
    result = with_sample("issue-health").invoke(
        "issue-health", "resolver:leaveNote", {"issueKey": "TEAM-3"}, as_="vera"
    )
    assert result.value == {"status": 201, "author": "issue-health"}
    assert_proved(result)


def test_a_permission_of_the_user_adds_no_scope_to_the_app(with_sample: Sample) -> None:
    bench = with_sample("issue-health")
    result = bench.invoke(
        "issue-health", "resolver:renameProject", {"projectKey": "TEAM", "name": "X"}, as_="paul"
    )
    assert result.value == {
        "status": 401,
        "body": {"code": 401, "message": "Unauthorized; scope does not match"},
    }
    (call,) = result.calls
    assert (call.operation, call.rule) == ("updateProject", "scope.undeclared")
    assert "manage:jira-project" in call.message


@pytest.mark.hostile
def test_the_confused_deputy_edits_for_anyone_until_it_is_mended(with_sample: Sample) -> None:
    bench = with_sample("confused-deputy")
    payload = {"issueKey": "TEAM-3", "summary": "Vera was here"}
    vulnerable = bench.invoke("confused-deputy", "resolver:vulnerable", payload, as_="vera")
    assert vulnerable.value == {"status": 204}
    mended = bench.invoke("confused-deputy", "resolver:mended", payload, as_="vera")
    assert mended.value == {"status": 403, "reason": "You may not edit this issue."}
    allowed = bench.invoke("confused-deputy", "resolver:mended", payload, as_="dana")
    assert allowed.value == {"status": 204}


def test_a_guest_of_webassembly_text_asks_jira(with_sample: Sample) -> None:
    result = with_sample("wat-hello").invoke("wat-hello", "hello")
    assert result.outcome.fault is None, result.outcome.fault
    value = result.value
    assert isinstance(value, dict)
    assert value["status"] == 200
    assert '"accountType":"app"' in value["body"]
    assert [line.text for line in result.outcome.logs] == ["hello from WebAssembly text"]
    assert_proved(result)


@pytest.mark.hostile
def test_the_token_thief_fails_in_all_twenty_ways(with_sample: Sample) -> None:
    result = with_sample("token-thief").invoke("token-thief", "steal")
    assert result.outcome.fault is None, result.outcome.fault
    assert result.value == {"attempts": 20, "stolen": []}
    assert len(result.outcome.logs) == 20
    assert all(line.text.startswith("failed") for line in result.outcome.logs)
    assert_proved(result)
