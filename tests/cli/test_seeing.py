"""What was decided, said and done, as the command line shows it."""

import re
from pathlib import Path

import pytest

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.cli.conftest import Firebrick
from tests.flows.serving import served

HEALTH = ("invoke", "resolver:getHealth", "--payload", '{"issueKey": "TEAM-3"}')
NOISY = """
import { asUser, asApp, route, fetch } from '@forge/api';
export async function run() {
  console.debug('quiet');
  console.info('plain \\u001b[31m');
  console.error('loud');
  await asUser().requestJira(route`/rest/api/3/myself`).catch(() => {});
  await asApp().requestJira(route`/rest/api/3/nothing/here`, { headers: { Cookie: 'a=b' } });
  await asApp().requestJira(route`/rest/api/3/myself`);
  await fetch(`https://${'outside'}.example.com/x`).catch(() => {});
}
"""
MANIFEST = """
app:
  id: ari:cloud:ecosystem::app/7b1f5a0c-6c1f-4a53-9a0e-1f5b8f4f0a03
  runtime:
    name: nodejs22.x
modules:
  function:
    - key: run
      handler: index.run
  scheduledTrigger:
    - key: hourly
      function: run
      interval: hour
permissions:
  scopes:
    - read:jira-user
"""


@pytest.fixture
def noisy(firebrick: Firebrick, tmp_path: Path) -> Firebrick:
    (tmp_path / "noisy" / "src").mkdir(parents=True)
    (tmp_path / "noisy" / "src" / "index.js").write_text(NOISY)
    (tmp_path / "noisy" / "manifest.yml").write_text(MANIFEST)
    assert firebrick("deploy", "noisy").code == 0
    assert firebrick("install", "--yes").code == 0
    assert firebrick("invoke", "run").code == 0
    return firebrick


def rows(value: object) -> list[dict[str, object]]:
    assert isinstance(value, list)
    return value


def why(record: dict[str, object]) -> dict[str, object]:
    return mapping(record["why"])


