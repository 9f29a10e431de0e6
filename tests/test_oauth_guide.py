"""The guide to OAuth apps is run: every command of it, in one shell, against a real server."""

import os
import re
import subprocess
import sys
from pathlib import Path

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.flows.serving import served

GUIDE = Path(__file__).parent.parent / "docs" / "oauth.md"


def test_the_commands_of_the_guide_lead_from_an_app_to_its_end(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.+?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    state = tmp_path / "state"
    binaries = Path(sys.executable).parent
    with open_firebrick(Settings(state=state)) as firebrick, served(firebrick) as base:
        done = subprocess.run(
            ["bash", "-euc", "\necho\n".join(blocks).replace("http://127.0.0.1:8080", base)],
            cwd=tmp_path,
            env={
                "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
                "FIREBRICK_STATE": str(state),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    for wanted in (
        "scopes: jira: manage:jira-webhook read:jira-user read:jira-work; user-identity: read:me",
        '"email": "dana@acme.example"',
        '"key":"TEAM-1"',
        '{"error":"Failed to parse Connect Session Auth Token"}',
        '{"webhookRegistrationResult":[{"createdWebhookId":10000}]}',
        "No webhook is on its way.",
        "1 grants ended.",
    ):
        assert wanted in done.stdout, done.stdout
    assert done.stdout.rstrip().endswith('{"code":401,"message":"Unauthorized"}')
