"""Peers of the sandbox, where Node is: the same bundle in other engines."""

import json
import shutil
import subprocess
from pathlib import Path

from runtime.invocation.bundling import bundle, esbuild_of

NODE = Path(__file__).parent / "node"
TIMEOUT_S = 300


def real_bundle() -> str | None:
    """Return one script of the real packages and a small app; None without Node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    if not (NODE / "node_modules").is_dir():
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(command, cwd=NODE, check=True, capture_output=True, timeout=TIMEOUT_S)
    esbuild = esbuild_of(NODE)
    return None if esbuild is None else bundle(NODE, ["index.handler"], esbuild)


def measure(script: str, rounds: int) -> dict[str, float]:
    """Return the median ms of one invocation in each peer, a fresh context each time."""
    path = NODE / "node_modules" / "bundle.js"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["node", "peers.mjs", str(path), "stubs.js", str(rounds)],
        cwd=NODE,
        check=True,
        capture_output=True,
        timeout=TIMEOUT_S,
    )
    return {str(name): float(value) for name, value in json.loads(done.stdout).items()}
