"""The guide to remotes is run: its manifest, its verifier, and every command against the sample."""

import re
import shlex
import threading
from pathlib import Path
from typing import Any

import jwt
import pytest
from typer.testing import CliRunner

from runtime.cli.main import app
from runtime.manifest.files import MemoryFiles
from runtime.manifest.reader import parse_manifest
from runtime.server.net.remote_edges import KEYS_PATH
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from sample_apps.remote_hello import APP_ID, serve
from tests.flows.serving import served
from tests.test_readme import matches, steps

ROOT = Path(__file__).parent.parent
PAGE = "docs/forge-remote.md"
HEAD = f"app:\n  id: {APP_ID}\n  runtime: {{name: nodejs22.x}}\n"
REST = "resources:\n  - {key: main, path: static}\n"


def block(language: str) -> str:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(found)


def test_the_manifest_of_the_guide_is_right() -> None:
    files = MemoryFiles({"static/index.html": "<p>"})
    assert parse_manifest(HEAD + block("yaml") + REST, files=files).problems == ()


def test_the_commands_of_the_guide_print_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("FIREBRICK_STATE", str(state))
    monkeypatch.chdir(ROOT)
    with (
        open_firebrick(Settings(state=state)) as firebrick,
        served(firebrick) as base,
        serve(0, base + KEYS_PATH) as hello,
    ):
        threading.Thread(target=hello.serve_forever, daemon=True).start()
        monkeypatch.setenv("FIREBRICK_PUBLIC_URL", base)
        there = f"127.0.0.1:{hello.server_address[1]}"
        for step in steps(PAGE):
            command, wanted = (text.replace("127.0.0.1:9000", there) for text in step)
            program, *arguments = shlex.split(command)
            assert program == "firebrick"
            output = CliRunner().invoke(app, arguments, catch_exceptions=False).output
            assert matches(wanted, output), f"{command}\n{output}"
        hello.shutdown()


def test_the_verifier_of_the_guide_believes_its_own_app_alone(tmp_path: Path) -> None:
    with open_firebrick(Settings(state=tmp_path / "state")) as firebrick, served(firebrick) as base:
        code = block("python").replace("http://127.0.0.1:8080", base)
        names: dict[str, Any] = {}
        exec(code, names)  # the guide's own lines
        token = firebrick.remotes.tokens.mint(APP_ID, {"app": {"id": APP_ID}}).get_secret_value()
        assert names["verify"](token, APP_ID)["app"] == {"id": APP_ID}
        with pytest.raises(jwt.InvalidAudienceError):
            names["verify"](token, f"{APP_ID}0")
        with pytest.raises(jwt.InvalidTokenError):
            names["verify"](token[:-8] + "AAAAAAAA", APP_ID)
