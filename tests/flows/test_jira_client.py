"""The real `jira` package from PyPI, unmodified, over a real socket."""

from collections.abc import Iterator

import httpx
import pytest
from jira import JIRA
from jira.exceptions import JIRAError

from tests.flows.conftest import Bench
from tests.flows.serving import served


@pytest.fixture
def client(bench: Bench) -> Iterator[JIRA]:
    owner = bench.firebrick.find_person("dana")
    _, secret = bench.firebrick.api_tokens.create(owner, "test")
    with served(bench.firebrick) as url:
        client = JIRA(url, basic_auth=(str(owner.email), secret.get_secret_value()), max_retries=0)
        yield client
        client.close()  # type: ignore[no-untyped-call]  # the package's own


def test_the_client_creates_reads_comments_moves_and_finds(client: JIRA) -> None:
    assert client.server_info()["deploymentType"] == "Cloud"
    created = client.create_issue(
        project="TEAM", summary="Written by a script", issuetype={"name": "Task"},
        description="First line\n\n* a point",
    )  # fmt: skip
    issue = client.issue(created.key)
    assert (issue.fields.summary, issue.fields.status.name) == ("Written by a script", "To Do")
    assert str(issue.fields.description).startswith("First line")
    client.add_comment(issue, "hello *world*")
    assert [comment.body for comment in client.comments(issue)] == ["hello *world*"]
    names = [transition["name"] for transition in client.transitions(issue)]
    client.transition_issue(issue, names[0])
    assert client.issue(created.key).fields.status.name != "To Do"
    found = client.search_issues('project = TEAM and summary ~ "script" order by created desc')
    assert [one.key for one in found] == [created.key]
    issue.update(summary="Changed")
    assert client.issue(created.key).fields.summary == "Changed"


def test_the_client_sees_only_what_its_owner_may_see(client: JIRA) -> None:
    assert {project.key for project in client.projects()} == {"PUB", "TEAM", "VAULT"}
    with pytest.raises(JIRAError) as caught:
        client.issue("VAULT-7")
    assert caught.value.status_code == 404


def test_the_client_finds_out_whether_it_is_logged_in(bench: Bench) -> None:
    owner = bench.firebrick.find_person("dana")
    _, secret = bench.firebrick.api_tokens.create(owner, "test")
    right = (str(owner.email), secret.get_secret_value())
    with served(bench.firebrick) as url:
        client = JIRA(url, basic_auth=right, validate=True, max_retries=0)
        assert client.session().raw["name"] == owner.account_id
        client.close()  # type: ignore[no-untyped-call]  # the package's own
        with pytest.raises(JIRAError):
            JIRA(url, basic_auth=(right[0], "wrong"), validate=True, max_retries=0)


@pytest.mark.hostile
def test_who_is_logged_in_is_told_to_nobody_else(bench: Bench) -> None:
    owner = bench.firebrick.find_person("dana")
    _, secret = bench.firebrick.api_tokens.create(owner, "test")
    right, wrong = (
        (str(owner.email), one) for one in (secret.get_secret_value(), "fbk_pat_" + "0" * 64)
    )
    reason = "x-seraph-loginreason"
    with served(bench.firebrick) as base:
        url = f"{base}/rest/auth/1/session"
        assert httpx.get(url, auth=right).json()["name"] == owner.account_id
        assert bench.firebrick.audit.read()[-1].account_id == owner.account_id
        nobody = httpx.get(url)
        assert (nobody.status_code, nobody.headers.get(reason)) == (401, None)
        assert httpx.get(url, headers={"authorization": "Bearer x"}).status_code == 403
        assert httpx.post(url, json={"username": "dana", "password": "x"}).status_code == 405
        for _ in range(bench.firebrick.settings.login_failures):
            failed = httpx.get(url, auth=wrong)
            assert (failed.status_code, failed.headers[reason]) == (401, "AUTHENTICATED_FAILED")
        locked = httpx.get(url, auth=right)
        assert (locked.status_code, locked.headers[reason]) == (403, "AUTHENTICATION_DENIED")
        assert httpx.get(f"{base}/ex/jira/{bench.cloud_id}/rest/auth/1/session").status_code == 401
