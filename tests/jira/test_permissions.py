from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from runtime.identity.accounts import Account
from runtime.jira.permission_keys import GLOBAL_PERMISSIONS, PROJECT_PERMISSIONS
from runtime.jira.permissions import HOLDER_TYPES, UNEVALUATED, Permissions, holders_of
from runtime.jira.schema import issue_table
from runtime.jira.site import Holder, PermissionScheme, SecurityLevel, SecurityScheme, Site
from runtime.jira.visibility import visible_issues_clause
from tests.jira.worlds import make_world

WORLD = make_world()
SITE = WORLD.site()
HANDLES = ("amy", "paul", "dana", "vera", "otto", "dora")
ACCOUNTS: dict[str | None, Account | None] = {name: WORLD.account(name) for name in HANDLES}
ACCOUNTS[None] = None
EDIT = "EDIT_ISSUES"
TEAM = SITE.projects[10001]


@dataclass(frozen=True)
class FakeIssue:
    project_id: int = 10001
    reporter_id: str | None = None
    assignee_id: str | None = None
    security_level_id: int | None = None


def person(handle: str) -> str:
    account = ACCOUNTS[handle]
    assert account is not None
    return account.account_id


def group(name: str) -> str:
    found = SITE.find_group(name)
    assert found is not None
    return found.group_id


def with_holders(site: Site, permission: str, *holders: Holder) -> Site:
    """Return the site with one permission of TEAM's scheme granted to these holders alone."""
    scheme = site.permission_schemes[TEAM.permission_scheme_id]
    changed = replace(scheme, holders={**scheme.holders, permission: holders})
    return replace(site, permission_schemes={**site.permission_schemes, scheme.id: changed})


def holds(holder: Holder, handle: str | None, issue: FakeIssue | None = None) -> bool:
    who = Permissions(with_holders(SITE, EDIT, holder), ACCOUNTS[handle])
    return who.holds(EDIT, project=TEAM, issue=issue)


@pytest.mark.parametrize(
    ("holder", "expected"),
    [
        (Holder("anyone"), {None, *HANDLES}),
        (Holder("applicationRole"), {"amy", "paul", "dana", "vera"}),
        (Holder("applicationRole", "jira-software"), {"amy", "paul", "dana", "vera"}),
        (Holder("applicationRole", "jira-servicedesk"), set()),
        (Holder("group", group("site-admins")), {"amy"}),
        (Holder("group", "no-such-group"), set()),
        (Holder("projectRole", str(WORLD.role_id("Developers"))), {"dana"}),
        (Holder("projectRole", "99"), set()),
        (Holder("projectRole", "not a number"), set()),
        (Holder("projectLead"), {"paul"}),
        (Holder("user", person("otto")), {"otto"}),
        (Holder("user", person("dora")), set()),
        (Holder("reporter"), {"amy", "paul", "dana", "vera", "otto"}),
        (Holder("assignee"), {"amy", "paul", "dana", "vera", "otto"}),
        (Holder("userCustomField", "customfield_10000"), set()),
        (Holder("groupCustomField", "customfield_10000"), set()),
        (Holder("sd.customer.portal.only"), set()),
        (Holder("something.new"), set()),
    ],
)
def test_each_type_of_holder_names_exactly_its_people(
    holder: Holder, expected: set[str | None]
) -> None:
    found = {handle for handle in ACCOUNTS if holds(holder, handle)}
    assert found == expected


def test_reporter_and_assignee_are_those_of_the_issue() -> None:
    issue = FakeIssue(reporter_id=person("vera"), assignee_id=person("dana"))
    assert {who for who in ACCOUNTS if holds(Holder("reporter"), who, issue)} == {"vera"}
    assert {who for who in ACCOUNTS if holds(Holder("assignee"), who, issue)} == {"dana"}
    nobody = FakeIssue()
    assert not any(holds(Holder("reporter"), who, nobody) for who in ACCOUNTS)


def test_an_unknown_permission_or_project_is_held_by_nobody() -> None:
    who = Permissions(SITE, ACCOUNTS["amy"])
    assert not who.holds("FLY")
    assert not who.holds("BROWSE_PROJECTS", issue=FakeIssue(project_id=77))


def test_a_system_administrator_administers_jira_and_not_the_other_way_round() -> None:
    groups = {"SYSTEM_ADMIN": frozenset({group("site-admins")})}
    site = replace(SITE, global_permissions=groups)
    assert Permissions(site, ACCOUNTS["amy"]).is_admin()
    site = replace(SITE, global_permissions={"ADMINISTER": groups["SYSTEM_ADMIN"]})
    assert not Permissions(site, ACCOUNTS["amy"]).holds("SYSTEM_ADMIN")


def test_administering_jira_lets_see_a_project_but_not_its_issues() -> None:
    amy = Permissions(SITE, ACCOUNTS["amy"])
    assert amy.sees(TEAM)
    assert amy.administers(TEAM)
    assert not amy.holds("BROWSE_PROJECTS", project=TEAM)
    assert not amy.holds("BROWSE_PROJECTS", issue=FakeIssue())


def test_a_security_level_that_the_project_does_not_know_lets_nobody_through() -> None:
    issue = FakeIssue(security_level_id=10000)  # TEAM has no security scheme
    for account in ACCOUNTS.values():
        assert not Permissions(SITE, account).holds("BROWSE_PROJECTS", issue=issue)


def test_a_security_level_stops_every_permission() -> None:
    staff = FakeIssue(project_id=10002, security_level_id=10000)
    assert Permissions(SITE, ACCOUNTS["dana"]).holds(EDIT, issue=staff)
    assert not Permissions(SITE, ACCOUNTS["vera"]).holds("ADD_COMMENTS", issue=staff)
    assert Permissions(SITE, ACCOUNTS["vera"]).holds("ADD_COMMENTS", issue=FakeIssue(10002))


