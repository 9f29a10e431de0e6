"""Reading, creating, editing, assigning and deleting issues."""

from typing import Any

import pytest

from runtime.jira.adf import INVALID_INPUT, NOT_A_DOCUMENT, document, paragraph, text
from runtime.jira.failures import ISSUE_NOT_FOUND
from tests.jira.worlds import Answer, World, make_world

READ = make_world()  # for tests that only read
ISSUE = "/rest/api/3/issue"
OLD = "/rest/api/2/issue"
HIDDEN_OR_MISSING = [
    *("TEAM-1", "10016", "VAULT-2", "PUB-99", "NONE-1", "99999", "9" * 40, "PUB-", "-1", "PUB-٣"),
    *("PUB-1%20", "PUB", "PUB-" + "1" * 30, "x'; drop table issue --"),
]
HELLO = document(paragraph(text("hello "), text("bold", {"type": "strong"})))


def new(world: World, as_: str | None = "dana", path: str = ISSUE, **fields: Any) -> Answer:
    base: dict[str, Any] = {
        "project": {"key": "PUB"},
        "issuetype": {"name": "Task"},
        "summary": "New",
    }
    return world.post(path, {"fields": {**base, **fields}}, as_=as_)


def fields_of(world: World, key: str, as_: str = "amy", path: str = ISSUE) -> Any:
    return world.get(f"{path}/{key}", as_=as_).json["fields"]


def person(world: World, handle: str) -> dict[str, str]:
    return {"accountId": world.account(handle).account_id}


# --- get ------------------------------------------------------------------------------------------


def test_an_issue_shows_its_fields() -> None:
    issue = READ.get(f"{ISSUE}/PUB-8", as_="dana").json
    fields = issue["fields"]
    assert (issue["id"], issue["key"]) == ("10007", "PUB-8")
    assert issue["self"] == "https://acme.atlassian.net/rest/api/3/issue/10007"
    assert fields["summary"] == "Invoice number format"
    assert fields["status"]["name"] == "In Progress"
    assert fields["status"]["statusCategory"]["key"] == "indeterminate"
    assert fields["issuetype"]["subtask"] is True
    assert fields["parent"]["key"] == "PUB-2"
    assert fields["assignee"]["displayName"] == "Dana Developer"
    assert fields["created"] == "2025-12-03T09:00:00.000+0000"
    assert fields["description"]["type"] == "doc"
    assert fields["labels"] == []
    assert fields["comment"]["total"] == 0


def test_parents_and_subtasks_are_shown_both_ways() -> None:
    fields = fields_of(READ, "PUB-2")
    assert [one["key"] for one in fields["subtasks"]] == ["PUB-8", "PUB-9"]
    assert fields["parent"]["fields"]["summary"] == "Version 2 of the shop"
    assert "parent" not in fields_of(READ, "PUB-1")
    assert fields_of(READ, "PUB-1")["subtasks"] == []


@pytest.mark.parametrize("as_", [None, "otto", "vera", "paul"])
def test_a_public_issue_shows_to_everybody(as_: str | None) -> None:
    assert READ.get(f"{ISSUE}/PUB-1", as_=as_).status == 200


@pytest.mark.parametrize("name", ["PUB-1", "pub-1", "10000"])
def test_an_issue_is_found_by_key_in_any_case_and_by_id(name: str) -> None:
    assert READ.get(f"{ISSUE}/{name}").json["key"] == "PUB-1"


@pytest.mark.hostile
@pytest.mark.parametrize("name", HIDDEN_OR_MISSING)
@pytest.mark.parametrize("as_", [None, "otto"])
def test_hidden_and_missing_issues_answer_byte_identically(name: str, as_: str | None) -> None:
    answers = [
        READ.get(f"{ISSUE}/{name}", as_=as_),
        READ.put(f"{ISSUE}/{name}", {"fields": {"summary": "x"}}, as_=as_),
        READ.put(f"{ISSUE}/{name}", raw=b"not json", as_=as_),
        READ.put(f"{ISSUE}/{name}/assignee", {"accountId": None}, as_=as_),
        READ.delete(f"{ISSUE}/{name}", as_=as_),
        READ.get(f"{ISSUE}/{name}/comment", as_=as_),
        READ.post(f"{ISSUE}/{name}/comment", {"body": HELLO}, as_=as_),
        READ.get(f"{ISSUE}/{name}/transitions", as_=as_),
        READ.post(f"{ISSUE}/{name}/transitions", {"transition": {"id": 11}}, as_=as_),
        READ.get(f"{ISSUE}/{name}/changelog", as_=as_),
        READ.get(f"{ISSUE}/{name}/editmeta", as_=as_),
        READ.get(f"{ISSUE}/{name}/properties", as_=as_),
        READ.put(f"{ISSUE}/{name}/properties/k", {}, as_=as_),
    ]
    assert {answer.status for answer in answers} == {404}
    assert {answer.body for answer in answers} == {READ.get(f"{ISSUE}/NONE-0").body}
    assert answers[0].errors == [ISSUE_NOT_FOUND]
    assert {answer.rule for answer in answers} == {"entity.hidden-or-missing"}


