import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Firebrick

PAYLOAD = '{"issueKey": "TEAM-3"}'
HEALTH = ("invoke", "resolver:getHealth", "--payload", PAYLOAD)


def test_deploy_install_invoke_in_three_commands(installed: Firebrick) -> None:
    said = installed(*HEALTH, "--as", "dana", "--prove")
    assert said.code == 0, said
    for part in ("TEAM-3 scores", '"key": "TEAM-3"', "allowed  user  dana", "found 0.", "Used:"):
        assert part in said.out


def test_an_invocation_as_json_holds_everything(installed: Firebrick) -> None:
    said = installed(
        *HEALTH, "--as", "dana", "--format", "json", "--seed", "x", "--clock", "2026-01-02"
    )
    value = said.json
    assert isinstance(value, dict)
    assert value["result"]["key"] == "TEAM-3"
    assert value["clock"] == 1767312000.0
    assert [call["rule"] for call in value["calls"]] == ["allowed", "allowed"]
    assert {"wall_ms", "cpu_ms", "memory_bytes", "door_calls"} <= value["usage"].keys()


def test_a_failed_function_is_exit_code_1_and_says_why(installed: Firebrick) -> None:
    said = installed(*HEALTH, "--as", "otto")
    assert said.code == 1
    assert "Error APP_ERROR" in said.out
    assert "src/index.js:" in said.out
    assert "entity.hidden-or-missing" in said.out


def test_install_lists_the_scopes_and_asks(firebrick: Firebrick) -> None:
    firebrick("deploy", str(ROOT / "sample_apps" / "issue-health"))
    said = firebrick("install", answer="n\n")
    assert said.code == 1
    assert "  - read:jira-work\n  - write:jira-work" in said.out
    assert "Nothing was installed." in said.out
    assert firebrick(*HEALTH).err.startswith("Error NOT_INSTALLED: ")
    assert firebrick("install", answer="y\n").code == 0


@pytest.mark.hostile
@pytest.mark.parametrize("person", ["dana", "paul", "dora", "otto"])
def test_only_a_site_admin_may_install_and_uninstall(firebrick: Firebrick, person: str) -> None:
    firebrick("deploy", str(ROOT / "sample_apps" / "issue-health"))
    said = firebrick("install", "--yes", "--as", person)
    assert (said.code, said.err.split(":")[0]) == (1, "Error NOT_SITE_ADMIN")
    firebrick("install", "--yes")
    assert firebrick("uninstall", "--as", person).code == 1
    assert firebrick("uninstall").code == 0
    assert firebrick(*HEALTH).err.startswith("Error NOT_INSTALLED")


def test_apps_lists_what_is_deployed_and_installed(installed: Firebrick) -> None:
    rows = installed("apps", "--format", "json").json
    assert isinstance(rows, list)
    assert [(row["app"], row["deployed"], row["installed"]) for row in rows] == [
        ("issue-health", "1.0.0", "1.0.0")
    ]
    assert "acme.atlassian.net" in installed("apps").out


def test_a_wider_version_waits_for_approval_and_a_minor_one_does_not(
    firebrick: Firebrick, tmp_path: Path
) -> None:
    folder = copy_sample("confused-deputy", tmp_path)
    firebrick("deploy", str(folder))
    firebrick("install", "--yes")
    source = folder / "src" / "index.js"
    source.write_text(source.read_text() + "\n// changed\n")
    assert "1.1.0" in firebrick("deploy", str(folder)).out
    assert versions(firebrick) == [("1.1.0", "1.1.0")]
    manifest = folder / "manifest.yml"
    manifest.write_text(
        manifest.read_text().replace(
            "    - write:jira-work", "    - write:jira-work\n    - manage:jira-project"
        )
    )
    assert "2.0.0" in firebrick("deploy", str(folder)).out
    assert versions(firebrick) == [("2.0.0", "1.1.0")]
    said = firebrick("install", "--yes")
    assert "Upgrade confused-deputy 2.0.0" in said.out
    assert "  - manage:jira-project\n" in said.out
    assert versions(firebrick) == [("2.0.0", "2.0.0")]


def test_the_app_account_returns_with_the_app(installed: Firebrick) -> None:
    first = app_account(installed)
    installed("uninstall")
    installed("install", "--yes")
    assert app_account(installed) == first