def test_the_catalogue_of_holder_types_is_whole() -> None:
    documented = {
        *("anyone", "applicationRole", "assignee", "group", "groupCustomField", "projectLead"),
        *("projectRole", "reporter", "sd.customer.portal.only", "user", "userCustomField"),
    }
    assert documented == HOLDER_TYPES
    assert UNEVALUATED < HOLDER_TYPES
    assert not GLOBAL_PERMISSIONS.keys() & PROJECT_PERMISSIONS.keys()


PARAMETERS = st.one_of(
    st.none(),
    st.sampled_from([str(role) for role in SITE.roles]),
    st.sampled_from(list(SITE.groups)),
    st.sampled_from([person(handle) for handle in HANDLES]),
    st.just("jira-software"),
)
HOLDERS = st.builds(Holder, st.sampled_from(sorted(HOLDER_TYPES)), PARAMETERS)
PEOPLE = st.sampled_from([*HANDLES, None])
MAYBE_PERSON = st.one_of(st.none(), st.sampled_from([person(handle) for handle in HANDLES]))
ISSUES = st.builds(
    FakeIssue,
    st.sampled_from([10000, 10001, 10002]),
    MAYBE_PERSON,
    MAYBE_PERSON,
    st.sampled_from([None, 10000, 10001, 10009]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(HOLDERS, max_size=5), st.data(), PEOPLE, ISSUES)
def test_losing_a_grant_never_allows_more(
    holders: list[Holder], data: st.DataObject, handle: str | None, issue: FakeIssue
) -> None:
    kept = data.draw(st.lists(st.sampled_from(holders), unique=True)) if holders else []
    more = Permissions(with_holders(SITE, EDIT, *holders), ACCOUNTS[handle])
    less = Permissions(with_holders(SITE, EDIT, *kept), ACCOUNTS[handle])
    for where in ({"project": TEAM}, {"issue": issue}, {}):
        assert less.holds(EDIT, **where) <= more.holds(EDIT, **where)


@settings(max_examples=200, deadline=None)
@given(HOLDERS, PEOPLE, ISSUES)
def test_what_anonymous_may_do_everybody_may_do(
    holder: Holder, handle: str | None, issue: FakeIssue
) -> None:
    site = with_holders(SITE, EDIT, holder)
    anonymous, known = Permissions(site, None), Permissions(site, ACCOUNTS[handle])
    assert anonymous.holds(EDIT, issue=issue) <= known.holds(EDIT, issue=issue)


LEVELS = st.lists(st.lists(HOLDERS, max_size=3), min_size=2, max_size=2)


def with_visibility(browse: list[Holder], levels: list[list[Holder]]) -> Site:
    """Return the site with other browse grants in every scheme and other holders of the levels."""
    schemes: dict[int, PermissionScheme] = {
        scheme.id: replace(scheme, holders={**scheme.holders, "BROWSE_PROJECTS": tuple(browse)})
        for scheme in SITE.permission_schemes.values()
    }
    (security,) = SITE.security_schemes.values()
    changed: tuple[SecurityLevel, ...] = tuple(
        replace(level, holders=tuple(holders))
        for level, holders in zip(security.levels, levels, strict=True)
    )
    security_schemes: dict[int, SecurityScheme] = {security.id: replace(security, levels=changed)}
    return replace(SITE, permission_schemes=schemes, security_schemes=security_schemes)


@settings(max_examples=150, deadline=None)
@given(st.lists(HOLDERS, max_size=4), LEVELS, PEOPLE)
def test_the_filter_of_a_search_agrees_with_the_engine_on_every_issue(
    browse: list[Holder], levels: list[list[Holder]], handle: str | None
) -> None:
    site = with_visibility(browse, levels)
    who = Permissions(site, ACCOUNTS[handle])
    with WORLD.engine.connect() as connection:
        rows = connection.execute(select(issue_table)).all()
        clause = visible_issues_clause(site, who)
        found = set(connection.execute(select(issue_table.c.id).where(clause)).scalars())
    assert found == {row.id for row in rows if who.holds("BROWSE_PROJECTS", issue=row)}


@pytest.mark.parametrize(
    ("handle", "count"),
    [(None, 16), ("amy", 16), ("paul", 40), ("dana", 39), ("vera", 34), ("otto", 16), ("dora", 16)],
)
def test_each_person_of_the_default_world_sees_so_many_issues(
    handle: str | None, count: int
) -> None:
    clause = visible_issues_clause(SITE, Permissions(SITE, ACCOUNTS[handle]))
    with WORLD.engine.connect() as connection:
        assert len(connection.execute(select(issue_table.c.id).where(clause)).all()) == count


def test_an_issue_of_a_project_in_the_recycle_bin_is_seen_by_nobody() -> None:
    site = replace(SITE, projects={**SITE.projects, TEAM.id: replace(TEAM, deleted_ms=1)})
    for account in ACCOUNTS.values():
        who = Permissions(site, account)
        assert not who.holds("BROWSE_PROJECTS", issue=FakeIssue())
        with WORLD.engine.connect() as connection:
            ids = connection.execute(
                select(issue_table.c.project_id).where(visible_issues_clause(site, who))
            ).scalars()
            assert TEAM.id not in set(ids)


def test_holders_are_those_of_the_projects_scheme() -> None:
    assert Holder("anyone") in holders_of(SITE, SITE.projects[10000], "BROWSE_PROJECTS")
    assert holders_of(SITE, TEAM, "FLY") == ()