def mapping(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return value


def as_rows(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


# ------------------------------------------------------------------------------------------- trace


def test_a_trace_shows_calls_lines_and_end_in_their_order(installed: Firebrick) -> None:
    installed(*HEALTH, "--as", "dana")
    said = installed("trace", "last")
    assert said.code == 0
    head, *middle, end = said.out.splitlines()
    assert "issue-health (development) resolver:getHealth invoked by dana" in head
    assert sum("[getIssue] as user dana → 200 allowed" in line for line in middle) == 1
    assert "INFO TEAM-3 scores" in middle[-1]
    assert re.fullmatch(r"└─ +\d+\.\d ms  done", end)


def test_a_trace_as_json_has_times(installed: Firebrick) -> None:
    installed(*HEALTH, "--as", "otto")
    value = installed("trace", "last", "--format", "json").json
    assert isinstance(value, dict)
    assert (value["code"], value["succeeded"], value["account"]) == ("APP_ERROR", False, "otto")
    spans = rows(value["spans"])
    assert {str(span["rule"]) for span in spans} == {"entity.hidden-or-missing"}
    for span in spans:
        assert 0 <= float(str(span["start_ms"])) <= float(str(span["end_ms"]))


def test_a_trace_shows_what_was_asked_outside(noisy: Firebrick) -> None:
    said = noisy("trace", "last").out
    assert "GET https://outside.example.com/x → 403 refused by egress.undeclared" in said
    assert "refused by act.no-user" in said


@pytest.mark.parametrize(
    "command", [("trace",), ("logs", "--invocation"), ("audit", "--invocation")]
)
def test_an_invocation_is_named_by_its_beginning(
    installed: Firebrick, command: tuple[str, ...]
) -> None:
    installed(*HEALTH, "--as", "dana")
    value = installed("trace", "last", "--format", "json").json
    assert isinstance(value, dict)
    name = str(value["invocationId"])
    assert installed(*command, name[:9]).out == installed(*command, name).out
    assert "UNKNOWN_INVOCATION" in installed(*command, "nothing").err
    assert "UNKNOWN_INVOCATION" in installed(*command, name[:2]).err


def test_without_an_invocation_there_is_no_last_one(firebrick: Firebrick) -> None:
    assert "UNKNOWN_INVOCATION" in firebrick("trace", "last").err


# -------------------------------------------------------------------------------------------- logs


def test_lines_below_a_level_are_left_out(noisy: Firebrick) -> None:
    assert [word in noisy("logs").out for word in ("quiet", "plain", "loud")] == [True] * 3
    said = noisy("logs", "--level", "warn").out
    assert [word in said for word in ("quiet", "plain", "loud")] == [False, False, True]
    (record,) = rows(noisy("logs", "--level", "error", "--format", "json").json)
    assert [line["text"] for line in rows(record["logs"])] == ["loud"]


def test_the_newest_invocation_is_last_whatever_its_clock_said(noisy: Firebrick) -> None:
    noisy("invoke", "run", "--clock", "2001-01-01")
    records = rows(noisy("logs", "--format", "json").json)
    assert float(str(records[-1]["started_at_s"])) < float(str(records[0]["started_at_s"]))


@pytest.mark.hostile
def test_no_view_sends_an_escape_sequence_of_an_app(noisy: Firebrick) -> None:
    for command in (("trace", "last"), ("logs",), ("audit", "--why")):
        assert "\x1b" not in noisy(*command).out


# ------------------------------------------------------------------------------------------- audit


def test_only_what_was_refused_is_shown(noisy: Firebrick) -> None:
    records = rows(noisy("audit", "--refused", "--format", "json").json)
    assert {record["allowed"] for record in records} == {False}
    assert len(records) == 3
    assert len(rows(noisy("audit", "--format", "json").json)) > 3


def test_why_explains_an_allowed_call(installed: Firebrick) -> None:
    installed(*HEALTH, "--as", "dana")
    told = why(
        rows(installed("audit", "--invocation", "last", "--why", "--format", "json").json)[0]
    )
    assert told["who"] == "the Forge app issue-health (development)"
    assert told["notes"] == [["Invocation", "resolver:getHealth, invoked by dana"]]
    assert told["credential"] == ("an access token of the installation, attached by the gateway")
    assert told["acting_as"] == "dana, who invoked the function"
    assert str(told["operation"]).startswith("get")
    scopes = mapping(told["scopes"])
    assert ["read:jira-work"] in as_rows(scopes["needed"])
    assert (scopes["held"], scopes["lacking"]) == (["read:jira-work", "write:jira-work"], [])
    assert told["resource"] == "dana sees TEAM-3"
    (permission,) = rows(told["permissions"])
    assert (permission["key"], permission["held"]) == ("BROWSE_PROJECTS", True)
    assert (told["verdict"], told["status"], told["rule"]) == ("allowed", 200, "allowed")
    assert str(told["source"]).startswith("Jira Cloud REST API v3")


def test_why_tells_which_scope_is_missing_and_who_can_mend_it(installed: Firebrick) -> None:
    installed(
        "invoke", "resolver:renameProject", "--payload", '{"projectKey": "TEAM"}', "--as", "paul"
    )
    told = why(rows(installed("audit", "--refused", "--why", "--format", "json").json)[0])
    assert told["credential"] == "none was attached: it is refused before"
    assert mapping(told["scopes"])["lacking"] == ["manage:jira-project"]
    assert (told["verdict"], told["rule"], told["status"]) == (
        "refused", "scope.undeclared", 401,
    )  # fmt: skip
    assert "the app author can declare it" in str(told["reason"])


def test_why_tells_the_scopes_of_then(installed: Firebrick, tmp_path: Path) -> None:
    installed(*HEALTH, "--as", "dana")
    with open_firebrick(Settings(state=tmp_path / "state")) as firebrick:
        (installation,) = firebrick.installations.list_active()
        firebrick.installations.set_granted(installation.id, frozenset({"read:jira-work"}))
    record = rows(installed("audit", "--invocation", "last", "--why", "--format", "json").json)[0]
    assert mapping(why(record)["scopes"])["held"] == ["read:jira-work", "write:jira-work"]


def test_why_tells_who_holds_the_permission_that_is_missing(installed: Firebrick) -> None:
    installed(*HEALTH, "--as", "otto")
    said = installed("audit", "--invocation", "last", "--why").out
    assert "otto does not see TEAM-3" in said
    assert "otto does not hold it; granted by" in said
    assert "role Viewers in TEAM: vera" in said


def test_why_says_what_would_be_decided_otherwise_now(installed: Firebrick, tmp_path: Path) -> None:
    installed(*HEALTH, "--as", "dana")
    assert "Since then" not in installed("audit", "--why").out
    with open_firebrick(Settings(state=tmp_path / "state")) as firebrick:
        (installation,) = firebrick.installations.list_active()
        firebrick.installations.set_granted(installation.id, frozenset())
    said = installed("audit", "--invocation", "last", "--why").out
    assert "Since then  it would be refused now, by scope.ungranted" in said
    installed("uninstall")
    assert "it would be refused now, by installation.ended" in installed("audit", "--why").out


def test_why_says_that_what_was_refused_would_not_be_now(installed: Firebrick) -> None:
    installed("policy", "app-access", "block", "TEAM")
    installed(*HEALTH, "--as", "dana")
    installed("policy", "app-access", "allow", "TEAM")
    said = installed("audit", "--refused", "--why").out
    assert "app-access.blocked" in said
    assert "Since then  nothing that the path tells would refuse it now" in said


def test_why_of_calls_without_a_user_a_right_path_or_a_way_outside(noisy: Firebrick) -> None:
    records = rows(noisy("audit", "--invocation", "last", "--why", "--format", "json").json)
    by_rule = {str(record["rule"]): why(record) for record in records}
    assert by_rule["act.no-user"]["acting_as"] == "nobody: nobody invoked the function"
    assert by_rule["operation.unknown"]["operation"] is None
    assert ["Headers", "did not cross: cookie"] in as_rows(by_rule["operation.unknown"]["notes"])
    outside = str(by_rule["egress.undeclared"]["credential"])
    assert outside.startswith("none: nothing of the platform")
    assert by_rule["allowed"]["acting_as"] == "noisy, the app's own account"


def test_why_of_what_admins_and_clients_do(installed: Firebrick, tmp_path: Path) -> None:
    import httpx  # noqa: PLC0415

    token = installed("token", "create", "dana", "--format", "json").json
    assert isinstance(token, dict)
    with open_firebrick(Settings(state=tmp_path / "state")) as firebrick, served(firebrick) as url:
        path = f"{url}/rest/api/3/issue/TEAM-3"
        httpx.get(path, auth=(str(token["email"]), str(token["token"])))
        httpx.get(path)
    records = rows(installed("audit", "--why", "--format", "json").json)
    told = [why(record) for record in records]
    assert str(told[0]["who"]).endswith(": a version was deployed of issue-health")
    assert told[1]["who"] == "amy: an installation changed of issue-health"
    assert told[2]["who"] == "dana"
    assert told[2]["credential"] == "the API token 'command line', without scopes, of dana"
    assert (told[3]["who"], told[3]["credential"]) == ("nobody", "none")
    assert told[3]["resource"] == "nobody does not see TEAM-3"
