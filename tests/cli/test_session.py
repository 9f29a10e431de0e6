"""Programs that run outside of the sandbox, from the command line."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.server.forge.outside import node_options
from tests.cli.conftest import Firebrick

PROGRAM = """
import json, os, sys, urllib.error, urllib.request
url = os.environ["FORGE_PROXY_URL"] + "/fpp/provider/user/remote/jira"
headers = {
    "forge-proxy-authorization": "Bearer " + os.environ["FORGE_PROXY_TOKEN"],
    "forge-proxy-target": "/rest/api/3/issue/TEAM-1?fields=summary",
}
request = urllib.request.Request(url, headers=headers)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(request) as answer:
        status = answer.status
except urllib.error.HTTPError as error:
    status = error.code
runtime = json.loads(os.environ["FORGE_RUNTIME"])
with open(sys.argv[1], "w") as file:
    json.dump({"status": status, "aaid": runtime["aaid"], **dict(os.environ)}, file)
sys.exit(7)
"""


def saw(path: Path) -> dict[str, Any]:  # as JSON has it
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_run_gives_a_program_the_door_and_takes_it_back(
    installed: Firebrick, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script, out = tmp_path / "program.py", tmp_path / "saw.json"
    script.write_text(PROGRAM)
    installed("variables", "set", "GREETING", "hello")
    installed("deploy", str(Path(__file__).parents[2] / "sample_apps" / "issue-health"))
    command = ("--", sys.executable, str(script), str(out))
    said = installed("run", "--function", "resolver", "--as", "dana", *command)
    assert said.code == 7
    seen = saw(out)
    assert (seen["status"], seen["GREETING"]) == (200, "hello")
    assert seen["aaid"] == "712020:acc00000-0000-4000-8000-000000000003"
    assert "forge_outside.cjs" in seen["NODE_OPTIONS"]
    assert installed("session", "list").out.startswith("No invocation is open outside.")
    chain = installed("audit", "--invocation", "last", "--why").out
    for words in (
        "the Forge app issue-health (development)",
        "resolver, invoked by dana",
        "getIssue",
    ):
        assert words in chain, words
    rules = [one["rule"] for one in json.loads(installed("audit", "--format", "json").out)[-3:]]
    assert rules == ["invocation.opened", "allowed", "invocation.closed"]
    assert seen["FORGE_PROXY_TOKEN"] not in "".join((*said[1:], *capfd.readouterr()))


def test_run_as_nobody_has_no_user(installed: Firebrick, tmp_path: Path) -> None:
    script, out = tmp_path / "program.py", tmp_path / "saw.json"
    script.write_text(PROGRAM)
    assert installed("run", "--", sys.executable, str(script), str(out)).code == 7
    assert (saw(out)["status"], saw(out)["aaid"]) == (401, None)


def test_what_cannot_be_run_is_named_and_leaves_nothing_open(installed: Firebrick) -> None:
    said = installed("run", "--", "/nothing/here")
    assert said.code == 1
    assert "Cannot run /nothing/here" in said.err
    assert json.loads(installed("session", "list", "--format", "json").out) == []
    unknown = installed("run", "--function", "nothing", "--", "true")
    assert (unknown.code, "UNKNOWN_FUNCTION" in unknown.err) == (1, True)
    assert installed("run", "--", "sh", "-c", "kill -9 $$").code == 137
    assert installed("run", "--", "true").code == 0


def test_a_session_is_opened_listed_and_closed(installed: Firebrick) -> None:
    said = installed(
        "session", "open", "--as", "dana", "--function", "resolver", "--seconds", "60",
        "--server", "http://127.0.0.1:9",
    )  # fmt: skip
    remark, *lines = said.out.splitlines()
    assert remark.startswith("# Invocation ")
    variables = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    assert set(variables) == {
        "FORGE_PROXY_URL", "FORGE_PROXY_TOKEN", "FORGE_EGRESS_PROXY_URL", "FORGE_INVOCATION_ID",
        "FORGE_RUNTIME", "NODE_OPTIONS",
    }  # fmt: skip
    assert variables["FORGE_PROXY_URL"] == "http://127.0.0.1:9"
    assert Path(variables["NODE_OPTIONS"].split('"')[1]).is_file()
    listed = installed("session", "list").out
    assert variables["FORGE_INVOCATION_ID"] in listed
    assert "dana" in listed
    assert variables["FORGE_PROXY_TOKEN"] not in listed
    (row,) = json.loads(installed("session", "list", "--format", "json").out)
    assert (row["function"], row["as"]) == ("resolver", "dana")
    closed = installed("session", "close", variables["FORGE_INVOCATION_ID"])
    assert (closed.code, closed.out) == (0, "Closed.\n")
    again = installed("session", "close", variables["FORGE_INVOCATION_ID"], "--format", "json")
    assert (again.code, json.loads(again.out)["closed"]) == (1, False)


def test_a_session_as_json_holds_its_environment(installed: Firebrick) -> None:
    opened = json.loads(installed("session", "open", "--format", "json").out)
    assert opened["environment"]["FORGE_INVOCATION_ID"] == opened["invocationId"]
    assert opened["environment"]["FORGE_PROXY_TOKEN"].startswith("fbk_fpt_")
    assert installed("session", "open", "--seconds", "0").code == 2
    assert installed("session", "open", "--as", "nobody-such").code == 1


def test_the_module_for_node_is_printed(firebrick: Firebrick) -> None:
    text = firebrick("session", "preload").out
    assert "__forge_fetch__" in text
    assert "fbk_" not in text


def test_node_options_keep_what_they_held() -> None:
    assert node_options("", Path("/a b/m.cjs")) == '--require "/a b/m.cjs"'
    assert node_options("--no-warnings", Path("/m.cjs")) == '--no-warnings --require "/m.cjs"'
