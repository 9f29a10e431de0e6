from runtime.identity.accounts import Account
from runtime.jira.configuration import load_site
from runtime.jira.explain import Explanation, PermissionFact, explain
from runtime.jira.holders import holder_label
from runtime.jira.site import Holder
from tests.jira.worlds import TABLE, World


def ask(world: World, method: str, path: str, who: str | None) -> Explanation:
    account: Account | None = None if who is None else world.account(who)
    resolved = TABLE.resolve(method, "/rest/api/3/" + path)
    with world.engine.connect() as connection:
        return explain(connection, load_site(connection, world.cloud_id), resolved, account)


def fact(explanation: Explanation, key: str) -> PermissionFact:
    return next(one for one in explanation.facts if one.key == key)


def test_a_permission_is_shown_with_everybody_who_holds_it_and_how(world: World) -> None:
    shown = ask(world, "PUT", "project/TEAM", "dana")
    assert (shown.project_key, shown.visible, shown.missing) == ("TEAM", True, False)
    projects = fact(shown, "ADMINISTER_PROJECTS")
    assert not projects.held
    ways = {way.label: way.handles for way in projects.ways}
    assert ways["role Administrators in TEAM"] == ("paul",)
    jira = fact(shown, "ADMINISTER")
    assert jira.kind == "GLOBAL"
    assert {way.label: way.handles for way in jira.ways}["group site-admins"] == ("amy",)


def test_an_issue_is_judged_with_its_reporter_and_its_security_level(world: World) -> None:
    shown = ask(world, "PUT", "issue/VAULT-8", "dana")
    assert (shown.issue_key, shown.security_level) == ("VAULT-8", "Lead only")
    assert shown.passes_security
    assert fact(shown, "EDIT_ISSUES").held
    hidden = ask(world, "PUT", "issue/VAULT-7", "dana")
    assert (hidden.visible, hidden.passes_security, hidden.missing) == (False, False, False)
    ways = {way.label: way.handles for way in fact(hidden, "EDIT_ISSUES").ways}
    assert ways["role Developers in VAULT"] == ()
    assert ways["role Administrators in VAULT"] == ("paul",)


def test_an_issue_is_found_by_its_number_too(world: World) -> None:
    assert ask(world, "GET", "issue/10000", "otto").issue_key == "PUB-1"
    for nothing in ("issue/77", "issue/PUB-99", "issue/NOPE-1", "issue/PUB", "issue/" + "9" * 40):
        shown = ask(world, "GET", nothing, "amy")
        assert (shown.missing, shown.issue_key, shown.visible) == (True, None, False)


def test_a_missing_project_is_said_to_be_missing(world: World) -> None:
    shown = ask(world, "GET", "project/NOPE", "amy")
    assert (shown.missing, shown.visible) == (True, False)
    assert fact(shown, "BROWSE_PROJECTS").held  # in some project


def test_without_anything_in_the_path_every_project_is_asked(world: World) -> None:
    shown = ask(world, "GET", "project", None)
    assert shown.visible
    labels = [way.label for way in fact(shown, "BROWSE_PROJECTS").ways]
    assert "everybody, even without a login" in labels
    assert "role Viewers in VAULT" in labels


def test_a_deactivated_account_is_never_among_the_holders(world: World) -> None:
    shown = ask(world, "PUT", "issue/TEAM-1", "dora")
    assert not fact(shown, "EDIT_ISSUES").held
    assert all("dora" not in way.handles for one in shown.facts for way in one.ways)


def test_every_operation_can_be_explained(world: World) -> None:
    for operation in TABLE:
        path = "/".join("PUB" if part[:1] == "{" else part for part in operation.path.split("/"))
        resolved = TABLE.resolve(operation.method, path)
        with world.engine.connect() as connection:
            if operation.permissions and "permission" in operation.path:
                site = load_site(connection, world.cloud_id)
                assert explain(connection, site, resolved, None).facts


def test_each_type_of_holder_has_words(world: World) -> None:
    site = world.site()
    team = site.projects[10001]
    assert holder_label(site, Holder("applicationRole")) == "users of the product"
    assert holder_label(site, Holder("projectLead"), team) == "project lead in TEAM"
    assert holder_label(site, Holder("reporter")) == "reporter"
    assert holder_label(site, Holder("group", "gone")) == "group gone"
    assert holder_label(site, Holder("userCustomField", "cf")) == "userCustomField cf"
