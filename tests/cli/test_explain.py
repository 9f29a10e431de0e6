"""The commands `explain` and `policy app-access`: who is asked about, and what binds apps."""

import json
from typing import Any

import pytest

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.cli.conftest import Firebrick, Said

ISSUE = "/rest/api/3/issue/TEAM-1"


def token(firebrick: Firebrick, handle: str, label: str, *more: str) -> dict[str, Any]:
    said = firebrick("token", "create", handle, "--label", label, "--format", "json", *more)
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def told(said: Said) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.out)
    return found


def explain(firebrick: Firebrick, *more: str, path: str = ISSUE) -> dict[str, Any]:
    return told(firebrick("explain", "get", path, *more, "--format", "json"))


def test_a_token_is_named_by_label_or_id_and_told_apart_by_its_owner(firebrick: Firebrick) -> None:
    danas = token(firebrick, "dana", "ci")
    token(firebrick, "otto", "ci")
    assert "names 2 API tokens" in firebrick("explain", "GET", ISSUE, "--token", "ci").err
    assert "UNKNOWN_TOKEN" in firebrick("explain", "GET", ISSUE, "--token", "nope").err
    for options in (("--token", danas["id"]), ("--token", "ci", "--as", "dana")):
        said = explain(firebrick, *options)
        assert (said["who"], said["verdict"]) == ("dana", "allowed")
        assert said["credential"] == "the API token 'ci', without scopes, of dana"
    firebrick("token", "revoke", danas["id"])
    renewed = token(firebrick, "dana", "ci")
    assert explain(firebrick, "--token", "ci", "--as", "dana")["verdict"] == "allowed"
    firebrick("token", "revoke", renewed["id"])
    gone = explain(firebrick, "--token", danas["id"])
    assert (gone["who"], gone["rule"]) == ("nobody", "entity.hidden-or-missing")
    assert "not valid there, or not any more" in gone["notes"][0][1]


def test_a_token_with_scopes_is_asked_at_the_gateway_and_one_without_on_the_site(
    firebrick: Firebrick,
) -> None:
    token(firebrick, "dana", "narrow", "--scope", "read:jira-user")
    token(firebrick, "dana", "wide")
    narrow = explain(firebrick, "--token", "narrow")
    assert (narrow["rule"], narrow["scopes"]["held"]) == ("scope.not-in-token", ["read:jira-user"])
    assert "a new token can carry it" in narrow["reason"]
    assert explain(firebrick, "--token", "wide")["verdict"] == "allowed"
    with open_firebrick(Settings()) as opened:
        gateway = f"/ex/jira/{opened.find_site(None)}"
    wrong = explain(firebrick, "--token", "wide", path=gateway + ISSUE)
    assert (wrong["rule"], wrong["operation"]) == ("credential.refused", "getIssue")


def test_options_that_do_not_go_together_are_refused(firebrick: Firebrick) -> None:
    token(firebrick, "dana", "ci")
    said = firebrick("explain", "GET", ISSUE, "--token", "ci", "--app", "any")
    assert (said.code, "BAD_ASKER" in said.err) == (1, True)
    assert "UNKNOWN_ACCOUNT" in firebrick("explain", "GET", ISSUE, "--as", "nobody-here").err
    assert "UNKNOWN_APP" in firebrick("explain", "GET", ISSUE, "--app", "nope").err


def test_an_oauth_app_needs_a_user_and_takes_the_only_one(firebrick: Firebrick) -> None:
    firebrick(
        "oauth", "app", "create", "Sync", "--owner", "dana", "--callback",
        "http://localhost:9999/callback", "--scope", "read:jira-work",
    )  # fmt: skip
    assert "NO_USER" in firebrick("explain", "GET", ISSUE, "--app", "Sync").err
    never = explain(firebrick, "--app", "Sync", "--as", "dana")
    assert (never["rule"], never["status"]) == ("credential.refused", 401)
    assert "has not consented" in never["reason"]
    firebrick("oauth", "authorize", "--client", "Sync", "--as", "dana", "--scope", "read:jira-work")
    said = explain(firebrick, "--app", "Sync")
    assert (said["who"], said["acting_as"]) == ("the OAuth app Sync", "dana")
    assert (said["verdict"], said["scopes"]["held"]) == ("allowed", ["read:jira-work"])
    firebrick("oauth", "block")
    blocked = explain(firebrick, "--app", "Sync")
    assert (blocked["rule"], blocked["status"]) == ("credential.app-blocked", 401)
    assert "firebrick oauth unblock" in blocked["reason"]
    firebrick("oauth", "app", "create", "Sync", "--owner", "paul")
    assert "BAD_ASKER" in firebrick("explain", "GET", ISSUE, "--app", "Sync").err


