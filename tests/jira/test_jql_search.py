"""Searches: each clause, order, paging, visibility and refusals, over the seeded world."""

from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.jira.jql_fields import UNEVALUATED
from runtime.jira.jql_page import BAD_TOKEN, UNBOUNDED
from tests.jira.worlds import Answer, make_world

WORLD = make_world()
SEARCH = "/rest/api/3/search/jql"
EVERYTHING = "created is not EMPTY"
PEOPLE = ("amy", "paul", "dana", "vera", "otto", None)
DANA = WORLD.account("dana").account_id


def search(jql: str, as_: str | None = "paul", **body: object) -> Answer:
    return WORLD.post(SEARCH, {"jql": jql, **body}, as_=as_)


def found(jql: str, as_: str | None = "paul") -> list[str]:
    answer = search(jql, as_, maxResults=5000, fields=["key"])
    assert answer.status == 200, answer.body
    return [issue["key"] for issue in answer.json["issues"]]


def keys(jql: str, as_: str | None = "paul") -> set[str]:
    return set(found(jql, as_))


def refusal(jql: str, as_: str | None = "paul") -> list[str]:
    answer = search(jql, as_)
    assert answer.status == 400
    assert answer.json["errors"] == {}
    messages: list[str] = answer.json["errorMessages"]
    return messages


def numbered(project: str, *numbers: int) -> set[str]:
    return {f"{project}-{number}" for number in numbers}


@pytest.mark.parametrize(
    ("jql", "expected"),
    [
        ("project = PUB AND status = Done", numbered("PUB", 6, 11)),
        ("project = pub and statusCategory = done", numbered("PUB", 6, 11)),
        ("project = 'Public Roadmap' and type = Epic", numbered("PUB", 1)),
        ("project = 10000 and issuetype = Epic", numbered("PUB", 1)),
        ("project in (PUB, TEAM) and labels = security", numbered("TEAM", 14)),
        ("project = PUB and labels in (OPS, money)", numbered("PUB", 4, 11)),
        ("project = PUB and resolution = Done", numbered("PUB", 6, 11)),
        ("project = PUB and resolution != Unresolved", numbered("PUB", 6, 11)),
        ("project = PUB and priority >= High", numbered("PUB", 1, 2, 4, 11, 14)),
        ("project = PUB and priority < Low", numbered("PUB", 7)),
        ("project = PUB and assignee is EMPTY and type = Bug", numbered("PUB", 10)),
        (
            "project = PUB and assignee = EMPTY and assignee = null and type = Bug",
            numbered("PUB", 10),
        ),
        ("project = PUB and assignee in (EMPTY) and labels = design", numbered("PUB", 7, 10)),
        ("project = PUB and reporter = 'Dora Deactivated'", numbered("PUB", 14)),
        (f"project = PUB and creator = '{DANA}'", numbered("PUB", 6, 8, 9)),
        ("project = PUB and assignee = currentUser()", numbered("PUB", 1, 16)),
        ("project = PUB and reporter in membersOf(site-admins)", numbered("PUB", 15, 16)),
        ("project = PUB and type in subTaskIssueTypes()", numbered("PUB", 8, 9)),
        ("parent = PUB-2", numbered("PUB", 8, 9)),
        ("parent = 10001", numbered("PUB", 8, 9)),
        ("key in (PUB-1, pub-2, TEAM-3)", {"PUB-1", "PUB-2", "TEAM-3"}),
        ("id = 10000", {"PUB-1"}),
        ("issuekey > PUB-14", numbered("PUB", 15, 16)),
        ("project = PUB and due is not EMPTY", numbered("PUB", 5, 11, 12)),
        ("project = PUB and duedate < now()", numbered("PUB", 11)),
        ("project = PUB and due >= startOfDay(10d)", numbered("PUB", 12)),
        ("project = PUB and created < -39d", numbered("PUB", 1)),
        ("project = PUB and resolved is not empty", numbered("PUB", 6, 11)),
        ("summary ~ invoice", numbered("PUB", 2, 8, 9)),
        ("summary ~ 'INVOICE pdf'", numbered("PUB", 9)),
        ("summary ~ 'inv*' and summary !~ pdf", numbered("PUB", 2, 8)),
        ("description ~ 'gift wrapping'", numbered("PUB", 15)),
        ("text ~ umlauts", numbered("PUB", 14)),
        ("level = Staff", numbered("VAULT", 2, 3, 5, 9)),
        ("project = PUB and (type = Epic or priority = Lowest)", numbered("PUB", 1, 7)),
        ("not (project in (TEAM, VAULT) or status != Done)", numbered("PUB", 6, 11)),
    ],
)
def test_clauses_find_what_they_say(jql: str, expected: set[str]) -> None:
    assert keys(jql) == expected