def test_audit_and_logs_tell_what_happened(installed: Firebrick) -> None:
    installed(*HEALTH, "--as", "dana")
    installed(
        "invoke",
        "resolver:renameProject",
        "--as",
        "paul",
        "--payload",
        '{"projectKey":"TEAM","name":"X"}',
    )
    kinds = [record["kind"] for record in as_list(installed("audit", "--format", "json").json)]
    assert kinds == ["deploy", "install", "door", "door", "invocation", "door", "invocation"]
    said = installed("audit", "--why")
    assert "Reason      updateProject lacks [manage:jira-project]" in said.out
    assert re.search(r"issue-health resolver:getHealth ok [0-9a-f-]{36}", installed("logs").out)
    assert "TEAM-3 scores" in installed("logs").out


def test_tokens_are_shown_once_listed_and_revoked(firebrick: Firebrick) -> None:
    made = firebrick("token", "create", "dana", "--label", "ci", "--format", "json").json
    assert isinstance(made, dict)
    assert made["token"].startswith("fbk_pat_")
    listed = firebrick("token", "list")
    assert made["id"] in listed.out
    assert made["token"] not in listed.out
    assert firebrick("token", "revoke", made["id"]).code == 0
    assert firebrick("token", "revoke", made["id"]).code == 1
    assert "revoked" in firebrick("token", "list", "dana").out
    assert "Error BAD_TOKEN_OWNER" in firebrick("token", "create", "dora").err


def test_explain_names_scopes_holders_and_verdict(installed: Firebrick) -> None:
    said = installed("explain", "PUT", "/rest/api/3/project/TEAM", "--as", "dana")
    assert said.code == 0
    assert "ADMINISTER_PROJECTS (Administer Projects): dana does not hold it" in said.out
    assert "role Administrators in TEAM: paul" in said.out
    refused = installed(
        "explain", "PUT", "/rest/api/3/project/TEAM", "--app", "issue-health", "--format", "json"
    ).json
    assert isinstance(refused, dict)
    assert (refused["verdict"], refused["rule"]) == ("refused", "scope.undeclared")
    assert refused["scopes"]["lacking"] == ["manage:jira-project"]
    hidden = installed("explain", "GET", "/rest/api/3/issue/TEAM-3", "--as", "otto").out
    missing = installed("explain", "GET", "/rest/api/3/issue/TEAM-999", "--as", "otto").out
    assert "entity.hidden-or-missing" in hidden
    assert "entity.hidden-or-missing" in missing


@pytest.mark.parametrize(
    ("path", "rule"),
    [("/rest/api/3/nope", "operation.unknown"), ("//evil.test", "path.not-absolute")],
)
def test_explain_refuses_what_is_no_operation(firebrick: Firebrick, path: str, rule: str) -> None:
    said = firebrick("explain", "GET", path)
    assert said.code == 1
    assert rule in said.out


def test_build_checks_a_raw_module(firebrick: Firebrick, tmp_path: Path) -> None:
    wat = ROOT / "sample_apps" / "wat-hello" / "src" / "hello.wat"
    assert firebrick("build", str(wat), "-o", "hello.wasm").code == 0
    assert (tmp_path / "hello.wasm").read_bytes().startswith(b"\0asm")
    (tmp_path / "bad.wat").write_text('(module (import "env" "steal" (func)))')
    said = firebrick("build", "bad.wat")
    assert said.code == 2
    assert "env.steal" in said.out.replace('"', "")


def test_doctor_finds_a_sound_machine_and_a_damaged_state(
    installed: Firebrick, tmp_path: Path
) -> None:
    assert installed("doctor").code == 0
    (tmp_path / "state" / "state.db").write_bytes(b"no database at all" * 1000)
    said = installed("doctor")
    assert said.code == 1
    assert "failed" in said.out