@pytest.mark.hostile
def test_security_levels_hide_issues_from_those_who_see_the_project() -> None:
    seen = {
        as_: {n for n in range(1, 11) if READ.get(f"{ISSUE}/VAULT-{n}", as_=as_).status == 200}
        for as_ in ("paul", "dana", "vera", "amy")
    }
    assert seen["paul"] == set(range(1, 11))
    assert seen["vera"] == {1, 4, 6, 10}
    assert seen["amy"] == set()
    assert 7 not in seen["dana"]


@pytest.mark.hostile
def test_relatives_that_one_may_not_see_are_not_shown(world: World) -> None:
    subtask: dict[str, Any] = {"issuetype": {"name": "Subtask"}, "parent": {"key": "VAULT-4"}}
    made = new(world, "paul", project={"key": "VAULT"}, **subtask, security={"name": "Lead only"})
    assert made.status == 201
    assert len(fields_of(world, "VAULT-4", "paul")["subtasks"]) == 1
    assert fields_of(world, "VAULT-4", "vera")["subtasks"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("fields=summary,status", {"summary", "status"}),
        ("fields=summary&fields=status", {"summary", "status"}),
        ("fields=nothing", set()),
        ("fields=*navigable,-status,-labels&fields=comment", None),
    ],
)
def test_fields_are_those_that_are_asked_for(query: str, expected: set[str] | None) -> None:
    shown = set(READ.get(f"{ISSUE}/PUB-4?{query}").json["fields"])
    if expected is None:
        assert {"summary", "comment"} <= shown
        assert not {"status", "labels", "worklog"} & shown
    else:
        assert shown == expected
    assert "status" not in READ.get(f"{ISSUE}/PUB-4?fields=-status").json["fields"]


def test_expand_adds_what_is_asked_for() -> None:
    expands = "renderedFields,names,schema,transitions,operations,editmeta,changelog,nothing"
    issue = READ.get(f"{ISSUE}/PUB-4?expand={expands}", as_="paul").json
    assert issue["names"]["duedate"] == "Due date"
    assert issue["schema"]["labels"] == {"type": "array", "items": "string", "system": "labels"}
    assert issue["renderedFields"]["description"].startswith("<p>Prices are rounded twice")
    assert [one["name"] for one in issue["transitions"]] == ["Approve", "Send back"]
    assert "summary" in issue["editmeta"]["fields"]
    assert issue["changelog"]["total"] == 0
    assert "<p>" in issue["renderedFields"]["comment"]["comments"][0]["body"]
    assert READ.get(f"{ISSUE}/PUB-4?properties=a,b,c,d,e,f").status == 400


def test_version_two_speaks_wiki_text(world: World) -> None:
    made = new(world, path=OLD, description="hello *bold*", environment="{{x86}}").json
    assert fields_of(world, made["key"], path=OLD)["description"] == "hello *bold*"
    fields = fields_of(world, made["key"])
    assert fields["description"] == HELLO
    assert fields["environment"]["content"][0]["content"][0]["marks"] == [{"type": "code"}]
    assert made["self"].startswith("https://acme.atlassian.net/rest/api/2/issue/")


# --- create ---------------------------------------------------------------------------------------


def test_a_created_issue_has_what_was_sent_and_defaults(world: World) -> None:
    answer = new(
        world,
        description=HELLO,
        labels=["b", "A", "b"],
        duedate="2026-02-03",
        priority={"name": "High"},
        assignee=person(world, "vera"),
        parent={"key": "PUB-1"},
    )
    assert answer.status == 201
    assert answer.json["key"] == "PUB-17"
    fields = fields_of(world, "PUB-17")
    assert fields["description"] == HELLO
    assert fields["labels"] == ["A", "b"]
    assert fields["duedate"] == "2026-02-03"
    assert fields["priority"]["name"] == "High"
    assert fields["assignee"]["displayName"] == "Vera Viewer"
    assert fields["parent"]["key"] == "PUB-1"
    assert fields["status"]["name"] == "To Do"
    for role in ("reporter", "creator"):
        assert fields[role]["displayName"] == "Dana Developer"
    plain = fields_of(world, new(world).json["key"])
    assert plain["priority"]["name"] == "Medium"
    assert plain["assignee"] is None
    assert plain["description"] is None


