"""The guide to hosts is run: every command of it, in one shell, beside a real server."""

import os
import re
import subprocess
import sys
from pathlib import Path

from runtime.server.hosts import OWN_PATHS, PLATFORM

GUIDE = Path(__file__).parent.parent / "docs" / "hosts.md"
SECONDS = 600  # for a busy machine


def test_the_commands_of_the_guide_lead_clients_here(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.+?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "FIREBRICK_STATE": str(tmp_path / "state"),
    }
    ports = ("--port", "0", "--tls-port", "0", "--proxy-port", "0")
    command = [sys.executable, "-m", "runtime.cli", "serve", *ports]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        try:
            while not (said := server.stdout.readline()).startswith(b"Press"):
                assert said, "the server has ended"
            done = subprocess.run(
                ["bash", "-euc", "\necho\n".join(blocks)], cwd=tmp_path, env=environment,
                text=True, capture_output=True, check=False, timeout=SECONDS,
            )  # fmt: skip
        finally:
            server.terminate()
    assert done.returncode == 0, done.stderr
    for wanted in (
        '{"cloudId":"0acde000-0000-4000-8000-000000000001"}',
        '{"code":401,"message":"Unauthorized"}',
        '"token_endpoint": "https://auth.atlassian.com/oauth/token"',
        '"url": "https://acme.atlassian.net"',
        "egress.no-tunnel",
        "example.com:443",
    ):
        assert wanted in done.stdout, done.stdout + done.stderr


def test_the_guide_names_every_host_with_its_paths() -> None:
    rows = [line for line in GUIDE.read_text("utf-8").splitlines() if line.startswith("| `")]
    for name, role in PLATFORM.items():
        (row,) = [row for row in rows if f"`{name}`" in row.split("|")[1]]
        shown = {path.split("{")[0].rstrip("…") for path in re.findall(r"`(/[^`]*)`", row)}
        own = OWN_PATHS[role]
        for path in (*own.exact - {"/_firebrick/pages.css"}, *own.below):
            assert path in shown or "sign-in" in row, (name, path)
