"""The guide to Connect apps is run: the site, the app of the guide, and every command of it."""

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
from tests.test_readme import matches, steps


def test_the_commands_of_the_guide_print_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("FIREBRICK_STATE", str(state))
    with (
        open_firebrick(Settings(state=state)) as firebrick,
        served(firebrick) as base,
        serve(0) as hello,
    ):
        threading.Thread(target=hello.serve_forever, daemon=True).start()
        monkeypatch.setenv("FIREBRICK_PUBLIC_URL", base)
        for step in steps("docs/connect.md"):
            command, wanted = (text.replace("http://127.0.0.1:3000", Hello.url) for text in step)
            program, *arguments = shlex.split(command)
            if program == "curl":
                output = httpx.get(arguments[0]).text
            else:
                output = CliRunner().invoke(app, arguments, catch_exceptions=False).stdout
            assert matches(wanted, output), f"{command}\n{output}"
        hello.shutdown()