def test_numbers_are_never_used_twice(world: World) -> None:
    first = new(world).json["key"]
    assert world.delete(f"{ISSUE}/{first}", as_="paul").status == 204
    assert new(world).json["key"] == "PUB-18"


def test_subtasks_are_created_below_a_parent(world: World) -> None:
    made = new(world, issuetype={"name": "Subtask"}, parent={"key": "PUB-3"})
    assert made.status == 201
    assert [one["key"] for one in fields_of(world, "PUB-3")["subtasks"]] == ["PUB-17"]


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"summary": ""}, {"summary": "You must specify a summary of the issue."}),
        ({"summary": None}, {"summary": "You must specify a summary of the issue."}),
        ({"summary": 3}, {"summary": "Operation value must be a string"}),
        ({"summary": "a\nb"}, "newline"),
        ({"summary": "x" * 256}, "255"),
        ({"project": {"key": "NONE"}}, {"project": "Specify a valid project ID or key"}),
        ({"project": {}}, {"project": "Specify a valid project ID or key"}),
        ({"project": "PUB"}, {"project": "Specify a valid project ID or key"}),
        ({"issuetype": {"name": "Nope"}}, {"issuetype": "Specify a valid issue type"}),
        ({"description": "text"}, {"description": NOT_A_DOCUMENT}),
        ({"labels": "x"}, {"labels": "data was not an array"}),
        ({"labels": ["a b"]}, {"labels": "The label 'a b' contains spaces which is invalid."}),
        ({"labels": [3]}, "string expected"),
        ({"labels": ["x" * 256]}, "255"),
        ({"duedate": "tomorrow"}, {"duedate": "Error parsing date string: tomorrow"}),
        ({"duedate": 3}, "string"),
        ({"priority": {"name": "Nope"}}, {"priority": "The priority selected is invalid."}),
        ({"parent": {"key": "NONE-1"}}, {"parent": "Could not find issue by id or key."}),
        ({"parent": {"key": "PUB-3"}}, "appropriate hierarchy"),
        ({"issuetype": {"name": "Subtask"}}, "sub-task but parent issue key"),
        (
            {"issuetype": {"name": "Subtask"}, "parent": {"key": "PUB-1"}},
            "appropriate hierarchy",
        ),
        (
            {"issuetype": {"name": "Subtask"}, "parent": {"key": "TEAM-3"}},
            {"project": "Sub-tasks must be created in the same project as the parent."},
        ),
        *(
            ({name: []}, f"Field '{name}' cannot be set.")
            for name in ("components", "versions", "fixVersions", "issuelinks", "attachment")
        ),
        *(
            ({name: "x"}, f"Field '{name}' cannot be set.")
            for name in ("customfield_10000", "nothing", "status", "resolution", "comment")
        ),
    ],
)
def test_what_cannot_be_created_is_refused_by_field(fields: Any, errors: Any) -> None:
    answer = new(READ, **fields)
    assert answer.status == 400
    if isinstance(errors, dict):
        assert answer.json == {"errorMessages": [], "errors": errors}
    else:
        assert errors in answer.errors[0]
    assert READ.get(f"{ISSUE}/PUB-17").status == 404


def test_everything_that_is_wrong_with_an_issue_is_said_at_once() -> None:
    answer = new(READ, summary="", labels="x", nothing=1)
    assert set(answer.json["errors"]) == {"summary", "labels", "nothing"}


def test_a_broken_document_is_invalid_input() -> None:
    answer = new(READ, description={"type": "doc", "version": 1})
    assert answer.errors == [INVALID_INPUT]


@pytest.mark.parametrize("body", [{}, {"fields": {}}, {"update": {}}])
def test_a_request_without_fields_is_refused(body: Any) -> None:
    answer = READ.post(ISSUE, body, as_="dana")
    assert answer.errors == ["one of 'fields' or 'update' required"]


@pytest.mark.parametrize("body", [{"fields": []}, {"fields": {"summary": "x"}, "properties": 1}])
def test_parts_of_the_wrong_type_are_refused(body: Any) -> None:
    assert READ.post(ISSUE, body, as_="dana").json["errorMessages"][0].startswith("Invalid request")