def test_reset_starts_afresh_and_touches_no_foreign_folder(
    installed: Firebrick, tmp_path: Path
) -> None:
    assert installed("reset", "--yes").code == 0
    assert installed("apps", "--format", "json").json == []
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "state.db").write_text("mine")
    said = installed("reset", "--yes", "--state", str(foreign))
    assert said.err.startswith("Error NOT_A_STATE")
    assert (foreign / "state.db").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("invoke", "nope"), "UNKNOWN_FUNCTION"),
        (("invoke", "resolver"), "RESOLVER_KEY_MISSING"),
        (("invoke", "resolver:getHealth", "--as", "nobody"), "UNKNOWN_ACCOUNT"),
        (("invoke", "resolver:getHealth", "--app", "nope"), "UNKNOWN_APP"),
        (("invoke", "resolver:getHealth", "--site", "nope"), "UNKNOWN_SITE"),
        (("invoke", "resolver:getHealth", "--payload", "{"), "BAD_OPTION"),
        (("invoke", "resolver:getHealth", "--payload", "@nope.json"), "BAD_OPTION"),
        (("invoke", "resolver:getHealth", "--context", "[]"), "BAD_OPTION"),
        (("invoke", "resolver:getHealth", "--clock", "yesterday"), "BAD_OPTION"),
        (("token", "create", "dana", "--days", "9999"), "BAD_TOKEN_LIFETIME"),
    ],
)
def test_a_mistake_is_named_and_never_a_traceback(
    installed: Firebrick, arguments: tuple[str, ...], code: str
) -> None:
    said = installed(*arguments)
    assert said.code == 1
    assert said.err.startswith(f"Error {code}: ")
    as_json = installed(*arguments, "--format", "json").json
    assert isinstance(as_json, dict)
    assert as_json["error"]["code"] == code


def test_a_broken_manifest_is_exit_code_2_with_every_place(
    firebrick: Firebrick, tmp_path: Path
) -> None:
    folder = copy_sample("issue-health", tmp_path)
    manifest = folder / "manifest.yml"
    manifest.write_text(manifest.read_text().replace("read:jira-work", "read:jira-wrok"))
    said = firebrick("deploy", str(folder))
    assert said.code == 2
    assert re.search(r"manifest\.yml:\d+:\d+  error", said.err)
    assert "read:jira-work" in said.err


@pytest.mark.hostile
def test_terminal_escapes_of_an_app_are_shown_not_sent(
    firebrick: Firebrick, tmp_path: Path
) -> None:
    folder = copy_sample("wat-hello", tmp_path)
    (folder / "src" / "hello.wat").unlink()
    (folder / "src" / "hello.js").write_text(
        "export const greet = () => {"
        " console.log('\\u001b[2J\\u001b]0;owned\\u0007 hi'); return '\\u001b[31m'; };"
    )
    firebrick("deploy", str(folder))
    firebrick("install", "--yes")
    for said in (firebrick("invoke", "hello"), firebrick("logs")):
        assert "\x1b" not in said.out
        assert "\x07" not in said.out
        assert "hi" in said.out


def copy_sample(name: str, to: Path) -> Path:
    return Path(shutil.copytree(ROOT / "sample_apps" / name, to / name))


def versions(firebrick: Firebrick) -> list[tuple[object, object]]:
    rows = as_list(firebrick("apps", "--format", "json").json)
    return [(row["deployed"], row["installed"]) for row in rows]


def app_account(firebrick: Firebrick) -> object:
    (row,) = as_list(firebrick("apps", "--format", "json").json)
    said = firebrick(
        "invoke", "resolver:leaveNote", "--payload", PAYLOAD, "--as", "vera", "--format", "json"
    )
    assert said.code == 0, said
    records = as_list(firebrick("audit", "--format", "json", "-n", "2").json)
    return (row["app"], records[0]["account_id"])


def as_list(value: object) -> list[dict[str, object]]:
    assert isinstance(value, list)
    return value


def test_everything_printed_as_json_is_json(installed: Firebrick) -> None:
    for arguments in (("apps",), ("audit",), ("logs",), ("token", "list"), ("doctor",)):
        json.dumps(installed(*arguments, "--format", "json").json)


def test_a_scoped_token_names_its_scopes(firebrick: Firebrick) -> None:
    made = firebrick(
        "token", "create", "dana", "--scope", "read:jira-work", "--scope", "read:jira-user",
        "--format", "json",
    ).json  # fmt: skip
    assert isinstance(made, dict)
    assert made["scopes"] == ["read:jira-user", "read:jira-work"]
    assert "/ex/jira/" in firebrick("token", "create", "dana", "--scope", "read:jira-work").out
    assert "read:jira-user read:jira-work" in firebrick("token", "list").out
    wrong = firebrick("token", "create", "dana", "--scope", "read:jira-wrok")
    assert "Error UNKNOWN_SCOPE" in wrong.err
    assert "read:jira-work" in wrong.err


def test_a_person_without_failures_is_told_so(firebrick: Firebrick) -> None:
    assert "no failed logins" in firebrick("token", "unlock", "dana").out
