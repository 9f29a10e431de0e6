"""The page on the four security models is run from top to bottom, on a real server."""

import json
import re
import shlex
import threading
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from runtime.cli.main import app
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from sample_apps.connect_hello import Hello, serve
from tests.flows.serving import served
from tests.test_readme import ROOT, matches, steps

EXPORT = re.compile(r"export (\w+)=\$\((.+) \| jq -r \.(\w+)\)")


class Shell:
    """As much of a shell as the page needs: variables, curl, jq of one key, firebrick."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._variables: dict[str, str] = {}

    def run(self, line: str) -> str:
        export = EXPORT.fullmatch(line)
        if export is None:
            return self._command(line)
        name, command, key = export.groups()
        self._variables[name] = str(json.loads(self._command(command))[key])
        return ""

    def _command(self, line: str) -> str:
        for name, value in sorted(self._variables.items(), key=lambda item: -len(item[0])):
            line = line.replace(f"${name}", value)
        line = line.replace("http://127.0.0.1:8080", self._site)
        program, *arguments = shlex.split(line.replace("http://127.0.0.1:3000", Hello.url))
        if program == "curl":
            return curl(arguments)
        assert program == "firebrick"
        return CliRunner().invoke(app, arguments, catch_exceptions=False).stdout


def curl(arguments: list[str]) -> str:
    method, headers, data, auth, url = "", {"user-agent": "curl/8"}, [], None, ""
    waiting = iter(arguments)
    for word in waiting:
        if word == "-s":
            continue
        if word == "-X":
            method = next(waiting)
        elif word == "-u":
            user, _, secret = next(waiting).partition(":")
            auth = (user, secret)
        elif word == "-H":
            name, _, value = next(waiting).partition(": ")
            headers[name.lower()] = value
        elif word == "-d":
            data.append(next(waiting))
        else:
            url = word
    if data:
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
    answer = httpx.request(
        method or ("POST" if data else "GET"),
        url,
        headers=headers,
        content="&".join(data),
        auth=auth,
    )
    return answer.text


def test_every_line_of_the_page_says_what_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("FIREBRICK_STATE", str(state))
    monkeypatch.chdir(ROOT)
    with (
        open_firebrick(Settings(state=state)) as firebrick,
        served(firebrick) as site,
        serve(0) as hello,
    ):
        threading.Thread(target=hello.serve_forever, daemon=True).start()
        monkeypatch.setenv("FIREBRICK_PUBLIC_URL", site)
        shell = Shell(site)
        pairs: list[str] = []
        explained = ""
        for command, wanted in steps("docs/security-models.md"):
            output = shell.run(command)
            wanted_here = wanted.replace("http://127.0.0.1:3000", Hello.url)
            assert matches(wanted_here, output), f"{command}\n{output}"
            if command.startswith("firebrick audit --why") and explained:
                assert told_before(explained) <= set(lines(output)), f"{explained}\n{output}"
                pairs.append(next(line for line in lines(output) if line.startswith("Who ")))
            explained = output if command.startswith("firebrick explain") else ""
        hello.shutdown()
    assert [one.split()[-2:] for one in pairs] == [
        ["Who", "dana"], ["app", "Renamer"], ["issue-health", "(development)"],
        ["Hello", "(com.example.hello)"],
    ]  # fmt: skip  # each model is explained before and after the fact, line by line alike


def lines(output: str) -> list[str]:
    return [line.strip() for line in output.splitlines()]


def told_before(explained: str) -> set[str]:
    """The lines of an explanation, but for the first, which says what was asked."""
    return set(lines(explained)[1:])