@pytest.mark.hostile
def test_a_hidden_project_is_refused_as_a_missing_one_is() -> None:
    hidden, missing = (
        new(READ, "otto", project={"key": "TEAM"}),
        new(READ, "otto", project={"key": "NONE"}),
    )
    assert (hidden.status, hidden.body) == (missing.status, missing.body)


@pytest.mark.hostile
@pytest.mark.parametrize(("as_", "project"), [("otto", "PUB"), ("vera", "TEAM"), (None, "PUB")])
def test_creating_takes_the_permission(as_: str | None, project: str) -> None:
    answer = new(READ, as_, project={"key": project})
    assert answer.status == 400
    assert answer.errors == ["You do not have permission to create issues in this project."]
    assert answer.rule == "permission.CREATE_ISSUES"


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("field", "value", "permission"),
    [
        ("reporter", "vera", "MODIFY_REPORTER"),
        ("assignee", "vera", "ASSIGN_ISSUES"),
        ("duedate", "2026-02-03", "SCHEDULE_ISSUES"),
    ],
)
def test_fields_with_a_permission_of_their_own_are_not_on_the_screen_without_it(
    world: World, field: str, value: str, permission: str
) -> None:
    sent: Any = value if field == "duedate" else person(world, value)
    answer = new(world, "vera", **{field: sent})
    assert answer.status == 400
    assert f"Field '{field}' cannot be set." in answer.errors[0]
    assert answer.rule == f"permission.{permission}"
    assert new(world, "paul", **{field: sent}).status == 201


@pytest.mark.hostile
def test_security_levels_are_set_with_their_permission_only(world: World) -> None:
    secured: dict[str, Any] = {"project": {"key": "VAULT"}, "security": {"name": "Staff"}}
    assert new(world, "dana", **secured).status == 201
    world_without = new(world, "vera", **secured)
    assert world_without.status == 400
    wrong = new(world, "dana", project={"key": "VAULT"}, security={"name": "Nope"})
    assert wrong.errors == ["The security level selected is invalid."]


@pytest.mark.hostile
@pytest.mark.parametrize("handle", ["otto", "dora"])
def test_issues_go_to_assignable_people_only(world: World, handle: str) -> None:
    known, unknown = new(world, assignee=person(world, handle)), new(world, assignee={"id": "nope"})
    account_id = world.account(handle).account_id
    assert known.errors == [f"User '{account_id}' cannot be assigned issues."]
    assert unknown.errors == ["User 'nope' cannot be assigned issues."]


def test_reporters_are_people_of_the_site(world: World) -> None:
    answer = new(world, "paul", reporter={"id": "nope"})
    assert answer.errors == ["The reporter specified is not a user."]
    assert new(world, "paul", reporter=None).errors == ["Reporter is required."]
    made = new(world, "paul", reporter=person(world, "vera")).json["key"]
    fields = fields_of(world, made)
    assert fields["reporter"]["displayName"] == "Vera Viewer"
    assert fields["creator"]["displayName"] == "Paul Projectadmin"


def test_properties_and_comments_come_with_a_new_issue(world: World) -> None:
    body = {
        "fields": {
            "project": {"id": "10000"},
            "issuetype": {"id": "10002"},
            "summary": "x",
        },
        "properties": [{"key": "k", "value": {"a": 1}}],
        "update": {"labels": [{"add": "l"}], "comment": [{"add": {"body": HELLO}}]},
    }
    key = world.post(ISSUE, body, as_="dana").json["key"]
    issue = world.get(f"{ISSUE}/{key}?properties=*all", as_="dana").json
    assert issue["properties"] == {"k": {"a": 1}}
    assert issue["fields"]["labels"] == ["l"]
    assert issue["fields"]["comment"]["total"] == 1


def test_many_issues_are_created_at_once_and_some_may_fail(world: World) -> None:
    base = {"project": {"key": "PUB"}, "issuetype": {"name": "Task"}}
    requests = [{"fields": {**base, "summary": name}} for name in ("one", "", "three")]
    answer = world.post(f"{ISSUE}/bulk", {"issueUpdates": requests}, as_="dana")
    assert answer.status == 201
    assert [one["key"] for one in answer.json["issues"]] == ["PUB-17", "PUB-18"]
    (error,) = answer.json["errors"]
    assert error["failedElementNumber"] == 1
    assert error["elementErrors"]["errors"] == {
        "summary": "You must specify a summary of the issue."
    }
    none = world.post(f"{ISSUE}/bulk", {"issueUpdates": requests[1:2]}, as_="dana")
    assert none.status == 400
    assert none.json["issues"] == []
    many = world.post(f"{ISSUE}/bulk", {"issueUpdates": requests * 20}, as_="dana")
    assert many.status == 400


