"""Unmodified @forge/api in plain Node, outside of the sandbox, through the Forge proxy."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any  # JSON

import pytest

from conformance.emulator import COMMAND, Emulator, emulating
from conformance.environment import ROOT, WHICH, Which
from conformance.running import environment_with, run_node, script_of
from tests.test_readme import matches

pytestmark = pytest.mark.npm

APP = Path(__file__).parent / "proxy_app"
PAUL = "712020:acc00000-0000-4000-8000-000000000002"
DANA = "712020:acc00000-0000-4000-8000-000000000003"
OLDER = ("forge-api-5", "forge-api-6", "forge-api-7")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("proxy")
    with emulating(folder, world=str(APP / "firebrick.yml")) as emulator:
        emulator.say("deploy", str(APP))
        emulator.say("install", "--app", "proxy_app", "--yes")
        emulator.asked()
        yield emulator


def session(emulator: Emulator, *options: str) -> dict[str, str]:
    opened = emulator.tell(
        "session", "open", "--app", "proxy_app", "--server", emulator.base, *options
    )
    environment: dict[str, str] = opened["environment"]
    return environment


def run(which: Which, package: str, environment: dict[str, str], *only: str) -> Any:
    context = json.loads(environment["FORGE_RUNTIME"])["contextAri"]
    place = {"package": package, "paul": PAUL, "context": context, "only": only or None}
    return run_node(which, "forge_api.cjs", place, **environment)


@pytest.mark.parametrize("which", WHICH)
def test_it_works_as_in_the_sandbox(emulator: Emulator, which: Which) -> None:
    environment = session(emulator, "--as", "dana", "--function", "main")
    said = run(which, "@forge/api", environment)
    assert said["read"] == [200, True, "application/json;charset=UTF-8", "TEAM-1"]
    assert said["readAsApp"] == said["asPaul"] == said["forged"] == {"status": 200}
    assert said["inContext"] == {"status": 200}
    assert said["elsewhere"]["status"] == 404
    assert "INVALID_REMOTE" in said["elsewhere"]["message"]
    assert said["beside"] == {"status": 404}
    assert said["readAsNobody"] == {"status": 401}
    assert said["comment"] == [201, "Dana Developer"]
    assert said["hidden"] == {"status": 404}
    assert said["unscoped"] == {"status": 401}
    for trick in ("traversal", "lines", "host"):
        assert said[trick] == {"status": 400}, trick
    assert said["commentAsPaul"]["status"] == 401
    assert "AUTH_TYPE_UNAVAILABLE" in said["commentAsPaul"]["message"]
    assert said["items"] == [200, '{"n": 1}', "https://api.test.example/items", False]
    assert said["moved"] == [200, '{"n": 1}', "https://api.test.example/items", True]
    assert said["movedByHand"][0] == 302
    assert (said["down"]["name"], said["down"]["message"]) == ("TypeError", "fetch failed")
    assert said["undeclared"][0] == 403
    assert said["storage"]["code"] == said["graph"]["code"] == "NOT_EMULATED"
    assert said["context"][2:] == ["hook", environment["FORGE_INVOCATION_ID"]]
    assert said["context"][0].startswith("ari:cloud:ecosystem::app/6e2f5a0c")
    records = emulator.asked().records
    doors = [one for one in records if one["kind"] == "door"]
    assert {one["invocation_id"] for one in doors} == {environment["FORGE_INVOCATION_ID"]}
    assert (doors[0]["rule"], doors[0]["account_id"], doors[0]["act_as"]) == (
        "allowed",
        DANA,
        "user",
    )
    assert environment["FORGE_PROXY_TOKEN"] not in str(records) + str(said)


@pytest.mark.parametrize("package", OLDER)
def test_older_versions_speak_to_the_same_door(emulator: Emulator, package: str) -> None:
    environment = session(emulator, "--as", "dana", "--function", "main")
    said = run("pinned", package, environment, "read", "comment", "unscoped", "asPaul", "items")
    assert said["read"][3] == "TEAM-1"
    assert said["comment"] == [201, "Dana Developer"]
    assert (said["unscoped"], said["asPaul"]) == ({"status": 401}, {"status": 200})
    assert said["items"][0] == 200


@pytest.mark.parametrize("which", WHICH)
def test_without_a_user_the_package_throws_its_own_error(emulator: Emulator, which: Which) -> None:
    said = run(which, "@forge/api", session(emulator), "readAsUser", "readAsApp", "asPaul")
    assert said["readAsUser"]["status"] == 401
    assert "AUTH_TYPE_UNAVAILABLE" in said["readAsUser"]["message"]
    assert said["readAsApp"] == said["asPaul"] == {"status": 200}


@pytest.mark.parametrize("which", WHICH)
def test_consent_is_asked_for_by_the_packages_own_error(emulator: Emulator, which: Which) -> None:
    stage = ("--environment", which)
    emulator.say("deploy", str(APP), *stage)
    emulator.say("install", "--app", "proxy_app", *stage, "--yes", "--user-consent")
    environment = session(emulator, "--as", "dana", *stage)
    refused = run(which, "@forge/api", environment, "readAsUser", "readAsApp")
    assert refused["readAsUser"]["name"] == "NEEDS_AUTHENTICATION_ERR"
    assert (refused["readAsUser"]["status"], refused["readAsApp"]) == (401, {"status": 200})
    emulator.say("consent", "grant", "--app", "proxy_app", *stage, "--as", "dana")
    assert run(which, "@forge/api", environment, "readAsUser") == {"readAsUser": {"status": 200}}
    emulator.say("uninstall", "--app", "proxy_app", *stage)
    ended = run(which, "@forge/api", environment, "readAsUser")["readAsUser"]
    assert (ended["status"], "INVALID_PROXY_TOKEN" in ended["message"]) == (401, True)


def test_firebrick_run_needs_no_server(emulator: Emulator) -> None:
    script = str(script_of("pinned", "forge_api.cjs"))
    place = json.dumps({"package": "@forge/api", "only": ["read", "context"]})
    options = ("--app", "proxy_app", "--function", "main", "--as", "dana")
    said = json.loads(emulator.say("run", *options, "--", "node", script, place).splitlines()[-1])
    assert said["read"][3] == "TEAM-1"
    rules = [one["rule"] for one in emulator.asked().records[-3:]]
    assert rules == ["invocation.opened", "allowed", "invocation.closed"]


def test_the_printed_lines_are_for_a_shell(emulator: Emulator) -> None:
    firebrick = shlex.join(COMMAND)
    code = (
        f'eval "$({firebrick} session open --app proxy_app --as dana --server {emulator.base})"; '
        "node -e \"__forge_fetch__({type: 'fpp', provider: 'user', remote: 'jira'}, "
        "'/rest/api/3/issue/TEAM-1').then((one) => console.log(one.status))\"; "
        f'{firebrick} session close "$FORGE_INVOCATION_ID"'
    )
    done = subprocess.run(
        ["bash", "-euc", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env=environment_with(dict(emulator.environment)),
    )  # fmt: skip
    assert done.stdout == "200\nClosed.\n"


def test_the_page_says_what_happens(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "forge-proxy.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    environment = environment_with({"FIREBRICK_STATE": str(tmp_path / "state")})
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        more = [line.removeprefix("> ") for line in lines[1:] if line.startswith("> ")]
        wanted = "\n".join(line for line in lines[1:] if not line.startswith("> "))
        command = "\n".join([lines[0], *more]).replace("firebrick", shlex.join(COMMAND), 1)
        done = subprocess.run(
            ["bash", "-euc", f"{command} 2>&1"], cwd=ROOT, env=environment, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        assert matches(wanted, done.stdout), done.stdout


def test_without_its_environment_the_module_says_what_is_missing(emulator: Emulator) -> None:
    environment = session(emulator)
    del environment["FORGE_PROXY_TOKEN"]
    done = subprocess.run(
        ["node", "-e", ""], env=environment_with(environment), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "firebrick session open" in done.stderr