def test_a_forge_app_is_asked_about_as_invoked_by_others_too(installed: Firebrick) -> None:
    own = explain(installed, "--app", "issue-health")
    assert own["acting_as"] == "issue-health, the app's own account"
    by_nobody = explain(
        installed, "--app", "issue-health", "--as", "dana", "--invoked-by", "nobody"
    )
    assert by_nobody["rule"] == "act.impersonation"
    by_paul = explain(installed, "--app", "issue-health", "--as", "dana", "--invoked-by", "paul")
    assert by_paul["acting_as"] == "dana, who did not invoke it: impersonation"


def test_a_body_is_asked_about_and_an_empty_one_is_told(firebrick: Firebrick) -> None:
    path = "/rest/api/3/issue/TEAM-1"
    empty = told(
        firebrick("explain", "PUT", path, "--as", "dana", "--data", '{"fields":{"summary":""}}',
                  "--format", "json")
    )  # fmt: skip
    assert empty["rule"] == "request.invalid"
    assert empty["notes"] == [["Connect", "an app needs the scope WRITE"]]
    without = firebrick("explain", "PUT", path, "--as", "dana").out
    assert "Body        {}, an empty object" in without


def test_what_too_many_failures_lock_is_told(
    firebrick: Firebrick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBRICK_LOGIN_FAILURES", "1")
    email = token(firebrick, "dana", "ci")["email"]
    with open_firebrick(Settings()) as opened:
        opened.lockout.fail(email, known=True)
    said = explain(firebrick, "--token", "ci")
    assert (said["rule"], said["status"]) == ("credential.locked", 403)


def test_a_connect_app_that_is_not_there_is_no_app(firebrick: Firebrick) -> None:
    assert "UNKNOWN_APP" in firebrick("explain", "GET", ISSUE, "--app", "com.example.gone").err


def test_app_access_is_blocked_listed_spared_and_allowed(installed: Firebrick) -> None:
    rules = ("policy", "app-access")
    assert "Every app may read" in installed(*rules, "list").out
    assert installed(*rules, "block", "TEAM").out == "Blocked.\n"
    assert installed(*rules, "block", "TEAM").code == 1
    assert explain(installed, "--app", "issue-health")["rule"] == "app-access.blocked"
    spared = installed(*rules, "allow", "TEAM", "--app", "issue-health", "--format", "json")
    assert spared.json == {"changed": True}
    assert explain(installed, "--app", "issue-health")["verdict"] == "allowed"
    assert installed(*rules, "list", "--format", "json").json == [
        {"project": "TEAM", "app": "every app", "access": "blocked"},
        {"project": "TEAM", "app": "issue-health", "access": "allowed"},
    ]
    assert "issue-health" in installed(*rules, "list").out
    assert installed(*rules, "allow", "TEAM").out == "Allowed.\n"
    assert installed(*rules, "list", "--format", "json").json == []
    assert "UNKNOWN_PROJECT" in installed(*rules, "block", "NOPE").err
    assert "UNKNOWN_APP" in installed(*rules, "block", "TEAM", "--app", "nope").err


def test_rules_name_oauth_apps(firebrick: Firebrick) -> None:
    firebrick("oauth", "app", "create", "Sync", "--owner", "dana")
    assert firebrick("policy", "app-access", "block", "PUB", "--app", "Sync").code == 0
    listed = firebrick("policy", "app-access", "list", "--format", "json").json
    assert listed == [{"project": "PUB", "app": "Sync", "access": "blocked"}]