def test_a_search_answers_ids_alone_unless_more_is_asked_for() -> None:
    answer = search("key = PUB-1")
    assert answer.json == {"issues": [{"id": "10000"}], "isLast": True}
    issue = search("key = PUB-1", fields=["summary"], expand="names").json
    assert issue["issues"][0]["fields"] == {"summary": "Version 2 of the shop"}
    assert issue["names"] == {"summary": "Summary"}


def test_get_and_post_answer_alike() -> None:
    jql = "project = PUB order by created"
    options = {"maxResults": 3, "fields": ["*navigable", "-description"], "expand": "schema"}
    query = f"jql={quote(jql)}&maxResults=3&fields=*navigable,-description&expand=schema"
    assert WORLD.get(f"{SEARCH}?{query}", as_="vera").json == search(jql, "vera", **options).json


@pytest.mark.parametrize("order", ["", "order by priority desc, key", "order by assignee, due"])
@pytest.mark.parametrize("size", [1, 7, 40])
def test_pages_join_to_the_whole(order: str, size: int) -> None:
    jql = f"{EVERYTHING} {order}"
    whole, joined, token = found(jql, "dana"), [], None
    for _ in range(41):
        more: dict[str, object] = {"nextPageToken": token} if token else {}
        page = search(jql, "dana", maxResults=size, fields=["key"], **more).json
        joined += [issue["key"] for issue in page["issues"]]
        token = page.get("nextPageToken")
        assert page["isLast"] is (token is None)
        if token is None:
            break
    assert joined == whole


def test_orders_sort_as_people_expect() -> None:
    by_key = found("project = PUB order by key")
    assert by_key == [f"PUB-{number}" for number in range(1, 17)]
    assert found("project = PUB order by key DESC") == by_key[::-1]
    assert found("project = PUB order by created DESC") == by_key[::-1]
    assert found("project = PUB order by priority DESC")[0] == "PUB-4"
    assert found("project = PUB order by due")[:3] == ["PUB-11", "PUB-5", "PUB-12"]
    assert found("project = PUB order by labels, key")[0] == "PUB-7"
    names = "issuetype, status, statusCategory, reporter, resolution, creator, summary"
    assert len(found(f"project = PUB order by {names}")) == 16
    assert found("project = PUB order by project, updated, resolved") == by_key


@pytest.mark.hostile
@pytest.mark.parametrize("as_", PEOPLE)
def test_a_search_finds_exactly_what_one_may_see(as_: str | None) -> None:
    projects = {"PUB": 16, "TEAM": 14, "VAULT": 10}
    visible = set()
    for project, count in projects.items():
        for number in range(1, count + 1):
            key = f"{project}-{number}"
            if WORLD.get(f"/rest/api/3/issue/{key}?fields=id", as_=as_).status == 200:
                visible.add(key)
    assert keys(EVERYTHING, as_) == visible
    body = {"jql": EVERYTHING}
    answer = WORLD.post("/rest/api/3/search/approximate-count", body, as_=as_)
    assert answer.json == {"count": len(visible)}


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("hidden", "missing"),
    [
        ("project = TEAM", "project = NONE"),
        ("project in (PUB, TEAM)", "project in (PUB, NONE)"),
        ("project = 10001", "project = 99999"),
        ("key = TEAM-1", "key = NONE-1"),
        ("key = 10016", "key = 99999"),
        ("key > TEAM-1", "key > NONE-1"),
        ("parent = TEAM-1", "parent = NONE-1"),
        ("not key = TEAM-1", "not key = NONE-1"),
        ("level = Staff", "level = Other"),
    ],
)
def test_hidden_values_are_missing_values(hidden: str, missing: str) -> None:
    one, other = refusal(hidden, "otto"), refusal(missing, "otto")
    renamed = [
        text.replace("TEAM", "NONE").replace("10001", "99999").replace("10016", "99999")
        for text in one
    ]
    assert [text.replace("Staff", "Other") for text in renamed] == other


@pytest.mark.hostile
def test_names_and_addresses_of_people_are_hidden_from_those_who_may_not_browse_them() -> None:
    assert keys("reporter = 'Vera Viewer' and project = PUB", "dana") == numbered(
        "PUB", 3, 4, 7, 10
    )
    vera = WORLD.account("vera").account_id
    assert keys(f"reporter = '{vera}'", "otto") == numbered("PUB", 3, 4, 7, 10)
    for name in ("'Vera Viewer'", "'vera@acme.example'"):
        for query in (f"reporter = {name}", f"reporter in ('{vera}', {name})"):
            assert "does not exist for the field" in refusal(query, "otto")[0]
    assert "does not exist" in refusal("reporter = 'vera@acme.example'", "dana")[0]
    assert keys("assignee = 'dana@acme.example' and key = PUB-2", "dana") == {"PUB-2"}