# --- edit, assign, delete, history ----------------------------------------------------------------


def test_an_edit_changes_fields_and_writes_history(world: World) -> None:
    body = {
        "fields": {"summary": "Changed", "description": HELLO, "priority": {"id": "10000"}},
        "update": {
            "labels": [{"add": "new"}, {"remove": "v2"}],
            "duedate": [{"set": "2026-03-01"}],
        },
    }
    assert world.put(f"{ISSUE}/PUB-2", body, as_="dana").status == 204
    fields = fields_of(world, "PUB-2")
    assert (fields["summary"], fields["labels"]) == ("Changed", ["new"])
    assert fields["description"] == HELLO
    assert fields["updated"] == "2026-01-05T09:00:00.000+0000"
    page = world.get(f"{ISSUE}/PUB-2/changelog", as_="dana").json
    assert page["total"] == 1
    (history,) = page["values"]
    assert history["author"]["displayName"] == "Dana Developer"
    items = {item["fieldId"]: item for item in history["items"]}
    assert set(items) == {"summary", "description", "priority", "labels", "duedate"}
    assert items["summary"]["fromString"] == "Pay by invoice"
    assert items["summary"]["toString"] == "Changed"
    assert (items["priority"]["from"], items["priority"]["to"]) == ("10001", "10000")
    assert (items["labels"]["fromString"], items["labels"]["toString"]) == ("v2", "new")


def test_an_edit_that_changes_nothing_leaves_no_trace(world: World) -> None:
    before = fields_of(world, "PUB-2")["updated"]
    body = {"fields": {"summary": "Pay by invoice", "project": {"key": "PUB"}}}
    assert world.put(f"{ISSUE}/PUB-2", body, as_="dana").status == 204
    assert fields_of(world, "PUB-2")["updated"] == before
    assert world.get(f"{ISSUE}/PUB-2/changelog", as_="dana").json["total"] == 0


def test_an_edit_may_answer_the_issue(world: World) -> None:
    body = {"fields": {"summary": "Changed"}}
    answer = world.put(f"{ISSUE}/PUB-2?returnIssue=true&expand=names", body, as_="dana")
    assert answer.status == 200
    assert answer.json["fields"]["summary"] == "Changed"
    assert answer.json["names"]["summary"] == "Summary"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"fields": {"project": {"key": "TEAM"}}}, "Field 'project' cannot be set."),
        ({"fields": {"status": {"name": "Done"}}}, "Field 'status' cannot be set."),
        ({"fields": {"issuetype": {"name": "Subtask"}}}, "The issue type selected is invalid."),
        ({"fields": {"issuetype": {"name": "Epic"}}}, "The issue type selected is invalid."),
        ({"fields": {"parent": {"key": "PUB-2"}}}, "Could not find issue by id or key."),
        ({"update": {"summary": [{"add": "x"}]}}, "Field does not support update 'add'"),
        ({"update": {"summary": {"set": "x"}}}, "data was not an array"),
        ({"update": {"summary": ["x"]}}, "expected an object with one verb"),
        ({"update": {"components": [{"add": "x"}]}}, "Field 'components' cannot be set."),
        ({"update": {"comment": [{"set": "x"}]}}, "Only the verb 'add'"),
        ({"update": {"comment": {}}, "fields": {"summary": ""}}, "must specify a summary"),
        (
            {"fields": {"summary": "a"}, "update": {"summary": [{"set": "b"}]}},
            "both in 'fields' and in 'update'",
        ),
        ({}, "one of 'fields' or 'update' required"),
    ],
)
def test_wrong_edits_are_refused(body: Any, error: str) -> None:
    answer = READ.put(f"{ISSUE}/PUB-2", body, as_="dana")
    assert answer.status == 400
    assert any(error in message for message in answer.errors)


def test_the_type_may_change_within_its_kind(world: World) -> None:
    body = {"fields": {"issuetype": {"name": "Bug"}, "parent": None}}
    assert world.put(f"{ISSUE}/PUB-2", body, as_="dana").status == 204
    fields = fields_of(world, "PUB-2")
    assert fields["issuetype"]["name"] == "Bug"
    assert "parent" not in fields
    answer = world.put(f"{ISSUE}/PUB-8", {"fields": {"parent": None}}, as_="dana")
    assert answer.errors == ["A sub-task must have a parent issue."]


