"""The real `jira` package from PyPI, unmodified, over a real socket."""

from collections.abc import Iterator

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