CLAUSES = st.sampled_from(
    [
        ("status = Done", "status"),
        ("statusCategory in (new, done)", "statusCategory"),
        ("assignee = currentUser()", "assignee"),
        ("assignee != 'Dana Developer'", "assignee"),
        ("reporter in membersOf(jira-administrators)", "reporter"),
        ("labels = v2", "labels"),
        ("labels not in (ops, web)", "labels"),
        ("priority > Medium", "priority"),
        ("priority = Low", "priority"),
        ("resolution = Done", "resolution"),
        ("due < now()", "due"),
        ("due = '2026-01-12'", "due"),
        ("created >= -20d", "created"),
        ("updated < startOfMonth()", "updated"),
        ("summary ~ the", "summary"),
        ("description !~ part", "description"),
        ("parent = PUB-2", "parent"),
        ("key in (PUB-1, PUB-2)", "key"),
        ("key <= PUB-7", "key"),
        ("type in standardIssueTypes()", "type"),
        ("project != PUB", "project"),
        ("level is EMPTY", "level"),
        ("assignee is not EMPTY", "assignee"),
        ("assignee in (EMPTY, currentUser())", "assignee"),
    ]
)


@settings(deadline=None, max_examples=60)
@given(CLAUSES, st.sampled_from(["amy", "paul", "dana", "vera"]))
def test_a_clause_its_opposite_and_emptiness_divide_what_is_visible(
    case: tuple[str, str], as_: str
) -> None:
    clause, field = case
    fits, opposite = keys(clause, as_), keys(f"not ({clause})", as_)
    empty = keys(f"{field} is EMPTY", as_)
    everything = keys(EVERYTHING, as_)
    assert not fits & opposite
    assert fits | opposite | empty == everything if "key" not in clause else True
    assert (fits | opposite) - everything == set()
    if "EMPTY" in clause:
        assert fits | opposite == everything


@settings(deadline=None, max_examples=40)
@given(st.lists(CLAUSES, min_size=2, max_size=4), st.sampled_from(["paul", "vera"]))
def test_and_or_and_not_are_those_of_sets(cases: list[tuple[str, str]], as_: str) -> None:
    clauses = [clause for clause, _field in cases]
    sets = [keys(clause, as_) for clause in clauses]
    assert keys(" and ".join(clauses), as_) == set.intersection(*sets)
    assert keys(" or ".join(clauses), as_) == set.union(*sets)
    negated = [keys(f"not ({clause})", as_) for clause in clauses]
    assert keys(f"not ({' or '.join(clauses)})", as_) == set.intersection(*negated)
    assert keys(f"not ({' and '.join(clauses)})", as_) == set.union(*negated)


@pytest.mark.parametrize(
    ("jql", "text"),
    [
        ("nothing = 1", "Field 'nothing' does not exist or you do not have permission to view it."),
        ("status = Nope", "The value 'Nope' does not exist for the field 'status'."),
        ("status = 99", "A value with ID '99' does not exist for the field 'status'."),
        ("key = PUB-999", "An issue with key 'PUB-999' does not exist for field 'key'."),
        ("status ~ done", "The operator '~' is not supported by the 'status' field."),
        ("summary = x", "The operator '=' is not supported by the 'summary' field."),
        ("status = foo()", "Unable to find JQL function 'foo()'."),
        ("assignee = currentUser(a)", "expected '0' arguments but received '1'."),
        ("assignee = membersOf(x)", "does not support list value 'membersOf()'"),
        ("assignee in membersOf(x)", "the group does not exist."),
        ("created > yesterday", "Date value 'yesterday' for field 'created' is invalid."),
        ("created > '2026-13-01'", "Date value '2026-13-01' for field 'created' is invalid."),
        ("created > startOfDay(x)", "Date value 'startOfDay' for field 'created' is invalid."),
        ("created > -999999w", "Date value '-999999w' for field 'created' is invalid."),
        ("created > startOfYear(99999)", "for field 'created' is invalid."),
        ("summary ~ '*'", "The text query '*' for field 'summary' is not valid."),
        ("project = PUB order by text", "Not able to sort using field 'text'."),
        ("project = PUB order by nothing", "Field 'nothing' does not exist"),
        ("project = PUB order by a,b,c,d,e,f,g,h", "sort by at most 7 fields"),
        ("project =", "Error in the JQL Query"),
    ],
)
def test_wrong_queries_are_refused_with_the_products_text(jql: str, text: str) -> None:
    assert text in refusal(jql)[0]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    messages = refusal("project = NONE and nothing = 1 and status in (Nope, Nada)")
    assert len(messages) == 4