@pytest.mark.hostile
@pytest.mark.parametrize(("as_", "expected"), [("otto", 403), ("vera", 403), (None, 401)])
def test_editing_takes_the_permission(as_: str | None, expected: int) -> None:
    answer = READ.put(f"{ISSUE}/PUB-2", {"fields": {"summary": "x"}}, as_=as_)
    assert answer.status == expected
    if expected == 403:
        assert answer.rule == "permission.EDIT_ISSUES"


def test_a_reporter_edits_where_the_scheme_says_so(world: World) -> None:
    body = {"fields": {"summary": "Mine"}}
    assert world.put(f"{ISSUE}/PUB-3", body, as_="vera").status == 204
    assert world.put(f"{ISSUE}/PUB-5", body, as_="vera").status == 403


def test_issues_are_assigned_and_set_free(world: World) -> None:
    path = f"{ISSUE}/PUB-3/assignee"
    for body, name in (
        (person(world, "vera"), "Vera Viewer"),
        ({"accountId": None}, None),
        ({"accountId": "-1"}, None),
    ):
        assert world.put(path, body, as_="dana").status == 204
        assignee = fields_of(world, "PUB-3")["assignee"]
        assert (assignee and assignee["displayName"]) == name
    history = world.get(f"{ISSUE}/PUB-3/changelog").json["values"]
    assert [one["items"][0]["fromString"] for one in history] == [None, "Vera Viewer"]


@pytest.mark.hostile
def test_assigning_takes_the_permission_and_an_assignable_person(world: World) -> None:
    path = f"{ISSUE}/PUB-3/assignee"
    refused = world.put(path, person(world, "dana"), as_="vera")
    assert (refused.status, refused.rule) == (403, "permission.ASSIGN_ISSUES")
    assert world.put(path, person(world, "otto"), as_="dana").status == 400


def test_deleting_takes_subtasks_along_only_when_told(world: World) -> None:
    refused = world.delete(f"{ISSUE}/PUB-2", as_="paul")
    assert refused.status == 400
    assert "'PUB-2' has subtasks" in refused.errors[0]
    assert world.delete(f"{ISSUE}/PUB-2?deleteSubtasks=true", as_="paul").status == 204
    for key in ("PUB-2", "PUB-8", "PUB-9"):
        assert world.get(f"{ISSUE}/{key}", as_="paul").status == 404
    assert world.get(f"{ISSUE}/PUB-1", as_="paul").status == 200


def test_deleting_an_epic_frees_its_issues_and_takes_properties_away(world: World) -> None:
    assert world.put(f"{ISSUE}/PUB-1/properties/k", 1, as_="paul").status == 201
    assert world.delete(f"{ISSUE}/PUB-1", as_="paul").status == 204
    assert "parent" not in fields_of(world, "PUB-3")
    with world.engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from property").scalar() == 0


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("as_", "key", "expected"),
    [("dana", "PUB-3", 403), ("vera", "PUB-3", 403), (None, "PUB-3", 401), ("dana", "TEAM-3", 204)],
)
def test_deleting_takes_the_permission(
    world: World, as_: str | None, key: str, expected: int
) -> None:
    answer = world.delete(f"{ISSUE}/{key}", as_=as_)
    assert answer.status == expected
    if expected == 403:
        assert answer.rule == "permission.DELETE_ISSUES"


@pytest.mark.hostile
def test_a_refused_write_leaves_nothing(world: World) -> None:
    body = {
        "fields": {"summary": "Changed"},
        "update": {"comment": [{"add": {"body": "no document"}}]},
    }
    assert world.put(f"{ISSUE}/PUB-2", body, as_="dana").status == 400
    assert fields_of(world, "PUB-2")["summary"] == "Pay by invoice"
    assert world.get(f"{ISSUE}/PUB-2/changelog").json["total"] == 0


@pytest.mark.hostile
@pytest.mark.parametrize("depth", [120, 10_000, 200_000])
def test_deeply_nested_bodies_are_refused(depth: int) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    body = b'{"fields":{"summary":"x","project":{"key":"PUB"},"issuetype":{"name":"Task"},'
    answer = READ.post(ISSUE, raw=body + b'"description":' + deep + b"}}", as_="dana")
    assert answer.status == 400
