"""What issues are made of: fields, types, statuses, priorities, and create and edit metadata."""

from typing import Any

import pytest

from runtime.jira.issue_beans import _SHOWN
from runtime.jira.issue_fields import ISSUE_FIELDS, SHOWN
from runtime.jira.jql_fields import FIELDS
from tests.jira.worlds import make_world

WORLD = make_world()
API = "/rest/api/3"


def get(path: str, as_: str | None = "dana") -> Any:
    answer = WORLD.get(f"{API}/{path}", as_=as_)
    assert answer.status == 200, answer.body
    return answer.json


def test_the_list_of_fields_names_their_clauses() -> None:
    fields = {one["id"]: one for one in get("field", None)}
    assert fields["issuekey"]["clauseNames"] == ["id", "issue", "issuekey", "key"]
    assert fields["summary"]["schema"] == {"type": "string", "system": "summary"}
    assert fields["created"]["clauseNames"] == ["created", "createdDate"]
    assert not fields["comment"]["navigable"]
    for field in fields.values():
        assert all(name.lower() in FIELDS for name in field["clauseNames"])


def test_every_field_of_the_list_is_shown() -> None:
    assert set(_SHOWN) == SHOWN == set(ISSUE_FIELDS) - {"issuekey"}


def test_issue_types_are_those_of_visible_projects() -> None:
    names = [one["name"] for one in get("issuetype", None)]
    assert names == ["Epic", "Story", "Task", "Bug", "Subtask"]
    assert get("issuetype/10003")["name"] == "Bug"
    assert WORLD.get(f"{API}/issuetype/99").status == 404
    levels = get("issuetype/project?projectId=10000&level=-1")
    assert [one["name"] for one in levels] == ["Subtask"]
    assert WORLD.get(f"{API}/issuetype/project?projectId=10001", as_="otto").status == 404


def test_statuses_and_their_categories() -> None:
    assert [one["name"] for one in get("status")][:2] == ["To Do", "In Progress"]
    assert get("status/In%20Review".replace("%20", " ")) == get("status/10002")
    assert WORLD.get(f"{API}/status/Nope").status == 404
    assert [one["key"] for one in get("statuscategory")] == ["new", "indeterminate", "done"]
    assert get("statuscategory/done") == get("statuscategory/3")
    assert WORLD.get(f"{API}/statuscategory/nope").status == 404


def test_priorities_and_resolutions() -> None:
    assert get("priority")[0]["name"] == "Highest"
    assert get("priority/10000")["isDefault"] is False
    assert WORLD.get(f"{API}/priority/99").status == 404
    (default,) = get("priority/search?onlyDefault=true")["values"]
    assert default["name"] == "Medium"
    assert get("priority/search?id=10000&id=10001&priorityName=HIGH")["total"] == 2
    assert get("resolution")[0]["name"] == "Done"
    assert get("resolution/10001")["name"] == "Won't Do"
    assert WORLD.get(f"{API}/resolution/99").status == 404


def test_create_metadata_lists_projects_types_and_fields() -> None:
    plain = get("issue/createmeta")
    assert [one["key"] for one in plain["projects"]] == ["PUB", "TEAM", "VAULT"]
    assert "fields" not in plain["projects"][0]["issuetypes"][0]
    query = "projectKeys=PUB&issuetypeNames=Subtask&expand=projects.issuetypes.fields"
    (project,) = get(f"issue/createmeta?{query}")["projects"]
    (subtask,) = project["issuetypes"]
    assert subtask["fields"]["parent"]["required"] is True
    assert subtask["fields"]["summary"]["operations"] == ["set"]
    assert len(subtask["fields"]["priority"]["allowedValues"]) == 5
    (by_id,) = get("issue/createmeta?projectIds=10000&issuetypeIds=10002")["projects"]
    assert [one["name"] for one in by_id["issuetypes"]] == ["Task"]


@pytest.mark.hostile
def test_create_metadata_shows_what_one_may_create_only() -> None:
    assert get("issue/createmeta", "otto")["projects"] == []
    assert get("issue/createmeta", None)["projects"] == []
    assert [one["key"] for one in get("issue/createmeta", "vera")["projects"]] == ["PUB"]
    assert get("issue/createmeta/PUB/issuetypes", "otto")["total"] == 0
    assert get("issue/createmeta/PUB/issuetypes/10002", "otto")["total"] == 0
    for path in ("TEAM", "NONE"):
        answer = WORLD.get(f"{API}/issue/createmeta/{path}/issuetypes", as_="otto")
        assert answer.status == 404
    assert WORLD.get(f"{API}/issue/createmeta/PUB/issuetypes/99", as_="dana").status == 400


def test_create_metadata_comes_in_pages() -> None:
    types = get("issue/createmeta/PUB/issuetypes?maxResults=2&startAt=1")
    assert [one["name"] for one in types["issueTypes"]] == ["Story", "Task"]
    assert (types["total"], types["startAt"], types["maxResults"]) == (5, 1, 2)
    fields = get("issue/createmeta/PUB/issuetypes/10002")
    assert {one["fieldId"] for one in fields["fields"]} >= {"summary", "project", "issuetype"}


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("as_", "project", "absent", "present"),
    [
        ("dana", "PUB", {"reporter", "security"}, {"assignee", "duedate"}),
        ("vera", "PUB", {"reporter", "assignee", "duedate"}, {"summary"}),
        ("paul", "PUB", {"security"}, {"reporter", "assignee", "duedate"}),
        ("dana", "VAULT", {"reporter"}, {"security"}),
    ],
)
def test_metadata_and_creation_agree_on_what_may_be_set(
    as_: str, project: str, absent: set[str], present: set[str]
) -> None:
    fields = get(f"issue/createmeta/{project}/issuetypes/10002", as_)["fields"]
    names = {one["fieldId"] for one in fields}
    assert not names & absent
    assert present <= names


def test_edit_metadata_is_empty_without_the_right_to_edit() -> None:
    fields = get("issue/PUB-2/editmeta", "dana")["fields"]
    assert fields["labels"]["operations"] == ["add", "set", "remove"]
    assert "project" not in fields
    assert get("issue/PUB-2/editmeta", "otto")["fields"] == {}