def test_anonymous_is_told_so_for_unknown_fields() -> None:
    assert "cannot be viewed by anonymous users" in refusal("nothing = 1", None)[0]
    assert keys("assignee = currentUser()", None) == set()


@pytest.mark.parametrize(
    ("jql", "name"),
    [
        ("status was Done", "operator 'was'"),
        ("status changed", "operator 'changed'"),
        ("assignee was not in (a) by b", "operator 'was not in'"),
        ("cf[10010] = 1", "field 'cf[10010]'"),
        ("issue.property[a].b = 1", "field 'issue.property[a].b'"),
        ("sprint in openSprints()", "field 'sprint'"),
        ("issue in linkedIssues(PUB-1)", "function 'linkedIssues()'"),
        *((f'"{field}" = x', f"field '{field}'") for field in sorted(UNEVALUATED)),
    ],
)
def test_what_is_not_evaluated_yet_is_refused_by_name(jql: str, name: str) -> None:
    assert refusal(jql) == [f"Firebrick parses the JQL {name} and does not evaluate it yet."]


@pytest.mark.parametrize("body", [{}, {"jql": ""}, {"jql": "order by key"}, {"jql": None}])
def test_a_search_must_restrict(body: dict[str, object]) -> None:
    answer = WORLD.post(SEARCH, body, as_="paul")
    assert answer.status == 400
    assert answer.errors == [UNBOUNDED]
    assert WORLD.get(SEARCH, as_="paul").errors == [UNBOUNDED]


@pytest.mark.parametrize("size", [0, -1, 5001, None])
def test_page_sizes_are_bounded(size: int | None) -> None:
    assert search(EVERYTHING, maxResults=size).status == 400
    if size is not None:
        assert WORLD.get(f"{SEARCH}?jql=id=10000&maxResults={size}", as_="paul").status == 400


@pytest.mark.parametrize(
    "body", [{"jql": "id = 10000", "nope": 1}, {"jql": 3}, {"jql": "id=10000", "fields": "a"}, []]
)
def test_unknown_members_and_wrong_types_are_refused(body: object) -> None:
    answer = WORLD.post(SEARCH, body, as_="paul")
    assert answer.status == 400
    assert answer.json["errorMessages"][0].startswith("Invalid request payload.")


@pytest.mark.hostile
def test_a_token_serves_only_its_own_search() -> None:
    jql = "project = PUB order by summary"
    token = search(jql, maxResults=5).json["nextPageToken"]
    assert search(jql, maxResults=5, nextPageToken=token).status == 200
    body, flipped = token[:-4], "A" if token[-4] != "A" else "B"
    tampered = body + flipped + token[-3:]
    for other, as_, bad in (
        ("project = PUB order by summary desc", "paul", token),
        ("project = TEAM order by summary", "paul", token),
        (jql, "dana", token),
        (jql, "paul", tampered),
        (jql, "paul", token[:-8]),
        (jql, "paul", "x"),
        (jql, "paul", "ä"),
        (jql, "paul", "A" * 20_000),
    ):
        answer = search(other, as_, maxResults=5, nextPageToken=bad)
        assert answer.status == 400
        assert answer.errors == [BAD_TOKEN]


@pytest.mark.hostile
@pytest.mark.parametrize(
    "jql",
    [
        'summary ~ "%\' or 1=1 --"',
        "summary ~ '_____'",
        "labels = \"' or ''='\"",
        "reporter = \"x' or 'a'='a\"",
        "summary ~ '" + "a " * 49 + "'",
        "labels in (" + ",".join(f"l{n}" for n in range(5_000)) + ")",
        " or ".join(f"summary ~ w{n}" for n in range(500)),
        " or ".join(["summary ~ '" + "a " * 50 + "'"] * 400),
        "summary ~ " + "a" * 40_000,
        "reporter in (" + ",".join(f"l{n}" for n in range(5_000)) + ")",
        "key in (" + ",".join(f"PUB-{n}" for n in range(5_000)) + ")",
        "not (" * 99 + "status = Done" + ")" * 99,
    ],
)
def test_hostile_values_are_only_values(jql: str) -> None:
    answer = search(f"project = VAULT and ({jql})" if jql.startswith("s") else jql, "otto")
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert {one["id"] for one in answer.json["issues"]} <= {
            str(number) for number in range(10_000, 10_016)
        }


def test_a_keys_order_is_numeric() -> None:
    numbers = [int(key.partition("-")[2]) for key in found("project = PUB order by key")]
    assert all(one < other for one, other in pairwise(numbers))
